"""`/metrics` on an address of its own, without a credential, for networks that nobody else reaches."""

import logging
import threading

from django.conf import settings
from prometheus_client import start_http_server

from keyadmin.system import metrics

log = logging.getLogger("keyadmin")

AGAIN_SECONDS = 1.0
TIMES = 15  # a process that is being replaced holds its port a while


def listen(number: int) -> int | None:
    """Answer at KEYADMIN_METRICS_ADDRESS from now on, in threads; returns the port, None without such an address.

    Web processes share no numbers, so each has a port: the one named plus its own `number`, which counts from 0.
    """
    if settings.ENV.metrics_address is None:
        return None
    host, first = settings.ENV.metrics_address
    threading.Thread(target=_listen, args=(host, first + number), name="metrics", daemon=True).start()
    return first + number


def _listen(host: str, port: int) -> None:
    for _ in range(TIMES):
        try:
            start_http_server(port, host, metrics.registry)
        except OSError:
            threading.Event().wait(AGAIN_SECONDS)
        else:
            return
    log.error("Metrics are not answered: can't listen at KEYADMIN_METRICS_ADDRESS, port %d.", port)
