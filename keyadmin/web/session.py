"""How long a browser session lives: SESSION_COOKIE_AGE after it was used last, and SESSION_LONGEST_AGE at most."""

from datetime import datetime, timedelta

from django.conf import settings
from django.contrib.sessions.backends.base import SessionBase

from keyadmin.kernel import clock

BEGAN = "began"
DEMANDING = "demanding"  # the organisation that sent its person to set up a second factor


def begin(session: SessionBase) -> None:
    """Somebody signed in, maybe once more: the longest age counts from now."""
    session.pop(BEGAN, None)
    prolong(session)


def prolong(session: SessionBase) -> None:
    """It was used now. A fixed end: else every saving would move it."""
    now = clock.now()
    began = datetime.fromisoformat(session.setdefault(BEGAN, now.isoformat()))
    longest = began + timedelta(seconds=settings.SESSION_LONGEST_AGE)
    session.set_expiry(min(longest, now + timedelta(seconds=settings.SESSION_COOKIE_AGE)))


def seconds_left(session: SessionBase) -> int:
    """Until it ends, if nobody uses it."""
    return max(0, int((session.get_expiry_date() - clock.now()).total_seconds()))
