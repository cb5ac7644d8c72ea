import time

import pytest

from sekisho.inspect.content.phrases import Phrases

MONEY = Phrases((r"wire transfers?\b", r"pay ?roll"), ("振込|送金[^\n。]{0,9}手続き",))


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("a WIRE TRANSFER today", "WIRE TRANSFER"),
        ("PayRoll", "PayRoll"),
        ("本日の振込です", "振込"),
        ("送金の手続き", "送金の手続き"),
        ("送金は。手続きは", ""),
        ("barbedwire transfer", ""),
    ],
)
def test_first(text, found):
    assert MONEY.first(text.encode()) == found
    assert MONEY.occur(text.encode()) == bool(found)


def test_linear():
    octets = ("送金" * 200_000).encode()
    before = time.process_time()
    assert not MONEY.occur(octets)
    assert time.process_time() - before < 2
