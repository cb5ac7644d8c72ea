"""Real mail through `sekisho check --json`: one object for each message, nothing fails, and ham is let through.

A sample in `make test`; everything, with a table of what was found, where SEKISHO_WHOLE_CORPORA is set.
"""

import io
import json
import lzma
import mailbox
import os
import statistics
import tarfile
from collections import Counter
from email.message import EmailMessage
from email.policy import SMTP
from itertools import islice
from pathlib import Path

import pytest

from sekisho.cli.main import main

DATA = Path(__file__).parents[3] / "shared" / "data"
WHOLE = bool(os.environ.get("SEKISHO_WHOLE_CORPORA"))
ARCHIVES = {  # archive: (look at every how manieth file, of the first so many)
    "mail/enron_berkeley_raw/mail": (20, None),
    "mail/enron_spam_preprocessed/text": (100, None),
    "mail/ja_phishing_lists/mail": (3, None),
    "mail/lingspam_bare/text": (20, None),
    "mail/nazario_mbox_2004_2005/mbox": (3, None),
    "mail/osst_users_deadlist/mail": (10, None),
    "mail/phishing_pot_2019_2024/mail": (5, 1000),
    "mail/spamassassin_public_corpus/mail": (25, None),
    "mail/usrp_users_ham/mail": (10, None),
    "mime/mime": (1, None),
}
TEXTS = {  # Japanese texts, put into messages here
    "mail/ja_ham_business_dialogue/text": (1, None),
    "mail/ja_ham_livedoor_news/text": (20, None),
    "mail/ja_ham_notify/text": (1, None),
    "mail/ja_ham_ruby_announce/text": (3, None),
}
# Folders of mail that people wrote or wanted. Preprocessed texts without headers are not mail, and not among them.
HAM = (
    "mail/enron_berkeley_raw/mail.tar.xz",
    "mail/spamassassin_public_corpus/mail.tar.xz/easy-ham",
    "mail/spamassassin_public_corpus/mail.tar.xz/hard-ham",
    "mail/usrp_users_ham/mail.tar.xz",
    "mail/ja_ham_",
)
# Ham that waits for an approver, and rightly so: each has a password in the clear.
PASSWORDS = {
    "mail/enron_berkeley_raw/mail.tar.xz/4/54673.txt",
    "mail/ja_ham_notify/text.tar/35.eml",
    "mail/ja_ham_notify/text.tar/36.eml",
    "mail/ja_ham_notify/text.tar/81.eml",
    "mail/ja_ham_notify/text.tar/107.eml",
    "mail/ja_ham_notify/text.tar/111.eml",
    "mail/ja_ham_notify/text.tar/119.eml",
}
# contract.md
KEYS = {
    "path", "index", "message_id", "mail_from", "rcpt_to", "disposition", "hold", "policy_rule", "verdicts",
    "findings", "elapsed_ms",
}  # fmt: skip
FINDING_KEYS = {"rule", "severity", "confidence", "count", "part", "where", "path", "excerpt"}

pytestmark = [
    pytest.mark.corpus,
    pytest.mark.skipif(not DATA.exists(), reason="../shared/data is not there"),
    pytest.mark.timeout(300),
]


def chosen(entries, corpus):
    step, stop = (1, None) if WHOLE else (ARCHIVES | TEXTS)[corpus]
    return islice(entries, 0, stop, step)


def write_sample(corpus, target):
    """A tar of the chosen messages; returns how many objects `check` has to print: (at least, at most)."""
    least = most = 0
    with tarfile.open(DATA / f"{corpus}.tar.xz") as source, tarfile.open(target, "w") as sample:
        mail = (m for m in source if m.isfile() and not m.name.endswith((".cats", "readme.txt")))
        for member in chosen(mail, corpus):
            data = source.extractfile(member).read()
            sample.addfile(member, io.BytesIO(data))
            count = messages_in(member.name, data, target.parent)
            most += count
            # beside the messages the MIME suite holds what should become of them
            least += count if not corpus.startswith("mime") or member.name.endswith((".msg", ".eml")) else 0
    return least, most


