"""The head of SCRAM's and OAUTHBEARER's first message: channel binding and who to act as. RFC 5801 4."""

from __future__ import annotations

import re

from msgspec import Struct

from sekisho.wire.sasl.steps import SaslError

_HEADER = re.compile(r"(?:([ny])|p=([A-Za-z0-9.-]{1,64})),(?:a=([^,]{1,1024}))?,")
_SASL_NAME = re.compile(r"(?:[^=,\0]|=2C|=3D)+")


class Gs2Header(Struct, frozen=True):
    """`flag` "n" (no channel binding), "y" (we seem to have none) or "p", then of the kind `binding`.

    `text` is the header as it stands, `act_as` the authorization identity, "" for none.
    """

    text: str
    flag: str
    binding: str
    act_as: str


def read_gs2(message: str) -> Gs2Header:
    """Read the header at the front of a first message. Raises SaslError."""
    matched = _HEADER.match(message)
    if matched is None:
        raise SaslError("no GS2 header")
    act_as = sasl_name(matched[3]) if matched[3] is not None else ""
    return Gs2Header(matched[0], matched[1] or "p", matched[2] or "", act_as)


def sasl_name(text: str) -> str:
    """Undo the escapes of a name: =2C and =3D. Raises SaslError. RFC 5802 5.1."""
    if not _SASL_NAME.fullmatch(text):
        raise SaslError("not a name")
    return text.replace("=2C", ",").replace("=3D", "=")
