import re
import tarfile
from base64 import b64decode, b64encode
from hashlib import sha256
from pathlib import Path
from types import SimpleNamespace

import dkim
import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from hypothesis import given, settings
from hypothesis import strategies as st
from support.small_pieces import pieces_of

from sekisho.mail.pieces import PIECE
from sekisho.mailauth.canonical import body_hash, relaxed_body, relaxed_field, split_message
from sekisho.mailauth.dkim import (
    MAX_SIGNED_FIELDS,
    OVERSIGNED,
    DkimKey,
    TooManyFieldsError,
    names_to_sign,
    signature_fields,
    signed_fields,
)

RSA = DkimKey("example.jp", "r1", generate_private_key(65537, 2048))
ED = DkimKey("example.jp", "e1", Ed25519PrivateKey.generate())
LONG = DkimKey(f"{'a' * 60}.{'b' * 60}.example", "s" * 60, ED.key)


class _VerifyKey:
    """The one call of pynacl that dkimpy makes to check Ed25519, where pynacl is not installed."""

    def __init__(self, public, encoder):  # noqa: ARG002 (dkimpy's call)
        self._key = Ed25519PublicKey.from_public_bytes(b64decode(public))

    def verify(self, data, signature):
        self._key.verify(signature, data)


if not hasattr(dkim, "nacl"):
    dkim.nacl = SimpleNamespace(
        signing=SimpleNamespace(VerifyKey=_VerifyKey),
        encoding=SimpleNamespace(Base64Encoder=None),
        exceptions=SimpleNamespace(ValueError=ValueError, BadSignatureError=InvalidSignature),
    )


def record(key):
    """The TXT record of a key (RFC 6376 3.6.1, RFC 8463 4)."""
    public = key.key.public_key()
    if key.algorithm == "rsa-sha256":
        raw, kind = public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo), b"rsa"
    else:
        raw, kind = public.public_bytes(Encoding.Raw, PublicFormat.Raw), b"ed25519"
    return b"v=DKIM1; k=" + kind + b"; p=" + b64encode(raw)


def verified(message, *keys, index=0):
    """What dkimpy says of the signature at `index`, counted from the top."""
    zone = {f"{key.selector}._domainkey.{key.domain}.".encode(): record(key) for key in keys}
    try:
        return dkim.DKIM(message).verify(idx=index, dnsfunc=lambda name, **_: zone[name])
    except dkim.ValidationError:
        return False


def signed(message, *keys, at=1_700_000_000):
    return signature_fields(split_message(message), keys, at) + message


MAIL = (
    b"Received: from a by b; Fri, 11 Jul 2003 21:00:37 -0700\r\n"
    b"From: Joe SixPack <joe@example.jp>\r\n"
    b"To: Suzie Q <suzie@shopping.example.net>,\r\n\tother@example.net\r\n"
    b"Subject: Is dinner ready?\r\n"
    b"Date: Fri, 11 Jul 2003 21:00:37 -0700 (PDT)\r\n"
    b"Message-ID: <20030712040037.46341.5F8J@football.example.com>\r\n"
    b"\r\n"
    b"Hi.\r\n\r\nWe lost  the game.\tAre you hungry yet? \r\n\r\nJoe.\r\n"
)


# --- known answers ---------------------------------------------------------------------------------------------


def test_canonical_forms_of_rfc_6376_3_4_5():
    message = split_message(b"A: X\r\nB : Y\t\r\n\tZ  \r\n\r\n C \r\nD \t E\r\n\r\n\r\n")
    assert [relaxed_field(f) for f in (message.fields[b"a"][0], message.fields[b"b"][0])] == [b"a:X", b"b:Y Z"]
    assert relaxed_body(message.body) == b" C\r\nD E\r\n"


def test_hash_of_the_empty_body_of_rfc_6376_3_4_4():
    assert body_hash(b"") == b"47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="
    assert body_hash(b"\r\n\r\n \t\r\n") == b"47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="


def test_ed25519_signature_of_rfc_8463_appendix_a():
    # RFC 8463 A.1 key, A.2 message, A.3 signature; Ed25519 is deterministic, so b= must be the same
    key = DkimKey(
        "football.example.com",
        "brisbane",
        Ed25519PrivateKey.from_private_bytes(b64decode("nWGxne/9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A=")),
    )
    message = split_message(
        b"From: Joe SixPack <joe@football.example.com>\r\n"
        b"To: Suzie Q <suzie@shopping.example.net>\r\n"
        b"Subject: Is dinner ready?\r\n"
        b"Date: Fri, 11 Jul 2003 21:00:37 -0700 (PDT)\r\n"
        b"Message-ID: <20030712040037.46341.5F8J@football.example.com>\r\n"
        b"\r\n"
        b"Hi.\r\n\r\nWe lost the game.  Are you hungry yet?\r\n\r\nJoe.\r\n"
    )
    unsigned = (
        b"DKIM-Signature: v=1; a=ed25519-sha256; c=relaxed/relaxed;\r\n"
        b" d=football.example.com; i=@football.example.com;\r\n"
        b" q=dns/txt; s=brisbane; t=1528637909; h=from : to :\r\n"
        b" subject : date : message-id : from : subject : date;\r\n"
        b" bh=2jUSOH9NhtVGCQWNr9BrIAPreKQjO6Sn7XIkfJVOzv8=;\r\n"
        b" b="
    )
    names = b"from to subject date message-id from subject date".split()
    assert body_hash(message.body) == b"2jUSOH9NhtVGCQWNr9BrIAPreKQjO6Sn7XIkfJVOzv8="
    signature = key.sign(signed_fields(message.fields, names) + relaxed_field(unsigned))
    assert b64encode(signature) == (
        b"/gCrinpcQOoIfuHNQIbq4pgh9kyIK3AQUdt9OdqQehSwhEIug4D11BusFa3bT3FY5OsU7ZbnKELq+eXdp1Q1Dw=="
    )


