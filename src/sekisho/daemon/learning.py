"""What reviewers have taught: the tenants' layers in force, taken up anew when decisions change."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from functools import cache

from sekisho.config.settings import LearningSettings
from sekisho.config.shipped import shipped
from sekisho.learn.grams import Indices
from sekisho.learn.ground import Ground
from sekisho.learn.layer import Layer
from sekisho.learn.model import Model
from sekisho.mail.decision import Decision
from sekisho.mail.kept import StoreAwayError
from sekisho.mail.ports import DecisionMemory

log = logging.getLogger(__name__)

_MODEL = "models/content.model"


@cache
def shipped_model() -> Model | None:
    """The content model that comes with Sekisho, read once; None where there is none. Raises ModelError, OSError."""
    file = shipped(_MODEL)
    return Model.from_bytes(file.read_bytes()) if file.exists() else None


class TenantLayers:
    """The layers in force, for the inspector "content". `refresh` takes up what was decided since.

    Without a model or a memory no layer is ever in force.
    """

    def __init__(
        self, model: Model | None, settings: Mapping[str, LearningSettings], memory: DecisionMemory | None
    ) -> None:
        self._model = model
        self._settings = settings
        self._memory = memory
        self._ground: Ground | None = None
        self._stamps: dict[str, tuple[int, ...]] = {}
        self._layers: dict[str, Layer] = {}
        self._refreshing = asyncio.Lock()

    def shift_for(self, tenant: str) -> Callable[[Indices, float], float]:
        """What tells how much a tenant's layer changes the logit of a message, by its features and these log odds."""
        layer = self._layers.get(tenant)
        return layer.shift if layer is not None else _nothing

    def status(self) -> list[dict[str, object]]:
        """For `sekisho status`: the tenants whose layers are in effect."""
        return [
            {"tenant": tenant, "decisions": len(layer.counted.rows)} for tenant, layer in sorted(self._layers.items())
        ]

    async def refresh(self) -> None:
        """Learn anew where decisions have changed, and once a day. The old stays in force where the store fails."""
        if self._model is None or self._memory is None:
            return
        async with self._refreshing:
            try:
                await self._refresh(self._model, self._memory)
            except StoreAwayError as error:
                log.warning("what reviewers decided cannot be read, the old stays in force: %s", error)

    async def _refresh(self, model: Model, memory: DecisionMemory) -> None:
        now = datetime.now(UTC)
        stamps = {
            tenant: (*stamp, now.toordinal())
            for tenant, stamp in (await memory.stamps()).items()
            if tenant in self._settings and self._settings[tenant].enabled
        }
        for tenant in self._layers.keys() - stamps.keys():
            del self._layers[tenant]
            log.info("layer of %s: no decisions any more", tenant)
        for tenant, stamp in stamps.items():
            if self._stamps.get(tenant) != stamp:
                decisions = await memory.of(tenant)
                layer = await asyncio.to_thread(self._learned, model, decisions, self._settings[tenant], now)
                self._take_up(tenant, layer)
        self._stamps = stamps

    def _learned(self, model: Model, decisions: list[Decision], settings: LearningSettings, now: datetime) -> Layer:
        if self._ground is None:
            self._ground = Ground(model)
        return Layer(self._ground, decisions, settings, now)

    def _take_up(self, tenant: str, layer: Layer) -> None:
        if layer.in_effect:
            self._layers[tenant] = layer
            log.info("layer of %s: in effect, %d decisions count", tenant, len(layer.counted.rows))
        elif self._layers.pop(tenant, None) is not None:
            log.info("layer of %s: not in effect any more", tenant)


def _nothing(_: Indices, __: float) -> float:
    return 0.0
