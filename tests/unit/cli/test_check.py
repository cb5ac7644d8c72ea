"""`sekisho check`: every kind of source, the JSON that other programs rely on, the exit status."""

import io
import json
import mailbox
import sys
import tarfile

import pytest
from support.client import message

from sekisho.cli.main import main

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

PLAIN = message("plain")
REFUSED = message("refused", "1\r\n").replace(b"From: <hanako@", b"From: <a@x.example>\r\nFrom: <hanako@")
# contract.md
KEYS = {
    "path",
    "index",
    "message_id",
    "mail_from",
    "rcpt_to",
    "disposition",
    "hold",
    "policy_rule",
    "verdicts",
    "findings",
    "elapsed_ms",
}
FINDING_KEYS = {"rule", "severity", "confidence", "count", "part", "where", "path", "excerpt"}


@pytest.fixture
def check(capsys, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)

    def run(*arguments):
        status = main(["check", "--json", *map(str, arguments)])
        said = capsys.readouterr()
        return status, [json.loads(line) for line in said.out.splitlines()], said.err

    return run


def test_the_json_of_the_contract(check, tmp_path):
    file = tmp_path / "mail.eml"
    file.write_bytes(message("card", "Your card 4111 1111 1111 1111, valid until 12/29\r\n"))
    status, (found,), _ = check(file)
    assert set(found) >= KEYS
    assert (found["path"], found["index"], found["message_id"]) == (str(file), 0, "<card@example.com>")
    assert (found["mail_from"], found["rcpt_to"]) == ("hanako@example.com", ["taro@example.net"])
    (finding,) = [f for f in found["findings"] if f["rule"] == "dlp/card"]
    assert set(finding) >= FINDING_KEYS
    assert "4111 1111 1111 1111" not in json.dumps(found)
    assert status == (0 if found["disposition"] == "deliver" else 1)


def test_overrides(check, tmp_path):
    file = tmp_path / "mail.eml"
    file.write_bytes(PLAIN)
    _, (found,), _ = check(file, "--mail-from", "a@b.example", "--rcpt-to", "c@d.example", "--rcpt-to", "e@f.example")
    assert (found["mail_from"], found["rcpt_to"]) == ("a@b.example", ["c@d.example", "e@f.example"])


def test_every_kind_of_source(check, tmp_path, monkeypatch):
    (tmp_path / "one.eml").write_bytes(PLAIN)
    (tmp_path / "lf.eml").write_bytes(PLAIN.replace(b"\r\n", b"\n"))
    folder = tmp_path / "folder"
    (folder / "deep").mkdir(parents=True)
    (folder / "deep" / "mail").write_bytes(PLAIN)
    (folder / "notes").write_text("these are just my notes\nabout mail\n")
    box = mailbox.mbox(tmp_path / "box.mbox")
    maildir = mailbox.Maildir(tmp_path / "maildir")
    for number in range(3):
        box.add(message(f"m{number}"))
        maildir.add(message(f"m{number}"))
    box.close()
    archive = io.BytesIO()
    with tarfile.open(fileobj=archive, mode="w") as tar:
        for number in range(2):
            entry = tarfile.TarInfo(f"a/{number}.eml")
            entry.size = len(PLAIN)
            tar.addfile(entry, io.BytesIO(PLAIN))
    (tmp_path / "a.tar").write_bytes(archive.getvalue())
    (tmp_path / "a.tar.zst").write_bytes(zstd.compress(archive.getvalue()))
    with tarfile.open(tmp_path / "b.tar.xz", "w:xz") as tar:
        tar.add(tmp_path / "one.eml", "one.eml")
    expected = {
        "one.eml": 1,
        "lf.eml": 1,
        "folder": 1,
        "box.mbox": 3,
        "maildir": 3,
        "a.tar": 2,
        "a.tar.zst": 2,
        "b.tar.xz": 1,
    }
    for name, number in expected.items():
        status, found, errors = check(tmp_path / name)
        assert (status, len(found), errors) == (0, number, ""), name
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(PLAIN)))
    assert len(check("-")[1]) == 1


def test_what_cannot_be_read_is_told_and_the_others_are_checked(check, tmp_path):
    (tmp_path / "good.eml").write_bytes(PLAIN)
    (tmp_path / "bad.tar.gz").write_bytes(b"\x1f\x8b\x08 no archive")
    status, found, errors = check(tmp_path / "none.eml", tmp_path / "bad.tar.gz", tmp_path / "good.eml")
    assert (status, len(found)) == (3, 1)
    assert "none.eml" in errors
    assert "bad.tar.gz" in errors


def test_something_to_object_to(check, tmp_path):
    (tmp_path / "two.eml").write_bytes(REFUSED)
    status, (found,), _ = check(tmp_path / "two.eml")
    assert "message/two-from" in {finding["rule"] for finding in found["findings"]}
    assert status == int(found["disposition"] != "deliver")


@pytest.mark.parametrize(
    "arguments", [["--tenant", "nobody"], ["--client-ip", "x"], ["--config", "none.toml"]], ids=lambda a: a[0]
)
def test_wrong_arguments(check, tmp_path, arguments):
    (tmp_path / "good.eml").write_bytes(PLAIN)
    status, found, errors = check(tmp_path / "good.eml", *arguments)
    assert (status, found) == (2, [])
    assert "Traceback" not in errors


def test_surrogates_and_broken_headers_give_json(check, tmp_path):
    (tmp_path / "odd.eml").write_bytes(
        b"From: \xff\xfe@\x80.example\r\nMessage-ID: <\xff@x>\r\nTo: \xed\xa0\x80@x\r\n\r\n\xff"
    )
    status, (found,), _ = check(tmp_path / "odd.eml")
    assert status in (0, 1)
    assert found["message_id"].startswith("<")


def test_an_unexpected_failure_is_no_traceback(monkeypatch, capsys, tmp_path):
    def fail(*_):
        raise RuntimeError("odd")

    monkeypatch.delenv("SEKISHO_TRACEBACK", raising=False)
    monkeypatch.setattr("sekisho.cli.check.offline_checking", fail)
    assert main(["check", str(tmp_path)]) == 3
    said = capsys.readouterr()
    assert "unexpected failure: RuntimeError: odd" in said.err
    assert "Traceback" not in said.err
