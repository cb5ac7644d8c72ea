"""Every mail corpus of ../shared/data and the messages we wrote ourselves, in one shape: `python train/corpora.py`.

A source is a folder of the shared data, or "written_<label>_<language>" (train/written) or
"golden_<label>_<language>" (tests/golden/content, never trained on).
"""

from __future__ import annotations

import csv
import io
import json
import lzma
import re
import sys
import tarfile
from collections import Counter
from collections.abc import Callable, Collection, Iterator
from pathlib import Path
from typing import Literal, NamedTuple, get_args

from mail_text import group, language, subject_and_text
from msgspec import Struct
from traces import without_footers, without_source_traces, without_tags
from written import plain, rendered, tables

__all__ = ["LABELS", "PROJECT", "SHARED", "SOURCES", "Label", "Sample", "samples", "without_source_traces"]

Label = Literal["ham", "spam", "phishing", "bec"]
LABELS: tuple[Label, ...] = get_args(Label)
PROJECT = Path(__file__).resolve().parents[1]
SHARED = PROJECT.parent / "shared" / "data"
WRITTEN = {"written": PROJECT / "train" / "written", "golden": PROJECT / "tests" / "golden" / "content"}
MIXED = "eu"  # a folder of several European languages


class Sample(Struct, frozen=True):
    """One message of a corpus.

    `raw` is a whole message (RFC 5322, CRLF); `group` is the same for near-duplicates; `headers` says whether its
    headers are real. `ship_safe`: a model that ships may be trained on it.
    """

    source: str
    label: Label
    language: str
    ship_safe: bool
    raw: bytes
    group: str
    headers: bool


class Found(NamedTuple):
    """What a reader gives: a raw message, or subject and text of one that has no headers."""

    label: Label
    raw: bytes | None
    subject: str
    text: str


class Corpus(NamedTuple):
    """A folder of the shared data: its reader, its terms, and its language ("" = told from each text)."""

    read: Callable[[Path], Iterator[Found]]
    ship_safe: bool = True
    language: str = ""


def samples(root: Path, sources: Collection[str] | None = None) -> Iterator[Sample]:
    """Each distinct message of all sources, or of those named, one per group and source.

    `root` is the shared data folder. ValueError names a source that is not there, or a broken file of our own.
    """
    wanted = list(SOURCES) + own_sources() if sources is None else list(sources)
    for source in wanted:
        known: set[str] = set()
        for sample in _of_source(root, source):
            if sample.group not in known:
                known.add(sample.group)
                yield sample


def own_sources() -> list[str]:
    """The sources we wrote that have files now, by name."""
    return sorted({name for kind in WRITTEN for name, _ in _own_files(kind)})


def _own_files(kind: str) -> Iterator[tuple[str, Path]]:
    """(source, file): the language is the name of its folder, or what a file right below the label begins with."""
    for label in LABELS:
        place = WRITTEN[kind] / label
        for file in sorted([*place.glob("*.toml"), *place.glob("*/*.toml")]):
            spoken = file.stem.partition("-")[0] if file.parent == place else file.parent.name
            yield f"{kind}_{label}_{spoken}", file


def _of_source(root: Path, source: str) -> Iterator[Sample]:
    if source.partition("_")[0] in WRITTEN:
        yield from _own(source)
        return
    if source not in SOURCES or not (root / "mail" / source).is_dir():
        raise ValueError(f"no source {source} in {root / 'mail'}")
    corpus = SOURCES[source]
    for number, found in enumerate(corpus.read(root / "mail" / source)):
        yield _sample(source, corpus, found, number)


def _sample(source: str, corpus: Corpus, found: Found, number: int) -> Sample:
    subject, text = (found.subject, found.text) if found.raw is None else subject_and_text(found.raw)
    raw = plain(f"{source}/{number}", subject, text) if found.raw is None else _crlf(found.raw)
    return Sample(
        source=source,
        label=found.label,
        language=corpus.language or language(f"{subject}\n{text}"),
        ship_safe=corpus.ship_safe,
        raw=raw,
        group=group(without_tags(subject), without_footers(text)),
        headers=found.raw is not None,
    )


def _own(source: str) -> Iterator[Sample]:
    kind, label, spoken = source.split("_", 2)
    if label not in LABELS or kind not in WRITTEN:
        raise ValueError(f"no source {source}")
    for file in (file for name, file in _own_files(kind) if name == source):
        for table in tables(file):
            subject, text = str(table.get("subject", "")), str(table.get("body") or table.get("html"))
            told = language(f"{subject}\n{text}") if spoken == MIXED else spoken
            ship_safe = kind == "written"
            yield Sample(source, label, told, ship_safe, rendered(table), group(subject, text), headers=True)


def _crlf(raw: bytes) -> bytes:
    """CRLF line ends, without the From_ line of a mailbox."""
    if raw.startswith((b"From ", b">From ")):
        raw = raw.partition(b"\n")[2]
    return raw.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")


