"""Documents found again: our own texts copied, edited, converted; and texts of others, in which nothing is found.

What counts as copied is decided by another method than the one under test: runs of words that both texts have.
"""

import json
import lzma
import random
import re
import tarfile
import zlib
from pathlib import Path

import msgspec
import pytest
from support.attached import transaction
from support.office import paragraph, run, word

from sekisho.inspect.fingerprints.inspector import FingerprintInspector, tells
from sekisho.inspect.fingerprints.library import Fingerprints, Register, TooShortError, registrable
from sekisho.inspect.fingerprints.match import matches
from sekisho.mail.finding import Severity
from sekisho.mail.message import Text
from sekisho.mail.opened import Attachment, OpenRequest
from sekisho.parse.unpack.job import decode, prepare

GOLDEN = Path(__file__).parents[1] / "golden" / "dlp" / "documents"
MAIL = Path(__file__).parents[3] / "shared" / "data" / "mail"
ENGLISH = (GOLDEN / "plan.en.txt").read_text("utf-8")
JAPANESE = (GOLDEN / "plan.ja.txt").read_text("utf-8")
KEY = bytes(range(32))
BOTH = pytest.mark.parametrize("plan", [ENGLISH, JAPANESE], ids=["en", "ja"])


@pytest.fixture
def look(tmp_path):
    """Register the plan, and say what is found of it in a message or in its opened files."""

    def registered(plan):
        with Register(tmp_path, KEY, "default").changing() as register:
            register.add("plan", b"", [plan])
        return FingerprintInspector(Fingerprints.open(tmp_path, KEY)[0])

    def find(plan, body="See attachment.", opened=()):
        return registered(plan).inspect(transaction(body=body, opened=opened))

    return find


def share(finding):
    return int(re.search(r"(\d+) ?% of it", finding.explanation)[1])


def opened(name, content):
    request = OpenRequest((Attachment("2", name, "application/octet-stream", content),))
    return decode(prepare(b"")(msgspec.msgpack.encode(request))).files


@BOTH
def test_the_whole_text(look, plan):
    (finding,) = look(plan, plan)
    assert (finding.rule, finding.severity, finding.where) == (
        "dlp/fingerprint/document", Severity.HIGH, "body",
    )  # fmt: skip
    assert share(finding) == 100


@BOTH
def test_two_paragraphs_in_a_mail(look, plan):
    paragraphs = plan.split("\n\n")
    (finding,) = look(plan, "FYI, below is what I told you about.\n\n" + "\n\n".join(paragraphs[3:5]) + "\n\nRegards")
    assert 15 <= share(finding) <= 45
    assert not any(sentence in finding.explanation for sentence in re.split(r"[.。]", plan) if len(sentence) > 10)


@BOTH
def test_one_paragraph_is_medium(look, plan):
    (finding,) = look(plan, plan.split("\n\n")[3])
    assert finding.severity == Severity.MEDIUM


@BOTH
def test_quoted_and_broken_into_lines_of_other_lengths(look, plan):
    quoted = "\n".join("> " + plan[at : at + 61].replace("\n", " ") for at in range(0, len(plan), 61))
    (finding,) = look(plan, quoted)
    assert share(finding) == 100


@BOTH
def test_paragraphs_in_another_order(look, plan):
    (finding,) = look(plan, "\n\n".join(reversed(plan.split("\n\n"))))
    assert share(finding) >= 80


def test_capitals_and_full_width_forms(look):
    shouted = ENGLISH.upper().translate({c: c + 0xFEE0 for c in range(0x21, 0x7F)})
    assert share(look(ENGLISH, shouted)[0]) == 100


def test_a_tenth_of_the_words_changed(look):
    chance = random.Random(1)
    words = ENGLISH.split()
    edited = [chance.choice(words) if chance.random() < 0.1 else word for word in words]
    (finding,) = look(ENGLISH, " ".join(edited))
    assert finding.severity == Severity.HIGH
    assert 30 <= share(finding) <= 80


def test_a_tenth_of_the_japanese_changed(look):
    chance = random.Random(1)
    pairs = [JAPANESE[at : at + 2] for at in range(0, len(JAPANESE), 2)]
    edited = [chance.choice(pairs) if chance.random() < 0.1 else pair for pair in pairs]
    (finding,) = look(JAPANESE, "".join(edited))
    assert 20 <= share(finding) <= 80


def test_a_translation_is_another_text(look):
    assert look(ENGLISH, JAPANESE) == []
    assert look(JAPANESE, ENGLISH) == []


@BOTH
def test_a_text_about_the_same_thing_is_not_found(look, plan):
    other = {
        ENGLISH: "The board met about the new plant. Kitahama was named again, so was Minamigaoka, and the bank's "
        "offer of 1.35 per cent. People asked about the piles and about the night shift; nothing is decided yet.",
        JAPANESE: "取締役会で新工場が話題になりました。北浜と南が丘の名前が再び挙がり、銀行の提示した"
        "一・三五パーセントについても質問がありました。杭工事と東野の夜勤についても意見が出ましたが、まだ何も決まっていません。",
    }[plan]
    assert look(plan, other) == []


