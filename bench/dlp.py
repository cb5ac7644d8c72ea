"""How well leaks are found, beside Presidio and detect-secrets on the same texts: `make bench-dlp`.

See docs/reference/dlp-bench.md for what is measured and how to read it.
"""

from __future__ import annotations

import argparse
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import dlp_sets
from dlp_alarms import by_rule, by_source, calibration, ordinary, speed
from dlp_engine import Detectors, rules, search
from dlp_peers import DETECT_SECRETS, PEERS, PRESIDIO_ALL, ask, installed
from dlp_tables import Looked, fallen_short, flagged_texts, of_set, summary

from sekisho.inspect.patterns import Patterns

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sekisho.inspect.rules import Rules
    from sekisho.mail.finding import Where

RESULTS = Path(__file__).resolve().parent / "results"
DATA = Path(__file__).resolve().parents[2] / "shared" / "data"


def main() -> None:
    args = arguments()
    loaded = rules()
    peers, left_out = installed(args.peers)
    detectors = Detectors(loaded)
    looked = detection(args.data, detectors, peers)
    report = [f"{len(loaded.with_patterns)} rules about leaks\n", summary(looked), fallen_short(looked)]
    report += [of_set(one) for one in looked]
    report += [*secrets(detectors, peers), *false_alarms(args, loaded, detectors, looked, peers)]
    if left_out:
        report.append(f"left out: {left_out}\n")
    text = "\n".join(report)
    print(text)
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / datetime.now(UTC).strftime("dlp-%Y-%m-%dT%H%M%SZ.txt")).write_text(text)


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=DATA, help="where the public sets are")
    parser.add_argument("--peers", default=",".join(PEERS), help="names with commas between, or none: ''")
    parser.add_argument("--every", type=int, default=1, help="every n-th ham mail (1)")
    parser.add_argument("--peer-mails", type=int, default=5000, help="ham mails that the peers look through (5000)")
    args = parser.parse_args()
    args.peers = [peer for peer in args.peers.split(",") if peer]
    if set(args.peers) - set(PEERS):
        parser.error(f"peers are {', '.join(PEERS)}")
    if not args.data.is_dir():
        parser.error(f"no data in {args.data}")
    return args


def detection(data: Path, detectors: Detectors, peers: list[str]) -> list[Looked]:
    """Each labelled set, with what every tool found in it."""
    sets = [
        dlp_sets.Set("presidio-research, 1,500 synthetic texts", dlp_sets.synthetic(data)),
        dlp_sets.Set("noren, cards and addresses", dlp_sets.noren(data)),
        dlp_sets.Set(
            "Presidio's recogniser cases after the number's name", dlp_sets.recogniser_cases(data, named=True)
        ),
        dlp_sets.Set("made with python-stdnum: valid ones, and the same with a digit changed", dlp_sets.made()),
        dlp_sets.Set(
            "Presidio's recogniser cases as they are", dlp_sets.recogniser_cases(data, named=False), bare=True
        ),
        dlp_sets.Set("Japanese business mail, written for the tests", dlp_sets.japanese()),
        dlp_sets.Set("noren, keys and tokens", dlp_sets.secrets(data)),
        dlp_sets.Set("leaky-repo, lines at risk in its files", dlp_sets.leaky(data), files=True),
        dlp_sets.Set("detect-secrets' own files, lines in its baseline", dlp_sets.baseline(data), files=True),
    ]
    return [_look(one, detectors, peers) for one in sets]


def _look(labelled: dlp_sets.Set, detectors: Detectors, peers: list[str]) -> Looked:
    distinct = labelled.distinct
    where: Where = "attachment" if labelled.files else "body"
    found = {"sekisho": {text: detectors.look(text, where) for text in distinct}}
    of_secrets = any(t.entity == dlp_sets.SECRET for t in labelled.texts)
    peer = DETECT_SECRETS if of_secrets else PRESIDIO_ALL
    if peer in peers and not labelled.ours_only:
        found[peer.removesuffix("-all")] = dict(zip(distinct, ask(peer, distinct).found, strict=True))
    return Looked(labelled, found)


def secrets(detectors: Detectors, peers: Sequence[str]) -> list[str]:
    """Secrets and look-alikes written for the tests, by text."""
    texts = dlp_sets.written_secrets()
    distinct = [t.text for t in texts]
    tools = {"sekisho": [detectors.look(text) for text in distinct]}
    if DETECT_SECRETS in peers:
        tools[DETECT_SECRETS] = ask(DETECT_SECRETS, distinct).found
    return [flagged_texts(texts, tools)]


def false_alarms(
    args: argparse.Namespace, loaded: Rules, detectors: Detectors, looked: list[Looked], peers: list[str]
) -> list[str]:
    """On numbers that are none and on all ham; the peers on a part of it, with the speed of each."""
    mails = list(dlp_sets.ham(args.data, args.every))
    engine = Patterns(loaded, b"benchmark")
    found, seconds = search(engine, [mail.texts for mail in mails])
    alike = _look(dlp_sets.Set("order, part and tracking numbers", dlp_sets.ordinary()), detectors, peers)
    return [
        ordinary(alike),
        calibration([*looked, alike], found),
        by_source(mails, found),
        by_rule(found),
        speed(mails, engine, peers, seconds, args.peer_mails),
    ]


if __name__ == "__main__":
    main()
