"""What pages share that show a secret once."""


class Unspoken(str):
    """A text that shows when a page writes it, but not when a log describes the context that holds it."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "[secret]"
