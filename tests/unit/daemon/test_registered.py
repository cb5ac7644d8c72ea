"""What `sekisho dlp` registers is found, by a command and by a checking that runs on."""

import asyncio

import pytest

from sekisho.cli.main import main
from sekisho.config.load import load
from sekisho.daemon.compose import checking_of
from sekisho.mail.envelope import Envelope, Recipient, Session

ROWS = [f"山田{n}太郎,03-{2000 + n}-{1000 + n},taro{n}@cust{n}.example" for n in range(50)]
DOCUMENT = " ".join(f"word{n * 7919 % 1000} clause{n}" for n in range(600))


@pytest.fixture
def config(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "customers.csv").write_text("氏名,電話,メール\n" + "\n".join(ROWS) + "\n")
    (tmp_path / "plan.txt").write_text(DOCUMENT)
    file = tmp_path / "sekisho.toml"
    file.write_text("")
    return file


def inspected(checking, body):
    raw = f"From: a@example.com\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n{body}\r\n".encode()
    session = Session("s", "127.0.0.1", tenant="default")
    transaction = checking.checks.read(session, Envelope("a@example.com", (Recipient("b@example.net"),)), raw)
    return {finding.rule: finding for finding in asyncio.run(checking.checks.inspect(transaction))}


def made(config):
    checking, problems = checking_of(load(config)[0])
    assert problems == []
    return checking


LEAK = "\r\n".join(" / ".join(row.split(",")).upper().replace("-", " ") for row in ROWS[10:20])


def test_nothing_is_made_where_nothing_was_registered(config):
    checking = made(config)
    assert "dlp/exact/list" not in inspected(checking, LEAK)
    assert not (config.parent / "var").exists()


def test_registered_records_are_found_and_forgotten_again(config):
    checking = made(config)
    assert main(["dlp", "index", "customers.csv", "--name", "customers"]) == 0
    asyncio.run(checking.refresh())
    assert inspected(checking, LEAK)["dlp/exact/list"].count == 10
    assert checking.status()["registered"] == [{"kind": "list", "name": "customers", "tenant": "default", "rows": 50}]
    assert "dlp/exact/list" in inspected(made(config), LEAK)
    assert main(["dlp", "remove", "customers"]) == 0
    asyncio.run(checking.refresh())
    assert "dlp/exact/list" not in inspected(checking, LEAK)


def test_registered_documents_are_found(config):
    assert main(["dlp", "fingerprint", "add", "plan.txt"]) == 0
    found = inspected(made(config), "As discussed:\r\n" + DOCUMENT[2000:5000].replace(" clause", "\r\nclause"))
    assert "plan" in found["dlp/fingerprint/document"].explanation
    assert made(config).status()["registered"] == [{"kind": "documents", "tenant": "default", "documents": 1}]
    assert "dlp/fingerprint/document" not in inspected(made(config), "Nothing of it " * 200)


def test_a_damaged_file_is_a_problem_and_the_old_stays_in_force(config, caplog):
    assert main(["dlp", "index", "customers.csv", "--name", "customers"]) == 0
    checking = made(config)
    (file,) = (config.parent / "var" / "dlp").rglob("*.idx")
    file.unlink()
    file.write_bytes(b"rubbish")
    asyncio.run(checking.refresh())
    assert str(file) in caplog.text
    assert "dlp/exact/list" in inspected(checking, LEAK)
    assert checking_of(load(config)[0])[0] is None
