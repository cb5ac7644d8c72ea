"""What a rule wants done: the table `then` into an outcome."""

from __future__ import annotations

import re
from collections.abc import Callable
from difflib import get_close_matches
from typing import Any, get_args

from msgspec import Struct

from sekisho.decide.entry import RedactEntry, ThenEntry
from sekisho.decide.place import Place, one_or_more
from sekisho.decide.rule import MATCHED_FINDINGS, MATCHED_PARTS, Outcome
from sekisho.mail.reply import Reply
from sekisho.mail.verdict import ChangeSender, Disposition, Hold, Modification, Redact

_TYPES: dict[str, type[Struct]] = {str(type_.__struct_config__.tag): type_ for type_ in get_args(Modification)}

# RFC 5321 4.2, RFC 3463 2: an optional code, an optional enhanced code, and the text.
_REPLY = re.compile(r"(?:([0-9]{3}) )?(?:([0-9])\.([0-9]{1,3}\.[0-9]{1,3}) )?(.+)")
_REPLY_TEXT_OCTETS = 400  # RFC 5321 4.5.3.1.5 allows 512 for the line; code, enhanced code and CRLF need some
_FIELD_NAME = re.compile(r"[!-9;-~]{1,76}")  # RFC 5322 2.2
_PRINTABLE = re.compile(r"[\x20-\x7e\t]*")
_MAILBOX = re.compile(r"[^\s<>@\x00-\x1f\x7f]+@[^\s<>@\x00-\x1f\x7f]+")
_PART = re.compile(rf"{MATCHED_PARTS}|[1-9][0-9]*(\.[1-9][0-9]*)*")
FINDING_GLOB = re.compile(r"[a-z0-9._/*?-]+")
GLOB_WANTED = "a finding id: lower-case letters, digits, . _ - and /, with * for any run of characters and ? for one"
_INCIDENT = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}")
_FORMS = {
    "name": (_FIELD_NAME, "a header's name"),
    "value": (_PRINTABLE, "printable ASCII (write other characters as an encoded word, RFC 2047)"),
    "address": (_MAILBOX, "an address"),
    "part": (
        _PART,
        f'a part\'s number such as "1.2", or "{MATCHED_PARTS}" for each part a finding of the rule is in',
    ),
    "content_type": (re.compile(r"text/[a-z0-9.+-]+"), "a text type such as text/plain"),
}


def read_outcome(
    place: Place, table: dict[str, Any], check_redacted: Callable[[Place, str], None], *, final: bool
) -> Outcome:
    """The outcome of a `then` table; of use only where it noted no problem.

    `check_redacted` notes what is wrong with the name of a finding whose values are to be masked.
    """
    entry = place.read(table, ThenEntry)
    modifications = tuple(_read_modifications(place.below("modifications"), table, check_redacted))
    if entry is None:
        return Outcome()
    _check_disposition(place, entry, final=final)
    _check_redaction(place, entry, modifications)
    _check_hold(place, entry)
    if entry.incident is not None and not _INCIDENT.fullmatch(entry.incident):
        place.below("incident").bad("must be a word of lower-case letters, digits, dots, hyphens and underscores")
    if entry.notify == ():
        place.below("notify").bad("is empty: leave the key out, or name at least one")
    return Outcome(
        disposition=Disposition.of(entry.disposition or "deliver"),
        hold=Hold(entry.hold, entry.delay_seconds, entry.expire_seconds) if entry.hold else None,
        reply=_read_reply(place.below("reply"), entry),
        modifications=modifications,
        notify=one_or_more(entry.notify),
        incident=entry.incident,
        log=entry.log,
    )


def _check_disposition(place: Place, entry: ThenEntry, *, final: bool) -> None:
    if entry.disposition is None and final:
        place.below("disposition").bad(
            "is missing: say deliver, hold, defer or reject, or give the rule final = false"
        )
    if not final and entry.disposition not in (None, "deliver"):
        place.below("disposition").bad(f"{entry.disposition} ends the search: it cannot go with final = false")


def _check_redaction(place: Place, entry: ThenEntry, modifications: tuple[Modification, ...]) -> None:
    if entry.disposition in ("defer", "reject") and any(isinstance(m, Redact) for m in modifications):
        place.below("modifications").bad(
            f"redact needs a message that may leave, not disposition {entry.disposition}"
        )


