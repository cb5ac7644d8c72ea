import os
import stat

import pytest

from sekisho.store.files import make_folder, whole_file

only_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file away")


def write(path, content, **how):
    with whole_file(path, **how) as stream:
        stream.write(content)


def test_whole_and_for_nobody_else(tmp_path):
    write(tmp_path / "a", b"one")
    write(tmp_path / "a", b"two")
    assert [(p.name, p.read_bytes()) for p in tmp_path.iterdir()] == [("a", b"two")]
    assert stat.S_IMODE((tmp_path / "a").stat().st_mode) == 0o600


def test_the_first_one_stays(tmp_path):
    write(tmp_path / "a", b"one", replace=False)
    write(tmp_path / "a", b"two", replace=False)
    assert [(p.name, p.read_bytes()) for p in tmp_path.iterdir()] == [("a", b"one")]


def test_an_error_leaves_what_was_there(tmp_path):
    write(tmp_path / "a", b"one")
    with pytest.raises(ZeroDivisionError), whole_file(tmp_path / "a") as stream:  # noqa: PT012 - both are the test
        stream.write(b"tw")
        raise ZeroDivisionError
    assert [(p.name, p.read_bytes()) for p in tmp_path.iterdir()] == [("a", b"one")]


def test_folders(tmp_path):
    make_folder(tmp_path / "a" / "b")
    make_folder(tmp_path / "a" / "b")
    assert {stat.S_IMODE(p.stat().st_mode) for p in (tmp_path / "a", tmp_path / "a" / "b")} == {0o700}


@only_root
def test_what_root_makes_belongs_to_whom_the_folder_does(tmp_path):
    os.chown(tmp_path, 12345, 12346)
    make_folder(tmp_path / "a" / "b")
    write(tmp_path / "a" / "b" / "c", b"")
    assert {(p.stat().st_uid, p.stat().st_gid) for p in tmp_path.rglob("*")} == {(12345, 12346)}


@only_root
def test_or_to_whom_the_old_file_did(tmp_path):
    path = tmp_path / "a"
    write(path, b"one")
    os.chown(path, 12345, 12345)
    write(path, b"two", like=path)
    assert (path.read_bytes(), path.stat().st_uid) == (b"two", 12345)
