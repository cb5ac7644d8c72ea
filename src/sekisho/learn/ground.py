"""What a shipped model gives to the layers over it: what tells mails apart, and how far they may change it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
from numpy.typing import NDArray

from sekisho.learn.grams import BITS, Indices
from sekisho.learn.model import log_odds

if TYPE_CHECKING:
    from sekisho.learn.model import Model

CERTAIN: Final = 0.95
PROBABLE: Final = 0.75
MOST_FEATURES: Final = 2048
_COMMON: Final = 0.25  # on a scale from what all mails have (0) to the rarest (1): about what one mail in ten has
_MARGIN: Final = 0.001  # of a probability, so that rounding passes no threshold


_FROM_CERTAIN: Final = log_odds(CERTAIN)
_BELOW_CERTAIN: Final = log_odds(CERTAIN - _MARGIN)
_STILL_PROBABLE: Final = log_odds(PROBABLE + _MARGIN)


def allowed(odds: float, change: float) -> float:
    """As much of a change of a message's log odds as a layer may make.

    What is certain stays probable, and what is not certain does not become so.
    """
    if odds >= _FROM_CERTAIN:
        return max(change, _STILL_PROBABLE - odds)
    return min(change, max(0.0, _BELOW_CERTAIN - odds))


class Ground:
    """One model as the layers see it. Immutable and shared by all threads; 2 MB.

    `specific` is how much each feature tells mails apart: 0 for what many have, 0.75 for what few have or none had.
    """

    def __init__(self, model: Model) -> None:
        importance = model.importance(np.arange(1 << BITS))
        known = importance[importance > 0]
        least, most = (float(known.min()), float(known.max())) if len(known) else (0.0, 0.0)
        rarity = np.where(importance > 0, (importance - least) / ((most - least) or 1.0), 1.0)
        self.specific = np.maximum(rarity - (_COMMON if most > least else 0.0), 0).astype(np.float32)

    def features(self, indices: Indices) -> bytes:
        """Those by which a mail is told from others, at most MOST_FEATURES, as `Decision.features`.

        Of more the same ones are chosen in every mail that has them, the stronger ones rather than others.
        """
        kept = np.unique(indices[self.specific[indices] > 0])
        if len(kept) > MOST_FEATURES:
            chance = (kept.astype(np.uint64) * np.uint64(0xD6E8FEB86659FD93) >> np.uint64(40)).astype(np.float64) + 1
            order = np.argpartition(chance / self.specific[kept] ** 2, MOST_FEATURES)
            kept = np.sort(kept[order[:MOST_FEATURES]])
        return kept.astype("<u4").tobytes()

    def direction(self, features: bytes) -> tuple[Indices, NDArray[np.float32]]:
        """Features as places and a vector of length 1; without places where they say nothing or are no features."""
        indices = np.frombuffer(features[: len(features) // 4 * 4], "<u4").astype(np.int64)
        indices = indices[indices < 1 << BITS]
        values = self.specific[indices]
        length = float(np.sqrt(values @ values))
        return (indices, values / length) if length else (indices[:0], values[:0])
