import sqlite3
import stat
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from sekisho.mail.kept import StoreAwayError
from sekisho.store import migrate
from sekisho.store.migrate import HEAD, ensure_schema, schema_version

_OPEN = """
import sys
from pathlib import Path
from sekisho.store.migrate import ensure_schema
sys.stdin.read()
ensure_schema(Path(sys.argv[1]))
print(sum(name in sys.modules for name in ("sqlalchemy", "alembic")))
"""


@pytest.fixture(name="database")
def _database(tmp_path):
    return tmp_path / "sekisho.db"


def test_made_once_in_wal_mode_for_its_owner_only(database):
    assert schema_version(database) == ""
    ensure_schema(database)
    ensure_schema(database)
    assert schema_version(database) == HEAD
    assert stat.S_IMODE(database.stat().st_mode) == 0o600
    with closing(sqlite3.connect(database)) as connection:
        assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)


def test_head_is_the_newest_revision():
    from alembic.config import Config  # noqa: PLC0415
    from alembic.script import ScriptDirectory  # noqa: PLC0415

    config = Config()
    config.set_main_option("script_location", str(Path(migrate.__file__).parent / "migrations"))
    assert ScriptDirectory.from_config(config).get_current_head() == HEAD


def test_processes_that_start_at_once_migrate_once_and_a_later_one_imports_nothing(database):
    started = [_start(database) for _ in range(3)]
    for process in started:
        process.stdin.close()
    for process in started:
        process.stdout.read()
        assert process.wait() == 0
        process.stdout.close()
    late = _start(database)
    assert late.communicate("")[0] == "0\n"
    assert schema_version(database) == HEAD


def _start(database):
    command = [sys.executable, "-c", _OPEN, str(database)]
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


def test_newer_database_is_left_alone(database):
    ensure_schema(database)
    with closing(sqlite3.connect(database)) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
        connection.commit()
    with pytest.raises(StoreAwayError, match="newer"):
        ensure_schema(database)


def test_not_a_database(database):
    database.write_bytes(b"this is no database, whatever its name says" * 100)
    with pytest.raises(sqlite3.DatabaseError):
        ensure_schema(database)


def test_a_migration_that_fails_half_way_leaves_nothing(database, monkeypatch):
    from alembic import op  # noqa: PLC0415

    import sekisho.store.migrations.versions.v0008_signing_key as newest  # noqa: PLC0415

    assert newest.revision == HEAD
    made = op.create_table

    def fail_at_the_last(name, *columns, **more):
        if name == "account_lock":
            raise OSError("the lights went out")
        return made(name, *columns, **more)

    monkeypatch.setattr(op, "create_table", fail_at_the_last)
    with pytest.raises(OSError, match="lights"):
        ensure_schema(database)
    monkeypatch.undo()
    with closing(sqlite3.connect(database)) as connection:
        assert connection.execute("SELECT name FROM sqlite_master").fetchall() == []
    ensure_schema(database)
    assert schema_version(database) == HEAD


def test_a_database_of_the_first_version_is_upgraded_with_its_rows(database):
    ensure_schema(database)
    with closing(sqlite3.connect(database)) as connection:
        connection.executescript("DROP TABLE seen_site; DROP TABLE recent_word; DROP TABLE decision")
        connection.executescript("DROP TABLE account; DROP TABLE account_lock; DROP TABLE account_profile")
        connection.executescript("DROP TABLE sending_window; DROP TABLE signing_key")
        connection.execute("UPDATE alembic_version SET version_num = '0001'")
        connection.execute("INSERT INTO heartbeat VALUES ('worker-1', 7, 1, '{}')")
        connection.commit()
    ensure_schema(database)
    with closing(sqlite3.connect(database)) as connection:
        assert connection.execute("SELECT pid FROM heartbeat").fetchall() == [(7,)]
        for table in (
            "seen_site", "decision", "account", "account_lock", "account_profile", "sending_window", "signing_key",
        ):  # fmt: skip
            assert connection.execute(f"SELECT count(*) FROM {table}").fetchall() == [(0,)]
    assert schema_version(database) == HEAD


def test_a_lock_held_too_long(database, monkeypatch):
    monkeypatch.setattr(migrate, "LOCK_SECONDS", 0.0)
    with migrate._migration_lock(database.with_suffix(".lock")), pytest.raises(StoreAwayError, match="too long"):
        ensure_schema(database)
