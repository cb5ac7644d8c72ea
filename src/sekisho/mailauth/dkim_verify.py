"""DKIM verification without I/O of its own (RFC 6376 6, RFC 8301, RFC 8463)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sekisho.mailauth.digested import MAX_SIGNATURES, DigestedMessage
from sekisho.mailauth.dkim_key import FoundKey, KeyFinder
from sekisho.mailauth.dkim_result import DkimResult, Problem
from sekisho.mailauth.dkim_signature import Signature, dkim_signature, names_of
from sekisho.mailauth.tags import TagError

if TYPE_CHECKING:
    from sekisho.mail.pieces import Octets
    from sekisho.mail.ports import RecordResolver

# Of more signatures nothing is reported: the last of them says how many there are.
MAX_REPORTED = 100
_FIELD = b"dkim-signature"


async def verify(message: Octets, resolver: RecordResolver, at: int) -> tuple[DkimResult, ...]:
    """The result of each DKIM signature of a message, from the top down; () where it has none.

    `at` is the present in Unix seconds. Raises nothing. The first MAX_SIGNATURES are verified, the others are
    "policy". Source: RFC 6376 6.1.
    """
    return await verify_digested(DigestedMessage.of(message), resolver, at)


async def verify_digested(message: DigestedMessage, resolver: RecordResolver, at: int) -> tuple[DkimResult, ...]:
    """The same for a message that came in pieces and is closed."""
    if message.too_long:
        return (DkimResult("", "", "", "policy", "the header is too long"),)
    keys = KeyFinder(resolver)
    fields = message.fields.get(_FIELD, [])
    results = [await _result(message, index, keys, at) for index in range(min(len(fields), MAX_SIGNATURES))]
    too_many = Problem("policy", f"one of {len(fields)} signatures")
    return (*results, *(_reported(message, field, too_many) for field in fields[MAX_SIGNATURES:MAX_REPORTED]))


async def _result(message: DigestedMessage, index: int, keys: KeyFinder, at: int) -> DkimResult:
    field = message.fields[_FIELD][index]
    tags = message.tags(field)
    if isinstance(tags, TagError):
        return _reported(message, field, Problem("permerror", tags.why))
    signature = dkim_signature(tags)
    if isinstance(signature, Problem):
        return _reported(message, field, signature)
    key = await checked(message, _FIELD, index, signature, keys, at=at)
    if isinstance(key, Problem):
        return _reported(message, field, key, signature.identity)
    if key.record.strict and signature.identity != signature.domain:
        # RFC 6376 3.6.1: the flag t=s
        return _reported(message, field, Problem("permerror", "the key is not for names below d="))
    return DkimResult(
        signature.domain, signature.selector, signature.algorithm, "pass", "", signature.identity,
        key.bits, key.record.testing, key.secure,
    )  # fmt: skip


async def checked(
    message: DigestedMessage, name: bytes, index: int, signature: Signature, keys: KeyFinder, *, at: int
) -> FoundKey | Problem:
    """The key that a signature of header and body verifies with, or why it does not. Source: RFC 6376 6.1.2, 6.1.3.

    `name` and `index` say which field it is. The body comes first: where that was changed, nobody is asked for a key.
    """
    if signature.expires is not None and signature.expires < at:
        return Problem("fail", "the signature has expired")
    if message.body_hash(signature.body_form) != signature.body_hash:
        return Problem("fail", "the body was changed")
    key = await keys.key(signature.selector, signature.domain, signature.kind)
    if isinstance(key, Problem):
        return key
    if not key.verifies(signature.value, message.signed_data(name, index, signature.names, signature.header_form)):
        return Problem("fail", "the header was changed, or another key signed it")
    return key


def _reported(message: DigestedMessage, field: bytes, problem: Problem, identity: str = "") -> DkimResult:
    tags = message.tags(field)
    names = ("", "", "") if isinstance(tags, TagError) else names_of(tags)
    return DkimResult(*names, problem.result, problem.reason, identity)
