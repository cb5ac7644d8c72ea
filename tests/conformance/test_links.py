"""Signs of links, measured: known phishing addresses against popular sites and the links in ordinary mail.

Structural signs only, no lists of bad addresses. Run as a script (`python tests/conformance/test_links.py`) it reads
everything and prints the table for `docs/reference/links.md`; the test reads a sample. Thresholds were set on every
other line of the popular sites and on JPCERT's addresses up to 2022; the others were not looked at before.
"""

import csv
import gzip
import itertools
import json
import lzma
import random
import tarfile
import time
from collections import Counter
from pathlib import Path

import pytest

from sekisho.config.shipped import shipped
from sekisho.inspect.links.inspector import Links
from sekisho.inspect.links.lists import load_lists
from sekisho.mail.envelope import Session
from sekisho.mail.finding import Severity
from sekisho.mail.message import Link
from sekisho.parse import parse

DATA = Path(__file__).parents[3] / "shared" / "data"
URLS = DATA / "urls"
MAIL = DATA / "mail"

pytestmark = [
    pytest.mark.corpus,
    pytest.mark.skipif(not URLS.exists(), reason="../shared/data/urls is not there"),
]


class Linked:
    """The parts of a transaction that the inspector reads."""

    def __init__(self, links):
        self.links = tuple(links)
        self.memo = {}
        self.facts = {}
        self.internal_domains = frozenset()
        self.session = Session("s", "192.0.2.1", tenant="default")


class Measured:
    """Counts by rule: messages (or addresses) with a finding, and with one the built-in policy acts on."""

    def __init__(self):
        self.seen = self.links = self.acted = 0
        self.any = Counter()
        self.high = Counter()
        self.seconds = 0.0

    def add(self, inspector, links):
        started = time.process_time()
        findings = inspector.inspect(Linked(links))
        self.seconds += time.process_time() - started
        self.seen += 1
        self.links += len(links)
        high = {f.rule for f in findings if f.severity >= Severity.HIGH and f.confidence >= 0.75}
        self.any.update({f.rule for f in findings})
        self.high.update(high)
        self.acted += bool(high)

    @property
    def rate(self):
        return self.acted / self.seen


def popular(name):
    lines = (URLS / "misc" / name).read_text().split()
    return [[Link(f"https://{line.rpartition(',')[2]}/", "", "1")] for line in lines]


def jpcert(years):
    for path in sorted((URLS / "jpcert_2019_2023").glob("*.csv.gz")):
        if path.name[:4] in years:
            with gzip.open(path, "rt", encoding="utf-8-sig") as lines:
                yield from ([Link(row["URL"], "", "1")] for row in csv.DictReader(lines))


def listed(name):
    return [[Link(line, "", "1")] for line in (URLS / "misc" / name).read_text().split()]


def domains(name):
    return [[Link(f"http://{line}/", "", "1")] for line in (URLS / "misc" / name).read_text().split()]


def raw_mail(folder, wanted=""):
    with tarfile.open(MAIL / folder / "mail.tar.xz") as archive:
        for member in archive:
            if member.isfile() and not member.name.endswith(".cats") and wanted in member.name:
                yield archive.extractfile(member).read()


def texts(folder):
    with lzma.open(MAIL / folder / "text.jsonl.xz", "rt") as lines:
        for line in lines:
            row = json.loads(line)
            head = "Content-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: 8bit\n\n"
            yield (head + (row.get("text") or row.get("body") or "")).encode()


def links_of(mails):
    for raw in mails:
        yield [link for part in parse(raw).parts for link in part.links]


HAM = {
    "usrp-users": lambda: raw_mail("usrp_users_ham"),
    "SpamAssassin ham": lambda: raw_mail("spamassassin_public_corpus", "ham"),
    "Enron": lambda: raw_mail("enron_berkeley_raw"),
    "Japanese notices": lambda: texts("ja_ham_notify"),
    "Ruby announcements": lambda: texts("ja_ham_ruby_announce"),
}
BAD_MAIL = {
    "Japanese phishing mail": lambda: raw_mail("ja_phishing_lists"),
    "phishing_pot mail": lambda: raw_mail("phishing_pot_2019_2024"),
}
BAD = {
    "JPCERT 2019-2022": lambda: jpcert({"2019", "2020", "2021", "2022"}),
    "JPCERT 2023": lambda: jpcert({"2023"}),
    "OpenPhish": lambda: listed("openphish_feed_2026-08-22.txt"),
    "Phishing.Database": lambda: domains("phishing_database_domains_ACTIVE2.txt"),
}


@pytest.fixture(scope="module")
def inspector():
    return Links(load_lists(shipped("lists")))


def measure(inspector, several, every=1, start=0):
    measured = Measured()
    for links in itertools.islice(several, start, None, every):
        measured.add(inspector, links)
    return measured


@pytest.mark.parametrize("name", ["tranco_top_100k.csv", "alexa_top_100k_2016.txt"])
def test_popular_sites_are_left_alone(inspector, name):
    measured = measure(inspector, popular(name), every=8, start=1)
    assert measured.seen > 12_000
    assert measured.rate < 0.001, measured.high


def test_links_in_ordinary_mail_are_left_alone(inspector):
    every = {"usrp-users": 5, "SpamAssassin ham": 8, "Enron": 5, "Japanese notices": 1, "Ruby announcements": 1}
    together = Measured()
    for name, mails in HAM.items():
        for links in links_of(itertools.islice(mails(), 0, None, every[name])):
            together.add(inspector, links)
    assert together.seen > 1_900
    assert together.acted <= 2, together.high  # one in a thousand


@pytest.mark.parametrize(
    ("name", "every", "least"),
    [
        ("JPCERT 2019-2022", 40, 0.28),
        ("JPCERT 2023", 20, 0.21),
        ("OpenPhish", 1, 0.14),
        ("Phishing.Database", 8, 0.10),
    ],
)
def test_phishing_addresses_are_recognised(inspector, name, every, least):
    measured = measure(inspector, BAD[name](), every)
    assert measured.rate > least, measured.high


def test_phishing_mail_is_recognised(inspector):
    measured = measure(inspector, links_of(BAD_MAIL["Japanese phishing mail"]()), 2)
    assert measured.rate > 0.18, measured.high


def report():
    """Everything, by sign."""
    inspector = Links(load_lists(shipped("lists")))
    random.seed(1)
    runs = {
        "Tranco (odd lines)": lambda: popular("tranco_top_100k.csv")[1::2],
        "Alexa 2016 (odd lines)": lambda: popular("alexa_top_100k_2016.txt")[1::2],
        **{name: (lambda mails=mails: links_of(mails())) for name, mails in HAM.items()},
        **BAD,
        **{name: (lambda mails=mails: links_of(mails())) for name, mails in BAD_MAIL.items()},
    }
    table = {name: measure(inspector, several()) for name, several in runs.items()}
    for name, m in table.items():
        per_link = m.seconds / max(m.links, 1) * 1e6
        print(f"| {name} | {m.seen:,} | {m.links:,} | {m.rate:.3%} | {per_link:.0f} |")
    print("\n| sign |", " | ".join(table), "|")
    for rule in sorted({rule for m in table.values() for rule in m.any}):
        cells = [f"{m.high[rule] / m.seen:.2%} / {m.any[rule] / m.seen:.2%}" for m in table.values()]
        print(f"| `{rule}` |", " | ".join(cells), "|")


if __name__ == "__main__":
    report()
