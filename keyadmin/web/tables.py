"""Tables as components/table.html shows them."""

from typing import Any, ClassVar, Literal

from django_tables2 import Table
from django_tables2.columns import BoundColumn

Width = Literal["", "md", "lg", "xl", "xxl"]
ASCENDING = ("ascending", "descending")
ALPHABET = ("A to Z", "Z to A")
SOONEST, OLDEST = ("soonest first", "latest first"), ("oldest first", "newest first")


class KitTable(Table):
    """A table with a name for screen readers and a column that names each row."""

    caption: ClassVar[str] = ""
    row_header: ClassVar[str] = "name"


def look(
    *,
    wide: Width = "",
    phone: bool = True,
    label: bool = False,
    silent: bool = False,
    fit: bool = False,
    order: tuple[str, str] = ASCENDING,
) -> dict[str, Any]:
    """`attrs` of a column.

    `wide`: shown from that width on (768, 992, 1200, 1400 px). In the cards of a phone: if `phone`, and with its header
    before it if `label`. `silent`: its header is for screen readers only; `fit`: as narrow as its content.
    `order`: its two directions in words.
    """
    classes = [f"ka-from-{wide}"] if wide else []
    classes += [] if phone else ["ka-off-phone"]
    classes += ["ka-labelled"] if label else []
    classes += ["ka-fit"] if fit else []
    return {"cell": {"class": " ".join(classes)}, "silent": silent, "order": order}


def directions(column: BoundColumn) -> tuple[str, str]:
    """How a sort by the column is called, one way and the other."""
    order: tuple[str, str] = column.column.attrs.get("order", ASCENDING)
    return order
