"""How a process and its machine are, and what it does not take therefore."""

from __future__ import annotations

from msgspec import Struct

from sekisho.config.flood_settings import FloodSettings
from sekisho.mail.reply import Reply
from sekisho.wire.smtp_replies import DISK_FILLS, MAIL_TOO_BUSY

_DECAY = 0.7  # of a lag, from one measurement to the next
_LEAST_SHARE = 16  # a sixteenth of the memory for mail stays for mail, however large the process is
_SMALL_DISK = 20  # no more than a twentieth of a disk is kept free


class Measured(Struct, frozen=True):
    """What was seen: the loop's lag in seconds, octets of the process and free on the disk, and of the whole disk.

    `allowed` is what the process may have; 0: not bounded.
    """

    lag: float = 0.0
    process: int = 0
    allowed: int = 0
    free: int = 1
    disk: int = 0


class Load:
    """Takes measurements, some a second, and says what follows. It recovers as the measurements do."""

    def __init__(self) -> None:
        self.settings = FloodSettings()
        self.seen = Measured()
        self.lag = 0.0

    def observe(self, seen: Measured) -> None:
        """Take a measurement."""
        self.seen = seen
        self.lag = max(seen.lag, self.lag * _DECAY)

    @property
    def late(self) -> bool:
        """Whether no new connections are taken."""
        return self.lag > self.settings.lag_seconds

    @property
    def disk_fills(self) -> bool:
        """Whether too little of the disk is free."""
        return self.seen.free < min(self.settings.least_free_disk_bytes, self.seen.disk // _SMALL_DISK)

    @property
    def heavy(self) -> bool:
        """Whether the process has more memory than it may."""
        return 0 < self.seen.allowed < self.seen.process

    def mail_refusal(self) -> Reply | None:
        """4xx where no mail is taken at the moment."""
        if self.disk_fills:
            return DISK_FILLS
        return MAIL_TOO_BUSY if self.lag > 2 * self.settings.lag_seconds else None

    def memory_for_mail(self, most: int, in_flight: int) -> int:
        """Of `most` octets for mail those that may be used: what the process has too much is taken off.

        That includes mail `in_flight`: what is left stays as long as the process does not shrink.
        """
        if not self.heavy:
            return most
        over = self.seen.process - self.seen.allowed
        return max(most // _LEAST_SHARE, min(most, in_flight) - over)

    def trouble(self) -> str:
        """What is refused at the moment, in words, or ""."""
        said = []
        if self.disk_fills:
            said.append(f"no mail is taken: {self.seen.free} octets are free on the disk of the state directory")
        if self.lag > 2 * self.settings.lag_seconds:
            said.append("no mail is taken: the event loop is late")
        elif self.late:
            said.append("no new connections are taken: the event loop is late")
        if self.heavy:
            said.append(f"less mail is taken at once: the process has {self.seen.process} octets of memory")
        return "; ".join(said)
