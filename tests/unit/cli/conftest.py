"""The command line in a folder of its own, and a store to look into."""

import json
from contextlib import closing
from datetime import UTC, datetime, timedelta

import pytest
from msgspec import Struct
from support.client import message

from sekisho.cli.main import main
from sekisho.mail.envelope import Envelope, Recipient, Session
from sekisho.mail.finding import Finding, Severity
from sekisho.mail.kept import Kept
from sekisho.store.sqlite import SqliteStore


class Done(Struct):
    """How a command ended."""

    status: int
    out: str
    err: str

    @property
    def objects(self):
        """What it printed with --json."""
        return [json.loads(line) for line in self.out.splitlines()]


@pytest.fixture
def now():
    """The time of the test's data: read when it begins, for what is a minute old is told otherwise."""
    return datetime.now(UTC).replace(microsecond=0)


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """The current folder: commands run here take `sekisho.toml` from it, if there is one."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("SEKISHO_TRACEBACK", raising=False)
    return tmp_path


@pytest.fixture
def sekisho(folder, capsys):
    """Run a command in this process."""
    assert folder.is_dir()

    def run(*arguments):
        try:
            status = main([str(argument) for argument in arguments])
        except SystemExit as end:  # how argparse ends
            status = end.code
        return Done(status, *capsys.readouterr())

    return run


@pytest.fixture
def store(folder):
    """The store that commands run here will open."""
    with closing(SqliteStore.open(folder / "var")) as opened:
        yield opened


@pytest.fixture
def kept(now):
    def make(kept_id="k1", data=None, **more):
        data = data or message(kept_id)
        values = {
            "id": kept_id,
            "tenant": "default",
            "kind": "approval",
            "state": "held",
            "received_at": now,
            "expires_at": now + timedelta(days=30),
            "session": Session("s1", "192.0.2.1"),
            "envelope": Envelope("hanako@example.com", (Recipient("taro@example.net"),)),
            "transaction_id": "t1",
            "message_id": f"<{kept_id}@example.com>",
            "size": len(data),
            "policy_rule": "secret-outside",
            "findings": (Finding("dlp/secret/password", Severity.HIGH, excerpt="********"),),
        }
        return Kept(**{**values, **more}), data

    return make
