"""The same counting in Redis or Valkey, where all processes and hosts count together.

A server that fails or hangs is left alone at once: from then on this process counts by itself, and no request waits
for the server until a thread has seen it count again.
"""

import logging
import threading
import time
from typing import Any, Final

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from keyadmin.kernel.rates import Count, Rate
from keyadmin.limits.window import SLOTS

log = logging.getLogger("keyadmin")

PATIENCE: Final = 0.15  # seconds that a request waits for the server
REST: Final = 0.5  # seconds between two tries to reach a server that failed
PROBE: Final = Rate(1, 1)

# One round trip, by the server's clock, so that those of hosts need not agree. A hash holds how many requests are kept
# until when, in milliseconds; see `window`.
_TAKE: Final = """
local key, limit, window, slots = KEYS[1], tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local clock = redis.call('TIME')
local now = clock[1] * 1000 + math.floor(clock[2] / 1000)
local counts, order, total = {}, {}, 0
local held = redis.call('HGETALL', key)
for i = 1, #held, 2 do
    local kept, count = tonumber(held[i]), tonumber(held[i + 1])
    if kept <= now then
        redis.call('HDEL', key, held[i])
    else
        counts[kept], total = count, total + count
        order[#order + 1] = kept
    end
end
if total < limit then
    local span = window / slots
    -- One more millisecond: the request came within this one.
    local kept = limit <= slots and now + window + 1 or (math.floor(now / span) + slots + 1) * span
    redis.call('HINCRBY', key, string.format('%.0f', kept), 1)
    redis.call('PEXPIRE', key, string.format('%.0f', window + span + 1))
    return {1, limit - total - 1, kept - now}
end
table.sort(order)
local over = total - limit
for _, kept in ipairs(order) do
    over = over - counts[kept]
    if over < 0 then return {0, 0, kept - now} end
end
return {0, 0, 1}
"""


class SharedMeters:
    """Counts in one server. `prefix` keeps installations apart that share it."""

    def __init__(self, url: str, prefix: str) -> None:
        self._client: redis.Redis = redis.Redis.from_url(
            url,
            socket_timeout=PATIENCE,
            socket_connect_timeout=PATIENCE,
            retry=Retry(NoBackoff(), 0),
            health_check_interval=0,
        )
        self._prefix = prefix
        self._script = self._client.register_script(_TAKE)
        self._works = True
        self._mending = threading.Lock()

    @property
    def works(self) -> bool:
        """Whether the server answered when it was asked last."""
        return self._works

    def take(self, name: object, rate: Rate) -> Count | None:
        """Count one request under a name, waiting at most PATIENCE; None: it could not be counted there."""
        if not self._works:
            return None
        try:
            return self._take(name, rate)
        except (redis.RedisError, OSError) as error:
            self._leave_alone(error)
            return None

    def _take(self, name: object, rate: Rate) -> Count:
        key = f"{self._prefix}:rate:{name}:{rate.number}:{rate.seconds}"
        answer: Any = self._script(keys=[key], args=[rate.number, rate.seconds * 1000, SLOTS])
        allowed, left, milliseconds = answer
        return Count(rate, bool(allowed), int(left), max(1, -(-int(milliseconds) // 1000)))

    def _leave_alone(self, error: Exception) -> None:
        with self._mending:
            if not self._works:
                return
            self._works = False
        log.warning("REDIS_URL does not answer (%s): each process counts requests by itself.", type(error).__name__)
        threading.Thread(target=self._mend, name="redis", daemon=True).start()

    def _mend(self) -> None:
        while not self._works:
            time.sleep(REST)
            try:
                self._take("probe", PROBE)
            except (redis.RedisError, OSError):
                continue
            log.warning("REDIS_URL answers again: requests are counted together.")
            self._works = True
