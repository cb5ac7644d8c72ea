"""The parameters of MAIL and RCPT: RFC 5321 4.1.2 (syntax), 1870, 6152, 6531, 3461, 4954."""

from __future__ import annotations

import re

from msgspec import Struct

from sekisho.mail.reply import Reply, ReplyError

_PARAMETER = re.compile(r"([A-Za-z0-9][A-Za-z0-9\-]*)(?:=([!-<>-~\x80-\U0010ffff]+))?")
_XTEXT = re.compile(r"(?:[!-*,-<>-~]|\+[0-9A-F]{2})*")  # RFC 3461 4
_UTF8_XTEXT = re.compile(r"(?:[!-*,-<>-~\xa0-\u2027\u202a-\ud7ff\ue000-\U0010ffff]|\+[0-9A-F]{2})*")  # RFC 6533 3
_ADDRESS_TYPE = re.compile(r"[A-Za-z0-9\-]+")
_SUBMITTER = re.compile(rf"<>|{_XTEXT.pattern}")  # RFC 4954 5
_SIZE = re.compile(r"[0-9]{1,20}")  # RFC 1870 4
_NOTIFY = frozenset({"SUCCESS", "FAILURE", "DELAY"})
ENVID_OCTETS = 100  # RFC 3461 4.4
ORCPT_OCTETS = 500  # RFC 3461 4.2
AUTH_OCTETS = 500  # RFC 4954 3

Parameters = dict[str, str | None]


class MailParameters(Struct, frozen=True):
    """What MAIL asked for; the fields are those of `Envelope`."""

    body: str | None = None
    smtputf8: bool = False
    size: int | None = None
    ret: str | None = None
    envid: str | None = None


def _bad(name: str) -> ReplyError:
    return ReplyError(Reply(501, "5.4", f"Bad value of parameter {name}"))


def parse_parameters(text: str) -> Parameters:
    """Read ` NAME=value NAME`; names come out in upper case.

    Raises ReplyError 501 5.5.4 for what is no parameter and for one that is said twice.
    """
    found: Parameters = {}
    for word in text.split(" "):
        if not word:
            continue
        matched = _PARAMETER.fullmatch(word)
        if matched is None:
            raise ReplyError(Reply(501, "5.4", "Bad parameter syntax"))
        name = matched[1].upper()
        if name in found:
            raise ReplyError(Reply(501, "5.4", f"Parameter {name[:40]} is there twice"))
        found[name] = matched[2]
    return found


def mail_parameters(found: Parameters, *, auth: bool = False) -> MailParameters:
    """Check MAIL's parameters; `auth`: whether AUTH is offered, and so its parameter known.

    What that says is for servers that trust each other: it is read and passed on to nobody (RFC 4954 5). Raises
    ReplyError 501 5.5.4, or 555 5.5.4 for a parameter that is not offered.
    """
    refuse_unknown(found, {"SIZE", "BODY", "SMTPUTF8", "RET", "ENVID"} | ({"AUTH"} if auth else set()))
    if "SMTPUTF8" in found and found["SMTPUTF8"] is not None:
        raise _bad("SMTPUTF8")
    size = _checked(found, "SIZE", _SIZE)
    body = _one_of(found, "BODY", ("7BIT", "8BITMIME"))
    ret = _one_of(found, "RET", ("FULL", "HDRS"))
    if len(_checked(found, "AUTH", _SUBMITTER) or "") > AUTH_OCTETS:
        raise _bad("AUTH")
    envid = _checked(found, "ENVID", _XTEXT)
    if envid is not None and len(envid) > ENVID_OCTETS:
        raise _bad("ENVID")
    return MailParameters(body, "SMTPUTF8" in found, int(size) if size else None, ret, envid)


def rcpt_parameters(found: Parameters, *, smtputf8: bool) -> tuple[str | None, str | None]:
    """Check RCPT's parameters: (NOTIFY, ORCPT), as received. Raises ReplyError 501 or 555 5.5.4."""
    refuse_unknown(found, {"NOTIFY", "ORCPT"})
    return _notify(found), _orcpt(found, smtputf8=smtputf8)


def refuse_unknown(found: Parameters, known: set[str]) -> None:
    """Raise ReplyError 555 5.5.4 where a parameter is not in `known`. RFC 5321 4.1.1.11."""
    for name in found:
        if name not in known:
            raise ReplyError(Reply(555, "5.4", f"Parameter {name[:40]} is not supported"))


def _checked(found: Parameters, name: str, syntax: re.Pattern[str]) -> str | None:
    if name not in found:
        return None
    value = found[name]
    if value is None or not syntax.fullmatch(value):
        raise _bad(name)
    return value


def _one_of(found: Parameters, name: str, allowed: tuple[str, ...]) -> str | None:
    if name not in found:
        return None
    value = (found[name] or "").upper()
    if value not in allowed:
        raise _bad(name)
    return value


def _notify(found: Parameters) -> str | None:
    if "NOTIFY" not in found:
        return None
    value = found["NOTIFY"] or ""
    words = value.upper().split(",")
    if words != ["NEVER"] and (not _NOTIFY.issuperset(words) or len(words) != len(set(words))):
        raise _bad("NOTIFY")  # RFC 3461 4.1
    return value


def _orcpt(found: Parameters, *, smtputf8: bool) -> str | None:
    if "ORCPT" not in found:
        return None
    value = found["ORCPT"] or ""
    kind, separator, address = value.partition(";")
    syntax = _UTF8_XTEXT if smtputf8 and kind.lower() == "utf-8" else _XTEXT
    well_formed = separator and address and _ADDRESS_TYPE.fullmatch(kind) and syntax.fullmatch(address)
    if not well_formed or len(value.encode()) > ORCPT_OCTETS:
        raise _bad("ORCPT")  # RFC 3461 4.2
    return value