def _check_hold(place: Place, entry: ThenEntry) -> None:
    if entry.disposition == "hold" and entry.hold is None:
        place.below("hold").bad("is missing: say quarantine, approval or delay")
    if entry.hold is not None and entry.disposition != "hold":
        place.below("hold").bad('needs disposition = "hold"')
    if entry.hold == "delay" and entry.delay_seconds is None:
        place.below("delay_seconds").bad('is missing: hold = "delay" needs it')
    if entry.delay_seconds is not None and entry.hold != "delay":
        place.below("delay_seconds").bad('needs hold = "delay"')
    if entry.expire_seconds is not None and entry.hold is None:
        place.below("expire_seconds").bad("needs a hold")
    for key, seconds in (("delay_seconds", entry.delay_seconds), ("expire_seconds", entry.expire_seconds)):
        if seconds is not None and seconds <= 0:
            place.below(key).bad("must be more than 0")


def _read_reply(place: Place, entry: ThenEntry) -> Reply | None:
    """`[code] [enhanced code] text`; code and enhanced code default to what the disposition means."""
    if entry.reply is None:
        return None
    default = {"reject": (550, "7.1"), "defer": (451, "7.0")}.get(entry.disposition or "")
    match = _REPLY.fullmatch(entry.reply)
    if default is None:
        place.bad("needs disposition reject or defer")
    elif match is None or not _PRINTABLE.fullmatch(entry.reply) or len(entry.reply) > _REPLY_TEXT_OCTETS:
        place.bad(f"must be one line of at most {_REPLY_TEXT_OCTETS} ASCII characters, such as 5.7.1 Not allowed")
    else:
        code, class_, detail, text = match.groups()
        digit = str(default[0] // 100)
        if (code or digit)[0] != digit or (class_ or digit) != digit:
            place.bad(f"a {entry.disposition} has codes that start with {digit}")
        elif code == "421":
            place.bad("421 closes the connection (RFC 5321 3.8): choose another code")
        return Reply(int(code) if code else default[0], detail or default[1], text)
    return None


def _read_modifications(
    place: Place, table: dict[str, Any], check_redacted: Callable[[Place, str], None]
) -> list[Modification]:
    tables = table.get("modifications")
    if not isinstance(tables, list):
        return []
    if not tables:
        place.bad("is empty: leave the key out, or name at least one")
    read = (_read_modification(place.item(i), t, check_redacted) for i, t in enumerate(tables) if isinstance(t, dict))
    return [m for m in read if m is not None]


def _read_modification(
    place: Place, table: dict[str, Any], check_redacted: Callable[[Place, str], None]
) -> Modification | None:
    type_ = _TYPES.get(str(table.get("type")))
    if type_ is None:
        close = get_close_matches(str(table.get("type")), _TYPES, n=1)
        place.below("type").bad(
            f"must be one of {', '.join(_TYPES)}" + (f" (did you mean {close[0]}?)" if close else "")
        )
        return None
    values = {key: value for key, value in table.items() if key != "type"}
    if type_ is Redact:
        return _read_redaction(place, values, check_redacted)
    read = place.read(values, type_)
    if read is None:
        return None
    return _checked(place, read)


def _read_redaction(
    place: Place, table: dict[str, Any], check_redacted: Callable[[Place, str], None]
) -> Redact | None:
    entry = place.read(table, RedactEntry)
    if entry is None:
        return None
    finding = place.below("finding")
    if MATCHED_FINDINGS in one_or_more(entry.finding):
        if len(one_or_more(entry.finding)) == 1:
            return Redact()
        finding.bad(f'"{MATCHED_FINDINGS}" must stand alone')
        return None
    globs = finding.words(entry.finding, FINDING_GLOB, GLOB_WANTED)
    for glob in globs:
        check_redacted(finding, glob)
    return Redact(globs) if globs else None


def _checked(place: Place, read: Any) -> Modification:
    """The modification, with its values in the form the standards want: policy is no way to break a message."""
    if isinstance(read, ChangeSender) and read.address in ("", "<>"):
        return ChangeSender(None)
    for key in read.__struct_fields__:
        if key in _FORMS and not _FORMS[key][0].fullmatch(getattr(read, key) or ""):
            place.below(key).bad(f'"{getattr(read, key)}" is not {_FORMS[key][1]}')
    return read  # type: ignore[no-any-return]  # one of _TYPES, which are those of Modification
