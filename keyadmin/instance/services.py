import hashlib
import hmac
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

from django.db import transaction
from django.utils.crypto import salted_hmac

from keyadmin.activity import work
from keyadmin.activity.events import EventName, Target
from keyadmin.instance.models import IdempotencyRecord, Instance
from keyadmin.kernel import clock
from keyadmin.kernel.actor import SYSTEM, Actor
from keyadmin.kernel.errors import ProblemError

IDEMPOTENCY_LIFE = timedelta(hours=24)


class WrongMasterKeyError(Exception):
    """The database was made under another master key; going on would make every stored key useless."""

    def __init__(self) -> None:
        super().__init__(
            "The master key does not fit this database: it was made with another one. "
            "Give the right one by KEYADMIN_MASTER_KEY, KEYADMIN_MASTER_KEY_FILE or the file master.key in the data "
            "directory."
        )


def bind_master_key(fingerprint: str) -> None:
    """Tie a new database to its master key; on a known one compare. Raises WrongMasterKeyError."""
    row = Instance(pk=1, master_fingerprint=fingerprint, created_at=clock.now())
    Instance.objects.bulk_create([row], ignore_conflicts=True)
    check_master_key(fingerprint)


def check_master_key(fingerprint: str) -> None:
    """Raise WrongMasterKeyError unless the database is new or was made under this master key."""
    stored = Instance.objects.filter(pk=1).values_list("master_fingerprint", flat=True).first()
    if stored is not None and not hmac.compare_digest(stored, fingerprint):
        raise WrongMasterKeyError


def issue_setup_token() -> str:
    """A new one-time token for the set-up page; the one before it is void. 256 bits, stored as SHA-256."""
    token = secrets.token_urlsafe(32)
    with work.unit(SYSTEM) as unit:
        Instance.objects.filter(pk=1).update(setup_token_hash=_sha256(token))
        unit.record(EventName.SETUP_LINK_ISSUED, Target("instance", 1, "set-up link"))
    return token


def setup_token_fits(token: str) -> bool:
    """Whether the token opens the set-up page."""
    stored = Instance.objects.filter(pk=1).values_list("setup_token_hash", flat=True).first()
    return bool(stored) and hmac.compare_digest(stored or "", _sha256(token))


def lock() -> None:
    """Inside a unit: make others who would set the instance up wait until it has ended."""
    Instance.objects.select_for_update().filter(pk=1).first()


def void_setup_token() -> None:
    """Inside a unit: the set-up link stops working."""
    Instance.objects.filter(pk=1).update(setup_token_hash="")


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer of the API in parts: `stored` is the body without its secret, `replayed` marks a repetition."""

    status: int
    body: dict[str, object]
    stored: dict[str, object]
    replayed: bool = False


def once(actor: Actor, *, scope: str, key: str, body: bytes, act: Callable[[], Answer]) -> Answer:
    """Carry out `act` at most once for each (scope, key) within 24 hours; a repeat gets the first answer again.

    `scope` names credential and path. A parallel twin waits for the first one. Another body under the same key is
    refused with `idempotency_key_reused`. If `act` raises, nothing is kept and the key may be used again.
    (After the HTTP working group's Idempotency-Key header draft.)
    """
    fingerprint = salted_hmac("idempotency key", f"{scope}\n{key}", algorithm="sha256").hexdigest()
    # Keyed: a body can hold a weak secret, which a plain hash would give away to whoever reads the table.
    body_hash = salted_hmac("idempotency body", body, algorithm="sha256").hexdigest()
    with work.unit(actor) as unit:
        now = clock.now()
        mine = IdempotencyRecord.objects.filter(fingerprint=fingerprint)
        mine.filter(created_at__lte=now - IDEMPOTENCY_LIFE).delete()
        # The unique index makes a twin wait here until this transaction has ended.
        row = IdempotencyRecord(fingerprint=fingerprint, body_hash=body_hash, created_at=now)
        IdempotencyRecord.objects.bulk_create([row], ignore_conflicts=True)
        kept = mine.select_for_update().get()
        if kept.body_hash != body_hash:
            raise ProblemError(code="idempotency_key_reused")
        if kept.status is not None and kept.body is not None:
            unit.changes_rights()  # the first answer may still be waiting until all know what it took away
            return Answer(kept.status, kept.body, kept.body, replayed=True)
        answer = act()
        mine.update(status=answer.status, body=answer.stored)
        return answer


def forget_old_answers() -> int:
    """Remove idempotency records past their life; returns how many."""
    with transaction.atomic():
        count, _ = IdempotencyRecord.objects.filter(created_at__lte=clock.now() - IDEMPOTENCY_LIFE).delete()
    return count


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
