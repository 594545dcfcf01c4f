"""In which organisations a key works, as far as somebody may know that."""

from typing import NamedTuple

from accounts.models import Organization
from accounts.words import listed
from keyadmin.kernel.actor import Actor
from keyadmin.keys import queries, rights
from keyadmin.keys.models import APIKey
from keyadmin.keys.status import WORKING


class Place(NamedTuple):
    """An organisation that a key is for; `obstacle` says why it does not work there (`blocked`), or is empty."""

    organization: Organization
    obstacle: str


def places(key: APIKey) -> list[Place]:
    """The key's own organisation, or by name those of the person that it belongs to. Two queries for a person's key."""
    if not rights.is_persons(key):
        return [Place(key.organization, _obstacle(key.organization, False))] if key.organization else []
    blocking = queries.blocking(key)
    homes = Organization.objects.filter(memberships__user=key.owner).order_by("name", "pk")
    return [Place(home, _obstacle(home, home.pk in blocking)) for home in homes]


def known_places(key: APIKey, actor: Actor) -> tuple[list[Place], bool]:
    """Those where the actor sees the key too, all of them for its owner; and whether it works in one more."""
    every = places(key)
    if key.owner_id is not None and key.owner_id == actor.user_id:
        return every, False
    known = [place for place in every if _sees(actor, place.organization)]
    return known, any(not place.obstacle for place in every if place not in known)


def elsewhere(key: APIKey, actor: Actor, here: Organization) -> str:
    """Where else a person's key works at this moment, for a sentence: `in Acme and elsewhere`. Empty: nowhere."""
    owner = key.owner
    if owner is None or not rights.is_persons(key) or not owner.is_active or key.status not in WORKING:
        return ""
    if owner.is_instance_admin:
        others = Organization.objects.exclude(pk__in=[here.pk, *queries.blocking(key)]).filter(suspended_at=None)
        return "in every other organisation of this instance" if others.exists() else ""
    known, more = known_places(key, actor)
    names = [place.organization.name for place in known if not place.obstacle and place.organization != here]
    return " and ".join(filter(None, (f"in {listed(names)}" if names else "", "elsewhere" if more else "")))


def _obstacle(organization: Organization, blocked: bool) -> str:
    return "suspended" if organization.suspended_at else "blocked" if blocked else ""


def _sees(actor: Actor, organization: Organization) -> bool:
    held = actor.held.rights_in(organization.pk)
    return held.allows("apikey.view") or held.allows("apikey.ctrl")
