import re
from base64 import b64encode
from pathlib import Path

import dkim as dkimpy
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat
from hypothesis import given, settings
from hypothesis import strategies as st
from support.zone import ZoneResolver, driven

from sekisho.mailauth.canonical import split_message
from sekisho.mailauth.digested import MAX_HEADER, MAX_SIGNATURES, DigestedMessage
from sekisho.mailauth.dkim import DkimKey, Signing, signature_fields
from sekisho.mailauth.dkim_verify import MAX_REPORTED, verify, verify_digested

NOW = 1_700_000_100
RSA = DkimKey("example.jp", "r1", generate_private_key(65537, 2048))
ED = DkimKey("example.jp", "e1", Ed25519PrivateKey.generate())
MAIL = (
    b"From: Taro <taro@example.jp>\r\nTo: a@example.com\r\nSubject: Is dinner\r\n ready?\r\n\r\n"
    b"Hi.\r\n\r\nWe lost  it.\r\n\r\n"
)
DATA = Path(__file__).parents[4] / "shared" / "data" / "auth" / "dkimpy"


def record(key, more="", encoding=PublicFormat.SubjectPublicKeyInfo):
    public = key.key.public_key()
    kind = key.algorithm.partition("-")[0]
    raw = public.public_bytes(Encoding.DER, encoding) if kind == "rsa" else public.public_bytes_raw()
    return f"v=DKIM1; k={kind};{more} p={b64encode(raw).decode()}"


def zone(*keys, **others):
    found = {f"{key.selector}._domainkey.{key.domain}": {"TXT": [record(key)]} for key in keys}
    return ZoneResolver(found | {f"{name}._domainkey.example.jp": {"TXT": [text]} for name, text in others.items()})


def signed(*keys, mail=MAIL, how=None):
    return signature_fields(split_message(mail), keys, 1_700_000_000, how or Signing()) + mail


def results(message, resolver=None, at=NOW):
    return [(r.result, r.reason) for r in driven(verify(message, resolver or zone(RSA, ED), at))]


@pytest.mark.parametrize("header", ["relaxed", "simple"])
@pytest.mark.parametrize("body", ["relaxed", "simple"])
@pytest.mark.parametrize("key", [RSA, ED], ids=["rsa", "ed25519"])
def test_our_signatures_verify_and_changes_break_them(key, header, body):
    message = signed(key, how=Signing(header, body))
    assert results(message) == [("pass", "")]
    assert results(message.replace(b"lost", b"won ")) == [("fail", "the body was changed")]
    assert results(message.replace(b"dinner", b"supper"))[0][0] == "fail"
    assert results(b"From: added@example.com\r\n" + message)[0][0] == "fail"  # oversigned
    assert results(message.replace(b"Hi.", b"Hi. "))[0][0] == ("pass" if body == "relaxed" else "fail")
    assert results(message.replace(b"To: a", b"TO:  a"))[0][0] == ("pass" if header == "relaxed" else "fail")


@pytest.mark.parametrize("header", [b"relaxed", b"simple"])
@pytest.mark.parametrize("body", [b"relaxed", b"simple"])
def test_signatures_of_another_implementation(header, body):
    pem = RSA.key.private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption())
    field = dkimpy.sign(
        MAIL, b"r1", b"example.jp", pem, canonicalize=(header, body), include_headers=[b"from", b"subject"]
    )
    assert results(field + MAIL) == [("pass", "")]
    assert results((field + MAIL).replace(b"lost", b"won "))[0][0] == "fail"


def test_another_implementation_takes_our_simple_form():
    message = signed(RSA, how=Signing("simple", "simple", 1_000_000_000))
    assert dkimpy.verify(message, dnsfunc=lambda *_, **__: record(RSA).encode())


@pytest.mark.parametrize("size", [1, 2, 3, 7])
def test_in_pieces(size):
    message = DigestedMessage()
    data = signed(RSA, ED)
    for at in range(0, len(data), size):
        message.feed(data[at : at + size])
    message.close()
    assert [r.result for r in driven(verify_digested(message, zone(RSA, ED), NOW))] == ["pass", "pass"]


def test_lf_counts_as_crlf():
    assert results(signed(RSA).replace(b"\r\n", b"\n")) == [("pass", "")]


def changed(pattern, new, *, key=ED):
    data = signed(key)
    found = re.sub(pattern, new, data, count=1)
    assert found != data
    return found


