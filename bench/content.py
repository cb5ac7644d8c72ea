"""How well spam, phishing and business fraud are told from ordinary mail by what they say: `make bench-content`.

Each family of sources is left out of training in turn and scored. See docs/reference/content-bench.md.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path

import msgspec
from content_ours import Sekisho
from content_peers import PEERS, Classifier
from content_sets import KNOWN, Fold, Scored, chosen, folds
from content_tables import Outcome, report
from process import adopt_orphans

RESULTS = Path(__file__).resolve().parent / "results"
DATA = Path(__file__).resolve().parents[2] / "shared" / "data"
TOOLS: dict[str, type[Classifier]] = {"sekisho": Sekisho, **PEERS}


def main() -> None:
    args = arguments()
    adopt_orphans()
    began = time.monotonic()
    every = list(folds(chosen(args.data, args.train + args.test), args.train, args.test))
    made = [fold for fold in every if not args.folds or fold.family in args.folds]
    tools, left_out = available(args.tools)
    with ThreadPoolExecutor(max(1, len(tools))) as pool:  # the peers have a core each
        outcomes = list(pool.map(lambda tool: outcome(tool, made), tools))
    lines = [sizes(made), *report(outcomes), *(f"left out: {why}\n" for why in left_out)]
    lines.append(f"{time.monotonic() - began:.0f} s")
    text = "\n".join(lines)
    print(text)
    RESULTS.mkdir(exist_ok=True)
    file = RESULTS / datetime.now(UTC).strftime("content-%Y-%m-%dT%H%M%SZ.txt")
    file.write_text(text)
    file.with_suffix(".json").write_bytes(msgspec.json.encode(outcomes))


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=DATA, help="where the public sets are")
    parser.add_argument("--tools", default=",".join(TOOLS), help="names with commas between")
    parser.add_argument("--train", type=int, default=500, help="messages of each source and label that train (500)")
    parser.add_argument(
        "--test", type=int, default=400, help="messages of each source and label that are scored (400)"
    )
    parser.add_argument("--folds", default="", help="families to leave out, with commas between (all)")
    parser.add_argument("--quick", action="store_true", help="40 of each: whether it runs, not how good it is")
    args = parser.parse_args()
    args.tools = [tool for tool in args.tools.split(",") if tool]
    args.folds = [fold for fold in args.folds.split(",") if fold]
    if args.quick:
        args.train = args.test = 40
    if set(args.tools) - set(TOOLS):
        parser.error(f"tools are {', '.join(TOOLS)}")
    if not args.data.is_dir():
        parser.error(f"no data in {args.data}")
    return args


def available(names: Sequence[str]) -> tuple[list[Classifier], list[str]]:
    """The tools that can run, and why the others cannot."""
    tools, left_out = [], []
    for name in names:
        tool = TOOLS[name]()
        if why := tool.available():
            left_out.append(f"{name}: {why}")
            tool.stop()
        else:
            tools.append(tool)
    return tools, left_out


def outcome(tool: Classifier, made: Sequence[Fold]) -> Outcome:
    """Train and score fold by fold; the tool is stopped whatever happens."""
    scored: list[Scored] = []
    try:
        for fold in made:
            began = time.monotonic()
            tool.fit(fold.training)
            fitted = time.monotonic()
            for family, held_out in ((fold.family, fold.held_out), (KNOWN, fold.known)):
                scores = tool.scores(held_out) if held_out else []
                scored += [
                    Scored(family, sample.source, sample.label, sample.language, score)
                    for sample, score in zip(held_out, scores, strict=True)
                ]
            took = f"training {fitted - began:.0f} s, scoring {time.monotonic() - fitted:.0f} s"
            print(f"{tool.name}: {fold.family}, {len(fold.held_out)} messages, {took}", flush=True)
        return Outcome(tool.name, tool.probabilities, tool.prior, scored, tool.cpu() * 1000 / max(1, len(scored)))
    finally:
        tool.stop()


def sizes(made: Sequence[Fold]) -> str:
    """What was left out each time, and what that left to train on."""
    lines = [
        f"{fold.family}: {len(fold.held_out) + len(fold.known)} scored,"
        f" trained on {sum(s.label == 'ham' for s in fold.training)} ham and"
        f" {sum(s.label != 'ham' for s in fold.training)} bad"
        for fold in made
    ]
    return "\n".join([*lines, ""])


if __name__ == "__main__":
    main()
