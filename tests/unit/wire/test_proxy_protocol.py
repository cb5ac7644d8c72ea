"""PROXY protocol headers. Addresses and layout from HAProxy's "The PROXY protocol", 2.1 and 2.2."""

import ipaddress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sekisho.wire.proxy_protocol import ProxyError, ProxyHeader, read_proxy_header

SIGNATURE = b"\r\n\r\n\x00\r\nQUIT\n"


def v2(command, family, body):
    return SIGNATURE + bytes((command, family)) + len(body).to_bytes(2, "big") + body


def test_the_example_of_version_1():
    header = b"PROXY TCP4 255.255.255.255 255.255.255.255 65535 65535\r\n"
    assert read_proxy_header(header + b"EHLO") == ProxyHeader("255.255.255.255", 65535, len(header))


def test_version_1_unknown_with_the_longest_line():
    header = b"PROXY UNKNOWN " + b" ".join([b"ffff:" * 7 + b"ffff"] * 2) + b" 65535 65535\r\n"
    assert len(header) == 107
    assert read_proxy_header(header) == ProxyHeader(None, None, 107)


@pytest.mark.parametrize(
    "line",
    [
        b"PROXY TCP4 ::1 ::1 1 2",
        b"PROXY TCP6 192.0.2.1 192.0.2.2 1 2",
        b"PROXY TCP4 192.0.2.1 192.0.2.2 1",
        b"PROXY TCP4 192.0.2.1 192.0.2.2 65536 1",
        b"PROXY UDP4 192.0.2.1 192.0.2.2 1 2",
        b"PROXY UNKNOWNX",
        b"proxy TCP4 192.0.2.1 192.0.2.2 1 2",
        b"PROXY TCP4 192.0.2.1 192.0.2.2 1 2 " + b"x" * 80,
        b"EHLO client.example",
    ],
)
def test_bad_lines(line):
    with pytest.raises(ProxyError):
        read_proxy_header(line + b"\r\n")


def test_version_2():
    body = (
        ipaddress.ip_address("2001:db8::1").packed + ipaddress.ip_address("2001:db8::2").packed + b"\x00\x19\x00\x1a"
    )
    assert read_proxy_header(v2(0x21, 0x21, body)) == ProxyHeader("2001:db8::1", 25, 16 + 36)
    assert read_proxy_header(v2(0x20, 0x00, b"")) == ProxyHeader(None, None, 16)
    assert read_proxy_header(v2(0x21, 0x31, bytes(216))) == ProxyHeader(None, None, 16 + 216)


@pytest.mark.parametrize(
    "header",
    [v2(0x22, 0x11, bytes(12)), v2(0x21, 0x12, bytes(12)), v2(0x21, 0x11, bytes(11)), v2(0x21, 0x11, bytes(5000))],
)
def test_bad_binary_headers(header):
    with pytest.raises(ProxyError):
        read_proxy_header(header)


@given(
    st.one_of(
        st.binary(max_size=120),
        st.binary(max_size=60).map(lambda b: b"PROXY " + b + b"\r\n"),
        st.binary(max_size=60).map(lambda b: SIGNATURE + b),
    )
)
def test_reads_or_raises_its_error_and_never_depends_on_the_cut(data):
    def outcome(cut):
        for end in [*range(1, len(data)), len(data)] if cut else [len(data)]:
            try:
                header = read_proxy_header(data[:end])
            except ProxyError:
                return "error"
            if header is not None:
                return header
        return None

    assert outcome(cut=True) == outcome(cut=False)
