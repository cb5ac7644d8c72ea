import json
import logging
import os
import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sekisho.record import journal as module
from sekisho.record.journal import Journal, JournalHandler, _encode_line


@pytest.fixture(name="path")
def _path(tmp_path):
    return tmp_path / "sekisho.log"


@pytest.fixture(name="lost")
def _lost():
    return []


@pytest.fixture(name="journal")
def _journal(path, lost):
    journal = Journal(str(path), lambda: lost.append(1))
    yield journal
    journal.close()


def lines(path):
    return [json.loads(line) for line in path.read_text().splitlines()]


def test_each_entry_is_a_line_at_once(journal, path):
    journal.write({"a": 1})
    assert lines(path) == [{"a": 1}]
    journal.write({"a": "two\nlines"})
    assert lines(path) == [{"a": 1}, {"a": "two\nlines"}]


def test_appends_to_what_is_there(journal, path):
    path.write_text('{"old": true}\n')
    journal.write({"a": 1})
    assert lines(path) == [{"old": True}, {"a": 1}]


def test_after_rotation_the_new_file_is_used(journal, path, monkeypatch):
    monkeypatch.setattr(module, "_LOOK_SECONDS", 0.0)
    journal.write({"a": 1})
    path.rename(path.with_suffix(".1"))
    journal.write({"a": 2})
    assert lines(path.with_suffix(".1")) == [{"a": 1}]
    assert lines(path) == [{"a": 2}]


def test_reopen(journal, path):
    journal.write({"a": 1})
    path.rename(path.with_suffix(".1"))
    journal.reopen()
    journal.write({"a": 2})
    assert lines(path) == [{"a": 2}]


def test_a_full_disk_is_counted_and_no_error(lost):
    journal = Journal("/dev/full", lambda: lost.append(1))
    for _ in range(3):
        journal.write({"a": 1})
    journal.close()
    assert len(lost) == 3
    assert journal.trouble == "No space left on device"


def test_a_directory_that_is_gone(tmp_path, lost):
    journal = Journal(str(tmp_path / "absent" / "x.log"), lambda: lost.append(1))
    journal.write({"a": 1})
    assert (len(lost), journal.trouble) == (1, "No such file or directory")
    (tmp_path / "absent").mkdir()
    journal.write({"a": 2})
    assert journal.trouble == ""
    assert lines(tmp_path / "absent" / "x.log") == [{"a": 2}]
    journal.close()


def test_a_line_that_was_cut_short_spoils_no_other(journal, path, monkeypatch):
    real, limits = os.write, [4, 0]
    journal.write({"a": 1})
    monkeypatch.setattr(os, "write", lambda fd, data: real(fd, data[: limits.pop(0)] if limits else data))
    journal.write({"a": 2})
    journal.write({"a": 3})
    monkeypatch.undo()
    assert path.read_text() == '{"a":1}\n{"a"\n{"a":3}\n'


def test_octets_that_are_no_utf_8(journal, path):
    journal.write({"mail_from": "a\udcff@example.jp", "list": [("\udc80", 1)]})
    assert lines(path) == [{"mail_from": "a\\udcff@example.jp", "list": [["\\udc80", 1]]}]


@given(
    st.dictionaries(st.text(max_size=5), st.text(st.characters(categories=None, exclude_categories=()), max_size=9))
)
def test_any_entry_is_one_line_of_json(entry):
    line = _encode_line(entry)
    assert line.endswith(b"\n")
    assert line.count(b"\n") == 1
    assert len(json.loads(line)) <= len(entry)


def test_many_processes_and_threads_write_whole_lines(path):
    script = """
import sys
from sekisho.record.journal import Journal
journal = Journal(sys.argv[1])
for number in range(300):
    journal.write({"who": sys.argv[2], "n": number, "long": "x" * 5000})
"""
    started = [subprocess.Popen([sys.executable, "-c", script, str(path), str(n)]) for n in range(3)]
    assert [process.wait(30) for process in started] == [0, 0, 0]
    found = lines(path)
    assert len(found) == 900
    for who in "012":
        assert [line["n"] for line in found if line["who"] == who] == list(range(300))


def test_standard_output():
    script = """
from sekisho.record.journal import Journal
journal = Journal("stdout")
for number in range(1000):
    journal.write({"n": number})
journal.close()
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, check=True)
    assert [json.loads(line)["n"] for line in done.stdout.splitlines()] == list(range(1000))
    assert done.stderr == b""


def test_a_pipe_that_nobody_reads_stops_nobody():
    script = """
import sys
from sekisho.record import journal as module
module._QUEUE, module._CLOSE_SECONDS = 50, 0.0
lost = []
journal = module.Journal("stdout", lambda: lost.append(1))
for number in range(1000):
    journal.write({"a": "x" * 3000})
journal.close()
print(len(lost), journal.trouble, file=sys.stderr, flush=True)
sys.stdin.read()
"""
    pipe = subprocess.PIPE
    process = subprocess.Popen([sys.executable, "-c", script], stdin=pipe, stdout=pipe, stderr=pipe)
    lost, _, trouble = process.stderr.readline().decode().partition(" ")
    assert trouble == "nobody reads the log\n"
    assert 0 < int(lost) < 1000
    read = [process.stdout.readline() for _ in range(1000 - int(lost))]
    assert set(read) == {b'{"a":"%s"}\n' % (b"x" * 3000)}
    assert process.communicate(b"") == (b"", b"")
    assert process.returncode == 0


def test_the_daemon_s_own_log(journal, path, monkeypatch):
    logger = logging.getLogger("sekisho.test")
    monkeypatch.setattr(logger, "propagate", False)
    handler = JournalHandler(journal)
    logger.addHandler(handler)
    try:
        logger.warning("%s is %d", "x", 5)
        try:
            int("quotes the message: secret")
        except ValueError:
            logger.exception("it failed")
        logger.warning("%d", "not a number")  # a mistake in a log call harms nobody
    finally:
        logger.removeHandler(handler)
    first, second = lines(path)
    assert first["event"] == "log"
    assert (first["level"], first["logger"], first["message"]) == ("warning", "sekisho.test", "x is 5")
    assert first["time"].endswith("Z")
    assert second["exception"] == "ValueError"
    assert "test_the_daemon_s_own_log" in second["traceback"][0]
    assert "secret" not in path.read_text()


def test_a_named_pipe_that_nobody_opens_stops_nobody(path, monkeypatch):
    monkeypatch.setattr(module, "_CLOSE_SECONDS", 0.0)
    os.mkfifo(path)
    journal = Journal(str(path))
    journal.write({"a": 1})
    journal.reopen()
    journal.close()
    with path.open("rb") as reader:
        assert reader.readline() == b'{"a":1}\n'
