import io
import os
import zipfile

import pytest
from tests.support import zips

from sekisho.mail.opened import OpenLimits
from sekisho.parse.unpack.archive.zip_directory import read_directory
from sekisho.parse.unpack.archive.zip_passwords import aes_of, decrypt_aes, passes, zip_crypto
from sekisho.parse.unpack.opening import Budget, CorruptError


def first(content):
    entry = read_directory(content, Budget(OpenLimits())).entries[0]
    return entry, content[entry.data : entry.data + entry.packed]


@pytest.mark.parametrize(("bits", "key"), [(128, 16), (192, 24), (256, 32)])
@pytest.mark.parametrize("size", [0, 1, 15, 16, 17, 65536 * 16, 65536 * 16 + 5])
def test_aes(bits, key, size):
    content = os.urandom(size)
    entry, packed = first(zips.aes({"a": content}, b"secret", zipfile.ZIP_STORED, bits))
    assert aes_of(entry)[1] == key
    assert passes(entry, packed, b"secret")
    assert decrypt_aes(entry, packed, b"secret") == content


def test_wrong_aes_password():
    entry, packed = first(zips.aes({"a": b"x"}, b"secret"))
    assert sum(passes(entry, packed, b"w%d" % n) for n in range(30)) <= 1
    with pytest.raises(CorruptError):
        decrypt_aes(entry, packed, b"wrong")


def test_changed_aes_data():
    entry, packed = first(zips.aes({"a": b"hello"}, b"secret", zipfile.ZIP_STORED))
    with pytest.raises(CorruptError):
        decrypt_aes(entry, packed[:-12] + bytes([packed[-12] ^ 1]) + packed[-11:], b"secret")


def test_zip_crypto_is_what_the_standard_library_reads():
    content = zips.zip_crypto({"a": b"hello", "b": b"world"}, b"secret")
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        assert archive.read("a", b"secret") == b"hello"
    entry, packed = first(content)
    assert passes(entry, packed, b"secret")
    assert zip_crypto(packed, b"secret")[12:] == b"hello"


def test_most_wrong_passwords_fail_the_quick_check():
    entry, packed = first(zips.zip_crypto({"a": b"hello"}, b"secret"))
    assert sum(passes(entry, packed, b"w%d" % n) for n in range(1000)) < 30


@pytest.mark.parametrize("size", range(20))
def test_cut_off(size):
    entry, packed = first(zips.aes({"a": b"hello"}, b"secret"))
    assert passes(entry, packed[:size], b"secret") == (size >= 18)
    crypto, sealed = first(zips.zip_crypto({"a": b"hello"}, b"secret"))
    assert passes(crypto, sealed[:size], b"secret") == (size >= 12)
