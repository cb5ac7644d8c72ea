import pytest

from sekisho.inspect.links.sign import graded
from sekisho.inspect.links.tally import MOST_PER_RULE, Tally, shown
from sekisho.inspect.links.targets import Target
from sekisho.inspect.links.url import normalise
from sekisho.mail.message import Link


def target(url, part="1", path=""):
    return Target(Link(url, "", part, "href", path), normalise(url))


@pytest.mark.parametrize(
    ("url", "excerpt"),
    [
        ("https://anna:secret@example.com/a?token=1#x", "https://example.com/a?…"),
        ("http://example.com:81/" + "a" * 100, "http://example.com:81/" + "a" * 27 + "…"),
        ("http://example.com/anna@example.org/x", "http://example.com/…"),
        ("http://example.com/anna%40example.org/x", "http://example.com/…"),
        ("https://example.com/u/%E5%B1%B1/4111-1111-1111-1111/x", "https://example.com/u/…/*/x"),
        ("https://example.com/2026/11/24/a", "https://example.com/2026/11/24/a"),
        ("http://[::1]/", "http://[::1]/"),
        ("javascript:alert('secret')", "javascript:…"),
    ],
)
def test_nothing_personal_is_kept(url, excerpt):
    assert shown(normalise(url)) == excerpt


def test_one_finding_for_a_host_with_the_surest_sign():
    tally = Tally()
    tally.add(target("http://example.com/a"), graded("link/x", 0.4, "weak"))
    tally.add(target("http://example.com/b"), graded("link/x", 0.8, "strong"))
    tally.add(target("http://example.com/c"), graded("link/x", 0.5, "middle"))
    (finding,) = tally.findings
    assert (finding.count, finding.confidence, finding.explanation) == (3, 0.8, "strong")
    assert finding.excerpt == "http://example.com/b"
    assert finding.where == "link"


def test_places_are_kept_apart():
    tally = Tally()
    for part, path in (("1", ""), ("2", "a.zip/b.pdf")):
        tally.add(target("http://example.com/", part, path), graded("link/x", 0.4, "why"))
    assert [(f.part, f.path) for f in tally.findings] == [("1", ""), ("2", "a.zip/b.pdf")]


def test_bounded():
    tally = Tally()
    for i in range(MOST_PER_RULE + 30):
        tally.add(target(f"http://h{i}.example.com/"), graded("link/x", 0.4, "why"))
    assert len(tally.findings) == MOST_PER_RULE
    assert sum(f.count for f in tally.findings) == MOST_PER_RULE + 30
