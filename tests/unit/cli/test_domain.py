import pytest
from support.zone import served

KEY = "v=DKIM1; k=ed25519; p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo="  # RFC 8463 A.2
ZONE = {
    "good.example": {"TXT": ["v=spf1 include:a.good.example -all"], "MX": [(10, "mx.good.example")]},
    "a.good.example": {"TXT": ["v=spf1 ip4:192.0.2.1 -all"]},
    "mx.good.example": {"A": ["192.0.2.1"]},
    "s1._domainkey.good.example": {"TXT": [KEY]},
    "_dmarc.good.example": {"TXT": ["v=DMARC1; p=reject; rua=mailto:d@good.example"]},
    "_mta-sts.good.example": {"TXT": ["v=STSv1; id=1"]},
    "_smtp._tls.good.example": {"TXT": ["v=TLSRPTv1; rua=mailto:t@good.example"]},
    "1.2.0.192.in-addr.arpa": {"PTR": ["mx.good.example"]},
    "bad.example": {"TXT": ["v=spf1 inclde:x.example ip4:192.0.2.1 +all"], "MX": [(10, "no.bad.example")]},
    "_dmarc.bad.example": {"TXT": ["v=DMARC1; p=none"]},
    "_mta-sts.bad.example": {"TXT": ["v=STSv1;"]},
    "_smtp._tls.bad.example": {"TXT": ["v=TLSRPTv1; \x1b[31m"]},
    "s1._domainkey.bad.example": {"TXT": ["v=DKIM1; p="]},
    "2.2.0.192.in-addr.arpa": {"PTR": ["mx.good.example"]},
    "2.2.0.192.list.example": {"A": ["127.0.0.2"]},
    "3.2.0.192.list.example": {"A": ["127.255.255.254"]},
    "empty.example": {},
    "away.example": "refused",
    "_dmarc.away.example": "refused",
}
GOOD = {
    "spf": ("ok", []),
    "dkim": ("ok", []),
    "dmarc": ("ok", []),
    "mta-sts": ("ok", []),
    "tls-rpt": ("ok", []),
    "bimi": ("absent", ["bimi-absent"]),
    "dane": ("absent", ["dnssec-absent"]),
    "mx": ("ok", []),
    "blocklist": ("ok", []),
}
BAD = {
    "spf": ("error", ["spf-syntax", "spf-open"]),
    "dkim": ("warning", ["dkim-revoked"]),
    "dmarc": ("warning", ["dmarc-none", "dmarc-no-reports"]),
    "mta-sts": ("error", ["sts-bad"]),
    "tls-rpt": ("error", ["tlsrpt-bad"]),
    "bimi": ("absent", ["bimi-absent"]),
    "dane": ("absent", ["dnssec-absent"]),
    "mx": ("error", ["mx-no-address"]),
    "blocklist": ("error", ["ptr-unconfirmed", "listed"]),
}
EMPTY = {
    "spf": ("absent", ["spf-absent"]),
    "dkim": ("absent", ["dkim-unknown"]),
    "dmarc": ("absent", ["dmarc-absent"]),
    "mta-sts": ("absent", ["sts-absent"]),
    "tls-rpt": ("absent", ["tlsrpt-absent"]),
    "bimi": ("absent", ["bimi-absent"]),
    "dane": ("absent", ["dnssec-absent"]),
    "mx": ("absent", ["mx-absent"]),
    "blocklist": ("absent", ["egress-unknown"]),
}


@pytest.fixture
def domain(sekisho):
    with served(ZONE) as server:
        yield lambda verb, *more: sekisho("domain", verb, *more, "--resolver", server.address)


@pytest.mark.parametrize(
    ("arguments", "expected", "status"),
    [
        (["good.example", "--selector", "s1", "--egress-ip", "192.0.2.1", "--blocklist", "list.example"], GOOD, 0),
        (["bad.example", "--egress-ip", "192.0.2.2", "--blocklist", "list.example"], BAD, 1),
        (["empty.example"], EMPTY, 1),
    ],
    ids=["good", "bad", "empty"],
)
def test_each_check_of_a_domain(domain, arguments, expected, status):
    done = domain("check", *arguments, "--json")
    (found,) = done.objects
    assert {one["check"]: (one["status"], [each["code"] for each in one["findings"]]) for one in found["checks"]} == (
        expected
    )
    assert done.status == status


def test_json_has_the_keys_of_the_contract(domain):
    (found,) = domain("check", "bad.example", "--json", "--language", "en").objects
    assert set(found) == {"domain", "checks"}
    for one in found["checks"]:
        assert set(one) == {"check", "status", "findings", "record"}
        assert all(set(each) == {"code", "text", "fix"} and all(each.values()) for each in one["findings"])


def test_a_name_server_that_fails_is_no_fault_of_the_domain(domain):
    assert domain("check", "away.example").status == 3


@pytest.mark.parametrize(("language", "word"), [("en", "receivers cannot tell"), ("ja", "受信側は")])
def test_the_table_says_why_and_what_to_paste(domain, language, word):
    done = domain("check", "empty.example", "--language", language)
    assert word in done.out
    assert 'empty.example. IN TXT "v=spf1 mx -all"' in done.out


def test_the_tree_has_the_cost_of_includes(domain):
    assert "include:a.good.example  (1 lookup" in domain("check", "good.example", "--language", "en").out


def test_text_of_others_does_not_reach_the_terminal(domain):
    assert "\x1b" not in domain("check", "bad.example").out


def test_a_list_that_refuses_is_not_an_entry(domain):
    done = domain("check", "empty.example", "--egress-ip", "192.0.2.3", "--blocklist", "list.example", "--json")
    codes = [each["code"] for each in done.objects[0]["checks"][-1]["findings"]]
    assert codes == ["ptr-absent", "list-refuses"]


def test_records_to_publish(domain):
    senders = ("--sender", "include:a.good.example", "--sender", "ip4:192.0.2.9")
    done = domain(
        "records", "new.example", *senders, "--rua", "d@new.example", "--tls-rpt", "t@new.example", "--json"
    )
    assert done.objects[0]["records"] == [
        'new.example. IN TXT "v=spf1 include:a.good.example ip4:192.0.2.9 -all"',
        '_dmarc.new.example. IN TXT "v=DMARC1; p=none; rua=mailto:d@new.example"',
        '_smtp._tls.new.example. IN TXT "v=TLSRPTv1; rua=mailto:t@new.example"',
    ]
    assert (done.objects[0]["spf_lookups"], done.status) == (1, 0)


@pytest.mark.parametrize("sender", ["ip4:192.0.2.999", "nobody", "a -all", "all", "+all"])
def test_a_sender_that_is_none(domain, sender):
    assert domain("records", "new.example", "--sender", sender).status == 2
