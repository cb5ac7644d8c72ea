"""Sekisho's pattern engine for the benchmark: every value with its place, and findings as the gateway makes them."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
from dlp_score import Found

from sekisho.inspect.patterns import Patterns
from sekisho.inspect.rules import Rules, load_rules
from sekisho.mail.message import Text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sekisho.mail.finding import Finding, Where

RULES = Path(__file__).resolve().parents[1] / "rules"


def rules() -> Rules:
    """The built-in rules about leaks. Exits with the mistakes where there are any."""
    loaded, problems = load_rules([RULES / "dlp"])
    if loaded is None:
        raise SystemExit("\n".join(map(str, problems)))
    return loaded


class Detectors:
    """The rules one value at a time: what the lists are made of (`least`) counts from the first on."""

    def __init__(self, loaded: Rules) -> None:
        by_id = {id_: msgspec.structs.replace(rule, least=1) for id_, rule in loaded.by_id.items()}
        self._engine = Patterns(Rules(by_id), b"benchmark")

    def look(self, text: str, where: Where = "body") -> list[Found]:
        """Every value of every rule, with the confidence of the finding that it is part of."""
        texts = (Text(text, where),)
        return [
            Found(finding.rule, *span, finding.confidence)
            for finding in self._engine.search(texts)
            for span in self._engine.locate(texts, {finding.rule}, "")[0].spans or (finding.span,)
            if span
        ]


def search(engine: Patterns, mails: Sequence[Sequence[Text]]) -> tuple[list[tuple[Finding, ...]], float]:
    """The findings of each mail as the gateway makes them, and the processor seconds."""
    began = time.process_time()
    found = [engine.search(texts) for texts in mails]
    return found, time.process_time() - began
