"""SCRAM-SHA-256, with the example of RFC 7677 3."""

import hashlib
from base64 import b64decode

import pytest
from support.logins import NO, YES, ScramClient, scram_keys

from sekisho.wire.sasl.scram import Scram, new_nonce
from sekisho.wire.sasl.steps import Challenge, CheckProof, Failed, GiveKeys, Passed, SaslError

BINDINGS = {"tls-exporter": b"e" * 32, "tls-server-end-point": hashlib.sha256(b"certificate").digest()}
KEYS = scram_keys("pencil", b"salt", 4096)


def scram(*, plus=False, bindings=None, plus_offered=False, nonce=lambda: "server"):
    return Scram(plus=plus, bindings=bindings or {}, plus_offered=plus_offered, nonce=nonce)


def exchange(mechanism, client, keys=KEYS):
    """Up to the proof, or to the failure before."""
    step = mechanism.respond(client.first())
    if not isinstance(step, GiveKeys):
        return step
    return mechanism.respond(client.final(mechanism.resume(keys).data))


def test_rfc_7677_3():
    salt = b64decode("W22ZaJ0SNY7soEsUEjb6gQ==")
    mechanism = scram(nonce=lambda: "%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0")
    assert mechanism.respond(b"n,,n=user,r=rOprNGfwEbeRWgbNEkqO") == GiveKeys("user")
    assert mechanism.resume(scram_keys("pencil", salt, 4096)) == Challenge(
        b"r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096"
    )
    final = (
        b"c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ="
    )
    assert mechanism.respond(final) == CheckProof("user", proved=True)
    assert mechanism.resume(YES) == Challenge(b"v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=")
    assert mechanism.respond(b"") == Passed()


def test_the_client_can_verify_the_server():
    mechanism, client = scram(), ScramClient("Tim", "pencil")
    assert exchange(mechanism, client) == CheckProof("tim", proved=True)
    assert client.verify(mechanism.resume(YES).data)


def test_a_wrong_password_proves_nothing():
    mechanism = scram()
    assert exchange(mechanism, ScramClient("tim", "pen")) == CheckProof("tim", proved=False)
    assert mechanism.resume(NO) == Failed()


def test_who_proved_it_may_still_be_refused():
    mechanism = scram()
    assert exchange(mechanism, ScramClient("tim", "pencil")) == CheckProof("tim", proved=True)
    assert mechanism.resume(NO) == Failed()


def test_names_with_comma_and_equals_sign():
    """RFC 5802 5.1: =2C and =3D."""
    assert exchange(scram(), ScramClient("a,b=c", "pencil")) == CheckProof("a,b=c", proved=True)


@pytest.mark.parametrize("binding", ["tls-exporter", "tls-server-end-point"])
def test_channel_binding(binding):
    """RFC 9266 2, RFC 5929 4."""
    client = ScramClient("tim", "pencil", gs2=f"p={binding},,", binding=BINDINGS[binding])
    assert exchange(scram(plus=True, bindings=BINDINGS, plus_offered=True), client) == CheckProof("tim", proved=True)


def test_a_man_in_the_middle_has_another_channel():
    client = ScramClient("tim", "pencil", gs2="p=tls-exporter,,", binding=b"x" * 32)
    assert exchange(scram(plus=True, bindings=BINDINGS, plus_offered=True), client) == CheckProof("tim", proved=False)


@pytest.mark.parametrize(
    ("plus", "offered", "gs2", "passes"),
    [
        (False, False, "n,,", True),
        (False, True, "n,,", True),
        (False, False, "y,,", True),
        (False, True, "y,,", False),  # RFC 5802 6: somebody hid -PLUS from the client
        (False, True, "p=tls-exporter,,", False),
        (True, True, "n,,", False),
        (True, True, "y,,", False),
        (True, True, "p=tls-unique,,", False),  # RFC 9266 3: not in TLS 1.3, and so not among the bindings
        (False, False, "n,a=tim,", True),
        (False, False, "n,a=ursel,", False),
    ],
)
def test_flags(plus, offered, gs2, passes):
    step = scram(plus=plus, bindings=BINDINGS, plus_offered=offered).respond(gs2.encode() + b"n=tim,r=abc")
    assert step == (GiveKeys("tim") if passes else Failed())


def test_the_header_cannot_be_changed_afterwards():
    """RFC 5802 5.1, c: what was said in the first message stands in the final one, under the proof."""
    mechanism, client = scram(), ScramClient("tim", "pencil")
    client._gs2 = "n,,"
    server_first = mechanism.resume(KEYS) if mechanism.respond(client.first()) else None
    client._gs2 = "y,,"
    assert mechanism.respond(client.final(server_first.data)) == CheckProof("tim", proved=False)


def test_another_nonce_proves_nothing():
    """RFC 5802 5.1, r: the server verifies that both nonces are those of the messages before."""
    for nonce, proved in (("", True), ("fyko+d2lbbFgONRv9qkxdawL", False), ("x", False)):
        mechanism, client = scram(), ScramClient("tim", "pencil")
        mechanism.respond(client.first())
        final = client.final(mechanism.resume(KEYS).data, nonce)
        assert mechanism.respond(final) == CheckProof("tim", proved=proved)


@pytest.mark.parametrize(
    "first",
    [
        b"",
        b"n,,",
        b"n,,n=,r=x",
        b"n,,n=tim",
        b"n,,n=tim,r=",
        b"n,,n=tim,r=a b",
        b"n,,m=x,n=tim,r=abc",  # RFC 5802 5.1: an extension that must be understood
        b"n,,n=t=m,r=abc",
        b"n,,n=\xff,r=abc",
        b"n,,n=tim,r=abc\0",
        b"n,,n=tim,r=" + b"x" * 513,
        b"n,,n=tim,r=abc,x=" + b"y" * 9000,
    ],
)
def test_no_first_message(first):
    with pytest.raises(SaslError):
        scram().respond(first)


@pytest.mark.parametrize(
    "final",
    [b"", b"c=biws,r=abcserver", b"c=biws,r=abcserver,p=", b"c=!,r=abcserver,p=AAAA", b"c=biw,r=abcserver,p=A"],
)
def test_no_final_message(final):
    mechanism = scram()
    mechanism.respond(b"n,,n=tim,r=abc")
    mechanism.resume(KEYS)
    with pytest.raises(SaslError):
        mechanism.respond(final)


def test_a_proof_of_another_length():
    mechanism = scram()
    mechanism.respond(b"n,,n=tim,r=abc")
    mechanism.resume(KEYS)
    assert mechanism.respond(b"c=biws,r=abcserver,p=AAAA") == CheckProof("tim", proved=False)


def test_nothing_is_said_after_the_end():
    mechanism = scram()
    exchange(mechanism, ScramClient("tim", "pencil"))
    mechanism.resume(YES)
    with pytest.raises(SaslError):
        mechanism.respond(b"x")


def test_nonces_are_new_and_printable():
    nonces = {new_nonce() for _ in range(100)}
    assert len(nonces) == 100
    assert all(nonce.isascii() and nonce.isprintable() and "," not in nonce for nonce in nonces)
