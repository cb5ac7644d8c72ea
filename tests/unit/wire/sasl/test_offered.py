"""Where each mechanism may be used."""

from sekisho.wire.sasl.offered import IN_CLEAR, MECHANISMS, PLUS, begin, usable
from sekisho.wire.sasl.steps import Challenge, GiveKeys

BINDINGS = {"tls-exporter": b"x" * 32}


def test_secrets_only_under_tls():
    """RFC 4954 4, RFC 8314 3."""
    assert usable(MECHANISMS, {}, protected=False) == ("SCRAM-SHA-256",)
    assert set(usable(MECHANISMS, BINDINGS, protected=True)) == set(MECHANISMS)
    assert not {"PLAIN", "LOGIN", "OAUTHBEARER", "XOAUTH2"} & IN_CLEAR


def test_plus_only_with_bindings():
    assert PLUS not in usable(MECHANISMS, {}, protected=True)


def test_only_what_is_allowed():
    assert usable(("LOGIN", "PLAIN", "X-OTHER"), BINDINGS, protected=True) == ("PLAIN", "LOGIN")


def test_each_begins():
    for name in MECHANISMS:
        assert begin(name, MECHANISMS, BINDINGS).first.data == (b"Username:" if name == "LOGIN" else b"")


def test_plus_offered_is_known_to_the_plain_one():
    assert begin("SCRAM-SHA-256", ("SCRAM-SHA-256",), BINDINGS).respond(b"y,,n=a,r=b") == GiveKeys("a")
    assert begin("SCRAM-SHA-256", MECHANISMS, BINDINGS).respond(b"y,,n=a,r=b") != GiveKeys("a")
    assert isinstance(begin("LOGIN", MECHANISMS, {}).first, Challenge)
