"""A made-up organisation with ninety days behind it, to look around in (`demo.toml` says what is in it).

The services do all of it, each change at the moment at which it is said to have happened: so the rules hold, the log
is true, and its chain is consistent. Keys are minted like any other and their secrets thrown away.
"""

import random
import tomllib
from collections.abc import Callable, Mapping
from contextlib import nullcontext
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, time, timedelta
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

from django.db import transaction
from django.utils.crypto import get_random_string

from accounts import identity
from accounts import queries as accounts
from accounts.models import Organization, User
from accounts.services import api_users, groups, people, policies, sessions
from accounts.services.setup import set_up
from keyadmin.activity import queries as activity
from keyadmin.activity.events import INSTANCE
from keyadmin.kernel import clock
from keyadmin.kernel.actor import Actor, operator
from keyadmin.kernel.errors import ConflictError
from keyadmin.keys import presets
from keyadmin.keys import services as keys
from keyadmin.keys.models import APIKey
from keyadmin.system import services
from keyadmin.verify.decide import Ask
from keyadmin.verify.lookup import facts_of
from keyadmin.verify.services import actor_of

DATA = Path(__file__).with_name("demo.toml")
LABEL = "demo data"  # who set the instance up: it marks a database as ours
PASSWORD_ALPHABET = "abcdefghjkmnpqrstuvwxyz23456789"  # noqa: S105  nothing that looks like something else
Fields = Mapping[str, Any]
Step = tuple[datetime, Callable[[], object]]


class Person(NamedTuple):
    """Somebody to sign in as."""

    email: str
    role: str


@dataclass(frozen=True, slots=True)
class Demo:
    """What was made, and the one password of all its people, to be said once."""

    organization: str
    people: tuple[Person, ...]
    password: str = field(repr=False)

    def as_json(self) -> dict[str, object]:
        people = [person._asdict() for person in self.people]
        return {"organization": self.organization, "people": people, "password": self.password}


def prepare() -> None:
    """As at every start; in a new database at the moment at which the story begins."""
    with clock.at(_story(operator()).begin) if services.is_new() else nullcontext():
        services.prepare()


def seed(*, actor: Actor, progress: Callable[[int, int], None]) -> Demo | None:
    """Fill a new database; None if it holds the demo already. `progress` is told how many steps of how many are done.

    Raises ConflictError for a database that is in use: demo data and real keys don't mix.
    """
    if activity.set_up_by() == LABEL:
        return None
    if accounts.administrator_exists() or accounts.visible_organizations(operator()).exists():
        raise ConflictError("The demo needs a new database; this one has an administrator or an organisation already.")
    story = _story(actor)
    with transaction.atomic():  # the whole story or none of it
        for done, (moment, act) in enumerate(story.steps, start=1):
            with clock.at(moment):
                act()
            progress(done, len(story.steps))
        for chain in (INSTANCE, story.organization.pk):
            if not activity.check(chain).consistent:
                raise ConflictError("The log of the demo is not consistent, so nothing was made.")
    return Demo(story.organization.name, story.people, story.password)


def _story(actor: Actor) -> "_Story":
    return _Story(tomllib.loads(DATA.read_text()), clock.now(), actor)


