"""Breach lists: built, mapped, searched."""

import hashlib
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sekisho.accounts.passwords.breach_build import build
from sekisho.accounts.passwords.breaches import HEAD, WIDTH, BreachList, BreachListError, truncated
from sekisho.config.password_checks import BREACH_MAGIC


def written(path, entries):
    path.write_bytes(BREACH_MAGIC + len(entries).to_bytes(8, "big") + b"".join(sorted(entries)))
    return BreachList.open(path)


def test_truncated_sha_1():
    """FIPS 180-4: SHA-1 of "abc" begins with A9993E36 4706816A."""
    assert truncated(b"abc") == bytes.fromhex("a9993e364706816a")


@given(st.sets(st.text(min_size=1, max_size=8), max_size=50), st.text(min_size=1, max_size=8))
def test_as_a_set(tmp_path_factory, passwords, other):
    folder = tmp_path_factory.mktemp("set")
    typed = {one for one in passwords if one.isprintable() and one.isascii()}
    (folder / "plain").write_text("\n".join(typed))
    if not typed:
        return
    build(folder / "plain", folder / "list", "plain")
    known = BreachList.open(folder / "list")
    assert known.entries == len(typed)
    assert all(one in known for one in typed)
    assert not (other.isascii() and other.isprintable() and other not in typed and other in known)
    known.close()


def test_many(tmp_path):
    chance = random.Random(7)
    words = [f"{chance.getrandbits(64):x}" for _ in range(50_000)]
    known = written(tmp_path / "list", {truncated(word.encode()) for word in words})
    assert all(word in known for word in words)
    assert not any(f"not {word}" in known for word in words)


def test_uneven_lists_are_searched_whole(tmp_path):
    """Nobody's download is so, but a wrong guess at the place must not hide an entry."""
    low = [number.to_bytes(WIDTH, "big") for number in range(100_000)]
    known = written(tmp_path / "list", [*low, truncated(b"abc")])
    assert "abc" in known
    assert "abd" not in known
    known = written(
        tmp_path / "other",
        [b"\xff" * 6 + number.to_bytes(2, "big") for number in range(60_000)] + [truncated(b"abc")],
    )
    assert "abc" in known


def test_edges(tmp_path):
    assert "abc" not in written(tmp_path / "empty", [])
    assert "abc" in written(tmp_path / "one", [truncated(b"abc")])
    assert "" not in written(tmp_path / "again", [truncated(b"")])


def test_prepared_form_is_looked_up(tmp_path):
    known = written(tmp_path / "list", [hashlib.sha1("café".encode()).digest()[:WIDTH]])
    assert "cafe\u0301" in known


@pytest.mark.parametrize(
    "content", [b"", b"nothing", BREACH_MAGIC, BREACH_MAGIC + bytes(7) + b"\1", BREACH_MAGIC + bytes(8) + b"x"]
)
def test_damage_is_told(tmp_path, content):
    (tmp_path / "list").write_bytes(content)
    with pytest.raises(BreachListError):
        BreachList.open(tmp_path / "list")
    with pytest.raises(OSError, match="No such file"):
        BreachList.open(tmp_path / "missing")


def test_head():
    assert len(BREACH_MAGIC) + 8 == HEAD
