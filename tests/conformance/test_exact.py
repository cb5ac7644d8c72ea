"""Exact data matching, measured: a made-up list against all ham, with the times and the memory that it takes.

Run as a script (`PYTHONPATH=tests python tests/conformance/test_exact.py`) it makes a list of a million rows, reads
everything and prints the tables of `docs/operate/dlp.md`; the test takes a smaller list and a sample. The names
are drawn from few so that many of them occur in ordinary mail.
"""

import csv
import itertools
import json
import lzma
import sys
import tarfile
import tempfile
import time
from pathlib import Path

import pytest
from support.listed import KEY, as_csv, listed, people

from sekisho.inspect.exact.build import Plan, build
from sekisho.inspect.exact.inspector import ExactMatches
from sekisho.inspect.exact.lists import ExactLists
from sekisho.inspect.exact.source import Source
from sekisho.mail.envelope import Envelope, Recipient, Session
from sekisho.mail.transaction import Transaction
from sekisho.parse import parse

MAIL = Path(__file__).parents[3] / "shared" / "data" / "mail"

pytestmark = [
    pytest.mark.corpus,
    pytest.mark.skipif(not MAIL.exists(), reason="../shared/data/mail is not there"),
]


def raw_mail(name, pick=""):
    with tarfile.open(next((MAIL / name).glob("*.tar.xz"))) as archive:
        for member in archive:
            if member.isfile() and pick in member.name and not member.name.endswith(".cats"):
                yield archive.extractfile(member).read()


def texts(name):
    with lzma.open(MAIL / name / "text.jsonl.xz", "rt", encoding="utf-8") as lines:
        for line in lines:
            body = json.loads(line)
            yield b"Content-Type: text/plain; charset=utf-8\n\n" + (body.get("text") or body["body"]).encode()


HAM = {
    "usrp-users": lambda: raw_mail("usrp_users_ham"),
    "SpamAssassin ham": lambda: raw_mail("spamassassin_public_corpus", "ham"),
    "Enron": lambda: raw_mail("enron_berkeley_raw"),
    "Enron-Spam ham": lambda: raw_mail("enron_spam_preprocessed", "/ham"),
    "Ling-Spam": lambda: raw_mail("lingspam_bare"),
    "Japanese notices": lambda: texts("ja_ham_notify"),
    "Ruby announcements": lambda: texts("ja_ham_ruby_announce"),
    "Japanese articles": lambda: texts("ja_ham_livedoor_news"),
    "Japanese dialogues": lambda: texts("ja_ham_business_dialogue"),
}


def received(raw, body=b""):
    envelope = Envelope("sender@ours.example", (Recipient("partner@theirs.example"),))
    return Transaction("t", Session("s", "192.0.2.1"), envelope, parse(raw + body), None)


def measured(inspector, mails):
    """Messages, those with a finding, characters and seconds."""
    seen = found = characters = 0
    seconds = 0.0
    for raw in mails:
        message = received(raw)
        characters += sum(len(text.text) for text in message.texts)
        assert message.links is not None  # both are there before, as in the gateway
        started = time.thread_time()
        found += bool(inspector.inspect(message))
        seconds += time.thread_time() - started
        seen += 1
    return seen, found, characters, seconds


def test_no_false_alarm_and_what_is_there_is_found(tmp_path):
    rows = list(people(20_000))
    listed(tmp_path, as_csv(rows))
    lists, _ = ExactLists.open(tmp_path / "lists", KEY)
    inspector = ExactMatches(lists)
    leaked = "".join(f"\n{name}\t{phone}" for name, phone, _ in rows[1:9]).encode()
    for name, mails in HAM.items():
        sample = list(itertools.islice(mails(), 0, 400, 8))
        assert measured(inspector, sample)[:2] == (len(sample), 0), name
    plain = list(itertools.islice(texts("ja_ham_notify"), 20))
    assert [inspector.inspect(received(raw, leaked))[0].count for raw in plain] == [8] * len(plain)


def main():
    rows = int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000
    with tempfile.TemporaryDirectory() as folder:
        file, target = Path(folder) / "customers.csv", Path(folder) / "default" / "customers.idx"
        with file.open("w", newline="", encoding="utf-8") as out:
            csv.writer(out).writerows(people(rows))
        target.parent.mkdir()
        started = time.perf_counter()
        with target.open("wb") as stream:
            build(Source(file), Plan("customers", "default", ""), KEY, stream)
        print(f"{rows} rows: {time.perf_counter() - started:.0f} s, {target.stat().st_size / 1e6:.1f} MB")
        inspector = ExactMatches(ExactLists.open(Path(folder), KEY)[0])
        table = inspector.lists.of("default")[0].table
        values = [hash((n, "x")) & 0xFFFF_FFFF_FFFF_FFFF for n in range(1_000_000)]
        started = time.perf_counter()
        for value in values:
            table.find(value)
        print(f"a look-up: {time.perf_counter() - started:.2f} µs")
        for name, mails in HAM.items():
            seen, found, characters, seconds = measured(inspector, mails())
            each = seconds / seen * 1000, seconds / characters * 1e7
            print(f"| {name} | {seen:,} | {found} | {each[0]:.2f} | {each[1]:.2f} |", flush=True)


if __name__ == "__main__":
    main()
