"""Policies: named lists of permission patterns, with all that they have been."""

from collections.abc import Iterable
from typing import TypedDict

from accounts import access
from accounts.models import Organization, Policy, PolicyVersion
from accounts.services.catalogue import check_patterns
from accounts.services.common import difference, locked, refuse_twin, save
from keyadmin.activity import work
from keyadmin.activity.events import EventName, Target
from keyadmin.kernel import clock
from keyadmin.kernel.actor import Actor
from keyadmin.kernel.errors import ConflictError, InvalidError
from keyadmin.kernel.patterns import Rights
from keyadmin.kernel.text import clean_line, clean_text

NAME_LENGTH, DESCRIPTION_LENGTH = 80, 2000


class PolicyChanges(TypedDict, total=False):
    """The fields of a policy that can be edited; an absent one stays as it is."""

    name: str
    description: str
    patterns: Iterable[str]


def create_policy(
    *, actor: Actor, organization: Organization, name: str, patterns: Iterable[str], description: str = ""
) -> Policy:
    """Make a policy. Raises DeniedError, InvalidError, or ConflictError for a name that is taken."""
    access.require(actor, "policy.ctrl", organization.pk)
    wanted = check_patterns(patterns, field="patterns")
    access.require_holds(actor, wanted, organization.pk)
    policy = Policy(
        organization=organization,
        name=clean_line("name", name, longest=NAME_LENGTH),
        description=clean_text("description", description, longest=DESCRIPTION_LENGTH),
        patterns=wanted,
        created_at=clock.now(),
        created_by_key=actor.key_id,
    )
    with work.unit(actor) as unit:
        refuse_twin(policy)
        policy.save(force_insert=True)
        _keep_version(actor, policy)
        unit.record(
            EventName.POLICY_CREATED,
            _target(policy),
            organizations=[organization.pk],
            after=_facts(policy),
        )
    return policy


def edit_policy(*, actor: Actor, policy: Policy, changes: PolicyChanges, expected_version: int | None = None) -> Policy:
    """Change a policy; all its groups follow at once. What it gives more than before must be held.

    Every saved state is kept as a version. Restoring one is an edit with its patterns.
    Raises NotFoundError, DeniedError (`policy.ctrl`), InvalidError, StaleError, ConflictError for a name that is taken.
    """
    access.require(actor, "policy.ctrl", policy.organization_id)
    with work.unit(actor) as unit:
        row = _locked(policy, expected_version)
        before = _facts(row)
        if "name" in changes:
            row.name = clean_line("name", changes["name"], longest=NAME_LENGTH)
            refuse_twin(row)
        if "description" in changes:
            row.description = clean_text("description", changes["description"], longest=DESCRIPTION_LENGTH)
        if "patterns" in changes:
            had = Rights(frozenset(row.patterns))
            row.patterns = check_patterns(changes["patterns"], field="patterns")
            gained = [pattern for pattern in row.patterns if not had.allows(pattern)]
            access.require_holds(actor, gained, row.organization_id)
            unit.changes_rights()
        old, new = difference(before, _facts(row))
        if new:
            save(row)
            _keep_version(actor, row)
            unit.record(
                EventName.POLICY_UPDATED,
                _target(row),
                organizations=[row.organization_id],
                before=old,
                after=new,
            )
    return row


def restore_policy(*, actor: Actor, policy: Policy, number: int) -> Policy:
    """Give a policy the patterns of one of its versions, as a new version. Raises as edit_policy does."""
    access.require(actor, "policy.ctrl", policy.organization_id)
    kept = PolicyVersion.objects.filter(policy=policy, version=number).first()
    if kept is None:
        raise InvalidError.field("version", f"There is no version {number}.")
    return edit_policy(actor=actor, policy=policy, changes={"patterns": kept.patterns})


def delete_policy(*, actor: Actor, policy: Policy) -> None:
    """Remove a policy that no group has.

    Raises NotFoundError, DeniedError (`policy.ctrl`), ConflictError (`in_use`) naming groups that have it to who may
    look at groups.
    """
    access.require(actor, "policy.ctrl", policy.organization_id)
    with work.unit(actor) as unit:
        row = _locked(policy, None)
        groups = list(row.groups.order_by("name").values_list("name", flat=True)[:4])
        if groups:
            shown = f": {', '.join(groups[:3])}{' and others' if len(groups) > 3 else ''}"
            named = shown if access.may_view(actor, "group", row.organization_id) else ""
            raise ConflictError(f"Groups have this policy{named}. Take it from them first.", code="in_use")
        unit.record(
            EventName.POLICY_DELETED,
            _target(row),
            organizations=[row.organization_id],
            before=_facts(row),
        )
        row.delete()


def _target(policy: Policy) -> Target:
    return Target("policy", policy.pk, policy.name)


def _facts(policy: Policy) -> dict[str, object]:
    return {"name": policy.name, "description": policy.description, "patterns": policy.patterns}


def _locked(policy: Policy, expected_version: int | None) -> Policy:
    rows = Policy.objects.filter(organization_id=policy.organization_id)
    return locked(rows, policy.pk, missing="There is no such policy.", expected_version=expected_version)


def _keep_version(actor: Actor, policy: Policy) -> None:
    PolicyVersion(
        policy=policy,
        version=policy.version,
        name=policy.name,
        description=policy.description,
        patterns=policy.patterns,
        saved_at=clock.now(),
        saved_by_label=actor.label,
        reason=actor.reason,
    ).save(force_insert=True)
