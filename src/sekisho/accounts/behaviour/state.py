"""An account's habits and evidence as one value that is read, brought forward by an event, and written back.

Several workers may see mail of one account at the same moment. A row carries a version; who finds it changed since he
read it reads it again and brings it forward by his own events once more: bringing forward has no other effect and
does not depend much on the order, so nothing has to be merged.
"""

from __future__ import annotations

import msgspec
from msgspec import Struct

from sekisho.accounts.behaviour.events import Bounced, Event, Sending
from sekisho.accounts.behaviour.profile import DAY, VERSION, Profile, learn, trust
from sekisho.accounts.behaviour.recent import MOST_HELD, MOST_HELD_TARGETS, Recent
from sekisho.accounts.behaviour.takeover import Assessment, assess
from sekisho.accounts.behaviour.weights import WEIGHTS, Weights

# Above this nothing is learned at once, and what was held back is learned when it was not reached for so long.
_SUSPICION = 0.15
_CALM = 1.5 * DAY


class AccountState(Struct):
    """The row of an account."""

    profile: Profile
    recent: Recent

    @classmethod
    def new(cls, at: float, half_life: float) -> AccountState:
        """An account that nothing is known of; `half_life` of its habits in seconds."""
        return cls(Profile(at, half_life), Recent())


def observe(state: AccountState, event: Event, weights: Weights = WEIGHTS) -> Assessment:
    """Weigh an event and bring the state forward by it; what comes under suspicion is not learned as usual yet."""
    _learn_held(state, event.at)
    assessment = assess(state.profile, state.recent, event, weights)
    if assessment.probability >= _SUSPICION:
        state.recent.suspected_at = event.at
        _hold(state.recent, event)
    else:
        learn(state.profile, event)
    return assessment


def settle(state: AccountState, *, honest: bool) -> None:
    """Somebody has found out whose mail it was: learn what was held back, or forget it, and begin evidence anew."""
    if honest:
        for event in state.recent.held:
            learn(state.profile, event)
            if not isinstance(event, Bounced):
                trust(state.profile, event.at, event.origin)
    state.recent = Recent()


def _learn_held(state: AccountState, at: float) -> None:
    recent = state.recent
    if recent.held and at - recent.suspected_at > _CALM:
        for event in recent.held:
            learn(state.profile, event)
        recent.held.clear()


def _hold(recent: Recent, event: Event) -> None:
    if isinstance(event, Sending):
        event = msgspec.structs.replace(event, targets=event.targets[:MOST_HELD_TARGETS])
    recent.held.append(event)
    del recent.held[:-MOST_HELD]


def encode(state: AccountState) -> bytes:
    """MessagePack."""
    return msgspec.msgpack.encode(state)


def decode(data: bytes) -> AccountState | None:
    """Read what `encode` wrote; None for what a different version wrote or what is broken."""
    try:
        state = _DECODER.decode(data)
    except (msgspec.DecodeError, msgspec.ValidationError):
        return None
    return state if state.profile.version == VERSION else None


_DECODER = msgspec.msgpack.Decoder(AccountState)
