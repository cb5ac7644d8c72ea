"""ARC: the chain of seals that forwarders put on a message, verified and continued (RFC 8617)."""

from __future__ import annotations

import re
from base64 import b64encode
from typing import TYPE_CHECKING, Literal, TypeAlias

from msgspec import Struct

from sekisho.mailauth.digested import MAX_ARC_SETS, DigestedMessage
from sekisho.mailauth.dkim import OVERSIGNED, SIGNED, DkimKey, folded, signed_fields
from sekisho.mailauth.dkim_key import KeyFinder
from sekisho.mailauth.dkim_result import Problem
from sekisho.mailauth.dkim_signature import body_signature, seal_signature
from sekisho.mailauth.dkim_verify import checked
from sekisho.mailauth.tags import TagError, TagList

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sekisho.mail.ports import RecordResolver

ChainStatus: TypeAlias = Literal["none", "pass", "fail"]

RESULTS = b"arc-authentication-results"
SIGNATURE = b"arc-message-signature"
SEAL = b"arc-seal"
_MAX_NAMES = 200
_RESULTS_INSTANCE = re.compile(rb"[ \t\r\n]*i[ \t\r\n]*=[ \t\r\n]*([0-9]{1,4})[ \t\r\n]*;")
_INSTANCE = re.compile(r"[0-9]{1,4}")


class ArcResult(Struct, frozen=True):
    """The status of a chain, and why it failed.

    `sets` is the highest instance, `domains` those that sealed it, the newest first, as far as it was verified.
    `ended`: the newest seal itself says "fail", so nobody may go on with it. `temporary`: the DNS gave no answer.
    """

    status: ChainStatus
    reason: str = ""
    sets: int = 0
    domains: tuple[str, ...] = ()
    ended: bool = False
    temporary: bool = False


class _Set(Struct, frozen=True):
    """One ARC set: its three fields; `index` is the place of the signature among those of its name."""

    results: bytes
    signature: bytes
    index: int
    seal: bytes


async def verify_chain(message: DigestedMessage, resolver: RecordResolver, at: int) -> ArcResult:
    """The status of the ARC chain of a closed message. `at` in Unix seconds. Raises nothing. Source: RFC 8617 5.2.

    Verified are the newest signature and all seals, of MAX_ARC_SETS sets at most.
    """
    if message.too_long:
        return ArcResult("fail", "the header is too long", ended=True)
    found = _sets(message)
    if isinstance(found, ArcResult):
        return found
    if why := _wrong_status(message, found):
        ended = _status(message, found[-1]) == "fail"
        return ArcResult("fail", why, len(found), ended=ended)
    keys = KeyFinder(resolver)
    problem = await _signature_problem(message, found[-1], keys, at)
    domains: list[str] = []
    for number in range(len(found), 0, -1):
        if problem:
            break
        sealed = await _sealed_by(message, found[:number], keys)
        if isinstance(sealed, Problem):
            problem = sealed
        else:
            domains.append(sealed)
    if problem:
        temporary = problem.result == "temperror"
        return ArcResult("fail", problem.reason, len(found), tuple(domains), temporary=temporary)
    return ArcResult("pass", "", len(found), tuple(domains))


def _sets(message: DigestedMessage) -> tuple[_Set, ...] | ArcResult:
    """The sets from the first to the last, or a result where there are none or they are not whole. RFC 8617 4.2."""
    numbered: dict[bytes, dict[int, int]] = {}
    highest, why = 0, ""
    for name in (RESULTS, SIGNATURE, SEAL):
        places = numbered[name] = {}
        for index, field in enumerate(message.fields.get(name, ())[: 2 * MAX_ARC_SETS]):
            number = _instance(message, name, field)
            if not 1 <= number <= MAX_ARC_SETS or number in places:
                why = why or f"{name.decode()}: i= is wrong, or there twice"
            places[number] = index
            highest = max(highest, number)
    if not any(numbered.values()):
        return ArcResult("none")
    if any(sorted(places) != list(range(1, highest + 1)) for places in numbered.values()):
        why = why or "the sets are not whole"
    if why:
        return ArcResult("fail", why, min(highest, MAX_ARC_SETS), ended=highest > MAX_ARC_SETS)
    results, signatures, seals = (message.fields[name] for name in (RESULTS, SIGNATURE, SEAL))
    return tuple(
        _Set(results[numbered[RESULTS][n]], signatures[at := numbered[SIGNATURE][n]], at, seals[numbered[SEAL][n]])
        for n in range(1, highest + 1)
    )


def _instance(message: DigestedMessage, name: bytes, field: bytes) -> int:
    """The number of a field's set, 0 where it cannot be read. Source: RFC 8617 4.1, 4.2.1."""
    if name == RESULTS:
        match = _RESULTS_INSTANCE.match(field.partition(b":")[2])
        return int(match[1]) if match else 0
    tags = message.tags(field)
    text = "" if isinstance(tags, TagError) else tags.text("i") or ""
    return int(text) if _INSTANCE.fullmatch(text) else 0


def _status(message: DigestedMessage, of: _Set) -> str:
    tags = message.tags(of.seal)
    return "" if isinstance(tags, TagError) else tags.text("cv") or ""


def _wrong_status(message: DigestedMessage, sets: Sequence[_Set]) -> str:
    """Why the cv= of the seals contradict the chain, "" where they do not. Source: RFC 8617 5.2."""
    if _status(message, sets[-1]) == "fail":
        return "the chain had failed before"
    wrong = [n for n, one in enumerate(sets, 1) if _status(message, one) != ("none" if n == 1 else "pass")]
    return f"seal {wrong[0]}: cv= is wrong" if wrong else ""


