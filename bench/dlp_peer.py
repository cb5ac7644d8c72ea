"""Runs in the venv of the peers: looks through texts with Presidio and detect-secrets, and says what they found.

    python dlp_peer.py PEER < texts.json > found.json

The input is a list of texts; the output {"version", "seconds", "found": [[[type, start, end, score], ...], ...]}:
what stands where, in characters (detect-secrets tells the line), and the processor time that looking took.
"""

from __future__ import annotations

import inspect
import json
import logging
import sys
import tempfile
import time
from collections.abc import Callable
from importlib.metadata import version
from itertools import accumulate
from pathlib import Path

Found = list[list[object]]


def presidio(*, everything: bool) -> Callable[[str], Found]:
    """Its default English recognisers, or all that it ships.

    The language model is left out: it is in no package registry. It names persons and places, which none of our rules
    for English looks for, and costs five times the rest.
    """
    from presidio_analyzer import AnalyzerEngine, RecognizerRegistry  # noqa: PLC0415 - only this peer needs it

    logging.disable(logging.WARNING)
    registry = RecognizerRegistry(supported_languages=["en"])
    registry.load_predefined_recognizers(languages=["en"])
    registry.recognizers = [r for r in registry.recognizers if r.name != "SpacyRecognizer"]
    if everything:
        have = {type(r) for r in registry.recognizers}
        registry.recognizers += [kind(supported_language="en") for kind in _shipped() if kind not in have]
    engine = AnalyzerEngine(registry=registry, nlp_engine=_words(), supported_languages=["en"])
    return lambda text: [[r.entity_type, r.start, r.end, r.score] for r in engine.analyze(text, language="en")]


def _shipped() -> list[type]:
    from presidio_analyzer import PatternRecognizer, predefined_recognizers  # noqa: PLC0415 - only this peer needs it

    kinds = [getattr(predefined_recognizers, name) for name in dir(predefined_recognizers)]
    return [k for k in kinds if inspect.isclass(k) and issubclass(k, PatternRecognizer)]


def _words() -> object:
    """A tokeniser that gives each word in lower case as its lemma, so that Presidio's context words count."""
    import spacy  # noqa: PLC0415 - only this peer needs it
    from presidio_analyzer.nlp_engine import SpacyNlpEngine  # noqa: PLC0415 - only this peer needs it
    from spacy.language import Language  # noqa: PLC0415 - only this peer needs it

    @Language.component("lower_case_lemma")
    def lower_case_lemma(doc: spacy.tokens.Doc) -> spacy.tokens.Doc:
        for token in doc:
            token.lemma_ = token.lower_
        return doc

    nlp = spacy.blank("en")
    nlp.max_length = 10_000_000
    nlp.add_pipe("lower_case_lemma")
    engine = SpacyNlpEngine(models=[{"lang_code": "en", "model_name": "blank"}])
    engine.nlp = {"en": nlp}
    return engine


def detect_secrets() -> Callable[[str], Found]:
    """Its default plug-ins and filters, over a file of the text."""
    from detect_secrets import SecretsCollection  # noqa: PLC0415 - only this peer needs it
    from detect_secrets.settings import default_settings  # noqa: PLC0415 - only this peer needs it

    file = Path(tempfile.mkdtemp()) / "text.txt"

    def look(text: str) -> Found:
        file.write_text(text, encoding="utf-8", errors="replace")
        secrets = SecretsCollection()
        with default_settings():
            secrets.scan_file(str(file))
        starts = list(accumulate((len(line) for line in text.split("\n")), lambda a, b: a + b + 1, initial=0))
        return [[s.type, starts[s.line_number - 1], starts[s.line_number] - 1, 1.0] for _, s in secrets]

    return look


PEERS: dict[str, tuple[str, Callable[[], Callable[[str], Found]]]] = {
    "presidio": ("presidio-analyzer", lambda: presidio(everything=False)),
    "presidio-all": ("presidio-analyzer", lambda: presidio(everything=True)),
    "detect-secrets": ("detect-secrets", detect_secrets),
}


def main() -> None:
    package, make = PEERS[sys.argv[1]]
    texts = json.load(sys.stdin)
    look = make()
    look("warm up 4111 1111 1111 1111")
    began = time.process_time()
    found = [look(text) for text in texts]
    seconds = time.process_time() - began
    json.dump({"version": version(package), "seconds": seconds, "found": found}, sys.stdout)


if __name__ == "__main__":
    main()
