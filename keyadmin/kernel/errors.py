"""The closed list of error codes, and the exceptions that carry them to the edge.

Each code is public: it stands in `application/problem+json` answers (RFC 9457) and has a page of the docs.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from keyadmin.kernel.actor import NOBODY, Subject


@dataclass(frozen=True, slots=True)
class ErrorKind:
    """One code: HTTP status, title, what it means and what to do, in words for its reader."""

    code: str
    status: int
    title: str
    meaning: str
    remedy: str


_KINDS = (
    ErrorKind(
        "missing_key", 401, "No credential", "The request carries no API key in the header X-API-KEY.",
        "Send the key in the header X-API-KEY. A key in the address, a cookie or a basic-auth password is not read.",
    ),
    ErrorKind(
        "invalid_key", 401, "Invalid credential",
        "The key is mistyped, unknown, revoked, replaced or deleted, or it does not reach the organisation that the "
        "request names. Which of these it is stays unsaid, because the caller has not proved that the key is theirs.",
        "Compare the key with the one you saved: no spaces, no line break, complete, and in X-API-KEY rather than "
        "Authorization. If the request names an organisation, check that name too.",
    ),
    ErrorKind(
        "key_expired", 401, "Key expired", "The key is right, but its expiry date has passed.",
        "An administrator can set a later expiry date, or regenerate the key with one.",
    ),
    ErrorKind(
        "key_paused", 401, "Key paused", "The key is right, but somebody has paused it.",
        "An administrator can resume it; the secret stays the same.",
    ),
    ErrorKind(
        "owner_disabled", 401, "Owner disabled", "The key is right, but the user that it belongs to is disabled.",
        "An administrator can enable the user again, or issue a key that belongs to the organisation.",
    ),
    ErrorKind(
        "organization_suspended", 401, "Organisation suspended",
        "The key is right, but the organisation that it works in is suspended.",
        "An instance administrator can lift the suspension.",
    ),
    ErrorKind(
        "site_key_required", 401, "Site key required",
        "The key is right, but this installation demands its site key beside every API key, and the request carries "
        "none, or a wrong one.",
        "Send the site key in the header X-SITE-KEY. Whoever runs the installation has it.",
    ),
    ErrorKind(
        "address_not_allowed", 403, "Address not allowed",
        "The key is right, but it may not be used from the address that the request came from.",
        "Call from an allowed network, or have the network added to the key.",
    ),
    ErrorKind(
        "wrong_environment", 403, "Wrong environment",
        "The application demands a live key and got a test key, or the other way round.",
        "Use a key of the environment that the application asks for.",
    ),
    ErrorKind(
        "key_blocked", 403, "Key blocked",
        "The key is right, but the organisation that the request means has blocked it. Elsewhere the key still works.",
        "Whoever manages keys in that organisation can unblock it. Name another organisation if you meant one.",
    ),
    ErrorKind(
        "insufficient_scope", 403, "Missing permission",
        "The credential is right, but it does not hold the permission that this act needs. The answer names it.",
        "Have the permission added to the key, or to a group of its owner, by somebody who holds it.",
    ),
    ErrorKind(
        "second_factor_required", 403, "Second factor required",
        "An organisation of this person demands an authenticator app or a passkey, and they have neither.",
        "Set one up under Security, or use an API key.",
    ),
    ErrorKind(
        "reauthentication_required", 403, "Confirm that it is you",
        "The act is a dangerous one, and the person of this browser session signed in more than 10 minutes ago.",
        "Confirm that it is you under /me/confirm/, or use an API key.",
    ),
    ErrorKind(
        "pages_suspended", 403, "Organisation suspended",
        "The organisation is suspended. Its members can't open its pages, and its keys do not work. Nothing is lost.",
        "An instance administrator can lift the suspension.",
    ),
    ErrorKind(
        "csrf_failed", 403, "Cross-site check failed",
        "A change was sent with a browser session, but without the session's CSRF token.",
        "Send the token in X-CSRFToken, or use an API key instead of the session.",
    ),
    ErrorKind(
        "conflicting_credentials", 400, "Conflicting credentials",
        "The request carries X-API-KEY more than once, or a key beside a token in the header Authorization.",
        "Send exactly one credential.",
    ),
    ErrorKind(
        "bad_request", 400, "Bad request", "The request can't be read: broken JSON, a broken header or a foreign host.",
        "The detail says what is broken. Send JSON encoded as UTF-8.",
    ),
    ErrorKind(
        "not_found", 404, "Not found",
        "There is nothing here, or nothing that this credential may know of. Both look the same on purpose.",
        "Check the address and the id, and that the credential reaches the organisation.",
    ),
    ErrorKind(
        "method_not_allowed", 405, "Method not allowed", "The address exists, but not for this HTTP method.",
        "The header Allow lists the methods.",
    ),
    ErrorKind(
        "key_revoked", 409, "Key revoked", "The key has been revoked for good; it can't be changed or used again.",
        "Create a new key.",
    ),
    ErrorKind(
        "key_not_paused", 409, "Key is not paused", "Only a paused key can be resumed.", "There is nothing to do.",
    ),
    ErrorKind(
        "no_site_key", 409, "No site key", "There is no site key yet, so none can be demanded.",
        "Make one, or enter one, and give it to all who use API keys. Then demand it.",
    ),
    ErrorKind(
        "expiry_required", 409, "New expiry needed",
        "The key has expired, so a new secret would be dead on arrival.",
        "Send a new expiry_date with the request.",
    ),
    ErrorKind(
        "already_exists", 409, "Already exists", "Something with this name exists already.", "Choose another name.",
    ),
    ErrorKind(
        "one_key_per_user", 409, "One key for each user",
        "The organisation allows one working or paused key for each user, and this user has one.",
        "Regenerate that key, or revoke it first.",
    ),
    ErrorKind(
        "secret_in_use", 409, "Secret in use", "Another key has this secret already.",
        "Use another secret, or have one generated: two keys can't be told apart by the same one.",
    ),
    ErrorKind(
        "in_use", 409, "In use", "Something else depends on it; the detail names what.",
        "Take it away from there first.",
    ),
    ErrorKind(
        "set_elsewhere", 409, "Set elsewhere",
        "The number of rounds is set by API_KEY_ROUNDS_NO or a config.yml, which outdo a saved one.",
        "Change it there and start again, or take it away there first.",
    ),
    ErrorKind(
        "measuring", 409, "Already measuring",
        "This server is being measured for somebody else, and two measurements at a time would spoil each other.",
        "Try again in ten seconds.",
    ),
    ErrorKind(
        "last_administrator", 409, "Last administrator",
        "This is the only enabled administrator of the installation: nobody could undo it.",
        "Make somebody else an administrator first.",
    ),
    ErrorKind(
        "already_set_up", 409, "Already set up", "An administrator exists already.", "Sign in.",
    ),
    ErrorKind(
        "stale", 412, "Changed meanwhile",
        "Somebody changed the object after you read it: If-Match names a version that is no longer the current one.",
        "Read it again, look at what changed, and repeat your change.",
    ),
    ErrorKind(
        "payload_too_large", 413, "Body too large", "The body of the request is larger than this server reads.",
        "Send less at once.",
    ),
    ErrorKind(
        "validation_error", 422, "Invalid input", "One or more fields are wrong; the list of errors names each.",
        "Correct the fields. Fields that are not known are refused, so that a typing error can't pass in silence.",
    ),
    ErrorKind(
        "idempotency_key_reused", 422, "Idempotency key used before",
        "The Idempotency-Key was used within the last 24 hours for a request with another body.",
        "Use a new key for each different request.",
    ),
    ErrorKind(
        "rate_limited", 429, "Too many requests", "The caller sent more requests than its limit allows.",
        "Wait as long as Retry-After says.",
    ),
    ErrorKind(
        "internal_error", 500, "Internal error", "The server failed in a way that it did not foresee.",
        "Give the operator the request id; nothing was changed.",
    ),
    ErrorKind(
        "unavailable", 503, "Unavailable",
        "The answer can't be known now, for example because the database does not answer. Nothing was changed.",
        "Try again after a moment. A key is never accepted on a guess.",
    ),
)  # fmt: skip

KINDS: Mapping[str, ErrorKind] = {kind.code: kind for kind in _KINDS}


class ProblemError(Exception):
    """Something the caller must be told. `detail` is one sentence for people, never a secret."""

    code: ClassVar[str] = "internal_error"

    def __init__(
        self,
        detail: str = "",
        *,
        code: str | None = None,
        errors: Mapping[str, list[str]] | None = None,
        extra: Mapping[str, str] | None = None,
    ) -> None:
        self.kind = KINDS[code or self.code]
        self.detail = detail or self.kind.meaning
        self.errors = dict(errors or {})
        self.extra = dict(extra or {})
        self.headers: dict[str, str] = {}  # that go with the answer
        super().__init__(self.detail)


class BadRequestError(ProblemError):
    code = "bad_request"


class InvalidError(ProblemError):
    """Input that breaks a rule; `errors` maps each field to its messages."""

    code = "validation_error"

    @classmethod
    def field(cls, name: str, message: str) -> "InvalidError":
        return cls(message, errors={name: [message]})


class DeniedError(ProblemError):
    """The actor lacks a permission that it may know of."""

    code = "insufficient_scope"

    def __init__(self, permission: str, detail: str = "", *, grantors: str = "", subject: Subject = NOBODY) -> None:
        text = detail or f"This needs the permission {permission}."
        super().__init__(
            f"{text} {grantors}".strip(),
            extra={"missing_permission": permission},
        )
        self.permission = permission
        self.subject = subject


class RefusedError(ProblemError):
    """A credential that does not count. `reason` and `subject` are for the access records, not for the caller."""

    def __init__(self, detail: str = "", *, code: str, reason: str = "", subject: Subject = NOBODY) -> None:
        super().__init__(detail, code=code)
        self.reason = reason
        self.subject = subject


class NotFoundError(ProblemError):
    """It does not exist, or not for this actor: never tell which."""

    code = "not_found"


class ConflictError(ProblemError):
    """The state forbids the act; `code` says which state."""

    code = "already_exists"


class StaleError(ProblemError):
    code = "stale"


class UnavailableError(ProblemError):
    code = "unavailable"
