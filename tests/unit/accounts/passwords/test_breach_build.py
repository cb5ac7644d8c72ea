"""Breach lists of downloads."""

import hashlib
import random

import pytest

from sekisho.accounts.passwords import breach_build
from sekisho.accounts.passwords.breach_build import BreachSourceError, Built, build
from sekisho.accounts.passwords.breaches import HEAD, WIDTH, BreachList

WORDS = [f"word {number}" for number in range(3000)]


def sha1_line(word, count=3, end="\r\n"):
    return f"{hashlib.sha1(word.encode()).hexdigest().upper()}:{count}{end}"


@pytest.fixture
def made(tmp_path):
    def make(content, form=None):
        source, target = tmp_path / "source", tmp_path / "list"
        source.write_bytes(content if isinstance(content, bytes) else content.encode())
        done = build(source, target, form)
        return done, BreachList.open(target)

    return make


def entries(path):
    data = path.read_bytes()[HEAD:]
    return [data[at : at + WIDTH] for at in range(0, len(data), WIDTH)]


@pytest.mark.parametrize("order", ["sorted", "mixed"])
@pytest.mark.parametrize("end", ["\r\n", "\n"])
def test_sha1_download(made, tmp_path, order, end):
    lines = sorted(sha1_line(word, number, end) for number, word in enumerate(WORDS))
    if order == "mixed":
        random.Random(5).shuffle(lines)
    done, known = made("".join(lines).removesuffix(end))
    assert done == Built(3000, 3000, 0)
    assert all(word in known for word in WORDS)
    assert entries(tmp_path / "list") == sorted(hashlib.sha1(word.encode()).digest()[:WIDTH] for word in WORDS)


def test_without_counts_and_in_small_letters(made):
    _, known = made("".join(hashlib.sha1(word.encode()).hexdigest() + "\n" for word in WORDS))
    assert all(word in known for word in WORDS)


def test_one_password_a_line(made):
    done, known = made("password\nП\xe4ss\n\npassword\r\nwith blanks in it\n\x07bell\n")
    assert done == Built(5, 3, 1)
    assert "password" in known
    assert "with blanks in it" in known
    assert "П\xe4ss" in known


def test_what_is_no_text_is_left_out(made):
    done, known = made(b"first\n\xff\xfe\n" + b"x" * 5000 + b"\nlast")
    assert done == Built(4, 2, 2)
    assert "last" in known


def test_format_may_be_said(made):
    digest = hashlib.sha1(b"abc").hexdigest()
    done, known = made(digest, "plain")
    assert done.entries == 1
    assert digest in known
    assert "abc" not in known


@pytest.mark.parametrize(
    ("content", "why"),
    [
        ("", "empty"),
        ("\n\n", "empty"),
        ("209C6174DA490CAEB422F3FA5A7AE634:12\n" * 3, "NTLM"),
        (b"\x1f\x8b\x08\x00rest", "compressed"),
        (sha1_line("a") * 200 + "not a hash\n", "line 201"),
        (sha1_line("a") * 200 + sha1_line("b").replace(":", "A"), "line 201"),
        (sha1_line("a") * 200 + "\r\n\n" + "G" * 40 + "\n", "line 203"),
        (sha1_line("a") * 200 + "AB:1\n", "line 201"),
    ],
)
def test_what_cannot_be_used_is_told_with_its_line(made, tmp_path, content, why):
    with pytest.raises(BreachSourceError, match=why):
        made(content)
    assert not (tmp_path / "list").exists()
    assert [file.name for file in tmp_path.iterdir()] == ["source"]


def test_a_list_in_use_stays_when_the_next_fails(made, tmp_path):
    made(sha1_line("abc"))
    before = (tmp_path / "list").read_bytes()
    with pytest.raises(BreachSourceError):
        made(sha1_line("a") * 200 + "x\n")
    assert (tmp_path / "list").read_bytes() == before


@pytest.mark.parametrize("block", [64, 1000])
def test_blocks_and_parts_are_no_borders(made, monkeypatch, block):
    """With blocks of a line or so, and dealt out every few entries."""
    monkeypatch.setattr(breach_build, "_BLOCK", block)
    monkeypatch.setattr(breach_build, "_HELD", 10)
    done, known = made("".join(sha1_line(word) for word in WORDS[:300] * 2))
    assert (done.lines, done.entries) == (600, 300)
    assert all(word in known for word in WORDS[:300])
    done, known = made("\n".join(WORDS[:300]))
    assert done.entries == 300
    assert all(word in known for word in WORDS[:300])


def test_a_line_without_end_is_refused(made, monkeypatch):
    monkeypatch.setattr(breach_build, "_BLOCK", 1000)
    with pytest.raises(BreachSourceError, match="longer"):
        made(b"x" * 10_000)
