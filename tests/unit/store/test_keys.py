import hmac
import os
import stat
import subprocess
import sys
from base64 import b64decode
from concurrent.futures import ThreadPoolExecutor

import msgspec
import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from hypothesis import given
from hypothesis import strategies as st
from support.small_pieces import pieces_of

from sekisho.mail.kept import StoreAwayError
from sekisho.mail.pieces import PIECE
from sekisho.store.keys import Keys, rotate


@pytest.fixture(name="path")
def _path(tmp_path):
    return tmp_path / "keys" / "hold.key"


def test_made_with_mode_0600_and_nothing_left_beside_it(path):
    Keys.open(path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [p.name for p in path.parent.iterdir()] == ["hold.key"]


def test_sealed_is_aes_256_gcm_bound_to_purpose_tenant_and_name(path):
    sealed = Keys.open(path).seal("message", "tenant-a", "id-1", b"the bytes")
    entry = msgspec.json.decode(path.read_bytes())["keys"][0]
    assert sealed[:8] == b"SKH1" + bytes.fromhex(entry["id"])
    secret = b64decode(entry["secret"])
    assert len(secret) == 32
    assert AESGCM(secret).decrypt(sealed[8:20], sealed[20:], b"message\0tenant-a\0id-1") == b"the bytes"


@pytest.mark.parametrize("other", [("row", "a", "1"), ("message", "b", "1"), ("message", "a", "2")])
def test_what_was_sealed_for_one_place_does_not_open_in_another(path, other):
    keys = Keys.open(path)
    with pytest.raises(StoreAwayError, match="damaged or was moved"):
        keys.unseal(*other, keys.seal("message", "a", "1", b"x"))


def test_a_flipped_bit_anywhere_is_noticed(path):
    keys = Keys.open(path)
    sealed = keys.seal("message", "a", "1", b"some bytes")
    for place in range(len(sealed)):
        damaged = bytearray(sealed)
        damaged[place] ^= 1
        with pytest.raises(StoreAwayError):
            keys.unseal("message", "a", "1", bytes(damaged))


def test_cut_short(path):
    keys = Keys.open(path)
    sealed = keys.seal("message", "a", "1", b"some bytes")
    for length in range(len(sealed)):
        with pytest.raises(StoreAwayError):
            keys.unseal("message", "a", "1", sealed[:length])


def test_the_same_bytes_are_sealed_differently_each_time(path):
    keys = Keys.open(path)
    assert len({keys.seal("message", "a", "1", b"x") for _ in range(100)}) == 100


def test_rotation_encrypts_with_the_new_key_and_still_opens_the_old(path):
    keys = Keys.open(path)
    old, first = keys.seal("message", "a", "1", b"old"), keys.newest
    new_id = rotate(path)
    rotated = Keys.open(path)
    assert rotated.newest == new_id != first
    assert rotated.unseal("message", "a", "1", old) == b"old"
    assert rotated.subject_hash("x") == keys.subject_hash("x")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_a_running_process_opens_what_was_sealed_after_a_rotation(path):
    running = Keys.open(path)
    rotate(path)
    sealed = Keys.open(path).seal("message", "a", "1", b"new")
    assert running.unseal("message", "a", "1", sealed) == b"new"


def test_unknown_key(path, tmp_path):
    sealed = Keys.open(tmp_path / "other.key").seal("message", "a", "1", b"x")
    with pytest.raises(StoreAwayError, match="not in the key file"):
        Keys.open(path).unseal("message", "a", "1", sealed)


@pytest.mark.parametrize("mode", [0o644, 0o660, 0o604])
def test_open_to_others(path, mode):
    Keys.open(path)
    path.chmod(mode)
    with pytest.raises(StoreAwayError, match="0600"):
        Keys.open(path)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{}",
        b"not json",
        b'{"hash_key": "AAAA", "keys": []}',
        b'{"hash_key": "!", "keys": [{"id": "00000000", "created": "2026-01-01T00:00:00Z", "secret": "AAAA"}]}',
        b'\xff{"hash_key": ""}',
    ],
)
def test_damaged_file(path, content):
    Keys.open(path)
    path.write_bytes(content)
    with pytest.raises(StoreAwayError, match="damaged"):
        Keys.open(path)


def test_several_processes_that_start_at_once_share_one_key(path):
    script = """
import sys
from pathlib import Path
from sekisho.store.keys import Keys
sys.stdin.read()
print(Keys.open(Path(sys.argv[1])).subject_hash("x"))
"""
    command = [sys.executable, "-c", script, str(path)]
    started = [subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) for _ in range(4)]
    for process in started:
        process.stdin.close()
    hashes = {process.stdout.read() for process in started}
    for process in started:
        assert process.wait() == 0
        process.stdout.close()
    assert hashes == {Keys.open(path).subject_hash("x").encode() + b"\n"}


def test_keyed_hash_is_hmac_sha_256(path):
    """RFC 2104, with Python's other implementation."""
    keys = Keys.open(path)
    key = b64decode(msgspec.json.decode(path.read_bytes())["hash_key"])
    assert keys.keyed_hash("p", "value") == hmac.new(key, b"p\0value", "sha256").hexdigest()[:32]


