"""Finds a model's weights: logistic regression over hashed n-grams and facts, with a say for every source."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import scipy.sparse as sp
from msgspec import Struct
from numpy.typing import NDArray
from scipy.optimize import minimize

from sekisho.learn.grams import BITS
from sekisho.learn.model import KINDS, SCRIPTS, Features, Weights

Floats = NDArray[np.float32]
Bools = NDArray[np.bool_]

STRENGTH = 60.0  # inverse of the regularisation
FACT_VALUE = 0.15  # of a fact beside n-grams whose values make a vector of length 1
ROUNDS = 60
LEAST_MAILS = 2  # with an n-gram or a fact, for it to count
COMMON_MAILS = 40  # from which on an n-gram may be shown to people
_SIZE = 0.5  # a source of n messages has the say of n ** _SIZE


class Marked(Struct, frozen=True, eq=False):
    """Features of messages with what they are: arrays of one length. `kind` is an index into KINDS, -1 for ham."""

    features: Sequence[Features]
    source: Sequence[str]
    kind: NDArray[np.int64]

    @property
    def bad(self) -> Bools:
        """Which of them are abuse."""
        return self.kind >= 0

    def joined(self, other: Marked) -> Marked:
        """Both together."""
        features, source = [*self.features, *other.features], [*self.source, *other.source]
        return Marked(features, source, np.concatenate((self.kind, other.kind)))

    def chosen(self, which: NDArray[np.int64]) -> Marked:
        """Those of them at these places."""
        return Marked([self.features[i] for i in which], [self.source[i] for i in which], self.kind[which])


def fit(marked: Marked, version: str = "trial") -> Weights:
    """The weights, one logistic regression for each kind against ham; not calibrated yet, see `calibrate`."""
    matrix = Matrix(marked.features)
    found = [_one_kind(matrix, marked, number) for number in range(len(KINDS))]
    size = 1 << BITS
    facts = np.stack([one.weights[size:] for one in found], axis=1) * FACT_VALUE
    level = tuple(((-20.0, -20.0), (20.0, 20.0)) for _ in KINDS)
    return Weights(
        version=version,
        importance=np.stack([one.importance for one in found]),
        common=matrix.mails() >= COMMON_MAILS,
        grams=np.stack([one.weights[:size] for one in found]),
        facts={fact: tuple(row.tolist()) for fact, row in zip(matrix.facts, facts, strict=True)},
        bias=tuple(one.bias for one in found),
        curves=dict.fromkeys(SCRIPTS, level),
    )


class _OneKind(NamedTuple):
    importance: Floats
    weights: Floats
    bias: float


def _one_kind(matrix: Matrix, marked: Marked, number: int) -> _OneKind:
    """What tells this kind from ham; the other kinds have no say."""
    which = np.flatnonzero((marked.kind == number) | ~marked.bad)
    chosen = marked.chosen(which)
    say = says(chosen)
    importance = _importance(matrix.grams[which], chosen.bad, say)
    weights, bias = logistic(matrix.valued(which, importance), chosen.bad, say)
    return _OneKind(importance.astype(np.float32), weights, bias)


class Matrix:
    """Messages as rows: n-grams in `grams`, 1 for each; facts, by name in `facts`, beside them."""

    def __init__(self, features: Sequence[Features]) -> None:
        self.grams = _rows([one.grams for one in features], 1 << BITS)
        names = [sorted(set(one.facts)) for one in features]
        known: dict[str, int] = {}
        for found in names:
            for name in found:
                known[name] = known.get(name, 0) + 1
        self.facts = sorted(name for name, mails in known.items() if mails >= LEAST_MAILS)
        places = {name: place for place, name in enumerate(self.facts)}
        self._facts = _rows(
            [np.array([places[n] for n in found if n in places], np.int64) for found in names], len(places)
        )

    def mails(self) -> NDArray[np.int64]:
        """How many messages have each n-gram."""
        return np.bincount(self.grams.indices, minlength=1 << BITS)

    def valued(self, which: NDArray[np.int64], importance: NDArray[np.float64]) -> sp.csr_array:
        """These rows as the model sees them: n-grams as vectors of length 1, facts beside them."""
        grams = self.grams[which].copy()
        grams.data = importance[grams.indices].astype(np.float32)
        length = np.sqrt(np.add.reduceat(np.append(grams.data**2, 0), grams.indptr[:-1]))
        length[(length == 0) | (np.diff(grams.indptr) == 0)] = 1
        grams.data /= np.repeat(length, np.diff(grams.indptr)).astype(np.float32)
        return sp.hstack([grams, self._facts[which] * np.float32(FACT_VALUE)]).tocsr()


def _rows(places: Sequence[NDArray[np.int64]], width: int) -> sp.csr_array:
    ends = np.cumsum([0, *(len(row) for row in places)])
    columns = np.concatenate(places).astype(np.int32) if len(places) else np.zeros(0, np.int32)
    return sp.csr_array((np.ones(len(columns), np.float32), columns, ends), shape=(len(places), width))


def says(marked: Marked) -> NDArray[np.float64]:
    """The weight of each message: large sources have more say, but not by their size; ham and abuse have as much."""
    say = np.ones(len(marked.kind))
    sources = np.array(marked.source)
    for source in set(marked.source):
        for kind in (-1, *range(len(KINDS))):
            which = (sources == source) & (marked.kind == kind)
            if which.any():
                say[which] = which.sum() ** (_SIZE - 1)
    for side in (marked.bad, ~marked.bad):
        say[side] *= len(say) / 2 / max(say[side].sum(), 1e-9)
    return say


def _importance(grams: sp.csr_array, bad: Bools, say: NDArray[np.float64]) -> NDArray[np.float64]:
    """Rare n-grams and those that one side has more often weigh more.

    Inverse document frequency times the root of the log ratio of frequencies (Wang and Manning 2012, softened).
    """
    mails = np.bincount(grams.indices, minlength=grams.shape[1])
    turned = grams.T.tocsr()
    frequency = np.log((1 + grams.shape[0]) / (1 + mails)) + 1
    ratio = [np.log((turned @ (say * side) + 1) / (side.sum() + 2)) for side in (bad, ~bad)]
    importance = frequency * np.sqrt(np.abs(ratio[0] - ratio[1]))
    importance[mails < LEAST_MAILS] = 0
    return np.asarray(importance)


def logistic(rows: sp.csr_array, bad: Bools, say: NDArray[np.float64]) -> tuple[Floats, float]:
    """Weights and bias of a logistic regression with an L2 penalty, by L-BFGS."""
    sign = np.where(bad, 1.0, -1.0)
    turned = rows.T.tocsr()

    def loss(point: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        margin = sign * ((rows @ point[:-1].astype(np.float32)).astype(np.float64) + point[-1])
        slope = -sign * say / (1 + np.exp(np.clip(margin, -50, 50)))
        gradient = np.append(turned @ slope.astype(np.float32) * STRENGTH + point[:-1], STRENGTH * slope.sum())
        return STRENGTH * float((say * np.logaddexp(0, -margin)).sum()) + 0.5 * float(
            point[:-1] @ point[:-1]
        ), gradient

    options = {"maxiter": ROUNDS, "maxfun": ROUNDS * 2, "ftol": 1e-5}
    found = minimize(loss, np.zeros(rows.shape[1] + 1), jac=True, method="L-BFGS-B", options=options)
    return found.x[:-1].astype(np.float32), float(found.x[-1])