async def _signature_problem(message: DigestedMessage, newest: _Set, keys: KeyFinder, at: int) -> Problem | None:
    tags = message.tags(newest.signature)
    signature = body_signature(tags) if isinstance(tags, TagList) else Problem("permerror", tags.why)
    if isinstance(signature, Problem):
        return Problem(signature.result, f"signature: {signature.reason}")
    if SEAL in signature.names:
        # RFC 8617 4.1.2
        return Problem("permerror", "signature: h= has a seal in it")
    key = await checked(message, SIGNATURE, newest.index, signature, keys, at=at)
    return Problem(key.result, f"signature: {key.reason}") if isinstance(key, Problem) else None


async def _sealed_by(message: DigestedMessage, sets: Sequence[_Set], keys: KeyFinder) -> str | Problem:
    """The domain of the last of these seals, or why it does not verify. Source: RFC 8617 4.1.3, 5.2."""
    prefix = f"seal {len(sets)}: "
    tags = message.tags(sets[-1].seal)
    if not isinstance(tags, TagList) or "h" in tags.values:
        return Problem("permerror", prefix + (tags.why if isinstance(tags, TagError) else "it has a tag h="))
    signature = seal_signature(tags)
    if isinstance(signature, Problem):
        return Problem(signature.result, prefix + signature.reason)
    key = await keys.key(signature.selector, signature.domain, signature.kind)
    if isinstance(key, Problem):
        return Problem(key.result, prefix + key.reason)
    if not key.verifies(signature.value, _sealed_data(message, sets)):
        return Problem("fail", prefix + "a set was changed, or another key sealed it")
    return signature.domain


def _sealed_data(message: DigestedMessage, sets: Sequence[_Set]) -> bytes:
    parts: list[bytes] = []
    for one in sets:
        parts += (message.canonical(field, "relaxed") for field in (one.results, one.signature, one.seal))
    parts[-1] = message.canonical(message.unsigned(sets[-1].seal), "relaxed")
    return b"\r\n".join(parts)


def seal(  # noqa: PLR0917 (what is sealed, and with what)
    message: DigestedMessage, chain: ArcResult, results: str, key: DkimKey, at: int, names: Sequence[bytes] = ()
) -> bytes:
    """The three fields of a new set, CRLF included, to be put on top; b"" where the chain may not go on.

    `message` was taken with the form "relaxed", `chain` is what `verify_chain` said of it, `results` the value of an
    Authentication-Results field of ours; `at` in Unix seconds; `names` in lower case are signed in place of
    those that occur of what DKIM signs. Source: RFC 8617 5.1.
    """
    if chain.ended or chain.sets >= MAX_ARC_SETS or message.too_long:
        return b""
    number = chain.sets + 1
    lines = "\r\n ".join(results.replace("\r\n", " ").splitlines())
    told = f"ARC-Authentication-Results: i={number}; {lines}".encode()
    signature = _signature(message, number, key, at, names or _names(message))
    sealed = _seal(message, chain, (told, signature), key, at)
    return b"\r\n".join((sealed, signature, told, b""))


def _names(message: DigestedMessage) -> list[bytes]:
    # RFC 8617 4.1.2: the fields of ARC itself stay out, signatures of DKIM belong in
    names: list[bytes] = []
    for name in (*OVERSIGNED, *SIGNED, b"dkim-signature"):
        names += [name] * len(message.fields.get(name, ()))
    return names[:_MAX_NAMES]


def _signature(message: DigestedMessage, number: int, key: DkimKey, at: int, names: Sequence[bytes]) -> bytes:
    listed = re.findall(r"[^:]+:?", f" h={b':'.join(names).decode()};")
    hashed = b64encode(message.body_hash("relaxed")).decode()
    tags = (f"bh={hashed};", " c=relaxed/relaxed;", f" d={key.domain};", *listed, f" i={number};")
    first, rest = f"ARC-Message-Signature: a={key.algorithm};\r\n b=", (*tags, f" s={key.selector};", f" t={at}")
    signed = signed_fields(message.fields, names).removesuffix(b"\r\n")
    return _with_value(first, rest, [signed], message, key)


def _seal(message: DigestedMessage, chain: ArcResult, own: tuple[bytes, bytes], key: DkimKey, at: int) -> bytes:
    # RFC 8617 5.1.2: after a failure the seal is on its own set alone
    earlier = _sets(message) if chain.status == "pass" else ()
    sealed: list[bytes] = []
    for one in earlier if isinstance(earlier, tuple) else ():
        sealed += (message.canonical(field, "relaxed") for field in (one.results, one.signature, one.seal))
    sealed += (message.canonical(field, "relaxed") for field in own)
    tags = (f"cv={chain.status};", f" d={key.domain};", f" i={chain.sets + 1};", f" s={key.selector};", f" t={at}")
    return _with_value(f"ARC-Seal: a={key.algorithm};\r\n b=", tags, sealed, message, key)


def _with_value(
    first: str, rest: Sequence[str], signed: list[bytes], message: DigestedMessage, key: DkimKey
) -> bytes:
    """A field with its b= in place: what stands before it and behind.

    b= is not folded: a seal covers how a signature was, and the public suite expects it so.
    """
    tail = b";\r\n " + folded("", rest)
    unsigned = first.encode() + tail
    value = b64encode(key.sign(b"\r\n".join([*signed, message.canonical(unsigned, "relaxed")])))
    return first.encode() + value + tail