@pytest.mark.parametrize(
    ("pattern", "new", "result", "reason"),
    [
        (rb"v=1;", b"v=2;", "permerror", "of another version than 1"),
        (rb"v=1;", b"", "permerror", "no tag v="),
        (rb"a=ed25519-sha256", b"a=rsa-sha1", "permerror", "rsa-sha1 is not accepted"),
        (rb"a=ed25519-sha256", b"a=x", "permerror", "a= is unknown"),
        (rb"c=relaxed/relaxed", b"c=loose", "permerror", "c= is unknown"),
        (rb"v=1;", b"v=1; l=5;", "policy", "l= signs the body in part only"),
        (rb"v=1;", b"v=1; v=1;", "permerror", "the tag v= twice"),
        (rb"v=1;", b"v=1;;", "permerror", "not a list of tags"),
        (rb"v=1;", b"v=1; q=http;", "permerror", "q= names no known way to the key"),
        (rb"v=1;", b"v=1; i=a@example.com;", "permerror", "i= is not within d="),
        (rb"v=1;", b"v=1; i=a@notexample.jp;", "permerror", "i= is not within d="),
        (rb"t=17", b"x=1700000050; t=17", "fail", "the signature has expired"),
        (rb"t=17", b"x=5; t=17", "permerror", "x= is not after t="),
        (rb"t=17", b"x=soon; t=17", "permerror", "x= is not a time"),
        (rb"d=example.jp", b"d=example", "permerror", "d= is not a domain"),
        (rb"s=e1", b"s=-", "permerror", "s= is not a selector"),
        (rb"s=e1", b"s=" + b"a" * 70, "permerror", "s= is not a selector"),
        (rb"s=e1", b"s=none", "permerror", "no key record"),
        (rb"from:from:", b"", "permerror", "From is not signed"),
        (rb"bh=", b"bh=!", "permerror", "bh= is not a hash"),
        (rb" b=", b" b=!", "permerror", "b= is not a signature"),
    ],
)
def test_signatures_that_do_not_count(pattern, new, result, reason):
    # RFC 6376 6.1.1
    assert results(changed(pattern, new)) == [(result, reason)]


@pytest.mark.parametrize(
    ("text", "result", "reason"),
    [
        ("v=DKIM1; k=ed25519; p=", "permerror", "the key was revoked"),
        ("v=DKIM1; k=ed25519; p=AAAA", "permerror", "the key is not one of Ed25519"),
        ("v=DKIM1; k=ed25519", "permerror", "the key record has no key that can be read"),
        ("v=DKIM2; k=ed25519; p=", "permerror", "the key record is not of version DKIM1"),
        (record(RSA), "permerror", "the key record is for rsa"),
        (record(ED, " h=sha1;"), "permerror", "the key record is not for SHA-256"),
        (record(ED, " s=tlsrpt;"), "permerror", "the key record is not for mail"),
        ("x" * 60_000, "permerror", "the key record is malformed: too long"),
        ("\x00=;;", "permerror", "the key record is malformed: not a list of tags"),
    ],
    ids=range(9),  # the keys are others in each process
)
def test_keys_that_do_not_count(text, result, reason):
    # RFC 6376 6.1.2
    assert results(signed(ED), zone(e1=text)) == [(result, reason)]


@pytest.mark.parametrize("status", ["away", "refused", "bogus"])
def test_no_answer_is_temporary(status):
    assert results(signed(ED), ZoneResolver({"e1._domainkey.example.jp": status}))[0][0] == "temperror"


def test_flags_of_the_key():
    data = changed(rb"v=1;", b"v=1; i=@sub.example.jp;")
    (found,) = driven(verify(data, zone(e1=record(ED, " t=s:y;")), NOW))
    assert found.result != "pass"
    (found,) = driven(verify(signed(ED), zone(e1=record(ED, " t=s : y;")), NOW))
    assert (found.result, found.testing, found.bits) == ("pass", True, 256)


@pytest.mark.parametrize(("bits", "result"), [(512, "policy"), (1024, "pass"), (4096, "pass")])
def test_sizes_of_rsa_keys(bits, result):
    # RFC 8301 3.2
    if bits == 512:
        text = (
            "p=MFwwDQYJKoZIhvcNAQEBBQADSwAwSAJBAIWmlgix/84GJ+dfgjm7LTc9EPdfk"
            "ftlgiPpCq4/kbDAZmU0VvYKDljjleJ1dfvS+CGy9U/kk1tG3EeEvb82xAcCAwEAAQ=="
        )
        assert results(signed(RSA), zone(r1=text)) == [("policy", "the RSA key has less than 1024 bits")]
        return
    key = DkimKey("example.jp", "r1", generate_private_key(65537, bits))
    assert results(signed(key), zone(key))[0][0] == result