@BOTH
def test_saved_again_as_a_word_file_with_other_formatting(look, plan):
    pieces = [[line[:7], line[7:20], line[20:]] for line in plan.split("\n\n")]
    document = word("".join(paragraph(*(run(piece) for piece in line)) for line in pieces))
    (finding,) = look(plan, opened=opened("renamed.docx", document))
    assert share(finding) >= 97
    assert (finding.path, finding.part, finding.where) == ("renamed.docx", "2", "attachment")


def pdf(text):
    """A PDF of some pages with a line for every 80 characters, compressed."""
    plain = [text[at : at + 80].replace("(", "").replace(")", "") for at in range(0, len(text), 80)]
    pages = [plain[at : at + 20] for at in range(0, len(plain), 20)]
    objects = [b"<</Type/Catalog/Pages 2 0 R>>", b"", b"<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>"]
    kids = []
    for lines in pages:
        shown = "BT /F1 9 Tf 12 TL 40 800 Td " + " ".join(f"({line}) Tj T*" for line in lines) + " ET"
        stream = zlib.compress(shown.encode("ascii"))
        objects.append(b"<</Length %d/Filter/FlateDecode>>stream\n%s\nendstream" % (len(stream), stream))
        objects.append(
            b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 600 850]/Resources<</Font<</F1 3 0 R>>>>/Contents %d 0 R>>"
            % len(objects)
        )
        kids.append(len(objects))
    objects[1] = b"<</Type/Pages/Count %d/Kids[%s]>>" % (len(kids), b" ".join(b"%d 0 R" % kid for kid in kids))
    made, offsets = b"%PDF-1.7\n", []
    for number, content in enumerate(objects, 1):
        offsets.append(len(made))
        made += b"%d 0 obj\n%s\nendobj\n" % (number, content)
    table = b"".join(b"%010d 00000 n \n" % offset for offset in offsets)
    size = len(objects) + 1
    trailer = b"trailer<</Size %d/Root 1 0 R>>\nstartxref\n%d\n%%%%EOF" % (size, len(made))
    return made + b"xref\n0 %d\n0000000000 65535 f \n" % size + table + trailer


def test_a_pdf_of_the_same_text(look):
    (finding,) = look(ENGLISH, opened=opened("plan.pdf", pdf(ENGLISH.replace("\n", " "))))
    assert share(finding) >= 85
    assert "page" in finding.explanation


def test_a_registered_pdf_is_found_in_a_mail(tmp_path):
    texts = [text.text for file in opened("plan.pdf", pdf(ENGLISH)) for text in file.texts if registrable(text)]
    with Register(tmp_path, KEY, "default").changing() as register:
        register.add("plan.pdf", b"", texts)
    inspector = FingerprintInspector(Fingerprints.open(tmp_path, KEY)[0])
    (finding,) = inspector.inspect(transaction(body=ENGLISH))
    assert share(finding) >= 85


def articles():
    with lzma.open(MAIL / "ja_ham_livedoor_news" / "text.jsonl.xz", "rt", encoding="utf-8") as lines:
        return [json.loads(line)["body"] for line in lines]


def office_mail():
    with tarfile.open(MAIL / "enron_spam_preprocessed" / "text.tar.xz") as members:
        return [
            members.extractfile(m).read().decode("utf-8", "replace")
            for m in members
            if "ham" in m.name and m.isfile()
        ]


def copied(text, other, least=8):
    """How many words (of Japanese: characters) stand in runs of at least 8 that the other text has as well."""
    one, two = (re.findall(r"[a-z0-9]+|[^\W_a-z0-9]", t.lower()) for t in (text, other))
    runs = {tuple(two[at : at + least]) for at in range(len(two) - least + 1)}
    seen = set()
    for at in range(len(one) - least + 1):
        if tuple(one[at : at + least]) in runs:
            seen.update(range(at, at + least))
    return len(seen)


@pytest.mark.corpus
@pytest.mark.parametrize(("corpus", "enough"), [(articles, 60), (office_mail, 40)], ids=["ja", "en"])
def test_false_alarms(tmp_path, corpus, enough):
    """500 documents of one half of a corpus, the other half looked through: fewer than 1 false alarm in 1,000."""
    if not MAIL.is_dir():
        pytest.skip("../shared/data/mail is not there")
    texts = corpus()
    known, others = texts[: len(texts) // 2], texts[len(texts) // 2 :]
    with Register(tmp_path, KEY, "default").changing() as register:
        for number, text in enumerate(known):
            try:
                register.add(str(number), b"", [text])
            except TooShortError:
                continue
            if len(register.documents) == 500:
                break
    registered = Fingerprints.open(tmp_path, KEY)[0].of("default")
    assert len(registered.index.documents) == 500
    told = wrong = 0
    for text in others:
        found = [m for m in matches(registered.index, registered.shingler, [Text(text, "body")]) if tells(m)]
        told += bool(found)
        wrong += bool(found) and all(copied(text, known[int(m.document.name)]) < enough for m in found)
    print(f"{len(others)} texts: {told} found, {wrong} of them without a copied passage")
    assert wrong * 1000 < len(others)
