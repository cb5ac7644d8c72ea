import os
import stat
import time

import pytest

from sekisho.mail.kept import StoreAwayError
from sekisho.store.blobs import Blobs
from sekisho.store.keys import Keys


@pytest.fixture(name="directory")
def _directory(tmp_path):
    return tmp_path / "held"


@pytest.fixture(name="blobs")
def _blobs(directory, tmp_path):
    return Blobs(directory, Keys.open(tmp_path / "hold.key"))


def test_round_trip_and_nothing_readable_on_disk(blobs, directory):
    data = b"Subject: the merger\r\n\r\nvery secret figures\r\n" * 100
    blobs.write("default", "id1", data)
    assert blobs.read("default", "id1") == data
    stored = (directory / "id1").read_bytes()
    assert len(stored) > len(data)
    for word in (b"merger", b"secret", b"figures", b"Subject"):
        assert word not in stored
    assert stat.S_IMODE((directory / "id1").stat().st_mode) == 0o600
    assert stat.S_IMODE(directory.stat().st_mode) == 0o700
    assert [path.name for path in directory.iterdir()] == ["id1"]


def test_another_tenant_cannot_read_it(blobs):
    blobs.write("a", "id1", b"x")
    with pytest.raises(StoreAwayError, match="damaged or was moved"):
        blobs.read("b", "id1")


def test_an_existing_blob_is_never_overwritten(blobs):
    blobs.write("a", "id1", b"first")
    with pytest.raises(FileExistsError):
        blobs.write("a", "id1", b"second")
    assert blobs.read("a", "id1") == b"first"


def test_gone(blobs):
    with pytest.raises(StoreAwayError, match="not there"):
        blobs.read("a", "id1")
    blobs.remove("id1")


@pytest.mark.parametrize("name", ["", ".", "..", "../x", "a/b", ".hidden", "a\0b"])
def test_only_plain_names(blobs, name):
    with pytest.raises(StoreAwayError):
        blobs.write("a", name, b"x")
    with pytest.raises(StoreAwayError):
        blobs.read("a", name)


def test_a_failed_write_leaves_nothing(blobs, directory, monkeypatch):
    def full(_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space"):
        blobs.write("a", "id1", b"x")
    with pytest.raises(OSError, match="No space"):
        blobs.probe()
    assert list(directory.iterdir()) == []


def test_old_temporary_files_are_cleaned_and_young_ones_left(blobs, directory):
    for name, age in ((".old.0.tmp", 120), (".young.0.tmp", 0), ("blob", 120)):
        (directory / name).write_bytes(b"x")
        os.utime(directory / name, (time.time() - age,) * 2)
    assert blobs.clean_temporary(60) == 1
    assert {path.name for path in directory.iterdir()} == {".young.0.tmp", "blob"}
    assert list(blobs.older_than(60)) == ["blob"]


def test_probe_leaves_nothing(blobs, directory):
    blobs.probe()
    assert list(directory.iterdir()) == []
