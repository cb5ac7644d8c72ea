"""Corpus messages as the models read them: through the gateway's own parser and reader."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import cache

from corpora import Sample, without_source_traces

from sekisho.config.shipped import shipped
from sekisho.inspect.content.concepts import Concepts
from sekisho.inspect.content.reading import Reader
from sekisho.inspect.links.inspector import Links
from sekisho.inspect.links.lists import load_lists
from sekisho.learn.model import Features
from sekisho.mail.envelope import Envelope, Session
from sekisho.mail.transaction import Transaction
from sekisho.parse import parse


@cache
def reader() -> Reader:
    """The gateway's reader with its own lists."""
    return Reader(Links(load_lists(shipped("lists"))), Concepts.load(shipped("lists/concepts.toml")))


def features(sample: Sample) -> Features:
    """The features of one message, without what would tell its source."""
    return features_of(without_source_traces(sample).raw)


def features_of(raw: bytes) -> Features:
    """The features of a message as it is."""
    transaction = Transaction(
        id="training",
        session=Session("training", "127.0.0.1"),
        envelope=Envelope(None, ()),
        message=parse(raw),
        received_at=datetime(2026, 1, 1, tzinfo=UTC),
    )
    return reader().read(transaction).features()
