"""`sekisho dlp fingerprint`, with the confined process that opens files."""

import random
import string

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