# --- canonicalisation ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("body", "canonical"),
    [
        (b"a", b"a\r\n"),
        (b"a ", b"a\r\n"),
        (b" ", b""),
        (b"a\r\n \t \r\n\r\n", b"a\r\n"),
        (b"a\r\n\r\nb\r\n\r\n", b"a\r\n\r\nb\r\n"),
        (b"a\r\r\n\r\n", b"a\r\r\n"),
        (b"\r\r\n\r\n", b"\r\r\n"),
        (b"a\x0b \x0c\r\n", b"a\x0b \x0c\r\n"),  # neither is WSP (RFC 5234 B.1)
        (b"a" + b" \t" * 5000 + b"b\r\n", b"a b\r\n"),
    ],
)
def test_relaxed_body(body, canonical):
    assert relaxed_body(body) == canonical


def reference_relaxed_body(body):
    """RFC 6376 3.4.4 word by word, slowly."""
    if body and not body.endswith(b"\r\n"):
        body += b"\r\n"
    lines = [re.sub(rb"[ \t]+", b" ", re.sub(rb"[ \t]+\Z", b"", line)) for line in body.split(b"\r\n")]
    while lines and not lines[-1]:
        lines.pop()
    return b"".join(line + b"\r\n" for line in lines)


BODIES = st.lists(st.sampled_from([b" ", b"\t", b"\r\n", b"\r", b"a", b"  b", b"\x0b", b"\xe3\x81\x82", b"."])).map(
    b"".join
)


@given(BODIES)
def test_relaxed_body_is_what_rfc_6376_3_4_4_says(body):
    assert relaxed_body(body) == reference_relaxed_body(body)


# --- signatures ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("key", [RSA, ED, LONG], ids=["rsa", "ed25519", "long names"])
def test_another_implementation_verifies(key):
    message = signed(MAIL, key)
    assert verified(message, key)
    assert not verified(message.replace(b"lost", b"won "), key)
    assert not verified(message.replace(b"dinner", b"supper"), key)


def test_two_keys_make_two_signatures():
    message = signed(MAIL, RSA, ED)
    assert message.count(b"DKIM-Signature:") == 2
    assert verified(message, RSA, ED, index=0)
    assert verified(message, RSA, ED, index=1)


@pytest.mark.parametrize("name", OVERSIGNED)
def test_a_field_added_on_the_way_breaks_the_signature(name):
    # RFC 6376 8.15
    signature = signature_fields(split_message(MAIL), [ED], 1)
    assert verified(signature + MAIL, ED)
    assert not verified(signature + name + b": added\r\n" + MAIL, ED)


def test_a_trace_field_added_on_the_way_does_not():
    assert verified(b"Received: from x by y; Fri, 11 Jul 2003 21:00:37 -0700\r\n" + signed(MAIL, ED), ED)


def test_the_signature_field_is_folded_and_has_the_right_tags():
    field = signature_fields(split_message(MAIL), [RSA], 1_700_000_000)
    lines = field.split(b"\r\n")
    assert lines.pop() == b""
    assert max(map(len, lines)) <= 78
    assert all(line.startswith(b" ") and line.strip() for line in lines[1:])
    value = re.sub(rb"\s+", b"", field.partition(b":")[2])
    tags = dict(tag.split(b"=", 1) for tag in value.split(b";"))
    assert tags.keys() == {b"v", b"a", b"c", b"d", b"s", b"t", b"h", b"bh", b"b"}  # never l= (RFC 6376 8.2)
    assert tags[b"t"] == b"1700000000"
    assert tags[b"c"] == b"relaxed/relaxed"
    assert b":".join(names_to_sign(split_message(MAIL).fields)) == tags[b"h"]


