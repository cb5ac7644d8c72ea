from types import SimpleNamespace

from sekisho.config.shipped import shipped
from sekisho.inspect.links import targets as module
from sekisho.inspect.links.lists import load_lists
from sekisho.inspect.links.targets import MOST_LINKS, targets
from sekisho.mail.message import Link

LISTS = load_lists(shipped("lists"))


def linked(*urls):
    return SimpleNamespace(links=tuple(Link(url, "", "1") for url in urls), memo={})


def test_each_address_once_with_its_count():
    found = targets(linked("http://a.example.com/", "http://b.example.com/", "http://a.example.com/"), LISTS).targets
    assert [(t.address.host.ascii, t.count) for t in found] == [("a.example.com", 2), ("b.example.com", 1)]


def test_addresses_inside_redirectors():
    url = (
        "https://www.google.com/url?q=https%3A%2F%2Fl.facebook.com%2Fl.php%3Fu%3Dhttp%253A%252F%252Fevil.example.com"
    )
    found = targets(linked(url), LISTS).targets
    assert [t.address.site for t in found] == ["google.com", "facebook.com", "example.com"]
    assert found[2].outer.site == "facebook.com"


def test_harmless_and_unreadable_ones_are_left_out():
    assert targets(linked("mailto:a@example.com", "cid:1", "tel:1", "#top", "http://"), LISTS).targets == ()


def test_bounded(monkeypatch):
    monkeypatch.setattr(module, "MOST_LINKS", 3)
    found = targets(linked(*(f"http://{i}.example.com/" for i in range(10))), LISTS)
    assert (len(found.targets), found.left_out) == (3, 7)


def test_a_chain_of_redirectors_is_bounded():
    url = "http://evil.example.com/"
    for i in range(20):
        url = f"http://r{i}.example{i}.com/?u={url.replace('%', '%25').replace('/', '%2F').replace(':', '%3A')}"[
            :4000
        ]
    assert len(targets(linked(url), LISTS).targets) <= 4


def test_done_once():
    transaction = linked("http://a.example.com/")
    assert targets(transaction, LISTS) is targets(transaction, LISTS)


def test_beyond_the_bound_each_host_is_looked_at_once_first():
    """A thousand pages of one site do not hide the one link that leads elsewhere."""
    links = [f"http://www.example.com/{number}" for number in range(1_100)]
    seen = targets(linked(*links, "http://other.example.net/"), LISTS)
    assert "other.example.net" in {target.address.host.ascii for target in seen.targets}
    assert (len(seen.targets), seen.left_out, seen.unseen) == (MOST_LINKS, 601, 0)


def test_hosts_that_nobody_looked_at_are_counted():
    seen = targets(linked(*(f"http://h{number}.example.com/" for number in range(700))), LISTS)
    assert (len(seen.targets), seen.left_out, seen.unseen) == (MOST_LINKS, 200, 200)
