"""The shipped rules, read once."""

import pytest

from sekisho.config.shipped import shipped
from sekisho.inspect.patterns import Patterns
from sekisho.inspect.rules import load_rules


@pytest.fixture(name="patterns", scope="module")
def _patterns():
    rules, problems = load_rules([shipped("rules")])
    assert not problems
    return Patterns(rules, b"key")
