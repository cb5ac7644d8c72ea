"""What a reviewer decided about a message that was held for its content: what a tenant's layer learns from."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from msgspec import Struct

Label = Literal["fine", "bad"]


class Decision(Struct, frozen=True):
    """One decision. `id` is that of the held message, `at` aware and UTC, `reviewer` who decided.

    `sender` is the account or, where none was logged in, the reverse-path; `kind` what the model took the mail for.
    `logit` is the log odds that the shipped model `model` gave it; `features` are places in its weights
    (little-endian uint32, ascending, below 2 ** `bits`), `sketch` tells texts that are nearly the same.
    """

    id: str
    tenant: str
    at: datetime
    reviewer: str
    sender: str
    label: Label
    kind: str
    logit: float
    model: str
    bits: int
    features: bytes
    sketch: bytes
