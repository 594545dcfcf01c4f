from django.utils.text import slugify

from accounts import access
from accounts.models import Membership, Organization, User
from accounts.services.groups import create_ready_groups
from keyadmin.activity import work
from keyadmin.activity.events import EventName, Target
from keyadmin.kernel import clock
from keyadmin.kernel.actor import Actor
from keyadmin.kernel.errors import ConflictError, InvalidError
from keyadmin.kernel.text import clean_line

NAME_LENGTH, SLUG_LENGTH = 150, 50


def create_organization(*, actor: Actor, name: str, slug: str = "") -> Organization:
    """Make an organisation with its ready groups.

    Without a slug one is made from the name, with a number behind it if it is taken.
    Raises DeniedError, InvalidError, or ConflictError for a slug that is taken.
    """
    access.require_instance(actor, "org.create")
    name = clean_line("name", name, longest=NAME_LENGTH)
    wanted = slug or slugify(name)[:SLUG_LENGTH].strip("-_") or "organisation"
    if slugify(wanted) != wanted or len(wanted) > SLUG_LENGTH:
        raise InvalidError.field("slug", "At most 50 lower-case letters, digits and hyphens.")
    with work.unit(actor) as unit:
        organization = Organization(name=name, slug=_free(wanted, exact=bool(slug)), created_at=clock.now())
        organization.save(force_insert=True)
        unit.record(
            EventName.ORGANIZATION_CREATED,
            Target("organization", organization.pk, organization.name),
            organizations=[organization.pk],
            after={"oid": str(organization.oid), "slug": organization.slug, "name": name},
        )
        create_ready_groups(actor=actor, organization=organization)
    return organization


def add_membership(*, actor: Actor, organization: Organization, user: User) -> Membership:
    """Take a user into an organisation, without any group yet."""
    access.require(actor, "user.ctrl", organization.pk)
    with work.unit(actor) as unit:
        membership = Membership(user=user, user_kind=user.kind, organization=organization, created_at=clock.now())
        membership.save(force_insert=True)
        unit.changes_rights()
        unit.record(
            EventName.MEMBERSHIP_CREATED,
            Target("user", user.pk, user.name),
            organizations=[organization.pk],
            after={"kind": user.kind},
        )
    return membership


def _free(slug: str, *, exact: bool) -> str:
    taken = set(Organization.objects.filter(slug__startswith=slug[:40]).values_list("slug", flat=True))
    if slug not in taken:
        return slug
    if exact:
        raise ConflictError(f"The slug {slug} is taken.")
    return next(s for n in range(2, len(taken) + 3) if (s := f"{slug[:40]}-{n}") not in taken)
