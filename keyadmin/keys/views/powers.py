"""What a key may do, in the words of the catalogue, and where it has it from."""

from accounts import queries as accounts
from accounts import words
from accounts.models import Organization
from keyadmin.kernel.patterns import EVERYTHING, Rights
from keyadmin.keys import queries
from keyadmin.keys.models import APIKey


def powers_of(key: APIKey, organization: Organization) -> words.Powers:
    """What the key may do at this moment, by resource; for a user's key with the groups that give it."""
    roads: list[tuple[str, Rights]] = []
    if key.owner is not None and key.owner.is_instance_admin:
        roads = [("instance administrator", EVERYTHING)]
    elif key.owner is not None:
        roads = [(source.words, source.rights) for source in accounts.sources(key.owner, organization)]
    return words.powers(accounts.grantable_permissions(), queries.effective(key, organization), roads)


def idle_of(key: APIKey, organization: Organization) -> list[str]:
    """What stands in a user key's own list but gives nothing, because its owner does not have it."""
    held = Rights(frozenset(queries.effective(key, organization)))
    own = key.permissions if key.owner is not None and key.permissions else []
    return [pattern for pattern in own if pattern != "*" and not held.narrowed([pattern]).patterns]
