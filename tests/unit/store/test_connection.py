import sqlite3
from contextlib import closing

import pytest

from sekisho.mail.kept import StoreAwayError
from sekisho.store import connection
from sekisho.store.connection import connect, is_busy, reason, store_away


@pytest.fixture(name="database")
def _database(tmp_path):
    path = tmp_path / "with ? and % and #.db"
    with closing(sqlite3.connect(path)) as made:
        made.execute("CREATE TABLE t (a)")
        made.commit()
    return path


def test_opens_what_is_there_with_full_synchronous(database):
    with closing(connect(database)) as opened:
        assert opened.execute("SELECT name FROM sqlite_master").fetchall() == [("t",)]
        assert opened.execute("PRAGMA synchronous").fetchone() == (2,)


def test_never_makes_one(tmp_path):
    with pytest.raises(sqlite3.OperationalError):
        connect(tmp_path / "absent.db")
    assert not (tmp_path / "absent.db").exists()


def test_busy_is_told_apart(database, monkeypatch):
    monkeypatch.setattr(connection, "BUSY_SECONDS", 0.01)
    with closing(connect(database)) as one, closing(connect(database)) as other:
        one.execute("BEGIN IMMEDIATE")
        with pytest.raises(sqlite3.OperationalError) as caught:
            other.execute("BEGIN IMMEDIATE")
        assert is_busy(caught.value)
        with pytest.raises(sqlite3.OperationalError) as caught:
            other.execute("SELECT nothing")
        assert not is_busy(caught.value)


def test_failures_become_store_away_without_paths():
    with pytest.raises(StoreAwayError, match=r"^No space left on device$"), store_away():
        raise OSError(28, "No space left on device", "/a/path/of/ours")
    with pytest.raises(StoreAwayError, match="locked"), store_away():
        raise sqlite3.OperationalError("database is locked")
    assert reason(ValueError()) == "ValueError"
