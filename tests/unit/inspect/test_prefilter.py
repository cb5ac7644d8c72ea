import threading

import pytest
import re2
from hypothesis import given
from hypothesis import strategies as st

from sekisho.inspect import prefilter as prefilter_module
from sekisho.inspect.prefilter import Expression, Prefilter, relaxed
from sekisho.store.compiled import CompiledFiles


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        ("a{2,40}b", "a{2,}b"),
        ("a{2,8}b{9}c{1,}", "a{2,8}b{9}c{1,}"),
        (r"[a{1,20}]\{1,20}", r"[a{1,20}]\{1,20}"),
        (r"[]{1,20}]x", r"[]{1,20}]x"),
        (r"\Aa\z", "^a$"),
        (r"[^\]]{0,100}", r"[^\]]{0,}"),
    ],
)
def test_relaxed(pattern, expected):
    assert relaxed(pattern) == expected


def test_the_patterns_that_occur():
    prefilter = Prefilter([Expression("abc"), Expression("xyz"), Expression("ABC", caseless=True), Expression("^é$")])
    assert prefilter.occurring(b"-abc-") == [0, 2]
    assert prefilter.occurring("x\né\n".encode()) == [3]
    assert prefilter.occurring(b"") == []


def test_no_patterns_never_occur():
    assert Prefilter([]).occurring(b"x") == []


def test_what_hyperscan_cannot_take_is_always_asked_for():
    # Vectorscan refuses an expression that matches the empty text; RE2 takes it.
    prefilter = Prefilter([Expression("abc"), Expression("a*"), Expression("xyz")])
    assert prefilter.always == {1}
    assert prefilter.occurring(b"xyz") == [1, 2]


PATTERNS = ["[0-9]{2,12}-", r"\bab{0,20}c\b", "(?i)K.{0,9}z", r"\Aa", "c$", "社.{0,30}秘", "[^a]b"]
RE2 = [re2.compile(f"(?m){p}") for p in PATTERNS]
PREFILTER = Prefilter([Expression(p) for p in PATTERNS])


@given(st.lists(st.text("0123-abcKkz \n社外秘é", max_size=30), max_size=5))
def test_nothing_that_re2_finds_in_a_text_is_missed_in_the_joined_texts(texts):
    occurring = PREFILTER.occurring(b"\n".join(t.encode() for t in texts))
    found = {n for n, pattern in enumerate(RE2) if any(pattern.search(t.encode()) for t in texts)}
    assert found <= set(occurring)


def test_threads_do_not_share_scratch():
    data = b"ab" * 200_000 + b" 12-"
    wrong = []

    def scan():
        wrong.extend(r for r in (PREFILTER.occurring(data) for _ in range(20)) if 0 not in r)

    threads = [threading.Thread(target=scan) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


def test_what_was_compiled_is_kept_for_the_next_start(monkeypatch, tmp_path):
    kept = CompiledFiles(tmp_path)
    expressions = [Expression(f"kept{n}") for n in range(110)]
    Prefilter(expressions, kept)
    files = sorted(tmp_path.iterdir())
    assert len(files) == 2

    monkeypatch.setattr(prefilter_module, "_REMEMBERED", {})
    monkeypatch.setattr(prefilter_module, "_compile", None)  # nothing may be compiled
    assert Prefilter(expressions, kept).occurring(b"kept59") == [5, 59]


@pytest.mark.parametrize("damage", [b"", b"nonsense" * 100, None])
def test_damaged_files_are_compiled_anew(monkeypatch, tmp_path, damage):
    monkeypatch.setattr(prefilter_module, "_REMEMBERED", {})
    kept = CompiledFiles(tmp_path)
    expressions = [Expression("damaged")]
    Prefilter(expressions, kept)
    file = next(tmp_path.iterdir())
    whole = file.read_bytes()
    file.write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]) if damage is None else damage)
    monkeypatch.setattr(prefilter_module, "_REMEMBERED", {})
    assert Prefilter(expressions, kept).occurring(b"damaged") == [0]


def test_this_process_remembers_a_bounded_number(monkeypatch):
    monkeypatch.setattr(prefilter_module, "_REMEMBERED", {})
    for number in range(70):
        Prefilter([Expression(f"x{number}")])
    assert len(prefilter_module._REMEMBERED) == 64
