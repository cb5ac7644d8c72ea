from support.linked import linked

from sekisho.config.shipped import shipped
from sekisho.inspect.link_lists.hosts import external, nobody
from sekisho.inspect.links.lists import load_lists

WORDS = load_lists(shipped("lists"))


def hosts(*urls, allowed=nobody, **more):
    return [host.ascii for _, host in external(linked(*urls, **more), WORDS, allowed)]


def test_only_what_is_somebody_elses_and_public():
    urls = [
        "https://a.example.com/x", "http://192.0.2.7/", "http://8.8.8.8/", "http://10.1.2.3/", "http://[2606:4700::1]/",
        "https://our-firm.co.jp/", "https://www.our-firm.co.jp/", "https://not-our-firm.co.jp/", "http://nas.lan/x",
        "http://intranet/", "mailto:x@example.net", "https://co.jp/",
    ]  # fmt: skip
    assert hosts(*urls) == ["a.example.com", "8.8.8.8", "2606:4700::1", "not-our-firm.co.jp"]


def test_a_dot_before_an_own_domain_or_not():
    assert hosts("https://a.sub.example.com/", "https://sub.example.com/", own=[".sub.example.com"]) == []


def test_allowed():
    found = hosts("https://a.example.com/", "https://b.example.com/", allowed=lambda a: a.host.ascii[0] == "a")
    assert found == ["b.example.com"]


def test_what_redirectors_carry():
    url = "https://www.google.com/url?q=https%3A%2F%2Fa.example.com%2F"
    assert hosts(url) == ["www.google.com", "a.example.com"]
