from typing import Any

from django.db import connections
from django.db.models import Model

USAGE = "usage"  # the room, and the database where it has one of its own


class UsageRouter:
    """Access records stand in a database of their own. In use only where the settings name one."""

    def db_for_read(self, model: type[Model], **hints: Any) -> str | None:
        return USAGE if model._meta.app_label == USAGE else None

    db_for_write = db_for_read

    def allow_migrate(self, db: str, app_label: str, **hints: Any) -> bool | None:
        if db == USAGE:
            return app_label == USAGE
        # On PostgreSQL the table is there too, so that USAGE_DATABASE_URL can be unset again.
        return None if app_label != USAGE or connections[db].vendor == "postgresql" else False
