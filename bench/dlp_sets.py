"""The texts that the DLP benchmark looks through: public labelled sets, made ones, and real mail without a leak."""

from __future__ import annotations

import hashlib
import importlib
import json
import lzma
import random
import re
import tarfile
from itertools import accumulate
from pathlib import Path
from typing import TYPE_CHECKING, Any

from msgspec import Struct

from sekisho.inspect.samples import filled_in
from sekisho.mail.message import Text
from sekisho.parse.mime import parse

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


class Labelled(Struct, frozen=True):
    """A text and how often `entity` stands in it; `spans` where that is known, as character offsets."""

    text: str
    entity: str
    count: int
    spans: tuple[tuple[int, int], ...] = ()
    refused: bool = False  # python-stdnum calls one of the values invalid
    by_line: bool = False  # `count` is a number of lines

    def line(self, place: int) -> int:
        """The line that a character stands in, from 0 on; of the first line of a private key, the one below it.

        Some tools point at the one, some at the other.
        """
        end = self.text.find("\n", place)
        head = self.text[self.text.rfind("\n", 0, place) + 1 : end if end >= 0 else None]
        return self.text.count("\n", 0, place) + (end >= 0 and head.startswith("-----BEGIN "))


class Set(Struct, frozen=True):
    """A labelled set. `bare`: nothing says what the numbers are. `files`: its texts are files, not mails."""

    title: str
    texts: list[Labelled]
    bare: bool = False
    files: bool = False

    @property
    def distinct(self) -> list[str]:
        """Its texts, each once: a text is labelled for each entity that is looked for."""
        return list(dict.fromkeys(t.text for t in self.texts))

    @property
    def ours_only(self) -> bool:
        """Whether no other tool looks for any of this."""
        return all(t.entity in JAPANESE for t in self.texts)


class Written(Struct, frozen=True):
    """A text written for the tests, and what group it belongs to."""

    text: str
    group: str


class Ham(Struct, frozen=True):
    """A mail that leaks nothing, as the texts an inspector gets."""

    source: str
    texts: tuple[Text, ...]

    @property
    def joined(self) -> str:
        """All of it in one string, for tools that know no parts."""
        return "\n".join(text.text for text in self.texts)


class Entity(Struct, frozen=True):
    """A line of dlp_entities.tsv, which says what each field is."""

    name: str
    rule: str
    words: str
    presidio: str
    case: str
    stdnum: str
    shape: str
    disputed: str


def _entities() -> list[Entity]:
    lines = Path(__file__).with_name("dlp_entities.tsv").read_text().splitlines()
    rows = [line.split("\t") for line in lines if not line.startswith("#")]
    return [Entity(*("" if cell == "-" else cell for cell in row)) for row in rows[1:]]


ENTITIES = _entities()

_SYNTHETIC = {
    "CREDIT_CARD": "card",
    "US_SSN": "us ssn",
    "IBAN_CODE": "iban",
    "PHONE_NUMBER": "phone",
    "EMAIL_ADDRESS": "e-mail",
    "US_DRIVER_LICENSE": "us driver licence",
}
SECRET = "secret"
GOLDEN = Path(__file__).resolve().parents[1] / "tests" / "golden" / "dlp"
JAPANESE = tuple(
    f"dlp/jp/{name}"
    for name in (
        "my-number", "corporate-number", "drivers-licence", "insurer-number", "health-insurance", "passport",
        "pension-number", "residence-card", "vehicle-plate", "bank-account", "birth-date", "phone", "address", "name",
        "medical",
    )
)  # fmt: skip
_NOREN = {"credit_card": "card", "email": "e-mail"}


def synthetic(data: Path) -> list[Labelled]:
    """presidio-research: 1,500 texts with spans; each text once for each entity that we look for."""
    texts = json.loads((data / "dlp/presidio_research/synth_dataset_v2.json").read_text())
    made = []
    for text in texts:
        for kind, name in _SYNTHETIC.items():
            found = [s for s in text["spans"] if s["entity_type"] == kind]
            spans = tuple((s["start_position"], s["end_position"]) for s in found)
            made.append(Labelled(text["full_text"], name, len(spans), spans))
    return made


def noren(data: Path) -> list[Labelled]:
    """From noren: cards and addresses, with look-alikes."""
    made = []
    for name in ("core-credit-card", "core-email"):
        for text in json.loads((data / f"dlp/noren/{name}.json").read_text()):
            kind = "card" if "card" in name else "e-mail"
            found = [a for a in text["annotations"] if _NOREN.get(a["type"]) == kind]
            spans = tuple((a["start"], a["end"]) for a in found)
            made.append(Labelled(text["text"], kind, len(spans), spans))
    return made


