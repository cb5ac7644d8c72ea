import time

import pytest

from sekisho.inspect.content.phrases import Phrases

MONEY = Phrases((r"wire transfers?\b", r"pay ?roll"), ("振込|送金[^\n。]{0,9}手続き",))


@pytest.mark.parametrize(
    ("text", "occurs"),
    [
        ("a WIRE TRANSFER today", True),
        ("PayRoll", True),
        ("本日の振込です", True),
        ("送金の手続き", True),
        ("送金は。手続きは", False),
        ("barbedwire transfer", False),
    ],
)
def test_occur(text, occurs):
    assert MONEY.occur(text.encode()) is occurs


def test_linear():
    octets = ("送金" * 200_000).encode()
    before = time.process_time()
    assert not MONEY.occur(octets)
    assert time.process_time() - before < 2
