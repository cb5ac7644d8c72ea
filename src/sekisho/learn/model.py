"""The content model: linear weights over hashed n-grams and facts, calibrated to probabilities."""

from __future__ import annotations

import math
import re
from itertools import pairwise
from typing import Final

import msgspec
import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from sekisho.learn.grams import BITS, Indices, grams, named

KINDS: Final = ("spam", "phishing", "bec")
SCRIPTS: Final = ("kana", "other")
_FORMAT: Final = 1
_MOST_ODDS: Final = 12.0
_KANA: Final = re.compile("[\u3041-\u3096\u30a1-\u30fa]")
_HEAD: Final = 2_000  # characters that tell the script
_FEW_KANA: Final = 8


class ModelError(Exception):
    """A model file that cannot be used. The text says why."""


class Features(Struct, frozen=True, eq=False):
    """A mail as numbers: the places of its n-grams in a model's weights, and its facts by name.

    `script` is "kana" for Japanese, else "other": mail of each is calibrated by itself.
    """

    grams: Indices
    facts: tuple[str, ...]
    script: str = "other"

    @property
    def indices(self) -> Indices:
        """N-grams and facts in one space: what a tenant's layer learns from."""
        return np.concatenate((self.grams, named(self.facts)))


class Reading(Struct, frozen=True):
    """A mail as the models read it: its cleaned text and the facts about it, by name."""

    text: str
    facts: tuple[str, ...] = ()

    def features(self) -> Features:
        """The same as numbers."""
        script = "kana" if len(_KANA.findall(self.text, 0, _HEAD)) > _FEW_KANA else "other"
        return Features(grams(self.text), self.facts, script)


class Scores(Struct, frozen=True):
    """What a model says: a probability for each kind of abuse, in the order of KINDS."""

    kinds: tuple[float, ...]

    @property
    def abuse(self) -> float:
        """The probability of the likeliest kind."""
        return max(self.kinds)

    @property
    def kind(self) -> str:
        """The likeliest kind: "spam", "phishing" or "bec"."""
        return KINDS[self.kinds.index(self.abuse)]

    @property
    def logit(self) -> float:
        """The log odds of `abuse`."""
        return log_odds(self.abuse)


Curve = tuple[tuple[float, float], ...]


class Weights(Struct, frozen=True, eq=False):
    """All that training finds.

    `common` (2 ** BITS) tells which n-grams many mails have. The others have an entry for each kind: `importance` is
    the value an n-gram has in a mail (0: not known), `grams` what that value counts for the kind (rows of 2 ** BITS);
    `facts` add to the same sum, as does `bias`. `curves`, for each script, are rising (sum, log odds) points of the
    calibration, joined by straight lines and level beyond them.
    """

    version: str
    common: NDArray[np.bool_]
    importance: NDArray[np.float32]
    grams: NDArray[np.float32]
    facts: dict[str, tuple[float, ...]]
    bias: tuple[float, ...]
    curves: dict[str, tuple[Curve, ...]]


