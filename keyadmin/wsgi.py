"""The WSGI application that granian serves."""

import os
from collections.abc import Iterable
from wsgiref.types import StartResponse, WSGIEnvironment

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
if connection.vendor == "postgresql":
    connections.settings["default"]["OPTIONS"]["pool"] = settings.DATABASE_POOL
handle = Handler()

LONGEST_UNREAD = 2**16


def application(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    """Django, and what it leaves unread of a small request body.

    A request that is refused by its headers is answered before its body has come; granian then closes the
    connection without a word, and the client's next request on it would fail.
    """
    response: Iterable[bytes] = handle(environ, start_response)
    length = str(environ.get("CONTENT_LENGTH") or "0")
    if length.isdigit() and 0 < int(length) <= LONGEST_UNREAD:
        environ["wsgi.input"].read()
    return response
