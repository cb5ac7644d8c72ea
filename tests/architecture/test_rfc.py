"""Every RFC that the code cites stands in docs/rfc.md, in one form of citation, and nothing stands there uncited."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
CITED = re.compile(r"RFC (\d{3,5})")


def cited():
    found = {}
    for module in sorted((ROOT / "src").rglob("*.py")):
        for number in CITED.findall(module.read_text()):
            found.setdefault(number, module.relative_to(ROOT))
    return found


def tabled():
    rows = re.findall(r"^\| RFC (\d+) \|", (ROOT / "docs/rfc.md").read_text(), re.MULTILINE)
    assert len(rows) == len(set(rows)), "an RFC stands twice in docs/rfc.md"
    return set(rows)


def test_every_cited_rfc_is_in_the_table():
    assert {number: str(where) for number, where in cited().items() if number not in tabled()} == {}


def test_every_rfc_of_the_table_is_cited():
    assert tabled() - set(cited()) == set()


def test_one_form_of_citation():
    odd = re.compile(r"RFC-?\d+|\brfc \d+|RFC \d+ ?§|RFC \d+,? (?:[Ss]ection|sec\.)")
    bad = [
        f"{module.relative_to(ROOT)}: {match[0]}"
        for module in (ROOT / "src").rglob("*.py")
        for match in odd.finditer(module.read_text())
    ]
    assert bad == []
