"""`make picture`: the demo's overview in a real browser, light and dark, for the README."""

import json
import sys
import tempfile
from pathlib import Path

from playwright.sync_api import ViewportSize, sync_playwright

from keyadmin.web.theme import COOKIE
from tests.e2e.office import chromium
from tests.running.installation import ROOT, installation

ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--disable-background-networking"]
SIZE: ViewportSize = {"width": 1280, "height": 800}


def main() -> None:
    """Start an installation of its own, sign in as its first administrator, and write both pictures."""
    program = chromium()
    with tempfile.TemporaryDirectory() as directory, installation(Path(directory) / "demo") as made:
        made.directory.mkdir()
        demo = json.loads(made.run("seed_demo", "--json").stdout)
        made.start()
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=program, args=ARGUMENTS)
            page = browser.new_page(base_url=made.address, viewport=SIZE)
            page.goto("/sign-in/")
            page.get_by_label("E-mail address").fill(demo["people"][0]["email"])
            page.get_by_label("Password").fill(demo["password"])
            page.get_by_role("button", name="Sign in").click()
            page.wait_for_url("**/o/*/")
            for theme in ("light", "dark"):
                page.context.add_cookies([{"name": COOKIE, "value": theme, "url": made.address}])
                page.reload()
                page.mouse.move(0, 0)
                path = ROOT / "docs" / f"overview-{theme}.png"
                path.parent.mkdir(exist_ok=True)
                page.screenshot(path=path)
                sys.stdout.write(f"{path.relative_to(ROOT)}: {path.stat().st_size // 1000} kB\n")
            browser.close()


if __name__ == "__main__":
    main()
