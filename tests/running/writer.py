"""Run by a test in processes of its own, in the environment of an installation: write much, or say what was written.

`python -m tests.running.writer write THREADS ACTS` does so many acts in each of so many threads and prints every one
that was acknowledged as `event name, key id`; `... prepare` makes what they act on, `... check` prints the verdict on
each chain and the events there are.
"""

import json
import os
import random
import sys
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "keyadmin.settings")
django.setup()

from django.db import connections  # noqa: E402

from accounts.models import Organization, User  # noqa: E402
from accounts.services.api_users import create_api_user  # noqa: E402
from accounts.services.organizations import add_membership, create_organization  # noqa: E402
from keyadmin.activity import queries as activity  # noqa: E402
from keyadmin.activity.models import Chain, Event  # noqa: E402
from keyadmin.instance.services import issue_setup_token  # noqa: E402
from keyadmin.kernel.actor import operator  # noqa: E402
from keyadmin.keys import services  # noqa: E402
from keyadmin.keys.models import APIKey  # noqa: E402

OPERATOR = operator()
Done = list[tuple[str, int | None]]


def prepare() -> dict[str, object]:
    """A second organisation, the administrator in both, and a key that everybody edits."""
    globex = create_organization(actor=OPERATOR, name="Globex")
    add_membership(actor=OPERATOR, organization=globex, user=User.objects.get())
    shared = services.create_key(actor=OPERATOR, organization=globex, name="Shared", permissions=["*"])
    return {"shared": shared.key.pk, "secret": shared.secret}


def live(acts: int) -> Done:
    """Make keys, act on them in every way, end them; edit the shared one in between."""
    rng, done = random.Random(), Done()
    homes = list(Organization.objects.order_by("pk"))
    person = User.objects.get(kind="person")
    shared = APIKey.objects.get(name__startswith="Shared").pk
    mine: list[int] = []
    try:
        for number in range(acts):
            tag = f"{os.getpid()}-{rng.getrandbits(40)}"
            choice = rng.choice(("create", "person", "user", "instance", "shared", "shared", "life", "life", "end"))
            if choice == "create" or not mine:
                home = rng.choice(homes)
                mine.append(services.create_key(actor=OPERATOR, organization=home, name=tag).key.pk)
                done.append(("api_key.created", mine[-1]))
            elif choice == "person":  # an event in both organisations
                mine.append(services.create_key(actor=OPERATOR, kind="user", owner=person, name=tag).key.pk)
                done += [("api_key.created", mine[-1])] * 2
                services.delete_key(actor=OPERATOR, key_id=mine[-1])
                done += [("api_key.deleted", mine.pop())] * 2
            elif choice == "user":
                user = create_api_user(actor=OPERATOR, organization=rng.choice(homes), name=tag)
                done.append(("api_user.created", user.pk))
            elif choice == "instance":
                issue_setup_token()
                done.append(("instance.setup_link_issued", 1))
            elif choice == "shared":
                services.edit_key(actor=OPERATOR, key_id=shared, changes={"name": f"Shared {tag}"})
                done.append(("api_key.updated", shared))
            elif choice == "life":
                key = rng.choice(mine)
                services.pause_key(actor=OPERATOR, key_id=key)
                done.append(("api_key.paused", key))
                services.regenerate_key(actor=OPERATOR, key_id=key)
                done.append(("api_key.regenerated", key))
                services.resume_key(actor=OPERATOR, key_id=key)
                done.append(("api_key.resumed", key))
            else:
                key = mine.pop()
                services.revoke_key(actor=OPERATOR, key_id=key)
                done.append(("api_key.revoked", key))
                if number % 2:
                    services.delete_key(actor=OPERATOR, key_id=key)
                    done.append(("api_key.deleted", key))
    finally:
        connections.close_all()
    return done


def check() -> dict[str, object]:
    """The verdict on each chain, and how often each event was written for each target."""
    chains = list(Chain.objects.order_by("pk").values_list("pk", flat=True))
    verdicts = {str(pk): activity.check(pk) for pk in chains}
    return {
        "problems": {pk: verdict.problem for pk, verdict in verdicts.items() if not verdict.consistent},
        "entries": sum(verdict.entries for verdict in verdicts.values()),
        "chains": len(chains),
        "events": list(Counter(map(tuple, Event.objects.values_list("name", "target_id"))).items()),
    }


if __name__ == "__main__":
    command, *numbers = sys.argv[1:]
    result: object
    if command == "write":
        threads, acts = map(int, numbers)
        with ThreadPoolExecutor(threads) as pool:
            result = [act for done in pool.map(live, [acts] * threads) for act in done]
    else:
        result = {"prepare": prepare, "check": check}[command]()
    sys.stdout.write(json.dumps(result))