def recogniser_cases(data: Path, *, named: bool) -> list[Labelled]:
    """Presidio's own tests of its recognisers, as they are or after the word by which a mail calls the number.

    Only rows that say how many are to be found.
    """
    files = json.loads((data / "dlp/presidio_recognizer_cases.json").read_text())
    return [
        _case(entity, table["argnames"], row, named=named)
        for entity in ENTITIES
        if entity.case
        for table in files[f"test_{entity.case}_recognizer.py"]
        if "expected_len" in table["argnames"] and "leniency" not in table["argnames"]
        for row in table["rows"]
        if isinstance(row, list) and isinstance(row[1], int) and not isinstance(row[1], bool)
    ]


def _case(entity: Entity, names: str, row: list[object], *, named: bool) -> Labelled:
    text, count = str(row[0]), int(str(row[1]))
    prefix = f"{entity.words}: " if named and entity.words.lower() not in text.lower() else ""
    place = dict(zip(names.replace(" ", "").split(","), row, strict=False))
    given = place.get("expected_positions") or place.get("expected_position") or [[0, len(text)]]
    spans = given if isinstance(given, list) and given and isinstance(given[0], list | tuple) else [given]
    check = _check(entity.stdnum)
    refused = bool(count and check) and not all(check(text[span[0] : span[1]]) for span in spans)
    return Labelled(prefix + text, entity.name, count, refused=refused)


def _check(module: str) -> Callable[[str], bool] | None:
    return importlib.import_module(f"stdnum.{module}").is_valid if module else None


_SENTENCES = ("{word}: {value}", "Hello,\n{word} {value} is the one we have on file.\nRegards", "{word} = {value};")
_ORDINARY = (
    "Order {value} was sent on 12 March.", "Tracking: {value}", "https://shop.example/item/{value}?page=2",
    "Part no. {value} is out of stock", "ticket #{value} closed", "call 415-555-0132 about invoice 20240131-{value}",
)  # fmt: skip


def made(each: int = 60, seed: int = 20240131) -> list[Labelled]:
    """Numbers that python-stdnum calls valid, in a sentence with their word, and the same with one digit wrong."""
    dice = random.Random(seed)
    texts = []
    for entity in ENTITIES:
        if not entity.stdnum:
            continue
        shape = entity.shape
        check = importlib.import_module(f"stdnum.{entity.stdnum}").is_valid
        unused = re.compile(entity.disputed or "(?!)")
        for n in range(each):
            value = _valid(dice, shape, check, unused)
            sentence = _SENTENCES[n % len(_SENTENCES)]
            texts.append(_in_sentence(sentence, entity, value, 1))
            wrong = _wrong(dice, value, check, unused)
            if wrong:
                texts.append(_in_sentence(sentence, entity, wrong, 0))
    return texts


def ordinary(each: int = 60, seed: int = 20240131) -> list[Labelled]:
    """Random numbers of every identifier's shape as order, part and tracking numbers: nothing is to be found."""
    dice = random.Random(seed)
    return [
        Labelled(_ORDINARY[n % len(_ORDINARY)].format(value=_filled(dice, entity.shape)), entity.name, 0)
        for entity in ENTITIES
        if entity.stdnum
        for n in range(each)
    ]


def _in_sentence(sentence: str, entity: Entity, value: str, count: int) -> Labelled:
    text = sentence.format(word=entity.words, value=value)
    start = text.index(value)
    return Labelled(text, entity.name, count, ((start, start + len(value)),) if count else ())


def _filled(dice: random.Random, shape: str) -> str:
    """A shape with its places filled at random; no rule about check digits."""
    for part, low, high in (("YY", 50, 99), ("MM", 1, 12), ("DD", 1, 28)):
        shape = shape.replace(part, f"{dice.randint(low, high):02}")
    filled = "".join(
        dice.choice("0123456789") if c == "9" else dice.choice("ABCDEFGHJKLMNPQRSTVWXYZ") if c == "A" else c
        for c in shape
    )
    return filled.replace("#", "9")


def _valid(dice: random.Random, shape: str, check: Callable[[str], bool], unused: re.Pattern[str]) -> str:
    while True:
        value = _filled(dice, shape)
        if check(value) and not unused.match(value):
            return value


def _wrong(dice: random.Random, value: str, check: Callable[[str], bool], unused: re.Pattern[str]) -> str:
    """The value with one digit changed so that it is invalid; "" where there is no check digit that could tell."""
    changed = [
        value[:i] + digit + value[i + 1 :] for i, c in enumerate(value) if c.isdigit() for digit in "0123456789"
    ]
    invalid = [other for other in changed if not check(other) and not unused.match(other)]
    return dice.choice(invalid) if invalid else ""


_SKIPPED = "pragma: allowlist secret"
_RAW = {"spamassassin_public_corpus": "ham", "enron_berkeley_raw": ".txt", "usrp_users_ham": ".eml"}
_PLAIN = {"enron_spam_preprocessed": "/ham/", "lingspam_bare": "msg"}
_LINES = ("ja_ham_notify", "ja_ham_ruby_announce", "ja_ham_livedoor_news", "ja_ham_business_dialogue")


