import struct
import sys

import pytest

from sekisho.accounts.behaviour.country import CountryFileError, Place, country_of


def test_without_a_database_nothing_is_known():
    assert country_of(None)("192.0.2.1") == Place()


def test_a_missing_library_is_named(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "maxminddb", None)
    with pytest.raises(CountryFileError, match="needs the extra"):
        country_of(tmp_path / "c.mmdb")


def test_a_missing_or_broken_file_is_named(tmp_path):
    pytest.importorskip("maxminddb", reason="the extra country is not installed")
    broken = tmp_path / "c.mmdb"
    broken.write_bytes(b"no database")
    for file in (tmp_path / "none", broken):
        with pytest.raises(CountryFileError, match=file.name):
            country_of(file)


def mmdb():
    """The smallest database of IPv6 trees: one node; ::/1 (and so every IPv4 address) is in JP, the rest nowhere.

    By the MaxMind DB File Format Specification 2.0: a node of two 24-bit records (1 is "no data", above it an offset
    into the data section plus 16), 16 zero octets, data, the marker, and the metadata as a map.
    """

    def text(value):
        return bytes([0x40 | len(value)]) + value.encode()

    def number(value, kind):  # kinds 5 (16 bits), 6 (32 bits), and extended 9 (64 bits)
        octets = value.to_bytes((value.bit_length() + 7) // 8, "big")
        return (bytes([kind << 5 | len(octets)]) if kind < 8 else bytes([len(octets), kind - 7])) + octets

    def mapped(**pairs):
        return bytes([0xE0 | len(pairs)]) + b"".join(text(key) + value for key, value in pairs.items())

    tokyo = mapped(latitude=b"\x68" + struct.pack(">d", 35.68), longitude=b"\x68" + struct.pack(">d", 139.77))
    data = mapped(country=mapped(iso_code=text("JP")), location=tokyo)
    node = (1 + 16).to_bytes(3, "big") + (1).to_bytes(3, "big")
    metadata = mapped(
        node_count=number(1, 6), record_size=number(24, 5), ip_version=number(6, 5), database_type=text("Test"),
        languages=b"\x00\x04", binary_format_major_version=number(2, 5), binary_format_minor_version=b"\xa0",
        build_epoch=number(1700000000, 9), description=mapped(en=text("test")),
    )  # fmt: skip
    return node + bytes(16) + data + b"\xab\xcd\xefMaxMind.com" + metadata


def test_a_database_tells_countries_and_places(tmp_path):
    pytest.importorskip("maxminddb", reason="the extra country is not installed")
    file = tmp_path / "c.mmdb"
    file.write_bytes(mmdb())
    look_up = country_of(file)
    found = look_up("192.0.2.1")
    assert found.country == "JP"
    assert found.place == (pytest.approx(35.68, abs=0.01), pytest.approx(139.77, abs=0.01))
    assert look_up("fe80::1%eth0") == Place()
    assert look_up("no address") == Place()
