"""`/metrics` on an address of its own, without a credential, for networks that nobody else reaches."""

import logging
from contextlib import suppress

from django.conf import settings
from prometheus_client import start_http_server

from keyadmin.system import metrics

log = logging.getLogger("keyadmin")


def listen() -> int | None:
    """Answer at KEYADMIN_METRICS_ADDRESS from now on, in threads; returns the port, None without such an address.

    Several web processes share no numbers, so each has a port: the first that is free, counted from the one named.
    """
    if settings.ENV.metrics_address is None:
        return None
    host, first = settings.ENV.metrics_address
    for port in range(first, first + settings.ENV.workers):
        with suppress(OSError):
            start_http_server(port, host, metrics.registry)
            return port
    log.error("Metrics are not answered: can't listen at KEYADMIN_METRICS_ADDRESS.")
    return None
