"""Functions and modules stay short enough to read: median 10 lines, 95 % 40, none over 60; modules 400."""

import ast
from pathlib import Path

import pytest

SOURCE = Path(__file__).parents[2] / "src"
MODULES = sorted(SOURCE.rglob("*.py"))


def functions():
    for module in MODULES:
        for node in ast.walk(ast.parse(module.read_text())):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                yield node.end_lineno - node.lineno + 1, f"{module.relative_to(SOURCE)}:{node.lineno} {node.name}"


def test_no_function_over_60_lines():
    assert [where for lines, where in functions() if lines > 60] == []


def test_most_functions_are_short():
    lengths = sorted(lines for lines, _ in functions())
    assert lengths[len(lengths) // 2] <= 10
    assert lengths[int(len(lengths) * 0.95)] <= 40


@pytest.mark.parametrize("module", MODULES, ids=lambda path: str(path.relative_to(SOURCE)))
def test_module_is_short_and_well_named(module):
    assert module.read_text().count("\n") <= 400
    assert module.stem not in {"utils", "util", "helpers", "common", "manager", "misc"}
