"""`sekisho dlp fingerprint`, with the confined process that opens files."""

import os
import random
import signal
import string
import subprocess
import sys
import zipfile

import pytest
from support.attached import mail
from support.office import paragraph, run, word


def prose(seed, words=400):
    chance = random.Random(seed)
    known = ["".join(chance.choices(string.ascii_lowercase, k=chance.randrange(2, 9))) for _ in range(900)]
    return " ".join(chance.choices(known, k=words))


@pytest.fixture
def plan(folder):
    file = folder / "plan.docx"
    file.write_bytes(word("".join(paragraph(run(prose(1)[at : at + 200])) for at in range(0, len(prose(1)), 200))))
    return file


def test_added_listed_tested_and_removed(sekisho, folder, plan):
    done = sekisho("dlp", "fingerprint", "add", plan, "--name", "Plan 2027", "--json")
    assert (done.status, done.err) == (0, "")
    (added,) = done.objects
    assert (added["name"], added["replaced"], added["public"]) == ("Plan 2027", False, False)
    (listed,) = sekisho("dlp", "fingerprint", "list", "--json").objects
    assert listed["id"] == added["id"]
    assert listed["own"] == listed["pieces"] == added["pieces"]

    message = folder / "mail.eml"
    message.write_bytes(mail(body=" ".join(prose(1).split()[:220])))
    done = sekisho("dlp", "fingerprint", "test", message, "--json")
    (found,) = done.objects
    assert done.status == 1
    assert (found["document"], found["reported"], found["severity"]) == ("Plan 2027", True, "high")
    assert found["share"] == pytest.approx(0.55, abs=0.2)  # the key is a new one, and so are the pieces
    assert "registered document 'Plan 2027'" in sekisho("dlp", "fingerprint", "test", message).out

    done = sekisho("dlp", "fingerprint", "remove", "Plan 2027", "nothing")
    assert (done.status, done.out) == (1, "Plan 2027: removed\nnothing: no such document\n")
    assert sekisho("dlp", "fingerprint", "list").out == "no documents\n"
    done = sekisho("dlp", "fingerprint", "test", message)
    assert (done.status, done.out) == (0, "nothing of a registered document\n")


def test_in_an_attachment(sekisho, folder, plan):
    assert sekisho("dlp", "fingerprint", "add", plan).status == 0
    message = folder / "mail.eml"
    message.write_bytes(mail(("other name.docx", plan.read_bytes())))
    (found,) = sekisho("dlp", "fingerprint", "test", message, "--json").objects
    assert (found["document"], found["path"], found["share"]) == ("plan.docx", "other name.docx", 1.0)


def test_a_folder_with_files_of_many_kinds(sekisho, folder, plan):
    inner = folder / "docs" / "a"
    inner.mkdir(parents=True)
    plan.rename(inner / "plan.docx")
    (folder / "docs" / "note.txt").write_text(prose(2))
    (folder / "docs" / "mail.eml").write_bytes(mail(body=prose(3)))
    (inner / "note.txt").write_text("short")
    done = sekisho("dlp", "fingerprint", "add", folder / "docs", "--json")
    assert done.status == 1
    names = {shown["name"] for shown in done.objects}
    assert names == {"plan.docx", "mail.eml", str(folder / "docs" / "note.txt")}
    assert f"not registered: {inner / 'note.txt'}" in done.err


def test_a_document_that_is_mostly_public(sekisho, folder):
    for number, name in enumerate(("form.txt", "filled-in.txt")):
        (folder / name).write_text(prose(1) + " " + prose(5, 30 * number))
    assert sekisho("dlp", "fingerprint", "add", "form.txt", "--public").out.startswith("form.txt: registered")
    done = sekisho("dlp", "fingerprint", "add", "filled-in.txt")
    assert done.status == 0
    assert "filled-in.txt: 9" in done.err or "filled-in.txt: 8" in done.err
    assert "public" in sekisho("dlp", "fingerprint", "list").out


def test_replaced(sekisho, plan):
    sekisho("dlp", "fingerprint", "add", plan)
    assert sekisho("dlp", "fingerprint", "add", plan).out.startswith("plan.docx: replaced")
    assert len(sekisho("dlp", "fingerprint", "list", "--json").objects) == 1


@pytest.mark.parametrize(
    ("arguments", "status", "said"),
    [
        (("add", "missing.txt"), 3, "missing.txt: No such file"),
        (("add", "a.txt", "b.txt", "--name", "x"), 2, "--name"),
        (("add", "a.txt", "--tenant", "x"), 2, "no tenant 'x'"),
        (("list", "--tenant", "x"), 2, "no tenant 'x'"),
        (("test", "mail.eml"), 3, "no documents"),
    ],
)
def test_errors(sekisho, arguments, status, said):
    done = sekisho("dlp", "fingerprint", *arguments)
    assert done.status == status
    assert said in done.err


def test_a_damaged_file(sekisho, folder, plan):
    sekisho("dlp", "fingerprint", "add", plan)
    (folder / "var" / "dlp" / "default" / "documents.fingerprints").write_bytes(b"rubbish")
    done = sekisho("dlp", "fingerprint", "list")
    assert done.status == 3
    assert "documents.fingerprints" in done.err


def test_encrypted(sekisho, folder):
    pyzipper = pytest.importorskip("pyzipper")
    with pyzipper.AESZipFile(folder / "a.zip", "w", encryption=pyzipper.WZ_AES) as archive:
        archive.setpassword(b"not to be guessed 8273")
        archive.writestr("a.txt", prose(1))
    done = sekisho("dlp", "fingerprint", "add", "a.zip")
    assert done.status == 1
    assert "encrypted" in done.err


