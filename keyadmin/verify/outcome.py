"""The closed list of outcomes, and the one mapping from them to what the outside is told."""

from dataclasses import dataclass
from enum import StrEnum

from keyadmin.kernel.errors import KINDS, ErrorKind


class Outcome(StrEnum):
    """The exact result of a check, for logs and for those who may know it."""

    ALLOWED = "allowed"
    MISSING = "missing"
    MALFORMED = "malformed"
    MISPLACED = "misplaced"
    UNKNOWN = "unknown"
    WRONG_SECRET = "wrong_secret"  # noqa: S105
    REVOKED = "revoked"
    REPLACED = "replaced"
    ORGANIZATION_NOT_REACHED = "organization_not_reached"
    EXPIRED = "expired"
    PAUSED = "paused"
    OWNER_DISABLED = "owner_disabled"
    ORGANIZATION_SUSPENDED = "organization_suspended"
    SITE_KEY_REQUIRED = "site_key_required"
    WRONG_ENVIRONMENT = "wrong_environment"
    KEY_BLOCKED = "key_blocked"
    ADDRESS_NOT_ALLOWED = "address_not_allowed"
    RATE_LIMITED = "rate_limited"
    MISSING_PERMISSION = "missing_permission"


# Until the secret has matched a live key, every refusal is one identical `invalid_key`.
PUBLIC_CODES: dict[Outcome, str] = {
    Outcome.MISSING: "missing_key",
    Outcome.MALFORMED: "invalid_key",
    Outcome.MISPLACED: "invalid_key",
    Outcome.UNKNOWN: "invalid_key",
    Outcome.WRONG_SECRET: "invalid_key",
    Outcome.REVOKED: "invalid_key",
    Outcome.REPLACED: "invalid_key",
    Outcome.ORGANIZATION_NOT_REACHED: "invalid_key",
    Outcome.EXPIRED: "key_expired",
    Outcome.PAUSED: "key_paused",
    Outcome.OWNER_DISABLED: "owner_disabled",
    Outcome.ORGANIZATION_SUSPENDED: "organization_suspended",
    Outcome.SITE_KEY_REQUIRED: "site_key_required",
    Outcome.WRONG_ENVIRONMENT: "wrong_environment",
    Outcome.KEY_BLOCKED: "key_blocked",
    Outcome.ADDRESS_NOT_ALLOWED: "address_not_allowed",
    Outcome.RATE_LIMITED: "rate_limited",
    Outcome.MISSING_PERMISSION: "insufficient_scope",
}
# A request that came so far counts against the limit of its key.
COUNTED = (Outcome.ALLOWED, Outcome.MISSING_PERMISSION)
# Wrong keys, as far as the caller is concerned: before a secret has matched.
WRONG = frozenset({Outcome.MALFORMED, Outcome.UNKNOWN, Outcome.WRONG_SECRET, Outcome.REVOKED, Outcome.REPLACED})


@dataclass(frozen=True, slots=True)
class Decision:
    """An outcome, and for a missing permission its name."""

    outcome: Outcome
    missing_permission: str = ""

    @property
    def allowed(self) -> bool:
        return self.outcome is Outcome.ALLOWED

    @property
    def public(self) -> ErrorKind:
        """What a refused caller is told. KeyError for an outcome that is no refusal."""
        return KINDS[PUBLIC_CODES[self.outcome]]
