"""The application that uvicorn serves: takes a request in whole, then hands it to Django in a thread.

WSGI alone would not do. A thread would wait for each slow body, so that a few idle connections stopped the server;
a request could be held half sent until after its key was revoked; and `X_API_KEY` could not be told from `X-API-KEY`.
Here bodies are read without a thread, within a bound and a deadline, before anybody looks at a credential.
"""

import asyncio
import io
import sys
from collections.abc import Awaitable, Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from urllib.parse import unquote_to_bytes

from keyadmin.wsgi import application as django

# isort: split
# Django is set up by now.

from django.conf import settings

from keyadmin.freshness import services as freshness
from keyadmin.verify import fastpath

Scope = dict[str, Any]
Receive = Callable[[], Awaitable[dict[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]
Answer = tuple[int, list[tuple[bytes, bytes]], bytes]  # status, headers, content

THREADS = 64
BODY_SECONDS = 20.0
LONGEST_BODY: int = settings.DATA_UPLOAD_MAX_MEMORY_SIZE
_threads = ThreadPoolExecutor(THREADS, "request")
HEALTH = ("/healthz", "/readyz")
_health_threads = ThreadPoolExecutor(2, "health")  # its own: all others may wait for a database that hangs


class GoneError(Exception):
    """The client went away before its request was complete."""


async def application(scope: Scope, receive: Receive, send: Send) -> None:
    """One request, from its first byte to the last of its answer."""
    if scope["path"] == "/verify" or scope["path"].startswith("/verify/"):
        await fastpath.serve(scope, send)
        return
    environ = environ_of(scope)
    try:
        async with asyncio.timeout(BODY_SECONDS):
            body = await _body(environ, receive)
    except TimeoutError:
        body, environ["keyadmin.refused"] = b"", "The body of the request did not come in time."
    except GoneError:
        return
    environ["wsgi.input"] = io.BytesIO(body)
    threads = _health_threads if scope["path"] in HEALTH else _threads
    (status, headers, content), unsettled = await asyncio.get_running_loop().run_in_executor(threads, _call, environ)
    if unsettled:
        await asyncio.sleep(unsettled)  # what was taken away is known everywhere before anybody hears that it was
    if not any(name == b"content-length" for name, _ in headers):
        headers.append((b"content-length", b"%d" % len(content)))
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": content})


def environ_of(scope: Scope) -> dict[str, Any]:
    """The request as PEP 3333 has it, without its body.

    A header whose name holds an underscore is dropped, as nginx does: it would pass for the one with hyphens.
    One that came more than once is joined by commas (RFC 9110 §5.3), a cookie by semicolons (RFC 6265 §5.4).
    """
    server, client = scope.get("server") or ("", 0), scope.get("client") or ("", 0)
    environ: dict[str, Any] = {
        "REQUEST_METHOD": scope["method"],
        "SCRIPT_NAME": "",
        "PATH_INFO": unquote_to_bytes(scope["raw_path"]).decode("latin-1"),
        "QUERY_STRING": scope["query_string"].decode("latin-1"),
        "SERVER_NAME": str(server[0]),
        "SERVER_PORT": str(server[1]),
        "SERVER_PROTOCOL": f"HTTP/{scope['http_version']}",
        "REMOTE_ADDR": str(client[0]),
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": scope["scheme"],
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": True,
        "wsgi.multiprocess": True,
        "wsgi.run_once": False,
    }
    for raw_name, raw_value in scope["headers"]:
        if b"_" in raw_name:
            continue
        name, value = raw_name.decode("latin-1").upper().replace("-", "_"), raw_value.decode("latin-1")
        key = name if name in ("CONTENT_TYPE", "CONTENT_LENGTH") else f"HTTP_{name}"
        glue = "; " if name == "COOKIE" else ","
        environ[key] = f"{environ[key]}{glue}{value}" if key in environ else value
    return environ


async def _body(environ: dict[str, Any], receive: Receive) -> bytes:
    """All of the body; of one that is too long only as much as shows that it is. Sets CONTENT_LENGTH to its length."""
    announced = environ.get("CONTENT_LENGTH", "")
    if announced.isdigit() and int(announced) > LONGEST_BODY:
        return b""  # refused by its announcement
    parts, length = [], 0
    while length <= LONGEST_BODY:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise GoneError
        parts.append(message.get("body", b""))
        length += len(parts[-1])
        if not message.get("more_body", False):
            break
    if environ.pop("HTTP_TRANSFER_ENCODING", "") or length:
        environ["CONTENT_LENGTH"] = str(length)
    return b"".join(parts)


def _call(environ: dict[str, Any]) -> tuple[Answer, float]:
    """Django's answer, and how many seconds it has to wait."""
    started: list[Any] = []

    def start_response(status: str, headers: list[tuple[str, str]], *error: Any) -> Callable[[bytes], object]:
        started[:] = [int(status[:3]), [(k.lower().encode("latin-1"), v.encode("latin-1")) for k, v in headers]]
        return lambda chunk: None

    chunks: Iterable[bytes] = django(environ, start_response)
    try:
        content = b"".join(chunks)
    finally:
        close = getattr(chunks, "close", None)
        if close is not None:
            close()
    return (started[0], started[1], content), freshness.unsettled()