@pytest.mark.parametrize(
    ("one", "other"),
    [("Hello  World", "hello world "), ("Ａ社 見積", "a社 見積"), ("Straße", "STRASSE"), ("a\r\n b", "a b")],
)
def test_subjects_that_people_take_for_the_same(path, one, other):
    keys = Keys.open(path)
    assert keys.subject_hash(one) == keys.subject_hash(other) != ""


def test_subject_hash_depends_on_subject_and_installation(path, tmp_path):
    keys, other = Keys.open(path), Keys.open(tmp_path / "other.key")
    assert keys.subject_hash("a") != keys.subject_hash("b")
    assert keys.subject_hash("a") != other.subject_hash("a")
    assert keys.subject_hash(" ") == ""


def test_derived_keys_stay_and_differ(path):
    keys = Keys.open(path)
    assert keys.derived("findings") == Keys.open(path).derived("findings")
    assert len(keys.derived("findings")) == 32
    assert keys.derived("findings") != keys.derived("other")


@given(st.binary(max_size=2000), st.text(max_size=20), st.text(st.characters(), max_size=20))
def test_round_trip(data, tenant, name):
    keys = _KEYS
    assert keys.unseal("message", tenant, name, keys.seal("message", tenant, name, data)) == data
    assert len(keys.subject_hash(name)) in (0, 32)


@pytest.fixture(scope="module", autouse=True)
def _module_keys(tmp_path_factory):
    global _KEYS  # noqa: PLW0603 - hypothesis takes no function-scoped fixtures
    _KEYS = Keys.open(tmp_path_factory.mktemp("keys") / "hold.key")


_KEYS: Keys


def test_no_key_file_and_not_to_be_made(path):
    with pytest.raises(OSError, match="No such file"):
        Keys.open(path, create=False)


def test_every_installation_has_its_own_secret(tmp_path):
    contents = set()
    for number in range(10):
        Keys.open(tmp_path / str(number))
        contents.add(msgspec.json.decode((tmp_path / str(number)).read_bytes())["keys"][0]["secret"])
    assert len(contents) == 10


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file away")
def test_what_root_makes_is_for_the_owner_of_the_folder_around_it(tmp_path):
    os.chown(tmp_path, 12345, 12345)
    path = tmp_path / "keys" / "hold.key"
    Keys.open(path)
    assert {p.stat().st_uid for p in (path, path.parent)} == {12345}
    rotate(path)
    assert path.stat().st_uid == 12345


# --- in pieces -------------------------------------------------------------------------------------------------


def aes_gcm(path):
    return AESGCM(b64decode(msgspec.json.decode(path.read_bytes())["keys"][0]["secret"]))


@pytest.mark.parametrize(
    "size", [0, 1, PIECE - 17, PIECE - 16, PIECE - 15, PIECE, PIECE + 1, 3 * PIECE, 3 * PIECE + 5]
)
def test_long_ones_are_sealed_as_short_ones(path, size):
    """What is sealed in pieces opens whole, and what earlier versions sealed whole opens in pieces."""
    keys, octets = Keys.open(path), os.urandom(size)
    sealed = keys.seal("message", "a", "1", octets)
    assert len(sealed) == 20 + size + 16
    assert aes_gcm(path).decrypt(sealed[8:20], sealed[20:], b"message\0a\x001") == octets
    assert keys.unseal("message", "a", "1", sealed) == octets
    nonce = os.urandom(12)
    earlier = sealed[:8] + nonce + aes_gcm(path).encrypt(nonce, octets, b"message\0a\x001")
    assert keys.unseal("message", "a", "1", earlier) == octets


@given(octets=st.binary(max_size=80), size=st.integers(1, 40))
def test_any_border(tmp_path_factory, octets, size):
    keys = Keys.open(tmp_path_factory.getbasetemp() / "any-border" / "hold.key")
    whole = keys.seal("message", "a", "1", octets)
    with pieces_of(size):
        assert keys.unseal("message", "a", "1", whole) == octets
        sealed = keys.seal("message", "a", "1", octets)
    assert keys.unseal("message", "a", "1", sealed) == octets


def test_a_flipped_bit_or_a_lost_end_of_a_long_one_is_noticed(path):
    keys = Keys.open(path)
    sealed = keys.seal("message", "a", "1", bytes(2 * PIECE + 100))
    for place in (0, 5, 15, 20, PIECE + 20, len(sealed) - 17, len(sealed) - 1):
        damaged = bytearray(sealed)
        damaged[place] ^= 1
        with pytest.raises(StoreAwayError):
            keys.unseal("message", "a", "1", bytes(damaged))
    for length in (len(sealed) - 1, len(sealed) - 16, PIECE + 100, PIECE + 36):
        with pytest.raises(StoreAwayError):
            keys.unseal("message", "a", "1", sealed[:length])
    with pytest.raises(StoreAwayError, match="damaged or was moved"):
        keys.unseal("message", "b", "1", sealed)


def test_from_several_threads_at_once(path):
    keys = Keys.open(path)
    contents = [bytes([n]) * (2 * PIECE + n) for n in range(16)]

    def there_and_back(octets):
        return keys.unseal("message", "a", "1", keys.seal("message", "a", "1", octets))

    with ThreadPoolExecutor(8) as threads:
        assert list(threads.map(there_and_back, contents)) == contents
