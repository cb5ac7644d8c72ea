"""What the tables of all parts are made of: columns, ratios, and how far rounds disagree."""

from __future__ import annotations

from typing import Any

from measure import medians

BUSY = 0.9  # a client core above this share may be what bounds a result
Row = list[str]


def table(title: str, head: Row, rows: list[Row]) -> str:
    """Plain text: the first column to the left, the others to the right."""
    widths = [max(len(row[column]) for row in [head, *rows]) for column in range(len(head))]
    lines = [title, ""]
    for row in [head, ["-" * width for width in widths], *rows]:
        cells = [
            row[0].ljust(widths[0]),
            *(cell.rjust(width) for cell, width in zip(row[1:], widths[1:], strict=True)),
        ]
        lines.append("  ".join(cells).rstrip())
    return "\n".join([*lines, ""])


def ratio(value: float, other: float) -> str:
    """`value` as a multiple of `other`."""
    return f"{value / other:.2f}x" if other else "-"


def spread(runs: list[dict[str, Any]], *path: str) -> str:
    """Lowest and highest of the rounds, as a share of the median: how far the rounds disagree."""
    if len(runs) < 2:
        return "-"
    middle = medians(runs, *path)
    each = [medians([run], *path) for run in runs]
    return f"{(min(each) / middle - 1) * 100:+.0f}..{(max(each) / middle - 1) * 100:+.0f}%" if middle else "-"
