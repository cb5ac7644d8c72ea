import pytest
from support.zone import served

ZONE = {
    "example.com": {"TXT": ["v=spf1 include:a.example.com -all"]},
    "a.example.com": {"TXT": ["v=spf1 ip4:198.51.100.0/24 -all"]},
    "failing.example.com": "refused",
}


@pytest.fixture
def flatten(sekisho):
    with served(ZONE) as server:
        yield lambda *more: sekisho("spf", "flatten", *more, "--resolver", server.address)


def test_the_record_and_its_risk(flatten):
    done = flatten("example.com", "--language", "en")
    assert 'example.com. IN TXT "v=spf1 ip4:198.51.100.0/24 -all"' in done.out
    assert "Risk: " in done.out
    assert done.status == 0


def test_json(flatten):
    (found,) = flatten("example.com", "--json").objects
    assert found["records"] == [{"name": "example.com", "text": "v=spf1 ip4:198.51.100.0/24 -all"}]


@pytest.mark.parametrize(("domain", "status"), [("none.example.com", 1), ("failing.example.com", 3), ("a b", 2)])
def test_exit_status(flatten, domain, status):
    assert flatten(domain).status == status
