"""The settings with every logger at DEBUG and Django's debug mode on: the worst that an operator can do."""

from keyadmin import settings
from keyadmin.settings import *  # noqa: F403

DEBUG = True
LOGGING = {
    **settings.LOGGING,
    "root": {"handlers": ["stderr"], "level": "DEBUG"},
    "loggers": {
        name: {"level": "DEBUG"}
        for name in ("django", "django.db.backends", "django.request", "django.security", "apscheduler", "asyncio")
    },
}
