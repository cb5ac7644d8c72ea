import io
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sekisho.inspect.link_lists.keys import keys
from sekisho.inspect.link_lists.lines import LONGEST_LINE, Reader, bounded_lines, plain_page, read_entry
from sekisho.inspect.links.url import normalise

SHARED = frozenset(("sites.example.com", "example.org"))


def read(text, match="url", *, named_csv=False):
    """The keys, and how many lines could not be read."""
    reader = Reader(match, SHARED.__contains__)
    lines = (text if isinstance(text, bytes) else text.encode()).splitlines(keepends=True)
    return [key.decode() for key in reader.keys(lines, named_csv=named_csv)], reader.unreadable


@pytest.mark.parametrize(
    ("line", "key"),
    [
        ("bad.example.com", "hbad.example.com"),
        ("BAD.Example.COM", "hbad.example.com"),
        ("bad.example.com.", "hbad.example.com"),
        (".bad.example.com", "hbad.example.com"),
        ("*.bad.example.com", "hbad.example.com"),
        ("||bad.example.com^", "hbad.example.com"),
        ("bad[.]example[.]com", "hbad.example.com"),
        ("例.jp", "hxn--fsq.jp"),
        ("nas.lan", "hnas.lan"),
        ("192.0.2.7", "h192.0.2.7"),
        ("[2001:db8::1]", "h2001:db8::1"),
        ("http://bad.example.com/a/b.php", "ubad.example.com/a/b.php"),
        ("https://bad.example.com/a/b.php?x=1&y=2", "ubad.example.com/a/b.php?x=1&y=2"),
        ("https://bad.example.com", "ubad.example.com/"),
        ("hxxp://bad[.]example[.]com/a", "ubad.example.com/a"),
        ("hXXps://bad.example.com/a", "ubad.example.com/a"),
        ("http://BAD.example.com:80/a/../b#top", "ubad.example.com/b"),
        ("http://bad.example.com:8080/a", "ubad.example.com:8080/a"),
        ("http://bad.example.com/%2e%2e/b", "ubad.example.com/b"),
        ("http://192.0.2.7/x.sh", "u192.0.2.7/x.sh"),
        ("bad.example.com/a/", "pbad.example.com/a"),
        ("bad.example.com/a/*", "pbad.example.com/a"),
        ("https://bad.example.com/a/*", "pbad.example.com/a"),
        ("bad.example.com/", "hbad.example.com"),
        ("https://bad.example.com/*", "hbad.example.com"),
        ("http://bad.example.com/a\tphishing 2026-11-24", "ubad.example.com/a"),
        ("bad.example.com # since Monday", "hbad.example.com"),
        ("0.0.0.0 bad.example.com", "hbad.example.com"),
        ("127.0.0.1\tbad.example.com # ad", "hbad.example.com"),
        (":: bad.example.com", "hbad.example.com"),
    ],
)
def test_one_line(line, key):
    assert read(line) == ([key], 0)


@pytest.mark.parametrize(
    "line",
    ["hello world", "localhost", "<html>", "192.0.2.0/24", "2001:db8::/32", "http://", "http:///",
     "2026/11/24", "1.5", "http://a b/", "http://exa<mple.com/", "a" * (LONGEST_LINE + 1), "\0\0", "http://[::1"],
)  # fmt: skip
def test_a_line_that_says_nothing_is_counted(line):
    assert read(f"good.example.com\n{line}\n") == (["hgood.example.com"], 1)


def test_comments_and_empty_lines():
    text = "\ufeff# a list\r\n\r\n; more\r\n! adblock\r\nbad.example.com\r\n"
    assert read(text) == (["hbad.example.com"], 0)


def test_a_byte_order_mark_before_an_entry():
    assert read("\ufeffbad.example.com\n") == (["hbad.example.com"], 0)


def test_hosts_file_with_several_names_and_its_own():
    text = "127.0.0.1 localhost\n::1 localhost ip6-localhost\n0.0.0.0 a.example.com b.example.com # c.example.com\n"
    assert read(text) == (["ha.example.com", "hb.example.com"], 0)


def test_urlhaus_like_csv():
    text = (
        "# id,dateadded,url,url_status\n"
        '"3201","2026-11-24 05:00:01","http://192.0.2.9/bins/x.arm7","online","http://urlhaus.example.org/url/3201/"\n'
        '"3202","2026-11-24 05:00:02","https://bad.example.com/a,b.zip","offline","http://urlhaus.example.org/url/2/"\n'
        '"3203","2026-11-24","","",""\n'
    )
    assert read(text) == (["u192.0.2.9/bins/x.arm7", "ubad.example.com/a,b.zip"], 1)


