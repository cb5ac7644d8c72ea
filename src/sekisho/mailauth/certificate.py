"""X.509 certificates that somebody presents: read without trust, and without an exception for what is in them."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, ed448, ed25519, padding, rsa
from cryptography.hazmat.primitives.serialization import load_der_public_key

from sekisho.mailauth.organizational import dns_name

if TYPE_CHECKING:
    from datetime import datetime

    from cryptography.hazmat.primitives.asymmetric.types import PublicKeyTypes

MOST_OCTETS = 65_536  # of one certificate
_MOST_NAMES = 500
READ_ERRORS = (
    ValueError, TypeError, OverflowError, UnsupportedAlgorithm, x509.ExtensionNotFound, x509.DuplicateExtension,
    x509.InvalidVersion, x509.UnsupportedGeneralNameType,
)  # fmt: skip


def certificate(der: bytes) -> x509.Certificate | None:
    """Read a certificate, None where it is none. Its times and names can be read then, its extensions perhaps not."""
    if len(der) > MOST_OCTETS:
        return None
    try:
        with warnings.catch_warnings():  # serial numbers that are not positive: no reason to say anything
            warnings.simplefilter("ignore")
            read = x509.load_der_x509_certificate(der)
        known = (read.not_valid_before_utc, read.not_valid_after_utc, read.subject, read.issuer)
    except READ_ERRORS:
        return None
    return read if known else None


def public_key_octets(der: bytes) -> bytes:
    """The SubjectPublicKeyInfo of a certificate as it stands there, b"" where it cannot be found.

    Source: RFC 5280 4.1, RFC 6698 2.1.2.
    """
    whole = _element(der, 0)
    body = whole and _element(der, whole[1])
    if not body:
        return b""
    at, end = body[1], body[2]
    # [0] version, which may not be there; serial number, algorithm, issuer, validity, subject; then the key.
    skip = 6 if der[at : at + 1] == b"\xa0" else 5
    for _ in range(skip):
        element = _element(der, at)
        if not element or element[2] > end:
            return b""
        at = element[2]
    key = _element(der, at)
    return der[at : key[2]] if key and key[2] <= end else b""


def _element(der: bytes, at: int) -> tuple[int, int, int] | None:
    """Where an element of DER starts, its content starts, and it ends."""
    if at + 2 > len(der):
        return None
    size, start = der[at + 1], at + 2
    if size >= 0x80:
        count = size & 0x7F
        size, start = int.from_bytes(der[start : start + count], "big"), start + count
        if not 0 < count <= 4:
            return None
    return (at, start, start + size) if start + size <= len(der) else None


def is_current(read: x509.Certificate, now: datetime) -> bool:
    """Whether `now` (UTC) is within the certificate's time. RFC 5280 4.1.2.5."""
    return read.not_valid_before_utc <= now <= read.not_valid_after_utc


def is_authority(read: x509.Certificate) -> bool:
    """Whether a certificate may sign others. RFC 5280 4.2.1.9, 4.2.1.3."""
    try:
        if not read.extensions.get_extension_for_class(x509.BasicConstraints).value.ca:
            return False
        return read.extensions.get_extension_for_class(x509.KeyUsage).value.key_cert_sign
    except x509.ExtensionNotFound as missing:
        return missing.oid == x509.KeyUsage.oid
    except READ_ERRORS:
        return False


def is_issued_by(read: x509.Certificate, issuer: x509.Certificate) -> bool:
    """Whether `issuer` is named as the issuer and its key has made the signature. RFC 5280 6.1.3."""
    try:
        read.verify_directly_issued_by(issuer)
    except (InvalidSignature, *READ_ERRORS):
        return False
    return True


def is_signed_with(read: x509.Certificate, key_octets: bytes) -> bool:
    """Whether the certificate was signed with a key, given as SubjectPublicKeyInfo."""
    try:
        _verify(read, load_der_public_key(key_octets))
    except (InvalidSignature, *READ_ERRORS):
        return False
    return True


def _verify(read: x509.Certificate, key: PublicKeyTypes) -> None:
    signature, signed = read.signature, read.tbs_certificate_bytes
    how = read.signature_algorithm_parameters
    used_hash = read.signature_hash_algorithm
    if isinstance(key, rsa.RSAPublicKey) and isinstance(how, padding.PKCS1v15 | padding.PSS) and used_hash:
        key.verify(signature, signed, how, used_hash)
    elif isinstance(key, ec.EllipticCurvePublicKey) and isinstance(how, ec.ECDSA):
        key.verify(signature, signed, how)
    elif isinstance(key, ed25519.Ed25519PublicKey | ed448.Ed448PublicKey):
        key.verify(signature, signed)
    else:
        raise InvalidSignature


def host_names(read: x509.Certificate) -> tuple[str, ...]:
    """The host names of a certificate: those of the extension, or else the common name. RFC 6125 6.4.4."""
    try:
        names = read.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        return tuple(name.lower() for name in names.get_values_for_type(x509.DNSName)[:_MOST_NAMES])
    except x509.ExtensionNotFound:
        pass
    except READ_ERRORS:
        return ()
    try:
        common = read.subject.get_attributes_for_oid(x509.NameOID.COMMON_NAME)
        return tuple(str(name.value).lower() for name in common[:1])
    except READ_ERRORS:
        return ()


def names_host(read: x509.Certificate, host: str) -> bool:
    """Whether a certificate is one for a host; "*" stands for one whole label on the left. RFC 6125 6.4.3."""
    name = dns_name(host)
    parent = name.partition(".")[2]
    wild = f"*.{parent}" if "." in parent else ""
    return bool(name) and any(own in (name, wild) for own in host_names(read))