def test_what_was_not_read_whole_is_said(sekisho, folder):
    """As far as `attachments` in the configuration lets it be read, which is as far as mail is looked through."""
    (folder / "sekisho.toml").write_text("[attachments]\ntext_chars = 1500\n")
    (folder / "plan.txt").write_text(prose(1))
    done = sekisho("dlp", "fingerprint", "add", "plan.txt", "--json")
    assert (done.status, done.objects[0]["whole"]) == (1, False)
    assert "plan.txt: registered, but not all of it" in done.err
    assert "attachment/over-limit" in done.err
    assert done.objects[0]["letters"] <= 1500
    (folder / "short.txt").write_text(prose(2, 100))
    done = sekisho("dlp", "fingerprint", "add", "short.txt", "--json")
    assert (done.status, done.err, done.objects[0]["whole"]) == (0, "", True)


def test_a_corrupt_part_is_said(sekisho, folder):
    with zipfile.ZipFile(folder / "all.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.txt", prose(1))
        archive.writestr("b.txt", prose(2))
    damaged = bytearray((folder / "all.zip").read_bytes())
    at = damaged.index(b"b.txt") + 5
    damaged[at : at + 60] = bytes(60)
    (folder / "all.zip").write_bytes(damaged)
    done = sekisho("dlp", "fingerprint", "add", "all.zip")
    assert done.status == 1
    assert "all.zip: registered, but not all of it: all.zip/b.txt" in done.err


def test_what_of_a_message_was_not_seen_is_said(sekisho, folder, plan):
    pyzipper = pytest.importorskip("pyzipper")
    sekisho("dlp", "fingerprint", "add", plan)
    with pyzipper.AESZipFile(folder / "a.zip", "w", encryption=pyzipper.WZ_AES) as archive:
        archive.setpassword(b"not to be guessed 8273")
        archive.writestr("a.txt", prose(1))
    (folder / "mail.eml").write_bytes(mail(("a.zip", (folder / "a.zip").read_bytes())))
    done = sekisho("dlp", "fingerprint", "test", "mail.eml")
    assert (done.status, "a.zip" in done.out, "attachment/encrypted" in done.out) == (1, True, True)
    assert "nothing" not in done.out
    assert "attachment/encrypted" in {told["rule"] for told in sekisho(
        "dlp", "fingerprint", "test", "mail.eml", "--json"
    ).objects}  # fmt: skip


def test_what_a_message_quotes_stands_apart_as_in_the_gateway(sekisho, folder, plan):
    sekisho("dlp", "fingerprint", "add", plan)
    words = prose(1).split()
    quoted = "\n".join(" ".join(words[at : at + 10]) for at in range(0, 200, 10))
    body = f"See below.\n\nOn 1 Apr 2026, Taro <taro@example.net> wrote:\n{quoted}\n"
    (folder / "mail.eml").write_bytes(mail(body=body.replace(quoted, "> " + quoted.replace("\n", "\n> "))))
    (found,) = sekisho("dlp", "fingerprint", "test", "mail.eml", "--json").objects
    assert found["place"] == "quoted reply"


def test_what_only_reads_makes_nothing(sekisho, folder):
    (folder / "mail.eml").write_bytes(mail())
    assert sekisho("dlp", "fingerprint", "list").out == "no documents\n"
    assert sekisho("dlp", "fingerprint", "remove", "x").out == "x: no such document\n"
    assert sekisho("dlp", "fingerprint", "test", "mail.eml").status == 3
    assert not (folder / "var").exists()


def test_an_empty_folder(sekisho, folder):
    (folder / "docs").mkdir()
    done = sekisho("dlp", "fingerprint", "add", "docs")
    assert (done.status, "no files in docs" in done.err) == (3, True)


def test_after_the_key_was_lost_it_is_said_which_file_to_remove(sekisho, folder, plan):
    sekisho("dlp", "fingerprint", "add", plan)
    (folder / "var/keys/hold.key").unlink()
    done = sekisho("dlp", "fingerprint", "list")
    assert (done.status, "hold.key: No such file" in done.err) == (3, True)
    done = sekisho("dlp", "fingerprint", "add", plan)
    file = folder / "var/dlp/default/documents.fingerprints"
    assert (done.status, f"{file}: made under another key file; remove the file" in done.err) == (3, True)
    file.unlink()
    assert sekisho("dlp", "fingerprint", "add", plan).status == 0


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file away")
def test_what_root_makes_is_for_the_gateway(sekisho, folder, plan):
    (folder / "var").mkdir(mode=0o700)
    os.chown(folder / "var", 12345, 12345)
    assert sekisho("dlp", "fingerprint", "add", plan).status == 0
    assert {path.stat().st_uid for path in (folder / "var").rglob("*")} == {12345}


def test_what_was_called_registered_stays_so_after_ctrl_c(sekisho, folder):
    (folder / "docs").mkdir()
    for number in range(300):
        (folder / "docs" / f"{number:03}.txt").write_text(prose(number, 100))
    command = [sys.executable, "-m", "sekisho.cli", "dlp", "fingerprint", "add", "docs", "--json"]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=os.environ | {"PYTHONUNBUFFERED": "1"}, text=True
    ) as running:
        first = running.stdout.readline()
        running.send_signal(signal.SIGINT)
        rest, told = running.communicate(timeout=60)
    said = (first + rest).splitlines()
    assert (running.returncode, "stopped before" in told) == (130, True)
    assert 0 < len(said) < 300
    assert len(sekisho("dlp", "fingerprint", "list", "--json").objects) == len(said)
