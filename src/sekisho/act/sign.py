"""DKIM keys by domain, and which of them sign a message."""

from __future__ import annotations

import re
import time
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from msgspec import Struct

from sekisho.mailauth.author import ascii_domain, author_domains
from sekisho.mailauth.canonical import SplitMessage, split_message
from sekisho.mailauth.dkim import DkimKey, TooManyFieldsError, signature_fields

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from sekisho.config.settings import DkimSettings

# RFC 8301 3.2: signers must use 1024 bits at least and should use 2048; receivers may do without shorter ones.
MIN_RSA_BITS = 2048
_NAME = re.compile(r"[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?(?:\.[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?)*")


class DkimKeyError(Exception):
    """A key that cannot sign. `file` is where it lies, `why` says what is wrong with it."""

    def __init__(self, file: Path, why: str) -> None:
        super().__init__(f"{file}: {why}")
        self.file = file
        self.why = why


def load_key(settings: DkimSettings, base_dir: Path) -> DkimKey:
    """Read the private key that `settings` name; relative paths start at `base_dir`.

    Raises DkimKeyError: unreadable, not PEM, encrypted, neither RSA nor Ed25519, RSA below 2048 bits, or a domain or
    selector that cannot stand in a DNS name.
    """
    file = base_dir / settings.private_key
    domain, selector = ascii_domain(settings.domain), ascii_domain(settings.selector)
    for what, name in (("domain", domain), ("selector", selector)):
        if len(name) > 253 or not _NAME.fullmatch(name):
            raise DkimKeyError(file, f"the {what} is not a DNS name")
    return DkimKey(domain, selector, _private_key(file))


def _private_key(file: Path) -> RSAPrivateKey | Ed25519PrivateKey:
    try:
        key = load_pem_private_key(file.read_bytes(), password=None)
    except OSError as error:
        raise DkimKeyError(file, f"cannot be read: {error.strerror}") from error
    except TypeError as error:
        raise DkimKeyError(file, "the key is encrypted; it must stand without a password") from error
    except (ValueError, UnsupportedAlgorithm) as error:
        raise DkimKeyError(file, "not a private key in PEM") from error
    if isinstance(key, RSAPrivateKey):
        if key.key_size < MIN_RSA_BITS:
            raise DkimKeyError(file, f"RSA with {key.key_size} bits; {MIN_RSA_BITS} are the least")
        return key
    if isinstance(key, Ed25519PrivateKey):
        return key
    raise DkimKeyError(file, "neither an RSA nor an Ed25519 key")


class Signature(Struct, frozen=True):
    """What the signer made: `fields` to put on top of the message, `domain` that vouches, or why there is none.

    `fields` is empty exactly when `reason` is not.
    """

    fields: bytes = b""
    domain: str = ""
    reason: str = ""


KeysByDomain: TypeAlias = "Mapping[str, Mapping[str, DkimKey]]"


def _no_keys() -> KeysByDomain:
    return {}


class Signer:
    """Signs with the keys of the author's domain: one signature for each algorithm, the first key of each.

    A key signs for its domain and the names below it; of several the nearest one does. `stored` gives the keys that
    sign at the moment for domains that `keys` has none for, by domain and algorithm.
    """

    def __init__(self, keys: Iterable[DkimKey], stored: Callable[[], KeysByDomain] = _no_keys) -> None:
        self._stored = stored
        self._keys: dict[str, dict[str, DkimKey]] = {}
        for key in keys:
            self._keys.setdefault(key.domain, {}).setdefault(key.algorithm, key)

    def beside(self, stored: Callable[[], KeysByDomain]) -> Signer:
        """A signer with the same keys that takes `stored` ones as well."""
        return Signer((key for keys in self._keys.values() for key in keys.values()), stored)

    def sign(self, data: bytes) -> bytes:
        """The signature fields to put on top of a message as it will leave, made now; b"" where none can be made."""
        return self.signature(data, int(time.time())).fields

    def signature(self, data: bytes, at: int) -> Signature:
        """The same with its reason; `at` in Unix seconds. Raises nothing."""
        if not self._keys and not self._stored():
            return Signature(reason="no DKIM keys")
        message = split_message(data)
        author = _author(message)
        if not author.domain:
            return author
        keys = self._keys_for(author.domain)
        if not keys:
            return Signature(reason=f"no DKIM key for {author.domain}")
        try:
            return Signature(signature_fields(message, keys, at), keys[0].domain)
        except TooManyFieldsError as error:
            return Signature(reason=str(error))

    def _keys_for(self, domain: str) -> tuple[DkimKey, ...]:
        stored = self._stored()
        while domain:
            if keys := self._keys.get(domain) or stored.get(domain):
                return tuple(keys.values())
            domain = domain.partition(".")[2]
        return ()


def _author(message: SplitMessage) -> Signature:
    """The author's domain as a Signature without fields, or the reason why there is not exactly one."""
    found = message.fields.get(b"from", [])
    if len(found) != 1:
        return Signature(reason=f"{len(found)} From header fields")
    domains = author_domains(found[0].partition(b":")[2].decode("utf-8", "surrogateescape"))
    if len(domains) != 1:
        return Signature(reason=f"{len(domains)} author domains")
    domain = ascii_domain(domains[0])
    return Signature(domain=domain) if domain else Signature(reason="the author has no domain")
