"""The filter that is shipped is the one that the lists give."""

import sys
from pathlib import Path

import pytest

PROJECT = Path(__file__).parents[3]
sys.path.insert(0, str(PROJECT / "train"))
import passwords  # noqa: E402 - scripts are no package

from sekisho.accounts.passwords.blocklist import FILE, built  # noqa: E402 - see above

needs_lists = pytest.mark.skipif(not passwords.SHARED.is_dir(), reason="../shared/data/passwords is not there")


@needs_lists
def test_the_shipped_filter_is_what_is_built():
    assert (PROJECT / FILE).read_bytes() == built(sorted(passwords.entries())), "run `make passwords`"


@needs_lists
def test_counts_and_licences_are_no_passwords():
    words = set(passwords.shared_words())
    assert {"password", "qwerty", "smith"} <= words
    assert "124933855" not in words
    assert "MIT" not in words


def test_own_words():
    assert {"aishiteru", "佐藤", "太郎"} <= set(passwords.own_words())
