"""Pieces of a few octets, so that short messages have many borders."""

import contextlib

import pytest

USERS = ("mail.pieces", "mailauth.canonical", "parse.transfer", "store.keys")


@contextlib.contextmanager
def pieces_of(size):
    """Everything longer than `size` octets (three at least) is taken in pieces of so many."""
    with pytest.MonkeyPatch.context() as patch:
        for module in USERS:
            patch.setattr(f"sekisho.{module}.PIECE", size)
        yield
