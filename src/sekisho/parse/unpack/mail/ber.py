"""BER as far as CMS needs it (X.690 8.1): values with their length, or with an end mark; octet strings in pieces."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sekisho.parse.unpack.opening import CorruptError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sekisho.parse.unpack.opening import Budget

INTEGER, OCTETS, OBJECT_ID, SEQUENCE, SET, EXPLICIT_0 = 0x02, 0x04, 0x06, 0x30, 0x31, 0xA0
CONSTRUCTED = 0x20
_DEEPEST = 30
_MOST_STEPS = 200_000  # values that are stepped over one by one to find an end mark


class Value:
    """A value in `data`: identifier octet `tag`, contents from `start` to `end`, or to an end mark where it is -1."""

    __slots__ = ("data", "end", "limit", "start", "tag")

    def __init__(self, data: memoryview, at: int, limit: int) -> None:
        """The value at `at`, in what ends at `limit`. Raises CorruptError."""
        if limit - at < 2:
            raise CorruptError("ASN.1 is cut off")
        self.data = data
        self.tag = data[at]
        at += 1
        if self.tag & 31 == 31:
            while at < limit and data[at] & 0x80:
                at += 1
            at += 1
        if at >= limit:
            raise CorruptError("ASN.1 is cut off")
        first = data[at]
        at += 1
        self.limit = limit
        if first == 0x80:
            self.start, self.end = at, -1
            return
        width = first & 0x7F if first & 0x80 else 0
        if width > 8 or at + width > limit:
            raise CorruptError("ASN.1 length is wrong")
        length = int.from_bytes(data[at : at + width], "big") if width else first
        self.start = at + width
        # A length beyond what is there is read as far as there is something: so do mail programs.
        self.end = min(self.start + length, limit)

    @property
    def contents(self) -> memoryview:
        """The contents of a value that is not constructed."""
        return self.data[self.start : max(self.start, self.end)]

    def __iter__(self) -> Iterator[Value]:
        """The values inside. One with an end mark can only be stepped over by `Walk`."""
        return Walk(self)


class Walk:
    """Steps through the values inside one, over whatever is inside those."""

    def __init__(self, outer: Value) -> None:
        self.data = outer.data
        self.at = outer.start
        self.limit = outer.limit if outer.end < 0 else outer.end
        self.open_ended = outer.end < 0
        self.last: Value | None = None

    def __iter__(self) -> Walk:
        return self

    def __next__(self) -> Value:
        """The next value. Raises StopIteration at the end, CorruptError."""
        if self.last is not None:
            self.at = end_of(self.last)
            self.last = None
        if self.at >= self.limit:
            raise StopIteration
        if self.open_ended and self.data[self.at] == 0:
            raise StopIteration
        self.last = Value(self.data, self.at, self.limit)
        return self.last


def end_of(value: Value) -> int:
    """Where the next value begins. Raises CorruptError, also where too much would have to be stepped over."""
    if value.end >= 0:
        return value.end
    depth = 1
    at = value.start
    for _ in range(_MOST_STEPS):
        if not depth:
            return at
        if at >= value.limit:
            raise CorruptError("ASN.1 value without an end")
        if value.data[at] == 0:
            depth -= 1
            at += 2
            continue
        inner = Value(value.data, at, value.limit)
        depth += inner.end < 0
        at = inner.start if inner.end < 0 else inner.end
    raise CorruptError("ASN.1 value with too much in it")


def child(outer: Value, tag: int, *, after: int = 0) -> Value | None:
    """The first value of this tag inside `outer`, behind the first `after` values."""
    for number, value in enumerate(outer):
        if number >= after and value.tag == tag:
            return value
        if number > after + 20:
            return None
    return None


def octet_pieces(value: Value, budget: Budget) -> Iterator[bytes]:
    """The octets of an octet string, however it is cut in pieces (X.690 8.7)."""
    if not value.tag & CONSTRUCTED:
        yield bytes(value.contents)
        return
    levels = [value]
    at = value.start
    while levels:
        budget.check_time()
        level = levels[-1]
        limit = level.limit if level.end < 0 else level.end
        if at >= limit or (level.end < 0 and level.data[at] == 0):
            at += 2 if level.end < 0 else 0
            levels.pop()
            continue
        inner = Value(value.data, at, limit)
        if inner.tag & CONSTRUCTED:
            if len(levels) >= _DEEPEST:
                raise CorruptError("ASN.1 octet string in too many levels")
            levels.append(inner)
            at = inner.start
        else:
            yield bytes(inner.contents)
            at = max(inner.end, inner.start)
