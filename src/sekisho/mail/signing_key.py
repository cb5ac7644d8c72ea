"""A DKIM key that we keep: its two halves, where it is published, and how far it is in its life."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from msgspec import Struct

KeyState = Literal["pending", "active", "retiring", "retired"]
KeyAlgorithm = Literal["rsa", "ed25519"]
AlertCode = Literal[
    "", "absent", "changed", "revoked", "several", "pending-long", "rotation-due", "still-published"
]  # fmt: skip


class SigningKey(Struct, frozen=True):
    """One key. `domain` and `selector` in A-labels, lower case; the pair is unique in an installation.

    `public` is what p= holds (RFC 6376 3.6.1, RFC 8463 4) and `private` PKCS #8 in DER, b"" once it was deleted.
    `since` is when `state` began. `base`: the name below which the record stands where the domain only delegates to
    it by CNAME, "" where it stands in the domain. `testing`: the published record says t=y. `gone`: a retired key's
    record has been seen to be gone. `told` is the alert in force, so that it is told once.
    """

    tenant: str
    domain: str
    selector: str
    algorithm: KeyAlgorithm
    public: bytes
    private: bytes
    created_at: datetime
    since: datetime
    state: KeyState = "pending"
    base: str = ""
    testing: bool = False
    gone: bool = False
    told: AlertCode = ""

    def __repr__(self) -> str:
        """Without the private key: it must not get into a log."""
        return f"SigningKey({self.asked_name!r}, {self.algorithm!r}, {self.state!r})"

    @property
    def asked_name(self) -> str:
        """The name that receivers ask for. RFC 6376 3.6.2.1."""
        return f"{self.selector}._domainkey.{self.domain}"

    @property
    def record_name(self) -> str:
        """The name that has the TXT record: the asked one, or the one that its CNAME points to."""
        return f"{self.selector}.{self.domain}.{self.base}" if self.base else self.asked_name
