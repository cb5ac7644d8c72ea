"""Which mechanisms there are, where each may be used, and how one begins."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from sekisho.wire.sasl.oauth import OAuthBearer, XOAuth2
from sekisho.wire.sasl.plain import LoginMechanism, Plain
from sekisho.wire.sasl.scram import Scram
from sekisho.wire.sasl.steps import Mechanism

PLUS = "SCRAM-SHA-256-PLUS"
# The best first: some clients take the first that they know.
MECHANISMS = (PLUS, "SCRAM-SHA-256", "OAUTHBEARER", "XOAUTH2", "PLAIN", "LOGIN")
IN_CLEAR = frozenset({"SCRAM-SHA-256"})  # what does not show a secret to whoever listens


def usable(allowed: Collection[str], bindings: Mapping[str, bytes], *, protected: bool) -> tuple[str, ...]:
    """Those of the `allowed` that may be used here: secrets only under TLS, -PLUS only with channel bindings."""
    return tuple(
        name
        for name in MECHANISMS
        if name in allowed and (protected or name in IN_CLEAR) and (name != PLUS or bindings)
    )


def begin(name: str, offered: Sequence[str], bindings: Mapping[str, bytes]) -> Mechanism:
    """A new exchange with one of MECHANISMS."""
    if name in (PLUS, "SCRAM-SHA-256"):
        return Scram(plus=name == PLUS, bindings=bindings, plus_offered=PLUS in offered)
    return _SIMPLE[name]()


_SIMPLE: dict[str, type[Plain | LoginMechanism | OAuthBearer | XOAuth2]] = {
    "PLAIN": Plain,
    "LOGIN": LoginMechanism,
    "OAUTHBEARER": OAuthBearer,
    "XOAUTH2": XOAuth2,
}
