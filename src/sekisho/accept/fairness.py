"""Whose mail a worker takes in hand, and whose it works on next."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping

from sekisho.accept.networks import network_of
from sekisho.accept.turns import FairTurns, Path, Turn
from sekisho.config.flood_settings import FloodSettings
from sekisho.mail.envelope import Envelope, Session
from sekisho.mail.reply import Reply

Receive = Callable[[Session, Envelope, bytes], Awaitable[Reply]]

_ASKING = 4  # at once: the store's and the counters' one thread do not get faster by more
_MESSAGE_SECONDS = 0.005
_SECONDS_FOR_OCTET = 1e-7  # what reading and inspecting costs, roughly


class Fairness:
    """Of one worker, over all its configurations. See `mail.ports.Turns`.

    Messages in hand are few enough to fit into memory and many enough to wait for slow next hops together. Of those
    one at a time is worked on by the loop, and few of the large ones by threads, which slow the loop down.
    """

    def __init__(self, settings: FloodSettings, weights: Mapping[str, float]) -> None:
        self.in_work = FairTurns(1, reserve=True)
        self._small, self._large, self._asking = FairTurns(1), FairTurns(1), FairTurns(_ASKING)
        self.update(settings, weights)

    def update(self, settings: FloodSettings, weights: Mapping[str, float]) -> None:
        """Use other settings. `weights` are the tenants' shares."""
        self.in_work.places, self.in_work.bound = settings.messages_in_work, settings.messages_waiting
        self.in_work.seconds, self._large.places = settings.wait_seconds, settings.large_in_work
        for turns in (self.in_work, self._small, self._large, self._asking):
            turns.weights = weights

    def receiving(self, receive: Receive) -> Receive:
        """`receive`, when it is a message's turn. Raises ReplyError 451 where too many wait, or one for too long."""

        async def fair(session: Session, envelope: Envelope, data: bytes) -> Reply:
            cost = _MESSAGE_SECONDS + len(data) * _SECONDS_FOR_OCTET
            async with self.in_work.turn(path_of(session, envelope), cost, timed=False):
                return await receive(session, envelope, data)

        return fair

    def turn(self, session: Session, envelope: Envelope, *, large: bool) -> Turn:
        """A turn at the loop, or at a thread. What it took is what it cost."""
        return (self._large if large else self._small).turn(path_of(session, envelope))

    def asking(self, session: Session, envelope: Envelope) -> Turn:
        """A turn at what is shared by all processes."""
        return self._asking.turn(path_of(session, envelope))


def path_of(session: Session, envelope: Envelope) -> Path:
    """Tenant; account that has logged in, or the client's network; reverse-path.

    An account that is only taken from what the message says is none here: a client would be as many as it likes.
    """
    logged_in = None if session.account_source else session.account
    return session.tenant, logged_in or network_of(session.client_ip), (envelope.mail_from or "").lower()
