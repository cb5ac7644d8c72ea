"""The GS2 header. RFC 5801 4, RFC 5802 7."""

import pytest

from sekisho.wire.sasl.gs2 import Gs2Header, read_gs2, sasl_name
from sekisho.wire.sasl.steps import SaslError


@pytest.mark.parametrize(
    ("message", "header"),
    [
        ("n,,n=user,r=x", Gs2Header("n,,", "n", "", "")),
        ("y,,", Gs2Header("y,,", "y", "", "")),
        ("p=tls-exporter,,n=", Gs2Header("p=tls-exporter,,", "p", "tls-exporter", "")),
        ("n,a=a=2Cb=3Dc,n=", Gs2Header("n,a=a=2Cb=3Dc,", "n", "", "a,b=c")),
    ],
)
def test_headers(message, header):
    assert read_gs2(message) == header


@pytest.mark.parametrize("message", ["", "n", "n,", "x,,", "p=,,", "p=a b,,", "n,a=,", "n,a=b=,", "F,n,,", "n,b=c,"])
def test_no_header(message):
    with pytest.raises(SaslError):
        read_gs2(message)


@pytest.mark.parametrize("text", ["", "a=b", "=2c", "a,b", "a=3d"])
def test_no_name(text):
    with pytest.raises(SaslError):
        sasl_name(text)
