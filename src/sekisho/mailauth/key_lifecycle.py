"""What becomes of our DKIM keys: decided from the keys, what the DNS shows of them, and the time. No I/O of its own.

pending → active, when the DNS shows the key → retiring, when a newer one signs: still published for the mail that is
under way → retired: the private key is deleted, and the record may go.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Literal

from msgspec import Struct
from msgspec.structs import replace

from sekisho.mail.signing_key import AlertCode, SigningKey
from sekisho.mailauth.dkim_key import key_record
from sekisho.mailauth.dkim_result import Problem

if TYPE_CHECKING:
    from sekisho.mail.dns import Records
    from sekisho.mail.ports import RecordResolver

Seen = Literal["ours", "other", "revoked", "several", "absent", "unknown"]
_WRONG: dict[Seen, AlertCode] = {"other": "changed", "revoked": "revoked", "several": "several", "absent": "absent"}
_LONGEST = 200  # characters of what the DNS says


class Shown(Struct, frozen=True):
    """What the DNS shows under a key's name. "unknown": no answer, which changes nothing."""

    seen: Seen
    detail: str = ""
    testing: bool = False


class Times(Struct, frozen=True):
    """How long keys stay. `rotate` 0: no rotation by time. `late`: when a key should be, or be gone from, the DNS."""

    rotate: timedelta = timedelta(days=180)
    overlap: timedelta = timedelta(days=7)
    late: timedelta = timedelta(days=3)


class Change(Struct, frozen=True):
    """A key before and after."""

    before: SigningKey
    after: SigningKey


class Alert(Struct, frozen=True):
    """What people should know of a key."""

    key: SigningKey
    code: AlertCode
    detail: str = ""


class Plan(Struct, frozen=True):
    """What to do: `changes` belong together, all or none. `due` are active keys that are to have a successor."""

    changes: tuple[Change, ...] = ()
    alerts: tuple[Alert, ...] = ()
    due: tuple[SigningKey, ...] = ()


async def look(key: SigningKey, resolver: RecordResolver) -> Shown:
    """Ask the DNS for a key, as receivers do. Raises nothing."""
    return shown(key, await resolver.records(key.asked_name, "TXT"))


def shown(key: SigningKey, records: Records) -> Shown:
    """What an answer says of a key. Raises nothing. Source: RFC 6376 3.6.1, 3.6.2.2."""
    if records.status in ("no-data", "no-name"):
        return Shown("absent")
    if records.status != "found":
        return Shown("unknown", records.status)
    texts = [value for value in records.values if isinstance(value, bytes)]
    if len(texts) != 1:
        return Shown("several", f"{len(texts)} records") if texts else Shown("absent")
    return _shown(key, texts[0])


def _shown(key: SigningKey, text: bytes) -> Shown:
    record = key_record(text)
    if isinstance(record, Problem):
        return Shown("other", record.reason[:_LONGEST])
    if not record.key:
        return Shown("revoked")
    if record.kind != key.algorithm:
        return Shown("other", f"k={record.kind}")
    return Shown("ours", testing=record.testing) if record.key == key.public else Shown("other", "another p=")


def plan(keys: Sequence[SigningKey], seen: Mapping[str, Shown], now: datetime, times: Times) -> Plan:
    """What to do with a tenant's keys. `seen` is by `asked_name`; a key that is not in it is unknown.

    A key stops signing only in the same step in which a newer one of its algorithm has begun to.
    """
    said = [seen.get(key.asked_name, Shown("unknown")) for key in keys]
    after = [_by_dns(key, what, now) for key, what in zip(keys, said, strict=True)]
    newest = signing(after)
    after = [_by_time(key, newest, now, times) for key in after]
    due = tuple(key for key in newest.values() if _due(key, after, now, times))
    overdue = {key.asked_name for key in due}
    alerts = []
    for index, (before, what) in enumerate(zip(keys, said, strict=True)):
        code = _alert(after[index], what, now, times, due=before.asked_name in overdue)
        if code and code != before.told:
            alerts.append(Alert(after[index], code, what.detail))
        after[index] = replace(after[index], told=code)
    changes = (Change(before, key) for before, key in zip(keys, after, strict=True) if before != key)
    return Plan(tuple(changes), tuple(alerts), due)


def signing(keys: Iterable[SigningKey]) -> dict[tuple[str, str, str], SigningKey]:
    """The keys that sign, by tenant, domain and algorithm: of several active ones the newest."""
    newest: dict[tuple[str, str, str], SigningKey] = {}
    for key in sorted(keys, key=lambda k: (k.since, k.created_at, k.selector)):
        if key.state == "active":
            newest[_slot(key)] = key
    return newest


def _slot(key: SigningKey) -> tuple[str, str, str]:
    return key.tenant, key.domain, key.algorithm


def _by_dns(key: SigningKey, what: Shown, now: datetime) -> SigningKey:
    if what.seen == "ours":
        if key.state == "pending":
            return replace(key, state="active", since=now, testing=what.testing)
        return replace(key, testing=what.testing, gone=False)
    if key.state == "retired" and what.seen != "unknown":
        return replace(key, gone=True)
    return key


def _by_time(
    key: SigningKey, newest: Mapping[tuple[str, str, str], SigningKey], now: datetime, times: Times
) -> SigningKey:
    if key.state == "active" and newest[_slot(key)] != key:
        return replace(key, state="retiring", since=now)
    if key.state == "retiring" and now - key.since >= times.overlap:
        return replace(key, state="retired", since=now, private=b"")
    return key


def _due(key: SigningKey, keys: Sequence[SigningKey], now: datetime, times: Times) -> bool:
    if not times.rotate or now - key.since < times.rotate:
        return False
    return not any(other.state == "pending" and _slot(other) == _slot(key) for other in keys)


def _alert(key: SigningKey, what: Shown, now: datetime, times: Times, *, due: bool) -> AlertCode:
    """The alert in force; without an answer the one that was."""
    if what.seen == "unknown" and key.told not in ("", "rotation-due"):
        return key.told
    if key.state in ("active", "retiring") and what.seen in _WRONG:
        return _WRONG[what.seen]
    late = now - key.since >= times.late
    if key.state == "pending" and late:
        return "pending-long"
    if key.state == "retired" and what.seen == "ours" and late:
        return "still-published"
    return "rotation-due" if due or (key.state == "active" and key.told == "rotation-due") else ""
