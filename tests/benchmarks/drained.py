"""Drain what waits in the spool of the environment's data directory; prints how many records and how many seconds."""

import os
import time

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "keyadmin.settings")
django.setup()

from keyadmin.usage.services import drain

began, total = time.perf_counter(), 0
while found := drain().records:
    total += found
print(total, time.perf_counter() - began)
