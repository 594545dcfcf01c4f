"""The WSGI application that granian serves."""

import os

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "keyadmin.settings")
django.setup()

from django.conf import settings
from django.core.handlers.wsgi import WSGIHandler

from keyadmin.instance.services import check_master_key

check_master_key(settings.ENV.master.fingerprint)
application = WSGIHandler()
