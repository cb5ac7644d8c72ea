from ipaddress import ip_network

from sekisho.mailauth.spf.flat_text import MOST_OCTETS, Run, written


def test_a_short_one_stays_in_one_piece():
    runs = [Run("~", (ip_network("192.0.2.0/24"), ip_network("2001:db8::1/128"))), Run(kept="-all")]
    assert written(runs, ["exp=e.example"], "example.com", "_spf") == [
        ("example.com", "v=spf1 ~ip4:192.0.2.0/24 ~ip6:2001:db8::1 -all exp=e.example")
    ]


def test_a_long_one_is_included_with_its_sign():
    networks = tuple(ip_network(f"2001:db8:{number:x}::/48") for number in range(100))
    own, *further = written([Run("?", networks), Run(kept="-all")], [], "example.com", "_n")
    includes = " ".join(f"?include:_n{number}.example.com" for number in range(1, len(further) + 1))
    assert own == ("example.com", f"v=spf1 {includes} -all")
    assert all(len(text) <= MOST_OCTETS for _, text in further)
    assert [term for _, text in further for term in text.split()[1:]] == [f"ip6:{network}" for network in networks]


def test_too_long_even_so():
    assert written([Run(kept="exists:" + "x" * 500 + ".example")], [], "example.com", "_spf") is None
