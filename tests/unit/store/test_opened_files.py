"""Results of opening come back to other processes; a file that is not what was written is as if it were not there."""

import asyncio
import os
import shutil
import time

import pytest

from sekisho.mail.finding import Finding, Severity
from sekisho.mail.message import Link, Text
from sekisho.mail.opened import File, Opened
from sekisho.store import opened_files
from sekisho.store.keys import Keys, rotate
from sekisho.store.opened_files import OpenedFiles, code_version

KEY = (bytes(32), "給与 a.zip", "application/zip")
WORDS = b"w" * 32
SECRET = "四半期の数字"
OPENED = Opened(
    (
        File("2", "給与 a.zip", "zip", 3, "0" * 64),
        File(
            "2",
            "給与 a.zip/b.txt",
            "text",
            3,
            "1" * 64,
            texts=(Text(SECRET, "attachment", "2", "給与 a.zip/b.txt"),),
            links=(Link("https://example.com/", "x", "2", "href", "給与 a.zip/b.txt"),),
            content=b"\0\xff",
        ),
    ),
    (Finding("attachment/encrypted", Severity.MEDIUM, part="2", path="給与 a.zip"),),
)


@pytest.fixture(name="keys")
def _keys(tmp_path):
    return Keys.open(tmp_path / "keys" / "hold.key")


@pytest.fixture(name="folder")
def _folder(tmp_path):
    return tmp_path / "opened"


def shared(folder, keys, generation="g1", most=50_000_000):
    return OpenedFiles(folder, keys, generation, most)


def kept(files, words=b"", key=KEY, opened=OPENED):
    asyncio.run(files.keep([(key, words, opened)]))


def recalled(files, words=WORDS, key=KEY):
    return asyncio.run(files.recall([key], words)).get(key)


def only(folder):
    (path,) = folder.iterdir()
    return path


def test_another_process_finds_the_same(folder, keys, tmp_path):
    kept(shared(folder, keys))
    again = Keys.open(tmp_path / "keys" / "hold.key")
    assert recalled(shared(folder, again)) == OPENED


def test_what_passwords_had_to_do_with_counts_for_the_same_words(folder, keys):
    files = shared(folder, keys)
    kept(files, WORDS)
    assert recalled(files) == OPENED
    assert recalled(files, b"v" * 32) is None


@pytest.mark.parametrize("place", range(3))
def test_other_content_name_or_type_is_another_question(folder, keys, place):
    files = shared(folder, keys)
    kept(files)
    other = list(KEY)
    other[place] = b"\1" * 32 if place == 0 else "other"
    assert recalled(files, key=tuple(other)) is None


def test_under_other_rules_results_are_others(folder, keys):
    kept(shared(folder, keys))
    assert recalled(shared(folder, keys, "g2")) is None


def test_private_and_encrypted(folder, keys):
    kept(shared(folder, keys))
    path = only(folder)
    assert (folder.stat().st_mode & 0o777, path.stat().st_mode & 0o777) == (0o700, 0o600)
    written = path.name.encode() + path.read_bytes()
    for plain in (SECRET, "給与", "example.com", "a.zip"):
        assert plain.encode() not in written


@pytest.mark.parametrize(
    "damage",
    [
        lambda octets: b"",
        lambda octets: octets[:-1],
        lambda octets: octets[:40],
        lambda octets: octets[:-5] + bytes([octets[-5] ^ 1]) + octets[-4:],
        lambda octets: bytes(len(octets)),
    ],
)
def test_a_corrupt_file_is_a_miss_and_goes(folder, keys, damage):
    files = shared(folder, keys)
    kept(files)
    path = only(folder)
    path.write_bytes(damage(path.read_bytes()))
    assert recalled(files) is None
    assert not path.exists()
    kept(files)
    assert recalled(files) == OPENED


def test_a_file_under_another_name_is_a_miss(folder, keys):
    files = shared(folder, keys)
    kept(files)
    path = only(folder)
    other = (bytes(32), "b.zip", "application/zip")
    path.rename(folder / files._name(other, b""))
    assert recalled(files, key=other) is None


def test_of_a_result_of_another_form_nothing_is_used(folder, keys):
    files = shared(folder, keys)
    name = files._name(KEY, b"")
    folder.mkdir()
    (folder / name).write_bytes(keys.seal(opened_files.PURPOSE, "", name, b"\x93\x01\x02\x03"))
    assert recalled(files) is None


def test_after_a_rotation_of_keys(folder, keys, tmp_path):
    kept(shared(folder, keys))
    rotate(tmp_path / "keys" / "hold.key")
    assert recalled(shared(folder, Keys.open(tmp_path / "keys" / "hold.key"))) == OPENED


def test_a_day_later_nothing_is_there(folder, keys):
    files = shared(folder, keys)
    kept(files)
    old = time.time() - 86_401
    os.utime(only(folder), (old, old))
    assert recalled(files) is None
    assert files.tidy() == 1
    assert not list(folder.iterdir())


def test_what_a_crash_left_goes_and_what_is_being_written_stays(folder, keys):
    files = shared(folder, keys)
    folder.mkdir()
    for name, age in ((".a.1", 700), (".b.2", 1)):
        (folder / name).write_bytes(b"x")
        os.utime(folder / name, (time.time() - age,) * 2)
    assert files.tidy() == 1
    assert only(folder).name == ".b.2"


def test_the_oldest_make_room(folder, keys):
    files = shared(folder, keys, most=100_000)
    for number in range(60):
        key = (number.to_bytes(32), "a", "b")
        kept(files, key=key, opened=Opened((File("2", "a", "text", 1, "0", content=bytes(8_000)),)))
        with_path = folder / files._name(key, b"")
        os.utime(with_path, (time.time() - 1000 + number,) * 2)
    sizes = [path.stat().st_size for path in folder.iterdir()]
    assert 60_000 < sum(sizes) < 110_000
    assert recalled(files, key=((59).to_bytes(32), "a", "b")) is not None
    assert recalled(files, key=((0).to_bytes(32), "a", "b")) is None


def test_a_result_that_takes_too_much_room_is_not_kept(folder, keys):
    files = shared(folder, keys, most=100_000)
    kept(files, opened=Opened((File("2", "a", "text", 1, "0", content=bytes(20_000)),)))
    assert recalled(files) is None


def test_what_is_left_of_a_disk_is_for_messages(folder, keys, monkeypatch):
    files = shared(folder, keys)
    usage = shutil.disk_usage(folder.parent)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage._replace(free=49_000_000))
    kept(files)
    assert recalled(files) is None


def test_none_are_kept_and_old_ones_go_where_that_is_wanted(folder, keys):
    kept(shared(folder, keys))
    files = shared(folder, keys, most=0)
    assert recalled(files) is None
    assert files.tidy() == 1
    kept(files)
    assert not list(folder.iterdir())


def test_a_folder_that_cannot_be_made(tmp_path, keys):
    (tmp_path / "file").write_bytes(b"")
    files = shared(tmp_path / "file" / "opened", keys)
    kept(files)
    assert recalled(files) is None
    assert files.tidy() == 0


def test_the_code_has_a_name_of_its_own():
    assert code_version() == code_version()
    assert len(code_version()) == 64
