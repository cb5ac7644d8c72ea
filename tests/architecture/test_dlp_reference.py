"""docs/reference/dlp.md is what the rules say; `make dlp-page` writes it anew."""

import importlib.util
from pathlib import Path

BENCH = Path(__file__).parents[2] / "bench"


def reference():
    spec = importlib.util.spec_from_file_location("dlp_reference", BENCH / "dlp_reference.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_page_is_made_from_the_rules():
    made = reference()
    assert made.PAGE.read_text(encoding="utf-8") == made.page()


def test_every_rule_is_on_the_page():
    made = reference()
    ids = {line.removeprefix('id = "').rstrip('"') for file in made.RULES.rglob("*.toml")
           for line in file.read_text(encoding="utf-8").splitlines() if line.startswith('id = "')}  # fmt: skip
    page = made.page()
    assert len(ids) > 100
    assert [id_ for id_ in sorted(ids) if f"### `{id_}`\n" not in page] == []
