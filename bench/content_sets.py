"""Which messages train and which are scored: families of sources, each left out of training in turn."""

from __future__ import annotations

import heapq
import sys
from collections.abc import Iterable, Iterator, Sequence
from hashlib import blake2b
from pathlib import Path

from msgspec import Struct

TRAIN = Path(__file__).resolve().parents[1] / "train"
sys.path.insert(0, str(TRAIN))

from corpora import Label, Sample, samples, without_source_traces  # noqa: E402 - a folder of scripts, as this one is

__all__ = ["KNOWN", "NEVER_TRAINED", "TRAIN", "Fold", "Label", "Sample", "Scored", "chosen", "first", "folds"]
NEVER_TRAINED = "never trained on"
KNOWN = "known"  # ham that the model of NEVER_TRAINED did not see, of sources that it did
# A source belongs to the first family that its name begins with.
FAMILIES = {
    "spamassassin_": "spamassassin",
    "enron_": "enron",
    "lingspam_": "lingspam",
    "usrp_": "usrp",
    "osst_": "osst",
    "nazario_": "nazario",
    "ja_phishing_": "ja_phishing",
    "ja_ham_notify": "ja_ham",
    "ja_ham_ruby": "ja_ham",
    "written_": "written",
}
# Shown, but neither in a total nor in a threshold: articles and talk are no mail; and without what we wrote, which is
# nearly all the fraud and the Japanese business mail that there is to learn from, a model is not the one that ships.
APART = ("ja_ham_livedoor_news", "ja_ham_business_dialogue", "written_")


class Scored(Struct, frozen=True):
    """A message that a tool has scored, without its text."""

    family: str
    source: str
    label: Label
    language: str
    score: float

    @property
    def counted(self) -> bool:
        """Whether it is part of totals and thresholds."""
        return not self.source.startswith(APART)

    def is_of(self, source: str = "", language: str = "", family: str = "") -> bool:
        """Whether it is of that source, language and family; "" is any, but of a source that counts."""
        if (self.family == KNOWN) != (family == KNOWN):
            return False
        named = source == self.source if source else self.counted or family == KNOWN
        return named and language in ("", self.language) and family in ("", self.family)


class Fold(Struct, frozen=True):
    """A family of sources that are scored, and what was trained on: everything else that may ship.

    `known` is ham kept back from sources that were trained on, to be scored too.
    """

    family: str
    training: Sequence[Sample]
    held_out: Sequence[Sample]
    known: Sequence[Sample] = ()


def family(sample: Sample) -> str:
    """The fold in which a sample is scored."""
    if not sample.ship_safe:
        return NEVER_TRAINED
    return next((name for begin, name in FAMILIES.items() if sample.source.startswith(begin)), sample.source)


def order(sample: Sample) -> str:
    """A fixed random order, so that a part of a source is the same part each time."""
    return blake2b(sample.group.encode(), digest_size=8).hexdigest()


def chosen(root: Path, most: int) -> list[Sample]:
    """At most `most` of each source and label, without the traces of their source."""
    return [without_source_traces(sample) for sample in first(samples(root), most)]


def first(found: Iterable[Sample], most: int) -> Iterator[Sample]:
    """The first `most` of each source and label in the fixed order; only so many are kept at a time."""
    kept: dict[tuple[str, str], list[tuple[int, str, Sample]]] = {}
    for sample in found:
        heap = kept.setdefault((sample.source, sample.label), [])
        place = order(sample)
        entry = (-int(place, 16), sample.group, sample)
        if len(heap) < most:
            heapq.heappush(heap, entry)
        elif entry[0] > heap[0][0]:
            heapq.heapreplace(heap, entry)
    for heap in kept.values():
        yield from (sample for _, _, sample in sorted(heap, reverse=True, key=lambda entry: entry[0]))


def folds(found: Sequence[Sample], train_most: int, test_most: int) -> Iterator[Fold]:
    """One fold a family. What is scored is never trained on, nor is a near-duplicate of it from another source."""
    training = list(first((sample for sample in found if sample.ship_safe), train_most))
    tested = list(first(found, test_most))
    names = dict.fromkeys(family(sample) for sample in found)
    for name in sorted(names, key=lambda name: (name == NEVER_TRAINED, list(names).index(name))):
        held_out = [sample for sample in tested if family(sample) == name]
        seen = {sample.group for sample in found if family(sample) == name}
        rest = [sample for sample in training if family(sample) != name and sample.group not in seen]
        yield (
            Fold(name, _distinct(rest), held_out)
            if name != NEVER_TRAINED
            else _as_shipped(found, held_out, train_most, test_most)
        )


def _as_shipped(found: Sequence[Sample], held_out: Sequence[Sample], train_most: int, test_most: int) -> Fold:
    """Like the model that ships: trained on every source that may; but a third of its ham is kept back."""
    seen = {sample.group for sample in found if not sample.ship_safe}
    mine = [sample for sample in found if sample.ship_safe and sample.group not in seen]
    known = _distinct(first((sample for sample in mine if _kept_back(sample)), test_most))
    training = first((sample for sample in mine if not _kept_back(sample)), train_most)
    back = {sample.group for sample in known}
    return Fold(NEVER_TRAINED, [s for s in _distinct(training) if s.group not in back], held_out, known)


def _kept_back(sample: Sample) -> bool:
    return sample.label == "ham" and int(order(sample), 16) % 3 == 0


def _distinct(found: Iterable[Sample]) -> list[Sample]:
    """One of each group: sources overlap."""
    return list({sample.group: sample for sample in found}.values())
