"""Both canonical forms, piece by piece, against dkimpy's."""

from base64 import b64encode
from hashlib import sha256

from dkim.canonicalization import Relaxed, Simple
from hypothesis import given, settings
from hypothesis import strategies as st

from sekisho.mailauth.canonical import BodyHash, body_hash, relaxed_body, relaxed_field, simple_body, with_crlf

PIECES = st.lists(st.sampled_from([b" ", b"\t", b"\r\n", b"a", b"  b", b"\x0b", b"\xe3\x81\x82", b"."]))
ODD = st.lists(st.sampled_from([b" ", b"\t", b"\r\n", b"\r", b"\n", b"a", b" \r\n"]), max_size=20)


@given(PIECES.map(b"".join))
def test_bodies(body):
    """RFC 6376 3.4.3, 3.4.4. dkimpy adds no CRLF to a last line without one, so ours get one first."""
    body = body if not body or body.endswith(b"\r\n") else body + b"\r\n"
    assert simple_body(body) == Simple.canonicalize_body(body)
    assert relaxed_body(body) == Relaxed.canonicalize_body(body)


@given(st.lists(st.sampled_from([b" ", b"  ", b"\t", b"\r\n ", b"\r\n\t", b"a", b":", b"\x80"])).map(b"".join))
def test_fields(value):
    """RFC 6376 3.4.2."""
    ((name, canonical),) = Relaxed.canonicalize_headers([(b"SubJect", b" x" + value + b"y\r\n")])
    assert relaxed_field(b"SubJect: x" + value + b"y") + b"\r\n" == name + b":" + canonical


@settings(max_examples=400)
@given(ODD)
def test_pieces_may_end_anywhere(pieces):
    """RFC 6376 3.7: the hash is that of the whole, with CRLF at every line's end."""
    whole = with_crlf(b"".join(pieces))
    for form, canonical in (("simple", simple_body), ("relaxed", relaxed_body)):
        hashed = BodyHash(form)
        for piece in pieces:
            hashed.feed(piece)
        assert b64encode(hashed.digest()) == body_hash(whole, form) == b64encode(sha256(canonical(whole)).digest())
