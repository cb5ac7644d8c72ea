from support.zone import ZoneResolver, driven

from sekisho.mailauth.domain.spf import check_spf


def codes(zone):
    return [finding.code for finding in driven(check_spf("example.com", ZoneResolver(zone))).findings]


def test_more_than_ten_lookups():
    zone = {f"i{n}.example.com": {"TXT": ["v=spf1 ip4:192.0.2.1 -all"]} for n in range(11)}
    text = " ".join(f"include:i{n}.example.com" for n in range(11))
    assert codes(zone | {"example.com": {"TXT": [f"v=spf1 {text} -all"]}}) == ["spf-lookups"]
    text = text.replace(" include:i10.example.com", "")
    assert codes(zone | {"example.com": {"TXT": [f"v=spf1 {text} -all"]}}) == ["spf-lookups-near"]


def test_an_include_of_nothing_and_of_itself():
    assert codes({"example.com": {"TXT": ["v=spf1 include:no.example.com -all"]}}) == ["spf-include"]
    assert "spf-include" in codes({"example.com": {"TXT": ["v=spf1 include:example.com -all"]}})


def test_no_end():
    zone = {"example.com": {"TXT": ["v=spf1 ip4:192.0.2.1"]}}
    (finding,) = driven(check_spf("example.com", ZoneResolver(zone))).findings
    assert (finding.code, finding.record) == ("spf-no-all", 'example.com. IN TXT "v=spf1 ip4:192.0.2.1 -all"')


def test_two_records_and_a_long_one():
    assert codes({"example.com": {"TXT": ["v=spf1 -all", "v=spf1 mx -all"]}}) == ["spf-several"]
    long = b"v=spf1 " + b"include:a.example.com " * 3_000 + b"-all"
    assert "spf-lookups" in codes({"example.com": {"TXT": [long]}})
