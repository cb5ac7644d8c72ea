"""What came of a signature, in the words of RFC 8601 2.7.1."""

from __future__ import annotations

from typing import Literal, TypeAlias

from msgspec import Struct

Result: TypeAlias = Literal["pass", "fail", "permerror", "temperror", "policy"]


class Problem(Struct, frozen=True):
    """Why a signature does not count: "fail" (it is wrong), "permerror", "temperror", "policy" (not accepted)."""

    result: Result
    reason: str


class DkimResult(Struct, frozen=True):
    """One signature's result. `reason` is "" for a plain pass.

    `domain` (d=), `identity` (the domain of i=) and `selector` are in A-labels, "" where the signature does not say;
    `bits` is the key's size; `testing` says that the signer only tries it out (t=y), which changes nothing;
    `secure` that the key came with DNSSEC.
    """

    domain: str
    selector: str
    algorithm: str
    result: Result
    reason: str = ""
    identity: str = ""
    bits: int = 0
    testing: bool = False
    secure: bool = False