def test_csv_with_a_header_and_the_address_in_the_middle():
    text = "date,URL,description\n2026/11/24 10:00:00,https://bad.example.com/jp,ネット銀行\n"
    assert read(text.encode()) == (["ubad.example.com/jp"], 0)


def test_csv_of_hosts():
    assert read("1,google.com\n2,bad.example.com\n") == (["hgoogle.com", "hbad.example.com"], 0)


def test_csv_that_begins_with_the_address_is_known_by_its_name():
    line = "https://bad.example.com/a,2026-11-24"
    assert read(line) == (["ubad.example.com/a,2026-11-24"], 0), "an address may have a comma"
    assert read(line, named_csv=True) == (["ubad.example.com/a"], 0)


def test_a_quote_that_is_not_closed_takes_no_other_lines():
    keys, unreadable = read('"1","http://a.example.com/"\n"2","http://b.example.com/\n"3","http://c.example.com/"\n')
    assert keys == ["ua.example.com/", "ub.example.com/", "uc.example.com/"]
    assert unreadable == 0


@pytest.mark.parametrize(
    ("match", "expected"),
    [
        ("url", ["uwww.bad.example.net/x", "hhost.example.net", "usites.example.com/u/3", "uA.example.org/x"]),
        ("host", ["hwww.bad.example.net", "hhost.example.net", "usites.example.com/u/3", "ha.example.org"]),
        ("domain", ["hexample.net", "hexample.net", "usites.example.com/u/3", "ha.example.org"]),
    ],
)
def test_how_far_an_entry_reaches(match, expected):
    text = "http://www.bad.example.net/x\nhost.example.net\nhttp://sites.example.com/u/3\nhttp://A.example.org/x\n"
    assert read(text, match)[0] == [key.replace("uA", "ua") for key in expected]


def test_short_cuts_give_what_the_normaliser_gives():
    urls = [
        "http://a.example.com/", "https://a.example.com", "https://a.example.com/b/c.html?d=e&f[0]=g", "http://xn--a.com/x",
        "https://a.example.com/~b/$c;d=(e)!*'/f,g", "https://a.example.com/a//b", "https://a.example.com?x=1",
        "https://a.example.com/a?b?c#d", "https://a_b.example.com/%E3%81%82", "https://a.example.com/a%2", "http://1.2.3.com/",
    ]  # fmt: skip
    for url in urls:
        plain, address = plain_page(url.encode()), normalise(url)
        if plain is not None and address is not None:
            assert b"u" + plain[0] + plain[1] == list(keys(address, kinds=[b"u"]))[-1], url
    assert plain_page(urls[0].encode()) is not None


@given(st.from_regex(r"https?://[a-z0-9.-]{1,20}(/[!-~]{0,20})?(\?[!-~]{0,20})?", fullmatch=True))
def test_short_cuts_never_say_anything_else(url):
    plain, address = plain_page(url.encode()), normalise(url)
    if plain is not None and address is not None and address.host is not None and "xn--" not in url:
        assert b"u" + plain[0] + plain[1] == (list(keys(address, kinds=[b"u"])) or [b"u" + plain[0] + plain[1]])[-1]


@given(st.binary(max_size=300), st.booleans(), st.sampled_from(["url", "host", "domain"]))
def test_never_raises(data, named_csv, match):
    keys, unreadable = read(data, match, named_csv=named_csv)
    assert len(keys) + unreadable >= 0


def test_a_network_is_no_address():
    assert read_entry("192.0.2.0/24") is None
    assert read_entry("2026/11/24") is None
    assert read_entry("192.0.2.7").host.ascii == "192.0.2.7"
    assert read_entry("https://192.0.2.0/24").path == "/24"


def test_lines_without_end_take_no_memory():
    data = b"a.example.com\n" + b"x" * 100_000 + b"\nb.example.com\n" + b"y" * (LONGEST_LINE + 2)
    lines = list(bounded_lines(io.BytesIO(data)))
    assert [len(line) for line in lines] == [14, LONGEST_LINE + 2, 14, LONGEST_LINE + 2]
    reader = Reader("url", SHARED.__contains__)
    assert list(reader.keys(lines, named_csv=False)) == [b"ha.example.com", b"hb.example.com"]
    assert reader.unreadable == 2


@pytest.mark.parametrize("piece", [":", "a.", ".", "/", "://", "%2e/", "1", "[", '"', ",", "||", "xn--a.", "@", "a:"])
def test_lines_built_to_be_slow(piece):
    line = (piece * LONGEST_LINE)[:LONGEST_LINE]
    started = time.process_time()
    for text in (line, f"http://{line}", f"http://a.example.com/{line}", f"{line},x", f"0.0.0.0 {line}"):
        read(text[:LONGEST_LINE])
    assert time.process_time() - started < 5  # far above what it takes, far below what quadratic steps would