class _Story:
    """Everything that happens, as steps in order of time; made from the data, relative to one moment."""

    organization: Organization

    def __init__(self, data: Fields, now: datetime, founder: Actor) -> None:
        self.data, self.now, self.founder = data, now, founder
        self.chance = random.Random(data["organization"])  # noqa: S311  the same story each time; it makes no secret
        self.password = "-".join(get_random_string(4, PASSWORD_ALPHABET) for _ in range(5))
        self.people = tuple(Person(f"{row['id']}@{data['domain']}", row["role"]) for row in data["person"])
        self.persons: dict[str, Fields] = {row["id"]: row for row in data["person"]}
        self.users: dict[str, User] = {}
        self.keys: dict[str, int] = {}
        self.begin = self.moment({"on": data["begin"], "at": "08:30"})
        self.steps = sorted([*self._founding(), *self._keys(), *self._acts(), *self._sign_ins()], key=lambda s: s[0])

    def moment(self, row: Fields) -> datetime:
        """`on` so many working days ago `at` a time, with some seconds; or minutes `ago`."""
        if "ago" in row:
            return self.now - timedelta(minutes=row["ago"], seconds=self.chance.randrange(60))
        day, left = self.now.date(), row["on"]
        while left:
            day -= timedelta(days=1)
            left -= day.weekday() < 5
        seconds = timedelta(seconds=self.chance.randrange(60))
        return datetime.combine(day, time.fromisoformat(row["at"]), UTC) + seconds

    def expiry(self, row: Fields) -> datetime | None:
        """The end of the day that is `expires` days from today."""
        if "expires" not in row:
            return None
        return clock.parse_moment((self.now + timedelta(days=row["expires"])).date().isoformat())

    def actor(self, who: str, reason: str = "") -> Actor:
        """A person of the organisation in their browser, or `key:` and the name of a key."""
        request_id = f"req_{self.chance.randbytes(10).hex()}"
        name = who.removeprefix("key:")
        if name != who:
            key = APIKey.objects.get(pk=self.keys[name])
            ask = Ask(key.allowed_networks[0].partition("/")[0], self.organization.pk)
            return actor_of(facts_of(key), ask, request_id=request_id, reason=reason)
        address = self.persons[who]["address"]
        person = identity.person(self.users[who], address=address, request_id=request_id, reason=reason)
        return person.meaning(self.organization.pk)

    def _founding(self) -> list[Step]:
        begin, founder = self.begin, self.data["person"][0]["id"]
        steps: list[Step] = [(begin, self._set_up)]
        makers = {"group": self._make_group, "api_user": self._make_api_user, "person": self._make_person}
        for kind, make in makers.items():
            for row in self.data[kind]:
                if row.get("id") != founder:
                    steps.append((begin + timedelta(minutes=3 * len(steps)), partial(make, row, founder)))
        return steps

    def _set_up(self) -> None:
        first = self.data["person"][0]
        user, self.organization = set_up(
            actor=replace(self.founder, label=LABEL),
            organization=self.data["organization"],
            name=first["name"],
            email=self.people[0].email,
            password=self.password,
        )
        self.users[first["id"]] = user
        self._sign_in(first["id"])

    def _make_group(self, row: Fields, by: str) -> None:
        common = {"actor": self.actor(by), "organization": self.organization, "name": row["name"]}
        policy = policies.create_policy(**common, description=row["text"], patterns=row["gives"])
        groups.create_group(**common, description=row["text"], policies=[policy])

    def _make_api_user(self, row: Fields, by: str) -> None:
        self.users[row["name"]] = api_users.create_api_user(
            actor=self.actor(by),
            organization=self.organization,
            name=row["name"],
            description=row["text"],
            groups=[accounts.group_named(self.organization, name) for name in row["groups"]],
        )

    def _make_person(self, row: Fields, by: str) -> None:
        email = f"{row['id']}@{self.data['domain']}"
        self.users[row["id"]] = people.create_person(
            actor=self.actor(by),
            organization=self.organization,
            name=row["name"],
            email=email,
            encoded_password=people.hashed_password(self.password, name=row["name"], email=email),
            groups=[accounts.group_named(self.organization, name) for name in row["groups"]],
        )

    def _keys(self) -> list[Step]:
        steps: list[Step] = []
        for row in self.data["key"]:
            steps.append((self.moment(row), partial(self._make_key, row)))
            expires = self.expiry(row)
            if expires is not None and expires < self.now:
                steps.append((expires + timedelta(seconds=10), keys.stamp_expired))
        return steps

    def _make_key(self, row: Fields) -> None:
        owner = self.users.get(row.get("owner", ""))
        gives = row.get("gives")
        template = presets.template(gives) if isinstance(gives, str) else None
        issued = keys.create_key(
            actor=self.actor(row["by"]),
            name=row["name"],
            kind="user" if owner else "organization",
            organization=None if owner else self.organization,
            owner=owner,
            description=row["text"],
            permissions=template.permissions if template else gives,
            expires_at=self.expiry(row),
            environment=row.get("env", "live"),
            allowed_networks=row.get("networks", ()),
            confirmed=row.get("confirmed", True),
        )
        self.keys[row["name"]] = issued.key.pk

    def _assign_key(self, row: Fields) -> None:
        issued = keys.assign_key(actor=self.actor(row["by"]), owner=self.users[row["owner"]])
        self.keys[row["key"]] = issued.key.pk

    def _acts(self) -> list[Step]:
        return [(self.moment(row), partial(self._act, row)) for row in self.data["act"]]

    def _act(self, row: Fields) -> None:
        if row["do"] == "sign_in":
            self._sign_in(row["by"])
            return
        if row["do"] == "assign":
            self._assign_key(row)
            return
        actor, key_id = self.actor(row["by"], row.get("reason", "")), self.keys[row["key"]]
        if row["do"] == "edit":
            names = {"networks": "allowed_networks"}
            changes: Any = {names.get(name, name): value for name, value in row["to"].items() if name != "expires"}
            if "expires" in row["to"]:
                changes["expires_at"] = self.expiry(row["to"])
            keys.edit_key(actor=actor, key_id=key_id, changes=changes)
        elif row["do"] in _HERE:
            _HERE[row["do"]](actor=actor, key_id=key_id, organization=self.organization)
        else:
            _ACTS[row["do"]](actor=actor, key_id=key_id)

    def _sign_ins(self) -> list[Step]:
        """Mornings, and some evenings on which somebody signs out."""
        steps: list[Step] = []
        for day in range(self.data["begin"] - 1, 0, -1):
            for who, row in self.persons.items():
                if self.chance.randrange(10) >= row["signs_in"]:
                    continue
                morning, evening = f"07:{self.chance.randrange(10, 60)}", f"17:{self.chance.randrange(10, 60)}"
                steps.append((self.moment({"on": day, "at": morning}), partial(self._sign_in, who)))
                if self.chance.randrange(3) == 0:
                    steps.append((self.moment({"on": day, "at": evening}), partial(self._sign_out, who)))
        return steps

    def _sign_in(self, who: str) -> None:
        agent = self.persons[who]["agent"]
        sessions.sign_in(actor=self.actor(who), user=self.users[who], user_agent=agent, begin=_nothing)

    def _sign_out(self, who: str) -> None:
        agent = self.persons[who]["agent"]
        sessions.sign_out(actor=self.actor(who), user=self.users[who], user_agent=agent, end=_nothing)


def _nothing() -> None:
    """There is no browser whose session could begin or end."""


_ACTS: Mapping[str, Callable[..., object]] = {
    "regenerate": keys.regenerate_key,
    "pause": keys.pause_key,
    "resume": keys.resume_key,
    "revoke": keys.revoke_key,
    "delete": keys.delete_key,
}
_HERE: Mapping[str, Callable[..., object]] = {"block": keys.block_key, "unblock": keys.unblock_key}
