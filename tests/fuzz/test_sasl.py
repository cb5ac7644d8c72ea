"""SASL mechanisms on anything: each octet string is a step or `SaslError`, and nobody comes in without being let in.

The contract: in bounded time, with no other exception, whatever is said in whatever order.
"""

from hypothesis import given, settings
from hypothesis import strategies as st

from sekisho.mail.account import ScramKeys
from sekisho.wire.sasl.offered import MECHANISMS, begin
from sekisho.wire.sasl.steps import (
    Challenge,
    CheckPassword,
    CheckProof,
    CheckToken,
    Failed,
    GiveKeys,
    Passed,
    SaslError,
)

KEYS = ScramKeys(b"salt", 4096, b"s" * 32, b"k" * 32)
BINDINGS = {"tls-exporter": b"x" * 32}
TOKENS = [
    b"n,,", b"y,,", b"p=tls-exporter,,", b"n,a=tim,", b"n=tim", b",", b"r=abc", b"c=biws", b"p=AAAA", b"\0", b"tim",
    b"\x01", b"auth=Bearer x", b"user=tim", b"\x01\x01", b"=2C", b"=", b"\xff", b"m=", b"rabcx",
]  # fmt: skip
MESSAGES = st.one_of(st.binary(max_size=60), st.lists(st.sampled_from(TOKENS), max_size=12).map(b"".join))


@given(st.sampled_from(MECHANISMS), st.lists(MESSAGES, max_size=6))
@settings(max_examples=600, deadline=None)
def test_nobody_comes_in_without_being_let_in(name, messages):
    mechanism = begin(name, MECHANISMS, BINDINGS)
    for message in messages:
        try:
            step = mechanism.respond(message)
            if isinstance(step, GiveKeys):
                step = mechanism.resume(KEYS)
            if isinstance(step, CheckProof):
                assert not step.proved  # nobody finds a proof by chance
            if isinstance(step, CheckPassword | CheckProof | CheckToken):
                step = mechanism.resume(False)  # noqa: FBT003 - the answer
        except SaslError:
            return
        assert isinstance(step, Challenge | Failed | Passed)
        assert not isinstance(step, Passed)
        if isinstance(step, Failed):
            return


@given(
    st.sampled_from(MECHANISMS), st.sampled_from([b"n", b",", b"=", b"\x01", b"\0", b"n,,", b"a=b\x01", b"n=,r=,"])
)
@settings(max_examples=50, deadline=None)
def test_long_messages_take_no_long_time(name, piece):
    mechanism = begin(name, MECHANISMS, BINDINGS)
    for head in (b"", b"n,,", b"n,,n=a,r=b", b"n,,\x01auth=Bearer "):
        try:
            mechanism.respond(head + piece * 9000)
        except SaslError:
            mechanism = begin(name, MECHANISMS, BINDINGS)