@pytest.mark.parametrize(
    "message",
    [
        b"From: a@example.jp\r\n\r\n",
        b"From: a@example.jp\r\n\r\nno line ending",
        b"From: a@example.jp\r\n\r\n\r\n\r\n",
        b"From: a@example.jp\r\n",
        b"From: a@example.jp\n\nlines of LF\n \nonly\n\n",
        b"From: a@example.jp\r\nSubject:\r\n\r\nx\r\n",
        b"From: a@example.jp\r\nno colon here\r\nSubject: \xe3\x81\x82\xff\r\n\r\n\xff\xfe\r\n",
        b"Subject: a\r\nSubject: b\r\nFrom: a@example.jp\r\nTo: x\r\nTo: y\r\n\r\nx\r\n",
    ],
)
def test_odd_messages(message):
    if b"no colon" in message:
        # dkimpy reads no message with such a line: the signature must at least be made
        assert signed(message, ED).startswith(b"DKIM-Signature: ")
    else:
        assert verified(signed(message, ED), ED)


def test_too_many_fields_to_sign():
    few = b"From: a@example.jp\r\n" + b"To:x\r\n" * (MAX_SIGNED_FIELDS - 20) + b"\r\n"
    assert verified(signed(few, ED), ED)
    many = b"From: a@example.jp\r\n" + b"To:x\r\n" * 50_000 + b"\r\n"
    with pytest.raises(TooManyFieldsError):
        signed(many, ED)


WORDS = st.sampled_from([b" ", b"  ", b"\t", b"\r\n ", b"\r\n\t", b"a", b"Bc", b";", b"=", b"\xe3\x81\x82", b"\x80"])
NAMES = st.sampled_from(
    [b"From", b"TO", b"subject", b"Cc", b"Date", b"List-Id", b"X-Other", b"References", b"Received"]
)
FIELDS = st.tuples(NAMES, st.sampled_from([b":", b": ", b":\t"]), st.lists(WORDS, max_size=12).map(b"".join)).map(
    lambda field: field[0] + field[1] + b"v" + field[2] + b"w\r\n"
)


@settings(deadline=None, max_examples=200)
@given(st.lists(FIELDS, max_size=12).map(b"".join), BODIES)
def test_any_message_verifies(header, body):
    """RFC 6376 6.1: a verifier arrives at the same hashes, for text as SMTP carries it: CRLF at every end."""
    body = body.replace(b"\r\n", b"\n").replace(b"\r", b"").replace(b"\n", b"\r\n") + b"\r\n"
    assert verified(signed(b"From: x@example.jp\r\n" + header + b"\r\n" + body, ED), ED)


@given(st.binary(max_size=400))
def test_any_bytes_are_signed_or_refused(data):
    message = split_message(data)
    field = signature_fields(message, [ED], 0)
    assert field.endswith(b"\r\n")
    assert len(sha256(relaxed_body(message.body)).digest()) == 32


CORPORA = Path(__file__).parents[4] / "shared" / "data" / "mail"


@pytest.mark.corpus
@pytest.mark.parametrize(("name", "step"), [("ja_phishing_lists", 2), ("usrp_users_ham", 25)])
def test_real_mail_verifies(name, step):
    archive = CORPORA / name / "mail.tar.xz"
    if not archive.exists():
        pytest.skip("the mail corpora of ../shared/data are not here")
    with tarfile.open(archive) as tar:
        files = [tar.extractfile(member) for member in tar.getmembers()[::step] if member.isfile()]
        mails = [file.read() for file in files]
    assert len(mails) >= 100
    assert [mail for mail in mails if not verified(signed(mail, ED), ED)] == []


# --- in pieces -------------------------------------------------------------------------------------------------


LONGER = st.lists(BODIES, min_size=3, max_size=8).map(b"".join)


@given(LONGER, st.integers(1, 20))
@settings(max_examples=300)
def test_the_body_hash_in_pieces_is_that_of_the_whole(body, size):
    expected = b64encode(sha256(reference_relaxed_body(body)).digest())
    with pieces_of(size):
        assert body_hash(body) == body_hash(memoryview(body)) == expected


@given(st.lists(st.sampled_from([b"a: b\r\n", b"\r\n", b"\n", b"\r", b"x", b" "])).map(b"".join), st.integers(1, 9))
def test_a_message_cut_without_a_copy(data, size):
    whole = split_message(data)
    with pieces_of(size):
        cut = split_message(data)
        assert body_hash(cut.body) == b64encode(sha256(reference_relaxed_body(whole.body)).digest())
    assert (cut.fields, bytes(cut.body)) == (whole.fields, whole.body)


def test_a_million_empty_lines_wait_without_being_kept():
    body = b"\r\n" * 1_000_000
    assert body_hash(body) == body_hash(b"")
    assert body_hash(body + b" a \r\n" + body) == b64encode(sha256(body + b" a\r\n").digest())


def test_another_implementation_verifies_a_large_body():
    body = b"".join(b"a  line \t%d \r\n" % n + b" \r\n" * (n % 3) for n in range(60_000)) + b" \r\n\r\n"
    message = b"From: a@example.com\r\nSubject: x\r\n\r\n" + body
    assert len(body) > 4 * PIECE
    assert verified(signed(message, RSA), RSA)
