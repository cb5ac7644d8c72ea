import random
import string

import pytest
from support.attached import transaction

from sekisho.inspect.fingerprints.inspector import FingerprintInspector
from sekisho.inspect.fingerprints.library import Fingerprints, Register
from sekisho.inspect.run import inspect_sync
from sekisho.mail.finding import Severity
from sekisho.mail.message import Text
from sekisho.mail.opened import File

KEY = bytes(range(32))


def prose(seed, words=1000):
    chance = random.Random(seed)
    known = ["".join(chance.choices(string.ascii_lowercase, k=chance.randrange(2, 9))) for _ in range(900)]
    return " ".join(chance.choices(known, k=words))


@pytest.fixture
def inspector(tmp_path):
    with Register(tmp_path, KEY, "default").changing() as changing:
        changing.add("Merger plan", b"", [prose(1)])
    return FingerprintInspector(Fingerprints.open(tmp_path, KEY)[0])


def words(start, end):
    return " ".join(prose(1).split()[start:end])


def test_a_finding_says_which_document_and_how_much_of_it(inspector):
    (finding,) = inspector.inspect(transaction(body=words(0, 120)))
    assert (finding.rule, finding.severity, finding.where, finding.part) == (
        "dlp/fingerprint/document", Severity.MEDIUM, "body", "",
    )  # fmt: skip
    assert "'Merger plan'" in finding.explanation
    assert finding.excerpt == ""
    assert not [w for w in words(0, 120).split() if len(w) > 6 and w in finding.explanation]
    assert 0.75 <= finding.confidence <= 1


@pytest.mark.parametrize(("share", "severity"), [(0.2, Severity.MEDIUM), (0.4, Severity.HIGH), (1, Severity.HIGH)])
def test_severity_rises_with_the_share(inspector, share, severity):
    (finding,) = inspector.inspect(transaction(body=words(0, int(1000 * share))))
    assert finding.severity == severity


def test_a_sentence_is_nothing(inspector):
    assert list(inspector.inspect(transaction(body=words(300, 320)))) == []


def test_in_a_file_inside_an_attachment(inspector):
    text = Text(words(0, 500), "attachment", "2", "all.zip/plan.docx", "page 2")
    file = File("2", "all.zip/plan.docx", "docx", 1, "00" * 32, texts=(text,))
    (finding,) = inspector.inspect(transaction(("all.zip", b"PK"), opened=[file]))
    assert (finding.part, finding.path, finding.where) == ("2", "all.zip/plan.docx", "attachment")
    assert "page 2" in finding.explanation


def test_what_the_recipient_wrote_is_half_as_sure(inspector):
    quoted = f"See below.\n\nOn 1 Apr 2026, Taro <taro@example.net> wrote:\n> {words(0, 500)}\n"
    (finding,) = inspector.inspect(transaction(body=quoted))
    assert (finding.confidence, finding.path) == (0.97 / 2, "quoted reply")
    (finding,) = inspector.inspect(transaction(body=quoted.replace("taro@", "somebody@")))
    assert (finding.confidence, finding.path) == (0.97, "")


def test_own_words_beside_a_quotation_are_as_sure_as_ever(inspector):
    body = f"{words(500, 700)}\n\nOn 1 Apr 2026, Taro <taro@example.net> wrote:\n> {words(0, 500)}\n"
    own, quoted = inspector.inspect(transaction(body=body))
    assert (own.confidence, own.path, quoted.path) == (0.9, "", "quoted reply")
    assert quoted.confidence < 0.5


def test_without_documents(tmp_path):
    empty = FingerprintInspector(Fingerprints.open(tmp_path / "none", KEY)[0])
    assert list(empty.inspect(transaction(body=words(0, 500)))) == []


def test_documents_may_be_replaced(inspector, tmp_path):
    inspector.documents = Fingerprints.open(tmp_path / "none", KEY)[0]
    assert inspect_sync(transaction(body=words(0, 500)), [inspector]).findings == ()
