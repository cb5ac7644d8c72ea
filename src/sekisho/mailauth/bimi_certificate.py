"""Mark certificates of BIMI (VMC, CMC): what of them can be checked without asking anybody.

Whether a root is one that mailbox providers trust, and whether a certificate was revoked, is not looked at.
"""

from __future__ import annotations

import binascii
import re
from itertools import pairwise
from typing import TYPE_CHECKING

from cryptography import x509
from msgspec import Struct

from sekisho.mailauth import certificate
from sekisho.mailauth.bimi_svg import plain_svg
from sekisho.mailauth.organizational import dns_name

if TYPE_CHECKING:
    from collections.abc import Collection
    from datetime import datetime

MOST_OCTETS = 262_144
_MOST_CERTIFICATES = 6
_PURPOSE = "1.3.6.1.5.5.7.3.31"  # id-kp-BrandIndicatorforMessageIdentification
_LOGOTYPE = x509.ObjectIdentifier("1.3.6.1.5.5.7.1.12")  # RFC 9399 4.1
_MARK_TYPE = x509.ObjectIdentifier("1.3.6.1.4.1.53087.1.13")
_PEM = re.compile(rb"-----BEGIN CERTIFICATE-----([A-Za-z0-9+/=\s]{1,90000})-----END CERTIFICATE-----")
_LOGO = re.compile(rb"data:image/svg\+xml;base64,([A-Za-z0-9+/=]+)")


class MarkCertificate(Struct, frozen=True):
    """What a mark certificate says, and what is wrong with it.

    `names` are its host names, `until` when it expires, `mark` the kind of mark ("Registered Mark", …; "" where it
    does not say), `logo` the picture in it, without gzip. Problems: "not-a-certificate", "too-long",
    "wrong-purpose", "wrong-name", "expired", "not-yet", "no-logo", "other-logo" (not the one of l=), "no-chain" (the
    certificates that follow do not lead up from it).
    """

    problems: tuple[str, ...]
    names: tuple[str, ...] = ()
    until: datetime | None = None
    mark: str = ""
    logo: bytes = b""


def check_mark(pem: bytes, names: Collection[str], now: datetime, logo: bytes | None = None) -> MarkCertificate:
    """Check the certificates of a= (PEM, its own first). Bounded; raises nothing.

    `names` are those of which one must be in it: the domain, its organizational domain, `SELECTOR._bimi.DOMAIN`;
    `logo` is the picture of l=, gzipped or not, where that is known.
    """
    if len(pem) > MOST_OCTETS:
        return MarkCertificate(("too-long",))
    chain = [read for text in _PEM.findall(pem)[:_MOST_CERTIFICATES] if (read := _read(text))]
    if not chain:
        return MarkCertificate(("not-a-certificate",))
    own = chain[0]
    hosts = certificate.host_names(own)
    inside = _logo(own)
    problems = [
        *([] if _purpose(own) else ["wrong-purpose"]),
        *([] if {dns_name(name) for name in names} & set(hosts) else ["wrong-name"]),
        *_time(own, now),
        *([] if inside else ["no-logo"]),
        *(["other-logo"] if inside and logo is not None and plain_svg(logo) != inside else []),
        *([] if _leads_up(chain) else ["no-chain"]),
    ]
    return MarkCertificate(tuple(problems), hosts, own.not_valid_after_utc, _mark(own), inside)


def _read(text: bytes) -> x509.Certificate | None:
    try:
        return certificate.certificate(binascii.a2b_base64(b"".join(text.split()), strict_mode=True))
    except binascii.Error:
        return None


def _purpose(own: x509.Certificate) -> bool:
    try:
        purposes = own.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    except certificate.READ_ERRORS:
        return False
    return any(purpose.dotted_string == _PURPOSE for purpose in purposes)


def _time(own: x509.Certificate, now: datetime) -> list[str]:
    if now < own.not_valid_before_utc:
        return ["not-yet"]
    return ["expired"] if now > own.not_valid_after_utc else []


def _logo(own: x509.Certificate) -> bytes:
    """The picture of the logotype extension, b"" where there is none. RFC 9399 4.1, 7."""
    try:
        value = own.extensions.get_extension_for_oid(_LOGOTYPE).value
    except certificate.READ_ERRORS:
        return b""
    found = _LOGO.search(value.value) if isinstance(value, x509.UnrecognizedExtension) else None
    if found is None:
        return b""
    try:
        return plain_svg(binascii.a2b_base64(found[1], strict_mode=True)) or b""
    except binascii.Error:
        return b""


def _mark(own: x509.Certificate) -> str:
    try:
        return str(next((name.value for name in own.subject.get_attributes_for_oid(_MARK_TYPE)), ""))[:80]
    except certificate.READ_ERRORS:
        return ""


def _leads_up(chain: list[x509.Certificate]) -> bool:
    """Whether each certificate is issued by the next; one alone has no issuer to go by."""
    pairs = list(pairwise(chain))
    return bool(pairs) and all(
        certificate.is_authority(issuer) and certificate.is_issued_by(read, issuer) for read, issuer in pairs
    )