def messages_in(name, data, folder):
    if not name.endswith(".mbox"):
        return 1
    (folder / "one.mbox").write_bytes(data)
    box = mailbox.mbox(folder / "one.mbox", create=False)
    try:
        return len(box)
    finally:
        box.close()


def write_texts(corpus, target):
    count = 0
    with lzma.open(DATA / f"{corpus}.jsonl.xz") as lines, tarfile.open(target, "w") as sample:
        for number, line in chosen(enumerate(lines), corpus):
            read = json.loads(line)
            message = EmailMessage(policy=SMTP)
            message["From"] = "Hanako <hanako@example.jp>"
            message["To"] = "taro@example.net"
            message["Subject"] = " ".join(read["subject"].split())
            message["Message-ID"] = f"<{number}@example.jp>"
            message.set_content(read["body"], cte="base64")
            data = message.as_bytes()
            member = tarfile.TarInfo(f"{number}.eml")
            member.size = len(data)
            sample.addfile(member, io.BytesIO(data))
            count += 1
    return count, count


@pytest.fixture
def check(capsys, monkeypatch, tmp_path):
    def run(archive):
        monkeypatch.chdir(tmp_path)  # away from any sekisho.toml
        status = main(["check", "--json", str(archive)])
        said = capsys.readouterr()
        return status, [json.loads(line) for line in said.out.splitlines()], said.err

    return run


def failed(result):
    return [f["explanation"] for f in result["findings"] if f["rule"].startswith("inspection.failed/")]


def table(corpus, results):
    """What there is to know about a corpus, folder by folder where its folders are its labels."""
    groups = {}
    for result in results:
        inside = result["path"].partition(".tar/")[2].split("/")
        labelled = "spamassassin" in corpus or "enron_spam" in corpus or "osst" in corpus
        groups.setdefault("/".join(inside[:-1]) if labelled else "", []).append(result)
    for label, group in groups.items():
        times = sorted(result["elapsed_ms"] for result in group)
        held = Counter(result["policy_rule"] for result in group if result["disposition"] != "deliver")
        per_1000 = {rule: round(1000 * number / len(group), 2) for rule, number in held.items()}
        print(
            f"\n  {corpus} {label}: {len(group)} messages, {statistics.median(times):.2f} ms median, "
            f"{times[-1]:.1f} ms at most, {dict(Counter(r['disposition'] for r in group))}, per 1,000: {per_1000}",
            end="",
        )


@pytest.mark.parametrize("corpus", [*ARCHIVES, *TEXTS])
def test_every_message_is_checked_and_ham_goes(corpus, check, tmp_path, capsys):
    name = f"{corpus}.tar" if corpus in TEXTS else f"{corpus}.tar.xz"
    archive = tmp_path / "sample.tar"
    least, most = write_texts(corpus, archive) if corpus in TEXTS else write_sample(corpus, archive)
    status, results, errors = check(archive)
    assert errors == ""
    assert least <= len(results) <= most
    assert least > 0
    assert status == int(any(result["disposition"] != "deliver" for result in results))
    for result in results:
        assert set(result) >= KEYS
        assert all(set(finding) >= FINDING_KEYS for finding in result["findings"])
    assert [(r["path"], failed(r)) for r in results if failed(r)] == []
    # no measurement: what is quadratic in anything takes minutes
    assert [r["path"] for r in results if r["elapsed_ms"] > 5000] == []
    stopped = {f"{name}{r['path'].removeprefix(str(archive))}" for r in results if r["disposition"] != "deliver"}
    assert {path for path in stopped if path.startswith(HAM)} <= PASSWORDS
    if WHOLE:
        with capsys.disabled():
            table(corpus, results)
