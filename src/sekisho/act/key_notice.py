"""Notices to administrators about DKIM keys."""

from __future__ import annotations

from datetime import datetime

from sekisho.act.key_texts import say_of_key
from sekisho.act.notice_texts import Language, languages
from sekisho.act.notify import one_line, written
from sekisho.config.settings import NoticeSettings
from sekisho.mail.envelope import Envelope
from sekisho.mail.signing_key import AlertCode, SigningKey
from sekisho.mailauth.key_lifecycle import Alert
from sekisho.mailauth.key_making import alias_line, record_line

_DO: dict[AlertCode, str] = {"pending-long": "publish", "rotation-due": "publish", "still-published": "remove"}


def key_notice(alert: Alert, settings: NoticeSettings, hostname: str, at: datetime) -> tuple[Envelope, bytes] | None:
    """One mail to the administrators, with the record that it is about; None where there are none."""
    if not settings.administrator:
        return None
    shown = languages(settings.language)
    subject = " / ".join(say_of_key(language, f"subject.{alert.code}", name=_name(alert.key)) for language in shown)
    sections = [_section(alert, language, hostname) for language in shown]
    from_address = settings.from_address
    return written(settings.administrator, subject, sections, from_address=from_address, hostname=hostname, at=at)


def _name(key: SigningKey) -> str:
    return one_line(f"{key.domain} ({key.selector})", 120)


def _section(alert: Alert, language: Language, hostname: str) -> str:
    key = alert.key
    lines = [say_of_key(language, f"what.{alert.code}"), ""]
    lines.append(f"{say_of_key(language, 'label.tenant')}: {one_line(key.tenant)}")
    if alert.detail:
        lines.append(f"{say_of_key(language, 'label.detail')}: {one_line(alert.detail)}")
    lines += ["", say_of_key(language, f"do.{_DO.get(alert.code, 'look')}"), "", f"    {record_line(key)}", ""]
    if key.base and alert.code != "still-published":
        lines += [say_of_key(language, "do.alias"), "", f"    {alias_line(key)}", ""]
    lines += [say_of_key(language, "then"), "", say_of_key(language, "footer", hostname=hostname), ""]
    return "\n".join(lines)
