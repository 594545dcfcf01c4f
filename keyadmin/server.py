"""One web process: `python -m keyadmin.server NUMBER SOCKET READY`, which `manage.py up` starts once for each.

NUMBER counts them from 0, SOCKET is the descriptor of a socket that listens and is shared by all of them, READY that of
a pipe that hears of the moment in which requests are taken. SIGTERM ends it, once what was asked has been answered.
"""

import logging
import os
import resource
import socket
import sys

import uvicorn

from keyadmin.asgi import application
from keyadmin.protocol import IDLE_SECONDS, Protocol, connections
from keyadmin.system import scraping

SWITCH_SECONDS = 0.001  # the event loop waits no longer for one of the threads to let it go on
GRACE_SECONDS = 6  # for answers to be made and taken; shorter than what the supervisor gives
BACKLOG = 4096


class Server(uvicorn.Server):
    """uvicorn's, which says when it is ready and looks after its connections."""

    def __init__(self, config: uvicorn.Config, ready: int) -> None:
        super().__init__(config)
        self._ready = ready

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        os.write(self._ready, b".")
        os.close(self._ready)

    async def on_tick(self, counter: int) -> bool:
        """Ten times a second."""
        if counter % 10 == 0:
            for one in connections(self.server_state):
                one.look_after(one.loop.time())
        return await super().on_tick(counter)


def main(number: int, listening: int, ready: int) -> None:
    """Serve until SIGTERM."""
    logging.getLogger("uvicorn").setLevel(logging.ERROR)  # what clients get wrong is no news
    sys.setswitchinterval(SWITCH_SECONDS)
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))  # each connection takes one
    scraping.listen(number)
    config = uvicorn.Config(
        application,
        http=Protocol,
        loop="uvloop",
        ws="none",
        lifespan="off",
        interface="asgi3",
        proxy_headers=False,  # who is believed is `web.edge`'s to say
        server_header=False,
        access_log=False,
        log_config=None,
        backlog=BACKLOG,
        timeout_keep_alive=int(IDLE_SECONDS),
        timeout_graceful_shutdown=GRACE_SECONDS,
    )
    Server(config, ready).run(sockets=[socket.socket(fileno=listening)])


if __name__ == "__main__":
    main(*map(int, sys.argv[1:4]))
