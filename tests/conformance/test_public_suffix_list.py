"""The test vectors of the Public Suffix List, whole, against the list that is installed."""

from pathlib import Path

import pytest

from sekisho.mailauth.author import ascii_domain
from sekisho.mailauth.organizational import listed_domain

VECTORS = Path(__file__).parents[3] / "shared" / "data" / "auth" / "psl" / "tests.txt"


def vectors():
    if not VECTORS.exists():
        return []
    lines = VECTORS.read_text(encoding="utf-8").splitlines()
    return [tuple(line.split()) for line in lines if line.strip() and not line.startswith("//")]


@pytest.mark.skipif(not VECTORS.exists(), reason="the vectors of the Public Suffix List are not there")
def test_the_vectors_are_read():
    assert len(vectors()) > 70


@pytest.mark.parametrize(("name", "expected"), vectors())
def test_registrable_domain(name, expected):
    wanted = "" if expected == "null" else ascii_domain(expected)
    assert listed_domain("" if name == "null" else name) == wanted
