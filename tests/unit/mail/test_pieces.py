"""Pieces rejoined are the whole, wherever their borders are, and nobody sleeps in the main thread."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.small_pieces import pieces_of

from sekisho.mail import pieces as taken
from sekisho.mail.pieces import PIECE, cut, joined, line_pieces, pieces, replaced, together

SIZES = st.integers(3, 20)
WIRE = st.lists(st.sampled_from([b"\r\n.", b"\r\n", b"\r", b"\n", b".", b"..", b"a", b"bcdefgh"])).map(b"".join)
KINDS = st.sampled_from([bytes, bytearray])


@given(WIRE, SIZES, KINDS)
def test_pieces_are_the_whole(data, size, kind):
    with pieces_of(size):
        found = list(pieces(kind(data)))
        assert b"".join(found) == joined(found) == together(*found) == data
    assert all(len(piece) == size for piece in found[:-1])
    assert all(0 < len(piece) <= size for piece in found)


@given(WIRE, SIZES, KINDS, st.integers(1, 9))
def test_line_pieces_end_with_lines(data, size, kind, step):
    with pieces_of(size), pytest.MonkeyPatch.context() as patch:
        patch.setattr(taken, "_STEP", step)
        found = list(line_pieces(kind(data)))
    assert b"".join(found) == data
    assert all(found)
    for piece in found[:-1]:
        assert piece.endswith(b"\n")
        assert b"\n" not in piece[size - 1 : -1]  # no longer than the line that a piece's last octet is in


@given(WIRE, SIZES, KINDS, st.sampled_from([(b"\r\n.", b"\r\n"), (b"\r\n.", b"\r\n.."), (b"\r\n", b"\n")]))
def test_replaced_as_bytes_do(data, size, kind, change):
    with pieces_of(size):
        found = replaced(kind(data), *change)
    assert found == data.replace(*change)
    assert type(found) is bytes


@given(WIRE, SIZES, KINDS, st.integers(0, 60), st.integers(0, 60))
def test_cut_as_a_slice(data, size, kind, start, end):
    with pieces_of(size):
        found = cut(kind(data), start, end)
    assert found == data[start:end]
    assert type(found) is bytes


@pytest.mark.parametrize("extra", [-1, 0, 1])
def test_borders_at_full_size(extra):
    data = b"x" * (PIECE - 2 + extra) + b"\r\n.y" + b"z" * PIECE
    assert replaced(data, b"\r\n.", b"\r\n") == data.replace(b"\r\n.", b"\r\n")
    assert joined(pieces(data)) == joined(line_pieces(data)) == together(data) == cut(data, 0, len(data)) == data


def test_a_buffer_can_grow_again_afterwards():
    """No view of it stays open, which would make its owner's next octet an error."""
    data = bytearray(b"a\r\n.b\r\n" * PIECE)
    cut(data, 1, len(data))
    replaced(data, b"\r\n.", b"\r\n")
    for of in (pieces, line_pieces):
        next(of(data))
        joined(of(data))
    data += b"more"


def test_an_exception_on_the_way_is_the_callers():
    def failing():
        yield b"x" * PIECE
        raise ValueError("broken")

    with ThreadPoolExecutor(1) as other, pytest.raises(ValueError, match="broken"):
        other.submit(joined, failing()).result()


def pauses(monkeypatch, parts, *, apart):
    count = []
    monkeypatch.setattr(taken.time, "sleep", count.append)
    if apart:
        thread = threading.Thread(target=joined, args=(parts,))
        thread.start()
        thread.join()
    else:
        joined(parts)
    return len(count)


def test_the_main_thread_does_not_sleep(monkeypatch):
    assert pauses(monkeypatch, [b"x" * PIECE] * 8, apart=False) == 0
    assert pauses(monkeypatch, [b"x" * PIECE] * 8, apart=True) == 8


def test_short_parts_have_no_pause_each(monkeypatch):
    """A message with ten thousand masks would wait for seconds."""
    assert pauses(monkeypatch, [b"xx"] * 10_000, apart=True) == 0
    assert pauses(monkeypatch, [b"x"] * PIECE, apart=True) == 2