def _members(archive: Path) -> Iterator[tuple[str, bytes]]:
    with tarfile.open(archive, "r|xz") as tar:
        for member in tar:
            file = tar.extractfile(member) if member.isfile() else None
            if file is not None:
                yield member.name, file.read()


def _raw_archive(label_of: Callable[[str], Label | None]) -> Callable[[Path], Iterator[Found]]:
    """Reads mail.tar.xz; a member without a label is left out."""

    def read(folder: Path) -> Iterator[Found]:
        for name, raw in _members(folder / "mail.tar.xz"):
            if label := label_of(name):
                yield Found(label, raw, "", "")

    return read


def _text_archive(label_of: Callable[[str], Label | None]) -> Callable[[Path], Iterator[Found]]:
    """Reads text.tar.xz: a first line "Subject: ...", then the text."""

    def read(folder: Path) -> Iterator[Found]:
        for name, octets in _members(folder / "text.tar.xz"):
            if label := label_of(name):
                first, _, text = octets.decode("utf-8", "replace").replace("\r\n", "\n").partition("\n")
                yield Found(label, None, re.sub(r"^subject\s*:", "", first, flags=re.IGNORECASE).strip(), text)

    return read


def _mailboxes(folder: Path) -> Iterator[Found]:
    for _, octets in _members(folder / "mbox.tar.xz"):
        for raw in re.split(rb"(?m)^From (?=\S+ .*\d{4}\r?$)", octets)[1:]:
            if b"Mail System Internal Data" not in raw[:400]:  # the mail program's own first message
                yield Found("phishing", re.sub(rb"(?m)^>(?=>*From )", b"", raw.partition(b"\n")[2]), "", "")


def _json_lines(folder: Path) -> Iterator[Found]:
    with lzma.open(folder / "text.jsonl.xz", "rt", encoding="utf-8") as lines:
        for line in lines:
            item = json.loads(line)
            yield Found("ham", None, item["subject"], item["body"])


def _bec_tables(folder: Path) -> Iterator[Found]:
    for name, column in (("bec_examples_split.csv", "label"), ("BEC-1-human.csv", "Human")):
        rows = csv.DictReader(io.StringIO((folder / name).read_text(encoding="utf-8-sig")))
        yield from (Found("bec", None, row["subject"], row["body"]) for row in rows if row[column] != "negative")


def _spamassassin(name: str) -> Label | None:
    return "spam" if name.startswith("spam") else "ham"


def _enron_texts(name: str) -> Label | None:
    return "spam" if "/spam/" in name else "ham"


def _enron_raw(name: str) -> Label | None:
    return "ham" if name.endswith(".txt") else None  # the .cats beside it are labels of the genre


def _lingspam(name: str) -> Label | None:
    if not name.endswith(".txt") or "/part" not in name:
        return None
    return "spam" if Path(name).name.startswith("spmsg") else "ham"


def _dead_list(name: str) -> Label | None:
    return "spam" if name.startswith("spam/") else None  # bounces quote anything


def _phishing(_: str) -> Label | None:
    return "phishing"


def _ham(_: str) -> Label | None:
    return "ham"


SOURCES: dict[str, Corpus] = {
    "spamassassin_public_corpus": Corpus(_raw_archive(_spamassassin)),
    "enron_berkeley_raw": Corpus(_raw_archive(_enron_raw), language="en"),
    "enron_spam_preprocessed": Corpus(_text_archive(_enron_texts), language="en"),
    "lingspam_bare": Corpus(_text_archive(_lingspam), language="en"),
    "usrp_users_ham": Corpus(_raw_archive(_ham), language="en"),
    "osst_users_deadlist": Corpus(_raw_archive(_dead_list)),
    "nazario_mbox_2004_2005": Corpus(_mailboxes, language="en"),
    "ja_phishing_lists": Corpus(_raw_archive(_phishing), language="ja"),
    "phishing_pot_2019_2024": Corpus(_raw_archive(_phishing), ship_safe=False),  # holds plain spam too
    "bec_rdube": Corpus(_bec_tables, ship_safe=False, language="en"),
    "ja_ham_notify": Corpus(_json_lines, language="ja"),
    "ja_ham_ruby_announce": Corpus(_json_lines, language="ja"),
    "ja_ham_livedoor_news": Corpus(_json_lines, ship_safe=False, language="ja"),
    "ja_ham_business_dialogue": Corpus(_json_lines, ship_safe=False, language="ja"),
}


def main() -> None:
    """Print how many distinct messages each source has, by label and language."""
    labels: Counter[tuple[str, str]] = Counter()
    languages: dict[str, Counter[str]] = {}
    for sample in samples(SHARED, sys.argv[1:] or None):
        labels[sample.source, sample.label] += 1
        languages.setdefault(sample.source, Counter())[sample.language] += 1
    for (source, label), number in labels.items():
        spoken = " ".join(f"{name} {n}" for name, n in languages[source].most_common(6))
        print(f"{source:28} {label:9} {number:6}  {spoken}")


if __name__ == "__main__":
    main()
