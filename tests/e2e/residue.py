"""Everything that is left of a secret, as text to search: what a tab shows and stores, what the server keeps."""

import base64
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from io import StringIO

from django.contrib.sessions.models import Session
from django.db import connection
from playwright.sync_api import BrowserContext, Page, Request

STORES = """async () => {
  const found = [document.documentElement.outerHTML, location.href, document.title, window.name, document.cookie];
  found.push(JSON.stringify(history.state), JSON.stringify({...localStorage}), JSON.stringify({...sessionStorage}));
  for (const field of document.querySelectorAll('input, textarea, select')) found.push(field.value);
  for (const name of await caches.keys()) {
    const cache = await caches.open(name);
    for (const request of await cache.keys()) found.push(request.url, await (await cache.match(request)).text());
  }
  for (const { name } of await indexedDB.databases()) {
    const base = await new Promise((done) => {
      indexedDB.open(name).onsuccess = (event) => done(event.target.result);
    });
    for (const store of base.objectStoreNames) {
      const rows = base.transaction(store).objectStore(store).getAll();
      found.push(await new Promise((done) => { rows.onsuccess = () => done(JSON.stringify(rows.result)); }));
    }
    found.push(name);
  }
  return found.join('\\n');
}"""


def traces(secret: str) -> list[str]:
    """The secret, its part that nobody else has, and how the two would look encoded."""
    found = []
    for text in (secret, secret[-38:-6]):
        found += [text, text.encode().hex(), text[::-1]]
        for before in range(3):  # base64 depends on where it begins
            encoded = base64.b64encode(b"\0" * before + text.encode()).decode()
            found.append(encoded[4 if before else 0 : -4])
    return found


def in_text(secret: str, text: str) -> list[str]:
    """Which traces of the secret a text holds, whatever case it was put in."""
    return [trace for trace in traces(secret) if trace.lower() in text.lower()]


def of_page(page: Page) -> str:
    """The document as it is now, and all that its origin stores."""
    return str(page.evaluate(STORES)) if page.url.startswith("http") else page.content()


def of_context(context: BrowserContext) -> str:
    """Cookies that no script sees."""
    return str(context.cookies())


def of_requests(requests: list[Request]) -> str:
    """What was sent: address, headers, body."""
    return "\n".join(f"{one.url} {one.all_headers()} {one.post_data}" for one in requests)


def of_database() -> str:
    """Every row of every table, and what sessions hold."""
    found: list[object] = [row.get_decoded() for row in Session.objects.all()]
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names(cursor):
            cursor.execute(f"SELECT * FROM {connection.ops.quote_name(table)}")  # noqa: S608 - a name of our own
            found += cursor.fetchall()
    return "\n".join(map(str, found))


@contextmanager
def log() -> Iterator[StringIO]:
    """What all loggers say in the meantime, down to DEBUG, before anything is masked."""
    stream = StringIO()
    handler = logging.StreamHandler(stream)
    names = ["", *(name for name, one in logging.root.manager.loggerDict.items() if isinstance(one, logging.Logger))]
    before = [(logging.getLogger(name), logging.getLogger(name).level) for name in names]
    for logger, _ in before:
        logger.setLevel(logging.DEBUG)
    heard = [logger for logger, _ in before if not logger.propagate or logger is logging.root]
    for logger in heard:
        logger.addHandler(handler)
    try:
        yield stream
    finally:
        for logger in heard:
            logger.removeHandler(handler)
        for logger, level in before:
            logger.setLevel(level)
