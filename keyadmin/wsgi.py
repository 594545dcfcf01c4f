"""The WSGI application: Django. `asgi.py` serves it."""

import os

import django
from django.db import DatabaseError, InterfaceError, connection, connections

from keyadmin.env import EnvError
from keyadmin.kernel.text import one_line

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "keyadmin.settings")
try:
    django.setup()
except EnvError as error:
    raise SystemExit(f"keyadmin: {error}") from None

from django.conf import settings

from keyadmin.instance.services import WrongMasterKeyError, check_master_key
from keyadmin.web.auth import Handler

try:
    check_master_key(settings.ENV.master.fingerprint)
except WrongMasterKeyError as error:
    raise SystemExit(f"keyadmin: {error}") from None
except (DatabaseError, InterfaceError) as error:
    raise SystemExit(f"keyadmin: The database can't be used: {one_line(str(error))}") from None
connection.close()
for alias in connections:
    if connections[alias].vendor == "postgresql":
        connections.settings[alias]["OPTIONS"]["pool"] = settings.DATABASE_POOL
application = Handler()
