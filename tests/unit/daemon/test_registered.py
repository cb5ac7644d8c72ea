"""What `sekisho dlp` registers is found, by a command and by a checking that runs on."""

import asyncio
import os

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


def replaced(file, content):
    """Another file under this name; what is mapped of the old one stays whole."""
    file.unlink()
    file.write_bytes(content)


def test_a_damaged_file_is_a_problem_and_the_old_stays_in_force(config, caplog):
    assert main(["dlp", "index", "customers.csv", "--name", "customers"]) == 0
    checking = made(config)
    (file,) = (config.parent / "var" / "dlp").rglob("*.idx")
    replaced(file, b"rubbish")
    for _ in range(3):
        assert checking.registered.changed()
        asyncio.run(checking.refresh())
    assert caplog.text.count(str(file)) == 1
    assert "dlp/exact/list" in inspected(checking, LEAK)
    *_, told = checking.status()["registered"]
    assert (told["kind"], str(file) in told["problem"]) == ("problem", True)
    assert main(["dlp", "index", "customers.csv", "--name", "customers"]) == 0
    asyncio.run(checking.refresh())
    assert [one["kind"] for one in checking.status()["registered"]] == ["list"]
    assert not checking.registered.changed()


def test_one_bad_file_keeps_nothing_else_from_being_taken_up(config):
    config.write_text("[tenant.default]\n[tenant.shop]\n")
    assert main(["dlp", "index", "customers.csv", "--name", "old"]) == 0
    checking = made(config)
    (file,) = (config.parent / "var" / "dlp").rglob("*.idx")
    replaced(file, b"rubbish")
    assert main(["dlp", "index", "customers.csv", "--name", "new", "--tenant", "shop"]) == 0
    assert main(["dlp", "fingerprint", "add", "plan.txt"]) == 0
    asyncio.run(checking.refresh())
    names = [one.get("name", one["kind"]) for one in checking.status()["registered"]]
    assert names == ["old", "new", "documents", "problem"]
    assert "dlp/fingerprint/document" in inspected(checking, DOCUMENT)
    file.unlink()
    asyncio.run(checking.refresh())
    assert [one.get("name", one["kind"]) for one in checking.status()["registered"]] == ["new", "documents"]


def test_a_file_of_documents_that_is_damaged_stays_as_it_was(config):
    assert main(["dlp", "fingerprint", "add", "plan.txt"]) == 0
    checking = made(config)
    (file,) = (config.parent / "var" / "dlp").rglob("*.fingerprints")
    replaced(file, b"rubbish")
    assert main(["dlp", "index", "customers.csv"]) == 0
    asyncio.run(checking.refresh())
    found = inspected(checking, DOCUMENT + LEAK)
    assert {"dlp/fingerprint/document", "dlp/exact/list"} <= set(found)


@pytest.mark.parametrize("file", ["customers.idx", "documents.fingerprints"])
def test_nothing_starts_without_what_was_registered(config, caplog, capsys, file):
    """What is wrong is said with the file, and with what to do; nothing is called in force."""
    assert main(["dlp", "index", "customers.csv"]) == 0
    assert main(["dlp", "fingerprint", "add", "plan.txt"]) == 0
    (bad,) = (config.parent / "var" / "dlp").rglob(file)
    replaced(bad, b"rubbish")
    caplog.set_level("INFO")
    checking, (problem,) = checking_of(load(config)[0])
    assert (checking, problem.file) == (None, str(bad))
    assert "50 rows" not in caplog.text
    capsys.readouterr()
    assert main(["config", "check"]) == 2
    told = capsys.readouterr().err
    assert all(word in told for word in (str(bad), "remove", "sekisho dlp"))


def test_what_is_in_force_is_logged_once(config, caplog):
    caplog.set_level("INFO")
    assert main(["dlp", "index", "customers.csv"]) == 0
    checking = made(config)
    (config.parent / "second.csv").write_text("氏名,電話\n山田一太郎,03-1234-5678\n")
    assert main(["dlp", "index", "second.csv"]) == 0
    asyncio.run(checking.refresh())
    assert caplog.text.count("list customers of default: 50 rows") == 1
    assert caplog.text.count("list second of default: 1 rows") == 1


def test_a_lost_key_file_changes_nothing_until_it_is_back(config, caplog):
    assert main(["dlp", "index", "customers.csv"]) == 0
    checking = made(config)
    key = load(config)[0].key_file
    key.rename(key.with_suffix(".away"))
    (config.parent / "var" / "dlp" / "default" / "customers.idx").touch()
    for _ in range(2):
        asyncio.run(checking.refresh())
    assert caplog.text.count(str(key)) == 1
    assert "dlp/exact/list" in inspected(checking, LEAK)
    key.with_suffix(".away").rename(key)
    asyncio.run(checking.refresh())
    assert checking.registered.problems == []
    assert "dlp/exact/list" in inspected(checking, LEAK)


def test_another_key_file(config):
    """Lists under the old key and the new one are both looked for."""
    assert main(["dlp", "index", "customers.csv", "--name", "old"]) == 0
    checking = made(config)
    load(config)[0].key_file.unlink()
    (config.parent / "second.csv").write_text("氏名,電話,番号\n鈴木 花子,03-9876-5432,778899\n")
    assert main(["dlp", "index", "second.csv", "--name", "new"]) == 0
    asyncio.run(checking.refresh())
    assert [one.get("name", one["kind"]) for one in checking.status()["registered"]] == ["new", "old", "problem"]
    assert "old" in inspected(checking, LEAK)["dlp/exact/list"].excerpt
    assert "new" in inspected(checking, "鈴木花子 03-9876-5432 778899")["dlp/exact/list"].excerpt


@pytest.mark.skipif(os.geteuid() == 0, reason="root may list any folder")
def test_a_folder_that_cannot_be_listed_is_a_problem(config):
    assert main(["dlp", "index", "customers.csv"]) == 0
    checking = made(config)
    folder = config.parent / "var" / "dlp" / "default"
    folder.chmod(0)
    try:
        asyncio.run(checking.refresh())
        assert [one["kind"] for one in checking.status()["registered"]] == ["list", "problem"]
    finally:
        folder.chmod(0o700)
