"""A person without a mouse."""

from playwright.sync_api import Locator, Page

OUTLINE = """() => {
  const look = getComputedStyle(document.activeElement);
  return look.outlineStyle !== 'none' && parseFloat(look.outlineWidth) >= 2;
}"""


class Hands:
    """A keyboard: counts what is pressed, and looks whether the focus can be seen wherever it stops."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.pressed: list[str] = []

    def press(self, key: str) -> None:
        self.page.keyboard.press(key)
        self.pressed.append(key)

    def tab_to(self, wanted: Locator) -> None:
        """Press Tab until the focus is there."""
        for _ in range(20):
            self.press("Tab")
            assert self.page.evaluate(OUTLINE), self.page.evaluate("document.activeElement.outerHTML")
            if wanted.evaluate("node => node === document.activeElement"):
                return
        raise AssertionError("not reached", self.pressed)
