"""The number of rounds that new slow hashes have, and where it comes from."""

from dataclasses import dataclass
from enum import StrEnum

from django.conf import settings

from keyadmin.activity import queries as activity
from keyadmin.activity.events import INSTANCE
from keyadmin.activity.models import Event
from keyadmin.env import CONFIG_NAME, ROUNDS_VARIABLE
from keyadmin.instance.models import Instance
from keyadmin.kernel import calibration, hashing
from keyadmin.kernel.actor import Actor
from keyadmin.kernel.errors import DeniedError, NotFoundError

PERMISSION = "setting.ctrl"


class Source(StrEnum):
    """Where the number is read from, the highest first: the first of them that has one decides."""

    ENVIRONMENT = "environment"
    DATA_DIRECTORY = "data_directory"
    MACHINE = "machine"
    SAVED = "saved"
    DEFAULT = "default"


@dataclass(frozen=True, slots=True)
class Rounds:
    """The number in force; `saved` is the one in the database, which a higher source may outdo."""

    number: int
    source: Source
    saved: int | None = None
    version: int = 1

    @property
    def can_be_saved(self) -> bool:
        """Whether a saved number would have any effect."""
        return self.source in (Source.SAVED, Source.DEFAULT)

    @property
    def is_weak(self) -> bool:
        """Whether it is below the floor."""
        return self.number < calibration.WEAK_ROUNDS

    @property
    def warnings(self) -> list[str]:
        """Sentences on a weak number, the gravest first."""
        return calibration.warnings_about(self.number)


def require_manage(actor: Actor) -> None:
    """Raise DeniedError without `setting.ctrl`, NotFoundError for a key with the flair [segment]: it made none."""
    if not actor.held.instance.allows(PERMISSION):
        raise DeniedError(PERMISSION, grantors="Only instance administrators hold it.")
    if actor.segment:
        raise NotFoundError


def rounds() -> Rounds:
    """The number in force now. One query."""
    row = Instance.objects.filter(pk=1).values_list("api_key_rounds_no", "settings_version").first()
    return rounds_of(*(row or (None, 1)))


def rounds_of(saved: int | None, version: int = 1) -> Rounds:
    """The number in force if this one is saved; no query."""
    env = settings.ENV
    if env.rounds_are_given:
        return Rounds(env.rounds, _given_by(env.rounds_source), saved, version)
    if saved is not None:
        return Rounds(saved, Source.SAVED, saved, version)
    return Rounds(env.rounds, Source.DEFAULT, None, version)


def last_change() -> Event | None:
    """The newest entry of the log about the settings."""
    return next(iter(activity.about("settings", 1, INSTANCE, 1)), None)


def hasher(scheme: str | None = None) -> hashing.KeyHasher:
    """What makes new verifiers, with the number of rounds in force now; `scheme` is what is to be made.

    One query, and none where no slow hash is to be made: then its rounds may be any. Nothing is remembered, so that a
    number that was just saved counts in every process at once.
    """
    known: hashing.KeyHasher = settings.KEY_HASHER
    if settings.ENV.rounds_are_given or (scheme or known.scheme) != hashing.SLOW_SCHEME:
        return known
    return known.with_rounds(rounds().number)


def _given_by(source: str) -> Source:
    if source == ROUNDS_VARIABLE:
        return Source.ENVIRONMENT
    return Source.DATA_DIRECTORY if source == str(settings.ENV.data_dir / CONFIG_NAME) else Source.MACHINE
