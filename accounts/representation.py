"""How organisations and users stand in JSON, the same in every answer."""

from accounts.models import Organization, User


def organization_ref(organization: Organization) -> dict[str, str]:
    return {"oid": str(organization.oid), "slug": organization.slug, "name": organization.name}


def user_ref(user: User) -> dict[str, object]:
    return {"id": user.pk, "uid": str(user.uid), "kind": user.kind, "name": user.name}
