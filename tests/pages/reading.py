"""Reads pages as a browser would: headings, links, fields and what they load."""

from html.parser import HTMLParser
from typing import Any

from django.http import HttpResponse

HEADINGS = ("h1", "h2", "h3", "h4", "h5", "h6")
VOID = {"meta", "link", "input", "img", "br", "hr", "wbr", "area", "base", "col", "embed", "source", "track"}


class Page(HTMLParser):
    """One page. `tags` holds each tag with its attributes; `headings` their levels in order."""

    def __init__(self, response: HttpResponse | Any) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str]]] = []
        self.headings: list[int] = []
        self.title = ""
        self.words: list[str] = []
        self._open: list[str] = []
        self.feed(response.content.decode())
        self.close()
        assert not self._open, f"left open: {self._open}"

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, {name: value or "" for name, value in attrs}))
        if tag in HEADINGS:
            self.headings.append(int(tag[1]))
        if tag not in VOID:
            self._open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self._open, f"</{tag}> closes nothing"
        assert self._open[-1] == tag, f"</{tag}> where <{self._open[-1]}> is open"
        self._open.pop()

    def handle_data(self, data: str) -> None:
        if self._open and self._open[-1] == "title":
            self.title += data
        elif "body" in self._open:
            self.words.append(data)

    @property
    def text(self) -> str:
        """What a reader sees, white space collapsed."""
        return " ".join(" ".join(self.words).split())

    def all(self, tag: str) -> list[dict[str, str]]:
        return [attributes for name, attributes in self.tags if name == tag]

    def field(self, name: str) -> dict[str, str]:
        """The attributes of the one input with this name."""
        (found,) = [attributes for attributes in self.all("input") if attributes.get("name") == name]
        return found

    @property
    def ids(self) -> list[str]:
        return [attributes["id"] for _, attributes in self.tags if "id" in attributes]
