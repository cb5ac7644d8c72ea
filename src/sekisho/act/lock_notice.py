"""Notices about locked accounts, to administrators and to the owner; never to the mailbox that is locked."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from shlex import quote
from typing import TypedDict

from sekisho.act.lock_texts import say_of_lock
from sekisho.act.notice_texts import Language, languages
from sekisho.act.notify import one_line, written
from sekisho.config.settings import HoldSettings, NoticeSettings
from sekisho.mail.account import Account, canonical_login
from sekisho.mail.address import domain_of
from sekisho.mail.envelope import Envelope, Session
from sekisho.mail.ids import new_id
from sekisho.mail.kept import Kept
from sekisho.mail.lock import LockEvent

_MOST = 20  # findings and messages that are named
_LOGIN_CHARACTERS = 100  # of a login in a subject


class _Of(TypedDict):
    """What all notices of an event share."""

    from_address: str
    hostname: str
    at: datetime


def lock_notices(
    event: LockEvent, before: int, account: Account, settings: NoticeSettings, hostname: str
) -> list[tuple[Envelope, bytes]]:
    """What administrators and owner are told of an event, each in a mail of their own.

    `before`: how often the account had been locked before. Addresses of the account itself are left out, whoever has
    named them; with that there may be nobody left to tell.
    """
    own = {canonical_login(address) for address in (account.login, *account.addresses)}
    made: list[tuple[Envelope, bytes]] = []
    of: _Of = {"from_address": settings.from_address, "hostname": hostname, "at": event.at}
    staff = _others(settings.administrator, own)
    if staff:
        shown = languages(settings.language)
        sections = [_to_staff(event, before, language, hostname) for language in shown]
        made.append(written(staff, _subject(event, shown), sections, **of))
    owner = _others((account.contact,) if account.contact else (), own)
    if owner:
        shown = (account.language,) if account.language in {"en", "ja"} else languages(settings.language)  # type: ignore[assignment]  # one of the two
        sections = [_to_owner(event, language, hostname) for language in shown]
        made.append(written(owner, _subject(event, shown), sections, **of))
    return made


def kept_notice(tenant: str, envelope: Envelope, data: bytes, hold: HoldSettings, now: datetime) -> Kept:
    """The row under which a notice waits until a next hop takes it."""
    return Kept(
        id=new_id(),
        tenant=tenant,
        kind="notice",
        state="releasing",
        received_at=now,
        expires_at=now + timedelta(seconds=hold.retry_give_up_seconds),
        session=Session(id=new_id(), client_ip="", tenant=tenant),
        envelope=envelope,
        transaction_id=new_id(),
        message_id="",
        size=len(data),
    )


def _others(addresses: Iterable[str], own: set[str]) -> tuple[str, ...]:
    return tuple(
        a for a in dict.fromkeys(addresses) if canonical_login(a) not in own and f"@{domain_of(a)}" not in own
    )


def _subject(event: LockEvent, shown: Iterable[Language]) -> str:
    login = one_line(event.login, _LOGIN_CHARACTERS)
    return " / ".join(say_of_lock(language, f"subject.{event.step}", login=login) for language in shown)


def _to_staff(event: LockEvent, before: int, language: Language, hostname: str) -> str:
    lines = [
        say_of_lock(language, f"staff.{event.step}"),
        "",
        *_facts(event, language),
        _labelled(language, "by", event.by),
    ]
    if before:
        lines.append(_labelled(language, "before", say_of_lock(language, "times", count=before)))
    lines += _list(language, "why", [reason.text for reason in event.reasons])
    lines += _list(language, "findings", event.evidence.findings)
    lines += _list(language, "messages", event.evidence.messages)
    names = {"login": quote(one_line(event.login)), "tenant": event.tenant}
    return _text(lines, say_of_lock(language, f"todo.staff.{event.step}", **names), language, hostname)


def _to_owner(event: LockEvent, language: Language, hostname: str) -> str:
    """The owner hears no more than that it happened: the mail may be read on somebody else's screen."""
    lines = [say_of_lock(language, f"owner.{event.step}"), "", *_facts(event, language)]
    return _text(lines, say_of_lock(language, f"todo.owner.{event.step}"), language, hostname)


def _facts(event: LockEvent, language: Language) -> list[str]:
    return [
        _labelled(language, "account", event.login),
        _labelled(language, "tenant", event.tenant),
        _labelled(language, "since", event.at.strftime("%Y-%m-%d %H:%M:%S UTC")),
    ]


def _list(language: Language, label: str, values: Iterable[str]) -> list[str]:
    shown = [one_line(value) for value in values]
    if not shown:
        return []
    lines = [f"{say_of_lock(language, f'label.{label}')}:", *(f"  - {value}" for value in shown[:_MOST])]
    more = len(shown) - _MOST
    return [*lines, f"  {say_of_lock(language, 'more', count=more)}"] if more > 0 else lines


def _labelled(language: Language, label: str, value: str) -> str:
    return f"{say_of_lock(language, f'label.{label}')}: {one_line(value)}"


def _text(lines: Iterable[str], todo: str, language: Language, hostname: str) -> str:
    return "\n".join((*lines, "", todo, "", say_of_lock(language, "footer", hostname=hostname), ""))
