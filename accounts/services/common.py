"""What the services of this room share: rows locked and compared, and the difference that goes into the log."""

from collections.abc import Mapping
from typing import TypeVar

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db.models import QuerySet

from accounts.models import Group, Policy
from accounts.models.versioned import Versioned
from keyadmin.kernel.errors import ConflictError, InvalidError, NotFoundError, StaleError
from keyadmin.kernel.text import clean_line

M = TypeVar("M", bound=Versioned)
BIGGEST_ID = 2**63 - 1
EMAIL_LENGTH = 254


def locked(rows: QuerySet[M], pk: int, *, missing: str, expected_version: int | None = None) -> M:
    """One of the rows, locked until the unit ends without its key columns (others may go on pointing at it).

    Raises NotFoundError with the text `missing`, and StaleError where its version is not the one expected.
    """
    found = rows.select_for_update(no_key=True, of=("self",)).filter(pk=pk).first() if 0 < pk <= BIGGEST_ID else None
    if found is None:
        raise NotFoundError(missing)
    if expected_version is not None and expected_version != found.version:
        raise StaleError
    return found


def difference(
    before: Mapping[str, object], after: Mapping[str, object]
) -> tuple[dict[str, object], dict[str, object]]:
    """The fields that differ, as they were and as they are."""
    names = [name for name, value in after.items() if before[name] != value]
    return {name: before[name] for name in names}, {name: after[name] for name in names}


def save(row: Versioned) -> None:
    """Save a changed row as its next version."""
    row.version += 1
    row.save(force_update=True)


def clean_email(field: str, value: str, *, required: bool = True) -> str:
    """An e-mail address in lower case. Raises InvalidError."""
    text = clean_line(field, value, longest=EMAIL_LENGTH, required=required).lower()
    if not text:
        return ""
    try:
        validate_email(text)
    except ValidationError:
        raise InvalidError.field(field, "This is not an e-mail address.") from None
    return text


def refuse_twin(row: Group | Policy) -> None:
    """Raise ConflictError where the organisation has another one of this name, letter case ignored."""
    twins = type(row)._default_manager.filter(organization_id=row.organization_id, name__iexact=row.name)
    if twins.exclude(pk=row.pk).exists():
        raise ConflictError
