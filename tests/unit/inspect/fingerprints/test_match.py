import random
import string

import pytest

from sekisho.inspect.fingerprints.library import Fingerprints, Register
from sekisho.inspect.fingerprints.match import MOST_MATCHES, matches
from sekisho.mail.message import Text

KEY = bytes(range(32))


def prose(seed, words=1000):
    chance = random.Random(seed)
    known = ["".join(chance.choices(string.ascii_lowercase, k=chance.randrange(2, 9))) for _ in range(900)]
    return " ".join(chance.choices(known, k=words))


@pytest.fixture
def find(tmp_path):
    def register(*texts):
        with Register(tmp_path, KEY, "default").changing() as changing:
            for number, text in enumerate(texts):
                changing.add(f"d{number}", b"", [text])
        registered = Fingerprints.open(tmp_path, KEY)[0].of("default")
        return lambda *given: matches(registered.index, registered.shingler, given)

    return register


def words(text, start, end):
    return " ".join(text.split()[start:end])


def test_shares_of_both_sides(find):
    document = prose(1)
    (match,) = find(document)(Text(words(document, 200, 450) + " " + prose(2, 250), "body", "1"))
    assert match.share == pytest.approx(0.25, abs=0.05)
    assert match.text_share == pytest.approx(0.5, abs=0.08)
    assert match.passages == 1
    copied = len("".join(document.split()[200:450]))
    assert match.longest == pytest.approx(copied, rel=0.1)


def test_passages_are_counted(find):
    document = prose(1)
    text = " ".join(words(document, start, start + 80) + " " + prose(start, 80) for start in (600, 0, 300))
    (match,) = find(document)(Text(text, "body"))
    assert match.passages == 3


def test_the_same_text_twice_counts_once(find):
    document = prose(1)
    once, twice = (
        find(document)(*[Text(words(document, 0, 300), "body", str(n)) for n in range(k)])[0] for k in (1, 2)
    )
    assert (once.share, once.pieces) == (twice.share, twice.pieces)


def test_pages_of_a_file_count_together_and_the_fullest_place_is_named(find):
    document = prose(1)
    pages = [Text(words(document, n, n + 100), "attachment", "2", "a.pdf", f"page {n}") for n in (0, 100)]
    pages.append(Text(words(document, 200, 600), "attachment", "2", "a.pdf", "page 3"))
    (match,) = find(document)(Text("See attachment.", "body", "1"), *pages)
    assert match.share == pytest.approx(0.6, abs=0.08)
    assert match.text_share == pytest.approx(1, abs=0.05)
    assert match.text.place == "page 3"


def test_headers_and_names_are_left_out(find):
    document = prose(1)
    look = find(document)
    assert [look(Text(document, where)) for where in ("subject", "header", "filename")] == [[], [], []]


def test_a_version_that_says_nothing_new_is_left_out(find):
    new = prose(1)
    old = words(new, 0, 700)
    look = find(old, new, prose(2))
    assert [m.document.name for m in look(Text(new, "body"))] == ["d1"]
    assert [m.document.name for m in look(Text(new, "body"), Text(prose(2), "body"))] == ["d1", "d2"]


def test_at_most_so_many(find):
    texts = [prose(n, 200) for n in range(MOST_MATCHES + 3)]
    assert len(find(*texts)(*(Text(text, "body") for text in texts))) == MOST_MATCHES


def test_two_pieces_are_nothing(find):
    document = prose(1)
    assert find(document)(Text(words(document, 500, 512), "body")) == []