def test_a_key_of_16384_bits_is_not_tried():
    number = (1 << 16383) | 1
    octets = number.to_bytes(2048, "big")
    der = b"\x30\x82\x08\x0a\x02\x82\x08\x01\x00" + octets + b"\x02\x03\x01\x00\x01"
    assert results(signed(RSA), zone(r1=f"p={b64encode(der).decode()}")) == [
        ("policy", "the RSA key has more than 4096 bits")
    ]


def test_the_form_of_rfc_8017():
    assert results(signed(RSA), zone(r1=record(RSA, encoding=PublicFormat.PKCS1))) == [("pass", "")]


def test_two_hundred_signatures():
    one = signature_fields(split_message(MAIL), [ED], 1_700_000_000)
    found = results(one * 200 + MAIL)
    assert len(found) == MAX_REPORTED
    assert [r for r, _ in found[:MAX_SIGNATURES]] == ["pass"] * MAX_SIGNATURES
    assert {r for r, _ in found[MAX_SIGNATURES:]} == {"policy"}


def test_a_dns_that_is_away_is_asked_three_times():
    fields = b"".join(
        signature_fields(split_message(MAIL), [DkimKey("example.jp", f"s{n}", ED.key)], 1) for n in range(10)
    )
    resolver = ZoneResolver({f"s{n}._domainkey.example.jp": "away" for n in range(10)})
    assert {r for r, _ in results(fields + MAIL, resolver)} == {"temperror"}
    assert len(resolver.asked) == 3


def test_a_header_without_end_is_not_kept():
    assert results(b"A: b\r\n" * (MAX_HEADER // 6 + 2)) == [("policy", "the header is too long")]


@settings(deadline=None)
@given(st.binary(max_size=300), st.binary(max_size=200))
def test_no_octets_raise(header, text):
    """RFC 6376 6.1: a verifier answers, whatever a message or a record says."""
    resolver = ZoneResolver({"e1._domainkey.example.jp": {"TXT": [text or b"x"]}})
    driven(verify(b"DKIM-Signature: " + header + b"\r\n\r\n", resolver, NOW))
    driven(verify(signed(ED), resolver, NOW))


TAGS = st.sampled_from(
    [
        b"v=1",
        b"a=rsa-sha256",
        b"d=example.jp",
        b"s=e1",
        b"h=from",
        b"b=AAAA",
        b"l=1",
        b"c=/",
        b"t=\xff",
        b"bh=47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=",
        b"i=@",
        b"x=9",
        b"q=\xe3\x81\x82",
    ]
)


@settings(deadline=None)
@given(st.lists(TAGS, max_size=14))
def test_any_tags_have_a_result(tags):
    found = results(b"DKIM-Signature: " + b"; ".join(tags) + b"\r\nFrom: x\r\n\r\n", zone(ED))
    assert len(found) == 1


@pytest.mark.skipif(not DATA.exists(), reason="the messages of ../shared/data are not here")
@pytest.mark.parametrize(("name", "passed"), [("rfc6376.signed.rsa.msg", 1), ("rfc6376.signed.msg", 2)])
def test_signed_messages_of_another_project(name, passed):
    ed = "v=DKIM1; k=ed25519; p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo="  # RFC 8463 A.2
    rsa = (  # RFC 8463 A.2
        "v=DKIM1; k=rsa; p=MIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQKBgQDkHlOQoBTzWRiGs5V6NpP3id"
        "Y6Wk08a5qhdR6wy5bdOKb2jLQiY/J16JYi"
        "0Qvx/byYzCNb3W91y3FutACDfzwQ/BC/e/8uBsCR+yz1Lxj+PL6lHvqMKrM3rG4hstT5QjvHO9PzoxZy"
        "VYLzBfO2EeC3Ip3G+2kryOTIKT+l/K4w3QIDAQAB"
    )
    known = {f"{s}._domainkey.football.example.com": {"TXT": [t]} for s, t in (("brisbane", ed), ("test", rsa))}
    found = results((DATA / name).read_bytes(), ZoneResolver(known), 1_528_637_909)
    assert [r for r, _ in found].count("pass") == passed, found
