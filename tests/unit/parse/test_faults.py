import tomllib
from pathlib import Path

import pytest

from sekisho.mail.finding import Finding, Severity
from sekisho.parse.faults import SEVERITY, Faults

RULES = Path(__file__).parents[3] / "rules" / "message"


def test_each_kind_is_one_finding():
    faults = Faults()
    faults.add("nul", count=2)
    faults.add("utf-7", "1.2", "utf-7")
    faults.add("utf-7", "1.3")
    assert list(faults.findings()) == [
        Finding("message/nul", Severity.MEDIUM, count=2),
        Finding("message/utf-7", Severity.MEDIUM, count=2, part="1.2", explanation="utf-7"),
    ]


def test_every_kind_has_a_head_and_every_head_a_kind():
    assert {path.stem for path in RULES.glob("*.toml")} == set(SEVERITY)


@pytest.mark.parametrize("kind", sorted(SEVERITY))
def test_head(kind):
    head = tomllib.loads((RULES / f"{kind}.toml").read_text())
    assert head["id"] == f"message/{kind}"
    assert head["severity"] == SEVERITY[kind].word
    assert set(head["title"]) == set(head["why"]) == {"en", "ja"}
