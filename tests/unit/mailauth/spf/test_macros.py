"""The examples of RFC 7208 7.4, and its rules."""

from ipaddress import ip_address

import pytest

from sekisho.mailauth.spf.macros import MacroFlaw, address_values, domain_name, expand, parse_macros

VALUES = {
    "s": "strong-bad@email.example.com",
    "l": "strong-bad",
    "o": "email.example.com",
    "d": "email.example.com",
    "p": "mx.example.org",
    "h": "mx.example.org",
    "r": "mx.example.net",
    "t": "1700000000",
    **address_values(ip_address("192.0.2.3")),
}


def expanded(text, values=VALUES, **more):
    return expand(parse_macros(text, **more), values.__getitem__)


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("%{s}", "strong-bad@email.example.com"),
        ("%{o}", "email.example.com"),
        ("%{d}", "email.example.com"),
        ("%{d4}", "email.example.com"),
        ("%{d3}", "email.example.com"),
        ("%{d2}", "example.com"),
        ("%{d1}", "com"),
        ("%{dr}", "com.example.email"),
        ("%{d2r}", "example.email"),
        ("%{l}", "strong-bad"),
        ("%{l-}", "strong.bad"),
        ("%{lr}", "strong-bad"),
        ("%{lr-}", "bad.strong"),
        ("%{l1r-}", "strong"),
        ("%{ir}.%{v}._spf.%{d2}", "3.2.0.192.in-addr._spf.example.com"),
        ("%{lr-}.lp._spf.%{d2}", "bad.strong.lp._spf.example.com"),
        ("%{lr-}.lp.%{ir}.%{v}._spf.%{d2}", "bad.strong.lp.3.2.0.192.in-addr._spf.example.com"),
        ("%{ir}.%{v}.%{l1r-}.lp._spf.%{d2}", "3.2.0.192.in-addr.strong.lp._spf.example.com"),
        ("%{d2}.trusted-domains.example.net", "example.com.trusted-domains.example.net"),
        ("%%%_%-", "% %20"),
        ("%{S}", "strong-bad%40email.example.com"),
    ],
)
def test_expansion(text, wanted):
    assert expanded(text) == wanted


def test_ipv6():
    values = {**VALUES, **address_values(ip_address("2001:db8::cb01"))}
    wanted = "1.0.b.c.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6._spf.example.com"
    assert expanded("%{ir}.%{v}._spf.%{d2}", values) == wanted


def test_letters_of_explanations():
    assert expanded("%{c} to %{r} at %{t}", explanation=True) == "192.0.2.3 to mx.example.net at 1700000000"
    assert parse_macros("a%{c}") == MacroFlaw("macro-letter", 1)


@pytest.mark.parametrize(
    ("text", "code", "offset"),
    [("ab%", "macro-syntax", 2), ("%{d", "macro-syntax", 0), ("%{d0}", "macro-syntax", 0), ("a b", "character", 1),
     ("%{x}", "macro-letter", 0), ("%{dr2}", "macro-syntax", 0), ("%{d:}", "macro-syntax", 0), ("é", "character", 0)],
)  # fmt: skip
def test_flaws(text, code, offset):
    assert parse_macros(text) == MacroFlaw(code, offset)


def test_labels_go_from_the_left_until_the_name_is_short_enough():
    name = domain_name("a" * 60 + "." + ".".join(["b" * 60] * 4) + ".Example.")
    assert name == ".".join(["b" * 60] * 4) + ".example"
    assert len(domain_name("x" * 300)) == 300  # one label: no name, whatever is cut
