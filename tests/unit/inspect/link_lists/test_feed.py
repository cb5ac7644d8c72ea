from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sekisho.inspect.link_lists.feed import Feed, read_time

HEAD = b"# sekisho-feed: 1\n# updated: 2026-11-24T06:00:00+09:00\n# expires-days: 7\n"


def read(data):
    """The entries, what was reported, and the feed."""
    reported = []
    feed = Feed(lambda line, why: reported.append((line, why)))
    return list(feed.entries(data.splitlines(keepends=True))), reported, feed


def test_entries_of_each_kind():
    lines = (
        b"host\tlogin-example.top\tphishing\t2026-11-23\n"
        b"host\t\xe4\xbe\x8b.jp\tphishing\n"
        b"prefix\tfiles.example.com/u/8213/\tmalware\t\r\n"
        b"\n# a comment: nothing\n"
        b"url\thxxps://www.example[.]net/a.php?id=3\tphishing\t2026-11-24T01:02:03Z\n"
        b"url\thttps://www.example.net/b\tphishing\t2026-11-24T01:02:03.5+09:00"
    )
    entries, reported, feed = read(HEAD + lines)
    assert reported == []
    assert entries == [
        (b"hlogin-example.top", ("phishing", "2026-11-23")),
        (b"hxn--fsq.jp", ("phishing", "")),
        (b"pfiles.example.com/u/8213", ("malware", "")),
        (b"uwww.example.net/a.php?id=3", ("phishing", "2026-11-24")),
        (b"uwww.example.net/b", ("phishing", "2026-11-24")),
    ]
    assert feed.updated == datetime(2026, 11, 23, 21, 0, tzinfo=UTC)
    assert feed.expires == datetime(2026, 11, 30, 21, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("line", "why"),
    [
        (b"host\tbad.example.com", "2 columns"),
        (b"bad.example.com", "1 columns"),
        (b"host\ta.example.com\tphishing\t2026-11-24\tx", "5 columns"),
        (b"ip\t192.0.2.1\tphishing\t", '"url", "host" or "prefix"'),
        (b"host\tnothing\tphishing\t", "an address or a host"),
        (b"host\ta.example.com/b\tphishing\t", "without path"),
        (b"prefix\ta.example.com/b?c\tphishing\t", "without query"),
        (b"url\t192.0.2.0/24\tphishing\t", "an address or a host"),
        (b"host\ta.example.com\tPhishing!\t", "category"),
        (b"host\ta.example.com\t\t", "category"),
        (b"host\ta.example.com\tphishing\tyesterday", "first-seen"),
        (b"host\ta.example.com\tphishing\t2026-13-01", "first-seen"),
        (b"host\ta.example.com\tphishing\t2026-11-24T01:02:03", "first-seen"),
        (b"host\t" + b"a" * 9000 + b"\tphishing\t", "longer than"),
    ],
)
def test_a_wrong_line_is_told_and_the_others_count(line, why):
    entries, reported, _ = read(HEAD + line + b"\nhost\tb.example.com\tphishing\t\n")
    assert [key for key, _ in entries] == [b"hb.example.com"]
    assert len(reported) == 1
    assert reported[0][0] == 4
    assert why in reported[0][1]


@pytest.mark.parametrize(
    ("data", "line", "why"),
    [
        (HEAD.replace(b"feed: 1", b"feed: 2"), 1, "version 1"),
        (HEAD.replace(b"2026-11-24T06:00:00+09:00", b"24.11.2026"), 2, "updated"),
        (HEAD.replace(b"2026-11-24T06:00:00+09:00", b"2026-11-24T06:00:00"), 2, "updated"),
        (HEAD.replace(b": 7", b": 0"), 3, "expires-days"),
        (HEAD.replace(b": 7", b": soon"), 3, "expires-days"),
        (HEAD.replace(b": 7", b": 99999999999"), 3, "expires-days"),
        (b"# sekisho-feed: 1\n", 1, "needs"),
    ],
)
def test_a_wrong_header(data, line, why):
    _, reported, _ = read(data)
    assert reported[0][0] == line
    assert why in reported[0][1]


def test_times():
    assert read_time("2026-11-24T06:00:00Z") == datetime(2026, 11, 24, 6, tzinfo=UTC)
    assert read_time("2026-11-24") is None
    assert read_time("0001-01-01T00:00:00+14:00") is None


@given(st.binary(max_size=200))
def test_never_raises(data):
    read(HEAD + data)
    read(data)
