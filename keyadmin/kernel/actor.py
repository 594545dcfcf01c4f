"""Who acts. Carries its rights, so that rooms below `accounts` need not ask for them."""

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Self

from keyadmin.kernel.patterns import HOLDS_EVERYTHING, HOLDS_NOTHING, NOTHING, Held, Rights


class ActorKind(StrEnum):
    """The closed list of kinds of actor."""

    ANONYMOUS = "anonymous"
    PERSON = "person"
    KEY = "key"
    OPERATOR = "operator"
    SYSTEM = "system"


@dataclass(frozen=True, slots=True)
class Subject:
    """Whom a request is about, as far as that is known: ids and a label to keep. It gives no right to anything."""

    organization_id: int | None = None
    key_id: int | None = None
    user_id: int | None = None
    who: str = ""
    token_id: str = ""


NOBODY = Subject()


@dataclass(frozen=True, slots=True)
class Actor:
    """An identity with what it holds at this moment, and where the request came from.

    `limit` is the own list of a user key that has one: `held` lies within it already, what it gives must too.
    `key_state` is what the acting key could do when it was verified.
    `organization_id` is the one organisation that the request means, None when it names none. `user_id` is the
    person, or the owner of the user key, that acts; `label`, `via` (the masked key) and `token_id` are to show, never
    a secret.
    """

    kind: ActorKind
    id: int | None = None
    label: str = ""
    user_id: int | None = None
    held: Held = HOLDS_NOTHING
    limit: frozenset[str] | None = None
    key_state: str = ""
    organization_id: int | None = None
    segment: bool = False
    via: str = ""
    token_id: str = ""
    address: str = ""
    request_id: str = ""
    reason: str = ""

    @property
    def authenticated(self) -> bool:
        return self.kind is not ActorKind.ANONYMOUS

    def reaches(self, organization_id: int) -> bool:
        """Whether the organisation exists for this actor in this request."""
        return self.organization_id in (None, organization_id) and self.held.reaches(organization_id)

    def rights_in(self, organization_id: int) -> Rights:
        """The rights in one organisation; nothing where the actor does not reach it."""
        return self.held.rights_in(organization_id) if self.reaches(organization_id) else NOTHING

    def allowing(self, name: str) -> frozenset[int] | None:
        """Ids of the organisations where permission `name` is held; None means in every one."""
        if self.organization_id is None:
            return self.held.allowing(name)
        meant = self.organization_id
        return frozenset({meant} if self.rights_in(meant).allows(name) else ())

    def allows(self, name: str) -> bool:
        """Whether permission `name` is held in the organisation meant; without one, anywhere."""
        return self.held.allows(name, self.organization_id)

    @property
    def key_id(self) -> int | None:
        """The id of the key that acts; None: no key does."""
        return self.id if self.kind is ActorKind.KEY else None

    def may_touch(self, created_by_key: int | None) -> bool:
        """Whether a thing that was made through this key (None: through none) exists for the actor.

        Through a key with the flair [segment] only what it created itself does.
        """
        return not self.segment or (created_by_key is not None and created_by_key == self.key_id)

    @property
    def subject(self) -> Subject:
        """This actor as records keep it; the organisation is the one that the request means, else the only one."""
        meant, known = self.organization_id, self.held.rights
        if meant not in known and (meant is None or meant < 0 or self.held.everywhere is None):
            meant = next(iter(known)) if len(known) == 1 else None
        return Subject(meant, self.key_id, self.user_id, self.label if self.authenticated else "", self.token_id)

    def meaning(self, organization_id: int | None) -> Self:
        """The same actor, limited to one organisation; None: to none."""
        return replace(self, organization_id=organization_id)


ANONYMOUS = Actor(ActorKind.ANONYMOUS, label="anonymous")
SYSTEM = Actor(ActorKind.SYSTEM, label="keyadmin", held=HOLDS_EVERYTHING)


def operator(
    *, reason: str = "", label: str = "operator of the machine", address: str = "", request_id: str = ""
) -> Actor:
    """Whoever can run commands on the machine: all rights, logged as such."""
    return Actor(
        ActorKind.OPERATOR,
        label=label,
        held=HOLDS_EVERYTHING,
        reason=reason,
        address=address,
        request_id=request_id,
    )
