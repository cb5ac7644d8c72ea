"""The records to publish for a domain, made from who sends for it and checked by our own parsers."""

from __future__ import annotations

from typing import Literal

from msgspec import Struct

from sekisho.mailauth.dmarc_record import DmarcRecord, parse_dmarc
from sekisho.mailauth.domain.report import txt
from sekisho.mailauth.mta_sts import StsPolicy, parse_sts_policy
from sekisho.mailauth.spf.record import parse_record
from sekisho.mailauth.tls_rpt import TlsRptRecord, parse_tls_rpt

SENDERS = {
    "amazonses": "include:amazonses.com",
    "google": "include:_spf.google.com",
    "mailgun": "include:mailgun.org",
    "microsoft365": "include:spf.protection.outlook.com",
    "sendgrid": "include:sendgrid.net",
    "ses": "include:amazonses.com",
    "zoho": "include:zoho.com",
}


class Wanted(Struct, frozen=True):
    """The answers: `senders` are names of SENDERS or SPF terms; `sts_hosts`, `rua` and `tls_rpt` may be empty."""

    domain: str
    senders: tuple[str, ...] = ()
    dmarc: Literal["none", "quarantine", "reject"] = "none"
    rua: tuple[str, ...] = ()
    sts_hosts: tuple[str, ...] = ()
    tls_rpt: str = ""
    sts_id: str = "1"


class UnusableError(Exception):
    """An answer makes a record that our own parser does not take; the text names the record."""


def records(wanted: Wanted) -> list[str]:
    """Lines of a zone file. Raises UnusableError. Source: RFC 7208 4.5, RFC 9989 4.7, RFC 8461 3.1, RFC 8460 3."""
    domain = wanted.domain
    lines = [txt(domain, spf_record(wanted.senders)), txt(f"_dmarc.{domain}", _dmarc(wanted))]
    if wanted.sts_hosts:
        lines.append(txt(f"_mta-sts.{domain}", f"v=STSv1; id={wanted.sts_id}"))
    if wanted.tls_rpt:
        text = f"v=TLSRPTv1; rua={_mailto(wanted.tls_rpt)}"
        if not isinstance(parse_tls_rpt(text.encode()), TlsRptRecord):
            raise UnusableError(f"TLS-RPT: {wanted.tls_rpt}")
        lines.append(txt(f"_smtp._tls.{domain}", text))
    return lines


def spf_record(senders: tuple[str, ...]) -> str:
    """An SPF record for those who send, and nobody else. Raises UnusableError."""
    terms = dict.fromkeys(SENDERS.get(sender, sender) for sender in senders)
    text = " ".join(("v=spf1", *terms, "-all"))
    read = parse_record(text.encode("utf-8", "replace"))
    names = [one.name for one in read.directives]
    if read.flaws or len(names) != len(terms) + 1 or "all" in names[:-1]:
        raise UnusableError(f"SPF: {text}")
    return text


def sts_policy(hosts: tuple[str, ...]) -> str:
    """The policy file, in testing mode, to begin with. Raises UnusableError. Source: RFC 8461 3.2."""
    lines = ["version: STSv1", "mode: testing", *(f"mx: {host}" for host in hosts), "max_age: 86400"]
    text = "\n".join(lines) + "\n"
    if not isinstance(parse_sts_policy(text.encode()), StsPolicy):
        raise UnusableError(f"MTA-STS: {', '.join(hosts)}")
    return text


def _dmarc(wanted: Wanted) -> str:
    rua = ",".join(_mailto(one) for one in wanted.rua)
    text = f"v=DMARC1; p={wanted.dmarc}" + (f"; rua={rua}" if rua else "")
    read = parse_dmarc(text.encode("utf-8", "replace"))
    if not isinstance(read, DmarcRecord) or read.notes or len(read.rua) != len(wanted.rua):
        raise UnusableError(f"DMARC: {text}")
    return text


def _mailto(address: str) -> str:
    return address if ":" in address else f"mailto:{address}"