class Model:
    """A trained model. Immutable and shared by all threads."""

    def __init__(self, weights: Weights) -> None:
        self.version = weights.version
        self._weights = weights
        self._bias = np.array(weights.bias)
        # What is looked up together stands together: squares for the length, and what is said at that value.
        squares, said = weights.importance**2, weights.importance * weights.grams
        self._table = np.ascontiguousarray(np.concatenate((squares, said)).T)
        self._facts = {fact: np.array(added) for fact, added in weights.facts.items()}
        self._curves = {
            script: tuple((np.array([x for x, _ in curve]), np.array([y for _, y in curve])) for curve in curves)
            for script, curves in weights.curves.items()
        }

    @classmethod
    def from_bytes(cls, data: bytes) -> Model:
        """Read what `to_bytes` wrote. Raises ModelError."""
        try:
            stored = msgspec.msgpack.decode(data, type=_Stored)
        except msgspec.DecodeError as error:
            raise ModelError(f"not a model file: {error}") from error
        if (stored.format, stored.bits) != (_FORMAT, BITS):
            raise ModelError(f"made for another version: format {stored.format}, {stored.bits} bits")
        if not stored.is_whole():
            raise ModelError("not a whole model file")
        return cls(
            Weights(
                version=stored.version,
                common=np.unpackbits(np.frombuffer(stored.common, np.uint8)).astype(bool),
                importance=np.stack([_unpacked(octets) for octets in stored.importance]),
                grams=np.stack([_unpacked(octets) for octets in stored.grams]),
                facts=stored.facts,
                bias=stored.bias,
                curves=stored.curves,
            )
        )

    def score(self, reading: Reading, shift: float = 0.0) -> Scores:
        """What the mail is likely to be. `shift` is added to the log odds: what a tenant has taught."""
        return self.score_features(reading.features(), shift)

    def score_features(self, features: Features, shift: float = 0.0) -> Scores:
        """The same for a mail whose features are known already."""
        curves = zip(self.sums(features).tolist(), self._curves[features.script], strict=True)
        return Scores(tuple(probability(float(np.interp(total, *curve)) + shift) for total, curve in curves))

    def sums(self, features: Features) -> NDArray[np.float64]:
        """For each kind what speaks for it, less what speaks against it, before calibration."""
        rows = self._table.take(features.grams, axis=0)
        added_up = np.ones(len(rows), np.float32) @ rows  # several times as fast as `sum`
        squares, said = added_up[: len(KINDS)], added_up[len(KINDS) :]
        total = said / np.sqrt(np.maximum(squares, 1e-12)) + self._bias
        for fact in features.facts:
            if (added := self._facts.get(fact)) is not None:
                total += added
        return np.asarray(total, np.float64)

    @property
    def curve(self) -> Curve:
        """(log odds, probability) points of `Scores.logit` and `Scores.abuse`."""
        return ((-_MOST_ODDS, probability(-_MOST_ODDS)), (_MOST_ODDS, probability(_MOST_ODDS)))

    def importance(self, grams: Indices) -> NDArray[np.float32]:
        """The greatest value each of these n-grams has for any kind, before division by the length; 0: unknown."""
        return np.asarray(self._weights.importance[:, grams].max(axis=0))

    def said_by(self, grams: Indices, kind: str) -> NDArray[np.float32]:
        """How much each of these n-grams speaks for a kind (above 0) or against it; 0 for those few mails have."""
        weights = self._weights
        number = KINDS.index(kind)
        said = weights.importance[number][grams] * weights.grams[number][grams]
        return np.where(weights.common[grams], said, np.float32(0))

    def said_by_fact(self, fact: str, kind: str) -> float:
        """What a fact adds to the sum of a kind."""
        added = self._weights.facts.get(fact)
        return added[KINDS.index(kind)] if added is not None else 0.0


def probability(odds: float) -> float:
    """The probability of log odds, which are bounded before."""
    return 1 / (1 + math.exp(-max(-_MOST_ODDS, min(odds, _MOST_ODDS))))


def log_odds(share: float) -> float:
    """The log odds of a probability between 0 and 1."""
    return math.log(share / (1 - share))


class _Stored(Struct, frozen=True, forbid_unknown_fields=True):
    """A model file: MessagePack; weights as little-endian float16, `common` as bits."""

    format: int
    version: str
    bits: int
    common: bytes
    importance: tuple[bytes, ...]
    grams: tuple[bytes, ...]
    facts: dict[str, tuple[float, ...]]
    bias: tuple[float, ...]
    curves: dict[str, tuple[Curve, ...]]

    def is_whole(self) -> bool:
        """Whether every part has the size and shape it must have."""
        kinds = len(KINDS)
        curves = [curve for of_script in self.curves.values() for curve in of_script]
        return (
            all(len(octets) == 2 << BITS for octets in (*self.importance, *self.grams))
            and len(self.common) == 1 << BITS - 3
            and len(self.importance) == len(self.grams) == len(self.bias) == kinds
            and all(len(added) == kinds for added in self.facts.values())
            and set(self.curves) == set(SCRIPTS)
            and all(len(of_script) == kinds for of_script in self.curves.values())
            and all(_rises(curve) for curve in curves)
        )


def to_bytes(weights: Weights) -> bytes:
    """A model as a file."""
    return msgspec.msgpack.encode(
        _Stored(
            format=_FORMAT,
            version=weights.version,
            bits=BITS,
            common=np.packbits(weights.common).tobytes(),
            importance=tuple(_packed(row) for row in weights.importance),
            grams=tuple(_packed(row) for row in weights.grams),
            facts=weights.facts,
            bias=weights.bias,
            curves=weights.curves,
        )
    )


def _rises(curve: Curve) -> bool:
    return len(curve) > 1 and all(a[0] < b[0] and a[1] < b[1] for a, b in pairwise(curve))


def _packed(weights: NDArray[np.float32]) -> bytes:
    return weights.astype("<f2").tobytes()


def _unpacked(octets: bytes) -> NDArray[np.float32]:
    return np.frombuffer(octets, "<f2").astype(np.float32)
