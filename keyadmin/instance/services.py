import hashlib
import hmac
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import TypedDict

from django.core.cache import cache
from django.db import transaction
from django.utils.crypto import salted_hmac

from keyadmin.activity import work
from keyadmin.activity.events import EventName, Target
from keyadmin.instance import queries
from keyadmin.instance.models import IdempotencyRecord, Instance
from keyadmin.kernel import clock, hashing
from keyadmin.kernel.actor import SYSTEM, Actor
from keyadmin.kernel.errors import ConflictError, InvalidError, ProblemError, StaleError
from keyadmin.kernel.survey import estimate

IDEMPOTENCY_LIFE = timedelta(hours=24)
SLOWEST_CHECK_MS = 2000  # that a saved number of rounds may cost: a request waits for it


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


class SettingsChanges(TypedDict, total=False):
    """The settings that can be saved; an absent one stays as it is."""

    api_key_rounds_no: int


def edit_settings(*, actor: Actor, changes: SettingsChanges, expected_version: int | None = None) -> queries.Rounds:
    """Save the number of rounds that new slow hashes have; those that exist are made anew when they are used next.

    Raises DeniedError (`setting.ctrl`), InvalidError for a number out of range or one that would take longer than two
    seconds here, ConflictError while the environment or a `config.yml` decides, StaleError.
    """
    queries.require_manage(actor)
    if "api_key_rounds_no" in changes:
        _check_rounds(changes["api_key_rounds_no"])
    with work.unit(actor) as unit:
        row = Instance.objects.select_for_update().get(pk=1)
        if expected_version not in (None, row.settings_version):
            raise StaleError
        before = row.api_key_rounds_no
        rounds = changes.get("api_key_rounds_no", before)
        if rounds != before:
            row.api_key_rounds_no = rounds
            row.settings_version += 1
            row.save(force_update=True, update_fields=["api_key_rounds_no", "settings_version"])
            target = Target("settings", 1, "the settings of the instance")
            old, new = {"api_key_rounds_no": before}, {"api_key_rounds_no": rounds}
            unit.record(EventName.SETTINGS_UPDATED, target, before=old, after=new)
            # Every process looks at each verifier again when its key is used next, and sees that it is outdated.
            unit.changes_rights()
    return queries.rounds_of(row.api_key_rounds_no, row.settings_version)


def _check_rounds(rounds: int) -> None:
    """Before a unit begins: it takes some hundredths of a second."""
    if not queries.rounds_of(None).can_be_saved:
        raise ConflictError(code="set_elsewhere")
    if not 1 <= rounds <= hashing.MOST_ROUNDS:
        why = f"Write a whole number from 1 to {hashing.MOST_ROUNDS:,}."
        raise InvalidError.field("api_key_rounds_no", why)
    taken = estimate(rounds)
    if taken > SLOWEST_CHECK_MS:
        fitting = float(f"{rounds * SLOWEST_CHECK_MS / taken:.1e}")  # two digits: it is a rough one
        why = f"One check would take about {taken / 1000:.0f} s here. At most {SLOWEST_CHECK_MS // 1000} s are allowed"
        raise InvalidError.field("api_key_rounds_no", f"{why}, which are some {fitting:,.0f} rounds.")


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


def can_count() -> bool:
    """Whether what is tried can be counted at all. Where it can't, each limit looks as if it were reached."""
    return cache.add(f"probe-{secrets.token_hex(16)}", "", 1)


def forget_old_answers() -> int:
    """Remove idempotency records past their life; returns how many."""
    with transaction.atomic():
        count, _ = IdempotencyRecord.objects.filter(created_at__lte=clock.now() - IDEMPOTENCY_LIFE).delete()
    return count


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
