"""Key records: what stands at `selector`._domainkey.`domain` (RFC 6376 3.6.1, RFC 8463 4), and the key in them."""

from __future__ import annotations

from functools import lru_cache
from hashlib import sha256
from typing import TYPE_CHECKING, TypeAlias

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_der_public_key
from msgspec import Struct

from sekisho.mailauth.dkim_result import Problem
from sekisho.mailauth.tags import TagError, TagList, base64_value, tag_list

if TYPE_CHECKING:
    from sekisho.mail.dns import Records
    from sekisho.mail.ports import RecordResolver

PublicKey: TypeAlias = RSAPublicKey | Ed25519PublicKey

# RFC 8301 3.2: shorter RSA keys must not be taken for valid, those of up to 4096 bits must work, longer ones may.
MIN_RSA_BITS = 1024
MAX_RSA_BITS = 4096
MAX_RECORD = 16_384  # octets: a key of 4096 bits takes 800
_MAX_KEY = 2_200  # octets of a key of 16,384 bits
# A public exponent as long as the modulus makes each verification hundreds of times as long.
_MAX_EXPONENT_BITS = 33
_MAX_RECORDS = 4
_PADDING = PKCS1v15()
_SHA256 = SHA256()


class KeyRecord(Struct, frozen=True):
    """A key record: `kind` (k=) "rsa" or "ed25519", `key` (p=) as octets, b"" where it was revoked.

    `strict`: i= must be d= itself (t=s). `testing`: t=y.
    """

    kind: str
    key: bytes
    strict: bool = False
    testing: bool = False


class FoundKey(Struct, frozen=True):
    """A public key with its record; `secure` says that the answer came with DNSSEC."""

    record: KeyRecord
    public: PublicKey
    secure: bool = False

    @property
    def bits(self) -> int:
        """The size of the key."""
        return self.public.key_size if isinstance(self.public, RSAPublicKey) else 256

    def verifies(self, signature: bytes, data: bytes) -> bool:
        """Whether the signature is one of canonical header data. RFC 6376 3.3.1, RFC 8463 3."""
        try:
            if isinstance(self.public, RSAPublicKey):
                self.public.verify(signature, data, _PADDING, _SHA256)
            else:
                self.public.verify(signature, sha256(data).digest())
        except (InvalidSignature, ValueError):
            return False
        return True


def key_record(text: bytes) -> KeyRecord | Problem:
    """Read a key record. Raises nothing. Source: RFC 6376 3.6.1, 6.1.2."""
    if len(text) > MAX_RECORD:
        return Problem("permerror", "the key record is malformed: too long")
    return _key_record(text)


@lru_cache(maxsize=512)
def _key_record(text: bytes) -> KeyRecord | Problem:
    tags = tag_list(text)
    if isinstance(tags, TagError):
        return Problem("permerror", f"the key record is malformed: {tags.why}")
    kind = tags.text("k") or "rsa"
    key = base64_value(tags.values["p"]) if "p" in tags.values else None
    if why := _unfit(tags, kind):
        return Problem("permerror", f"the key record is {why}")
    if key is None:
        return Problem("permerror", "the key record has no key that can be read")
    flags = _listed(tags.text("t"), "")
    return KeyRecord(kind, key, "s" in flags, "y" in flags)


def _unfit(tags: TagList, kind: str) -> str:
    if "v" in tags.values and (tags.values["v"] != b"DKIM1" or next(iter(tags.values)) != "v"):
        return "not of version DKIM1"
    if kind not in ("rsa", "ed25519"):
        return "for an unknown kind of key"
    if "sha256" not in _listed(tags.text("h"), "sha256"):
        return "not for SHA-256"
    return "" if _listed(tags.text("s"), "*") & {"*", "email"} else "not for mail"


def _listed(value: str | None, default: str) -> set[str]:
    return set((default if value is None else value).split(":"))


@lru_cache(maxsize=512)
def public_key(kind: str, key: bytes) -> PublicKey | Problem:
    """The key of a record, if it is one to trust. Raises nothing. Source: RFC 8301 3.2, RFC 8463 4.

    RSA keys come as SubjectPublicKeyInfo, as everybody does, or as RSAPublicKey, as the text of RFC 6376 has it.
    """
    if not key:
        return Problem("permerror", "the key was revoked")
    if kind == "ed25519":
        if len(key) != 32:
            return Problem("permerror", "the key is not one of Ed25519")
        return Ed25519PublicKey.from_public_bytes(key)
    if len(key) > _MAX_KEY:
        return Problem("policy", f"the RSA key has more than {MAX_RSA_BITS} bits")
    try:
        found = load_der_public_key(key)
    except (ValueError, UnsupportedAlgorithm):
        found = None
    return _trusted(found) if isinstance(found, RSAPublicKey) else Problem("permerror", "the key is not one of RSA")


def _trusted(key: RSAPublicKey) -> RSAPublicKey | Problem:
    if not MIN_RSA_BITS <= key.key_size <= MAX_RSA_BITS:
        limit = f"less than {MIN_RSA_BITS}" if key.key_size < MIN_RSA_BITS else f"more than {MAX_RSA_BITS}"
        return Problem("policy", f"the RSA key has {limit} bits")
    if key.public_numbers().e.bit_length() > _MAX_EXPONENT_BITS:
        return Problem("policy", "the RSA key has too large an exponent")
    return key


def forget() -> None:
    """Read every record and key anew from now on, as if each were the first of its domain."""
    _key_record.cache_clear()
    public_key.cache_clear()


class KeyFinder:
    """Looks keys up, each once, for the signatures of one message.

    After three answers that did not come it asks no more: all others are temperror too.
    """

    def __init__(self, resolver: RecordResolver) -> None:
        self._resolver = resolver
        self._found: dict[tuple[str, str], Records] = {}
        self._away = 0

    async def key(self, selector: str, domain: str, kind: str) -> FoundKey | Problem:
        """The key of this kind, or why there is none to use. Source: RFC 6376 3.6.2, 6.1.2."""
        records = await self._records(selector, domain)
        if isinstance(records, Problem):
            return records
        problem = Problem("permerror", "no key record")
        for text in records.values[:_MAX_RECORDS]:
            record = key_record(text) if isinstance(text, bytes) else problem
            if isinstance(record, KeyRecord) and record.kind != kind:
                record = Problem("permerror", f"the key record is for {record.kind}")
            found = record if isinstance(record, Problem) else public_key(record.kind, record.key)
            if isinstance(record, KeyRecord) and not isinstance(found, Problem):
                return FoundKey(record, found, records.secure)
            problem = found if isinstance(found, Problem) else problem
        return problem

    async def _records(self, selector: str, domain: str) -> Records | Problem:
        asked = (selector, domain)
        if asked not in self._found:
            if self._away >= 3:
                return Problem("temperror", "no answer from the DNS")
            self._found[asked] = await self._resolver.records(f"{selector}._domainkey.{domain}", "TXT")
            self._away += self._found[asked].status == "away"
        records = self._found[asked]
        if records.status in ("refused", "away", "bogus"):
            return Problem("temperror", f"no answer from the DNS ({records.status})")
        if records.status == "bad":
            return Problem("permerror", "the DNS answered with something malformed")
        return records
