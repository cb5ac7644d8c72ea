"""The evidence of the last hours: what was sent, from usual places and from strange ones apart."""

from __future__ import annotations

import math

from msgspec import Struct, field

from sekisho.accounts.behaviour.amounts import Window
from sekisho.accounts.behaviour.events import Event, Origin
from sekisho.accounts.behaviour.profile import SPANS

_MOST_MET = 160
_MOST_TEXTS = 12
MOST_HELD = 8
MOST_HELD_TARGETS = 8


def _windows() -> dict[str, Window]:
    return {name: Window(span) for name, span in SPANS.items()}


class Stream(Struct):
    """Evidence of one kind of origin (`usual` or strange). `levels`: log-odds by signal; they fade from `at` on."""

    usual: bool
    levels: dict[str, float] = field(default_factory=dict)
    at: float = 0.0
    windows: dict[str, Window] = field(default_factory=_windows)
    messages: int = 0

    def fade(self, at: float, half_life: float) -> None:
        """Let what was seen weigh less. A time before the last one changes nothing."""
        if at <= self.at:
            return
        factor = math.exp2((self.at - at) / half_life)
        self.at = at
        if factor < 0.02:
            self.levels.clear()
            self.messages = 0
            return
        for name, level in self.levels.items():
            self.levels[name] = level * factor


class Repeated(Struct, array_like=True):
    """A text that went out lately, how often and to how many."""

    template: int
    at: float
    recipients: int
    times: int = 1


class Recent(Struct):
    """Evidence that is not yet habit. `held` is what was seen under suspicion: learned when that turns out unfounded.

    `met` are known recipients written to since `met_since` (lower halves of their hashes), `texts` what was sent
    lately and to how many, `suspected_at` when suspicion last stood.
    """

    usual: Stream = field(default_factory=lambda: Stream(usual=True))
    strange: Stream = field(default_factory=lambda: Stream(usual=False))
    last_origin: Origin | None = None
    last_at: float = 0.0
    failures: Window = field(default_factory=lambda: Window(3600.0))
    met: list[int] = field(default_factory=list)
    met_since: float = 0.0
    texts: list[Repeated] = field(default_factory=list)
    held: list[Event] = field(default_factory=list)
    suspected_at: float = 0.0

    def meet(self, addresses: list[int], at: float) -> int:
        """Note known recipients of the last hours; how many different ones there are."""
        if at - self.met_since > 3 * 3600:
            self.met.clear()
            self.met_since = at
        new = {address & 0xFFFFFFFF for address in addresses}.difference(self.met)
        self.met.extend(list(new)[: _MOST_MET - len(self.met)])
        return len(self.met)

    def repeat(self, template: int, at: float, recipients: int) -> tuple[int, int]:
        """Note a text; how many times and to how many it went within hours, this time included."""
        if not template:
            return 1, recipients
        for text in self.texts:
            if text.template == template and at - text.at < 6 * 3600:
                text.at = at
                text.recipients += recipients
                text.times += 1
                return text.times, text.recipients
        if len(self.texts) >= _MOST_TEXTS:
            self.texts.remove(min(self.texts, key=lambda text: text.at))
        self.texts.append(Repeated(template, at, recipients))
        return 1, recipients
