"""What the MIME index keeps while it reads: the parts that are open, and what is left of the limits."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sekisho.parse.headers import MOST_FIELDS

if TYPE_CHECKING:
    from typing import Any

    from sekisho.mail.message import Header, Part
    from sekisho.parse.entity import Entity

MOST_PARTS = 2000


class Budget:
    """What is left of the limits for the whole message, decoded containers included."""

    __slots__ = ("decoded", "fields", "parts")

    def __init__(self) -> None:
        self.parts = MOST_PARTS
        self.fields = MOST_FIELDS
        self.decoded = 0  # encoded containers we are inside of now


class Frame:
    """A part whose end has not been seen yet."""

    __slots__ = (
        "body_start", "children", "closed", "count", "decoded", "entity", "first", "headers", "inner", "last", "memo",
        "path", "prefix", "start",
    )  # fmt: skip

    def __init__(self, path: str, start: int, body_start: int, headers: tuple[Header, ...], entity: Entity) -> None:
        self.path = path
        self.prefix = f"{path}." if path else ""
        self.start = start
        self.body_start = body_start
        self.headers = headers
        self.entity = entity
        self.inner = False  # holds a message that is indexed in place
        self.decoded = False  # stands for a container whose encoding is already undone
        self.children: list[Part] = []
        self.count = 0
        self.closed = False
        self.first = self.last = -1  # where the first delimiter line starts, where the last one ends
        self.memo: dict[str, Any] = {}
