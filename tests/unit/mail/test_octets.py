"""The search through octets finds what `re` finds, at the same place, in any thread."""

import re
from concurrent.futures import ThreadPoolExecutor

from hypothesis import given
from hypothesis import strategies as st

from sekisho.mail.octets import OctetSearch

FIXED = [rb"\r\n\.", rb"\n--", rb"\nbegin", rb"[^\r]\n|\r[^\n]"]  # all matches of one have the same length
SEARCHES = [(re.compile(e, re.DOTALL), OctetSearch(e)) for e in FIXED]
BLANKS = rb"[ \t][ \t\r]|\t"
pieces = st.sampled_from([b"\r\n", b"\r", b"\n", b".", b"-", b" ", b"\t", b"begin", b"x" * 70, b"\0", b"\xff"])


@given(st.lists(pieces, max_size=80), st.integers(0, 40))
def test_as_re_does(parts, start):
    data = b"".join(parts)
    start = min(start, len(data))
    for expression, search in SEARCHES:
        assert search.occurs(data) == search.occurs(bytearray(data)) == bool(expression.search(data))
        found = expression.search(data[start:])
        end = start + found.end() if found else -1
        assert search.first_end(data, start) == search.first_end(bytearray(data), start) == end


@given(st.lists(pieces, max_size=80))
def test_matches_of_several_lengths(parts):
    data = b"".join(parts)
    assert OctetSearch(BLANKS).occurs(data) == bool(re.search(BLANKS, data))


def test_the_earliest_end_of_all_matches():
    assert OctetSearch(BLANKS).first_end(b"x\t\r") == 2


def test_a_buffer_can_be_changed_after_a_search():
    data = bytearray(b"one\r\n.two")
    assert SEARCHES[0][1].first_end(data) == 6
    data += b"more"
    assert data.endswith(b"more")


def test_many_threads_at_once():
    search = OctetSearch(rb"\r\n\.")
    there, not_there = b"text\r\n" * 50_000 + b".", b"text\r\n" * 50_000
    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(search.first_end, [there, not_there] * 50)) == [len(there), -1] * 50
