import os

import pytest

from sekisho.store.compiled import CompiledFiles, compiled_files


def test_what_is_kept_comes_back(tmp_path):
    files = CompiledFiles(tmp_path / "a" / "b")
    assert files.get("one") is None
    files.put("one", b"1")
    assert (files.get("one"), files.get("two")) == (b"1", None)
    assert (tmp_path / "a" / "b").stat().st_mode & 0o777 == 0o700
    assert [path.name for path in (tmp_path / "a" / "b").iterdir()] == ["one"]
    assert (tmp_path / "a" / "b" / "one").stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("loose", [".", "one"])
def test_what_others_may_write_is_not_read(tmp_path, loose):
    directory = tmp_path / "kept"
    files = CompiledFiles(directory)
    files.put("one", b"1")
    (directory / loose).chmod(0o777)
    assert files.get("one") is None


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file away")
def test_what_another_user_owns_is_not_read(tmp_path):
    files = CompiledFiles(tmp_path)
    files.put("one", b"1")
    os.chown(tmp_path / "one", 65534, -1)
    assert files.get("one") is None


def test_where_nothing_can_be_kept_nothing_happens(tmp_path):
    (tmp_path / "file").write_bytes(b"")
    files = CompiledFiles(tmp_path / "file")
    files.put("one", b"1")
    assert files.get("one") is None


def test_the_files_used_longest_ago_make_room(tmp_path):
    files = CompiledFiles(tmp_path)
    for number in range(70):
        files.put(str(number), b"x")
        os.utime(tmp_path / str(number), (number, number))
    assert files.get("0") is None
    assert len(list(tmp_path.iterdir())) == 64


def test_the_folder(tmp_path, monkeypatch):
    monkeypatch.setenv("CACHE_DIRECTORY", f"{tmp_path}/systemd:/other")
    monkeypatch.setenv("XDG_CACHE_HOME", f"{tmp_path}/home")
    compiled_files(tmp_path / "var").put("one", b"1")
    assert (tmp_path / "systemd" / "patterns" / "one").exists()
    monkeypatch.delenv("CACHE_DIRECTORY")
    compiled_files(tmp_path / "var").put("one", b"1")
    assert (tmp_path / "home" / "sekisho" / "patterns" / "one").exists()
    (tmp_path / "loose").mkdir()
    (tmp_path / "loose").chmod(0o777)
    monkeypatch.setenv("XDG_CACHE_HOME", f"{tmp_path}/loose")
    compiled_files(tmp_path / "var").put("one", b"1")
    assert not (tmp_path / "var").exists()
    (tmp_path / "var").mkdir()
    compiled_files(tmp_path / "var").put("one", b"1")
    assert (tmp_path / "var" / "cache" / "patterns" / "one").exists()
