"""New DKIM keys, and the record that publishes them (RFC 6376 3.6.1, RFC 8463 4)."""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import Collection, Iterable, Sequence
from datetime import datetime

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_der_private_key,
)

from sekisho.mail.signing_key import KeyAlgorithm, SigningKey
from sekisho.mailauth.author import ascii_domain
from sekisho.mailauth.dkim import DkimKey

RSA_BITS = 2048  # longer ones do not fit every name server's answer over UDP, and cost four times as much to sign
ALGORITHMS: tuple[KeyAlgorithm, ...] = ("rsa", "ed25519")
_STRING = 255  # octets of one string of a TXT record (RFC 1035 3.3)
_MOST_NAME = 253
_LABEL = r"[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?"
_NAME = re.compile(rf"{_LABEL}(?:\.{_LABEL})*")
_SELECTOR = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?)*")


def dns_name(text: str) -> str:
    """A name as A-labels in lower case. Raises ValueError where it cannot stand in the DNS."""
    name = ascii_domain(text.strip())
    if len(name) > _MOST_NAME or not _NAME.fullmatch(name):
        raise ValueError(f"{text!r} is not a DNS name")
    return name


def selectors(algorithms: Sequence[KeyAlgorithm], taken: Collection[str], at: datetime, given: str = "") -> list[str]:
    """A selector for each algorithm, none of them `taken`: by the day, or as `given`. Raises ValueError."""
    if given:
        name = given.lower()
        if not _SELECTOR.fullmatch(name):
            raise ValueError(f"{given!r} is not a selector")
        made = [name] if len(algorithms) == 1 else [f"{name}-{algorithm}" for algorithm in algorithms]
        if used := [selector for selector in made if selector in taken]:
            raise ValueError(f"selector {used[0]} is used already")
        return made
    for more in ("", *"bcdefghijklmnopqrstuvwxyz"):
        made = [f"s{at:%Y%m%d}{more}-{algorithm}" for algorithm in algorithms]
        if not any(selector in taken for selector in made):
            return made
    raise ValueError("no selector is left for this day")


def new_key(  # noqa: PLR0917 - the parts of a name, and the time
    tenant: str, domain: str, selector: str, algorithm: KeyAlgorithm, at: datetime, base: str = ""
) -> SigningKey:
    """Make a key, pending. Some tenths of a second for RSA. Raises ValueError where its names are too long."""
    private: RSAPrivateKey | Ed25519PrivateKey
    if algorithm == "rsa":
        private = generate_private_key(65537, RSA_BITS)
        public = private.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    else:
        private = Ed25519PrivateKey.generate()
        public = private.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
    secret = private.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
    key = SigningKey(tenant, domain, selector, algorithm, public, secret, at, at, base=base)
    if max(len(key.asked_name), len(key.record_name)) > _MOST_NAME:
        raise ValueError(f"the name of the record is too long: {key.record_name}")
    return key


def successor(key: SigningKey, others: Iterable[SigningKey], at: datetime) -> tuple[SigningKey, SigningKey | None]:
    """A pending key to follow an active one, and the retired one whose name it takes over, if any.

    A name that a CNAME of the customer's already points to is taken again once its record is gone, so that two names
    are enough for ever.
    """
    of_domain = [other for other in others if other.domain == key.domain]
    free = [o for o in of_domain if (o.tenant, o.algorithm, o.base) == (key.tenant, key.algorithm, key.base)]
    old = next((o for o in free if key.base and o.state == "retired" and o.gone), None)
    taken = {other.selector for other in of_domain}
    selector = old.selector if old else selectors((key.algorithm,), taken, at)[0]
    return new_key(key.tenant, key.domain, selector, key.algorithm, at, key.base), old


def record_text(key: SigningKey) -> str:
    """The text of the TXT record. RFC 6376 3.6.1."""
    return f"v=DKIM1; k={key.algorithm}; p={b64encode(key.public).decode()}"


def record_strings(key: SigningKey) -> list[str]:
    """The same as the strings of at most 255 octets that a TXT record consists of. RFC 6376 3.6.2.2."""
    text = record_text(key)
    return [text[start : start + _STRING] for start in range(0, len(text), _STRING)]


def record_line(key: SigningKey) -> str:
    """The TXT record as a line of a zone file. RFC 1035 5.1."""
    return f"{key.record_name}. IN TXT " + " ".join(f'"{part}"' for part in record_strings(key))


def alias_line(key: SigningKey) -> str:
    """The CNAME record that delegates to it, "" where the record stands in the domain itself."""
    return f"{key.asked_name}. IN CNAME {key.record_name}." if key.base else ""


def signing_key(key: SigningKey) -> DkimKey:
    """The key as the signer takes it; a millisecond at most. Raises ValueError where it cannot be read."""
    private = load_der_private_key(key.private, None, unsafe_skip_rsa_key_validation=True)  # ours, and sealed
    if not isinstance(private, RSAPrivateKey | Ed25519PrivateKey):
        raise ValueError(f"{key.asked_name}: neither an RSA nor an Ed25519 key")  # noqa: TRY004
    return DkimKey(key.domain, key.selector, private)
