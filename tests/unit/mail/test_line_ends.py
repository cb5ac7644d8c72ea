"""A CR or LF that stands alone is found wherever it stands."""

import itertools
from concurrent.futures import ThreadPoolExecutor

from hypothesis import given
from hypothesis import strategies as st

from sekisho.mail.line_ends import bare_line_end


def counted(data):
    pairs = data.count(b"\r\n")
    return data.count(b"\n") != pairs or data.count(b"\r") != pairs


def test_every_short_run():
    for length in range(7):
        for octets in itertools.product(b"\r\nx", repeat=length):
            data = bytes(octets)
            assert bare_line_end(data) == counted(data), data


@given(st.lists(st.sampled_from([b"\r\n", b"\r", b"\n", b"x" * 70, b".", b"\0", b"\xff"]), max_size=200))
def test_long_runs(pieces):
    data = b"".join(pieces)
    assert bare_line_end(data) == bare_line_end(bytearray(data)) == counted(data)


def test_many_threads_at_once():
    clean, bare = b"text\r\n" * 50_000, b"text\r\n" * 50_000 + b"\n"
    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(bare_line_end, [clean, bare] * 50)) == [False, True] * 50
