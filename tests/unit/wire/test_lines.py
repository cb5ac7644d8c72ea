"""Lines: the two functions that jump over many of them at once agree with the plain loop over each."""

from hypothesis import given
from hypothesis import strategies as st

from sekisho.wire.lines import CommandBuffer, header_length, line_over

TEXT = st.lists(st.sampled_from([b"\r\n", b"\r", b"\n", b"a", b"bcd", b"\r\n\r\n"]), max_size=30).map(b"".join)


@given(TEXT, st.integers(1, 12))
def test_line_over_agrees_with_a_loop(data, limit):
    assert line_over(data, limit) == any(len(line) > limit for line in data.split(b"\r\n"))


def test_line_over_at_the_limit():
    assert not line_over(b"12345\r\n12345", 5)
    assert line_over(b"12345\r\n123456", 5)
    assert line_over(b"123456\r\n", 5)


def test_header_length():
    assert header_length(b"a: b\r\nc: d\r\n\r\nbody") == 12
    assert header_length(b"\r\nbody\r\n\r\nmore") == 0
    assert header_length(b"a: b\r\nc: d\r\n") == 12


@given(TEXT, st.integers(2, 12), st.lists(st.integers(1, 5), min_size=1))
def test_command_buffer_does_not_depend_on_the_cut(data, limit, sizes):
    def lines(pieces):
        buffer, seen = CommandBuffer(), []
        for piece in pieces:
            buffer.append(piece)
            while (line := buffer.next_line(limit)) is not None:
                seen.append(line)
        return seen

    pieces, start, turn = [], 0, 0
    while start < len(data):
        pieces.append(data[start : start + sizes[turn % len(sizes)]])
        start, turn = start + len(pieces[-1]), turn + 1
    assert lines(pieces) == lines([data])
    assert all(len(line) <= limit for line in lines([data]))