def ham(data: Path, every: int = 1) -> Iterator[Ham]:
    """All ham, or every n-th of each source. Raw mail goes through the gateway's own parser."""
    for source, word in _RAW.items():
        for n, raw in enumerate(_members(data / "mail" / source / "mail.tar.xz", word)):
            if n % every == 0:
                yield Ham(source, parse(raw).texts)
    for source, word in _PLAIN.items():
        members = _members(data / "mail" / source / "text.tar.xz", word)
        for n, raw in enumerate(members):
            if n % every == 0:
                head, _, body = raw.decode("utf-8", "replace").partition("\n")
                yield Ham(source, (Text(head.removeprefix("Subject:").strip(), "subject"), Text(body, "body")))
    for source in _LINES:
        with lzma.open(data / "mail" / source / "text.jsonl.xz", "rt", encoding="utf-8") as lines:
            for n, line in enumerate(lines):
                if n % every == 0:
                    mail = json.loads(line)
                    yield Ham(source, (Text(mail["subject"], "subject"), Text(mail["body"], "body")))


def _members(path: Path, word: str) -> Iterator[bytes]:
    with tarfile.open(path) as archive:
        for member in archive:
            if member.isfile() and word in member.name and "spmsg" not in member.name:
                file = archive.extractfile(member)
                if file is not None:
                    yield file.read()


def secrets(data: Path) -> list[Labelled]:
    """From noren: keys, tokens and cookies."""
    texts = []
    for file in sorted((data / "dlp/noren").glob("security-*.json")):
        for text in json.loads(file.read_text()):
            spans = tuple((a["start"], a["end"]) for a in text["annotations"])
            lines = len({text["text"].count("\n", 0, start) for start, _ in spans})
            texts.append(Labelled(text["text"], SECRET, lines, spans, by_line=True))
    return texts


def leaky(data: Path) -> list[Labelled]:
    """leaky-repo's files, each with the number of its lines that are a risk."""
    with tarfile.open(data / "dlp/leaky_repo.tar.xz") as archive:
        held = {m.name.removeprefix("leaky_repo/"): archive.extractfile(m) for m in archive if m.isfile()}
        read = {name: file.read().decode("utf-8", "replace") for name, file in held.items() if file is not None}
    rows = [line.split(",") for line in read[".leaky-meta/secrets.csv"].splitlines() if not line.startswith("#")]
    return [
        Labelled(read[row[0]], SECRET, int(row[1]), by_line=True)
        for row in rows
        if row[0] in read and row[1].isdigit()
    ]


def baseline(data: Path) -> list[Labelled]:
    """detect-secrets' test files, each with the lines in its baseline: what an older version of itself found.

    Its line numbers do not all fit the files any more, so that each value is looked for by its hash; one that is not
    there is left out, and so are lines that tell detect-secrets to skip them.
    """
    own = data / "dlp/detect_secrets"
    results = json.loads((own / "baseline.file").read_text())["results"]
    made = []
    for name in results:
        if not (own / name).is_file():
            continue
        lines = ["" if _SKIPPED in line else line for line in (own / name).read_text().splitlines()]
        starts = list(accumulate((len(line) + 1 for line in lines), initial=0))
        labelled = {_line_of(value["hashed_secret"], value["line_number"] - 1, lines) for value in results[name]}
        spans = tuple((starts[n], starts[n] + len(lines[n])) for n in sorted(labelled - {-1}))
        made.append(Labelled("\n".join(lines), SECRET, len(spans), spans, by_line=True))
    return made


def _line_of(digest: str, number: int, lines: list[str]) -> int:
    """The line that holds a value with this SHA-1: the one it should be in, else the first; -1 for none."""
    wanted = [lines[number]] if 0 <= number < len(lines) else []
    for line in (*wanted, *lines):
        values = (line[a:b].encode() for a in range(len(line)) for b in range(a + 3, len(line) + 1))
        if any(hashlib.sha1(value, usedforsecurity=False).hexdigest() == digest for value in values):
            return number if wanted and line is wanted[0] else lines.index(line)
    return -1


def japanese() -> list[Labelled]:
    """Mail written for the tests, half of it without anything; each text once for each Japanese rule."""
    rows = [row for file in sorted((GOLDEN / "ja").glob("*.jsonl")) for row in _lines(file)]
    made = []
    for row in rows:
        for rule in JAPANESE:
            spans = tuple((start, end) for start, end, name in row["spans"] if name == rule)
            made.append(Labelled(row["text"], rule, len(spans), spans))
    return made


def written_secrets() -> list[Written]:
    """Mail and files with secrets, some written after the rules were finished, and look-alikes."""
    groups = {"secrets": "secrets", "held_out": "held out", "lookalikes": "look-alikes"}
    made = []
    for file, group in groups.items():
        for row in _lines(GOLDEN / "secrets" / f"{file}.jsonl"):
            secret = row.get("secret", file == "secrets")
            if row["where"] in ("body", "attachment"):
                made.append(Written(filled_in(row["text"]), group if secret else "look-alikes"))
    return made


def _lines(file: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]
