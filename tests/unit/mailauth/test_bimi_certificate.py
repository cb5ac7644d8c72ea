"""Mark certificates, as far as they can be judged without asking anybody."""

import base64
import gzip

import pytest
from cryptography import x509
from support.authority import DAY, NOW, made

from sekisho.mailauth.bimi_certificate import MOST_OCTETS, check_mark

SVG = b"<svg xmlns='http://www.w3.org/2000/svg'/>"
PURPOSE = x509.ExtendedKeyUsage([x509.ObjectIdentifier("1.3.6.1.5.5.7.3.31")])


def logotype(svg, data=None):
    uri = data or b"data:image/svg+xml;base64," + base64.b64encode(svg)
    # The structure around the address (RFC 9399 4.1) does not matter here: it is looked for in the octets.
    inner = b"\x16\x82" + len(uri).to_bytes(2, "big") + uri
    return x509.UnrecognizedExtension(
        x509.ObjectIdentifier("1.3.6.1.5.5.7.1.12"), b"\x30\x82" + len(inner).to_bytes(2, "big") + inner
    )


GOOD = (PURPOSE, logotype(gzip.compress(SVG)))


def mark(*, extensions=GOOD, hosts=("example.com",), chain=True, **more):
    root = made("Root", ca=True)
    kind = x509.NameAttribute(x509.ObjectIdentifier("1.3.6.1.4.1.53087.1.13"), "Registered Mark")
    own = root.issue("example", hosts=hosts, extensions=extensions, subject=[kind], **more)
    return own.pem + (root.pem if chain else b"")


def test_good():
    read = check_mark(mark(), ["example.com"], NOW, SVG)
    assert read.problems == ()
    assert (read.names, read.mark, read.logo) == (("example.com",), "Registered Mark", SVG)
    assert read.until == NOW + 30 * DAY
    assert check_mark(mark(), ["other.example", "EXAMPLE.com"], NOW, gzip.compress(SVG)).problems == ()


@pytest.mark.parametrize(
    ("more", "problem"),
    [
        ({"extensions": (logotype(SVG),)}, "wrong-purpose"),
        (
            {"extensions": (x509.ExtendedKeyUsage([x509.ExtendedKeyUsageOID.SERVER_AUTH]), logotype(SVG))},
            "wrong-purpose",
        ),
        ({"extensions": (PURPOSE,)}, "no-logo"),
        ({"extensions": (PURPOSE, logotype(b"", b"https://example.com/logo.svg"))}, "no-logo"),
        ({"extensions": (PURPOSE, logotype(b"", b"data:image/svg+xml;base64,=A="))}, "no-logo"),
        ({"extensions": (PURPOSE, logotype(SVG + b" "))}, "other-logo"),
        ({"hosts": ("example.net",)}, "wrong-name"),
        ({"hosts": ("*.com",)}, "wrong-name"),
        ({"after": -9 * DAY, "until": -DAY}, "expired"),
        ({"after": DAY}, "not-yet"),
        ({"chain": False}, "no-chain"),
    ],
)
def test_problems(more, problem):
    assert check_mark(mark(**more), ["example.com"], NOW, SVG).problems == (problem,)


def test_a_chain_of_somebody_else():
    pem = mark(chain=False) + made("Root", ca=True).pem
    assert check_mark(pem, ["example.com"], NOW).problems == ("no-chain",)


def test_no_certificate():
    for pem in (b"", b"x" * 1000, b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----", mark()[:200]):
        assert check_mark(pem, ["example.com"], NOW).problems == ("not-a-certificate",)
    assert check_mark(b"x" * (MOST_OCTETS + 1), ["example.com"], NOW).problems == ("too-long",)
    assert check_mark(b"-----BEGIN CERTIFICATE-----" * 9000, ["example.com"], NOW).problems == ("not-a-certificate",)
