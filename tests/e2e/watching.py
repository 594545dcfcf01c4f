"""What every page is watched for: scripts' errors, refused contents, findings of axe."""

from dataclasses import dataclass, field
from typing import Any

from axe_playwright_python.sync_playwright import Axe
from django.conf import settings
from playwright.sync_api import BrowserContext, Page

from tests.world import World

RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
LISTEN = "addEventListener('securitypolicyviolation', e => console.error('CSP', e.violatedDirective, e.blockedURI))"


@dataclass
class Watch:
    """What went wrong on the pages of one browser context; `expected` are parts of messages to overlook."""

    context: BrowserContext
    expected: tuple[str, ...] = ()
    errors: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.context.add_init_script(LISTEN)
        self.context.on("console", lambda m: self._note(m.text) if m.type in ("error", "warning") else None)
        self.context.on("weberror", lambda error: self._note(str(error.error)))

    def _note(self, text: str) -> None:
        if not any(part in text for part in self.expected):
            self.errors.append(text)


def findings(page: Page) -> list[str]:
    """What axe finds on a page as it is now, one line each."""
    result: dict[str, Any] = Axe().run(page, options={"runOnly": RULES, "resultTypes": ["violations"]}).response
    return [
        f"{violation['id']}: {violation['help']}: {node['html'][:200]} {node.get('failureSummary', '')[:300]}"
        for violation in result["violations"]
        for node in violation["nodes"]
    ]


def sign_in(context: BrowserContext, world: World, user: Any, address: str) -> None:
    """The session of a person, without going through the form."""
    client = world.client(user)
    name = settings.SESSION_COOKIE_NAME
    context.add_cookies([{"name": name, "value": client.cookies[name].value, "url": address}])
