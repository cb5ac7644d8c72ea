"""From incidents that policy opens to a lock: a few of one account's within a short time."""

from __future__ import annotations

from collections.abc import Iterable

from sekisho.accounts.locks import Locker
from sekisho.mail.lock import Evidence, LockReason
from sekisho.mail.transaction import AuditRecord

ABUSE = "account-abuse"  # the incident of policy/default.toml that says an account is most likely in other hands
_MOST = 20


class Incidents:
    """Told of every message that was handled."""

    def __init__(self, locker: Locker) -> None:
        self._locker = locker

    async def seen(self, record: AuditRecord) -> None:
        """Note an account's incident, and lock the account where that makes too many. Raises StoreAwayError.

        Who is known only by what the mail says is locked too: the mail of whoever writes under that address waits.
        """
        session = record.transaction.session
        verdict = next((v for v in record.verdicts if v.incident == ABUSE), None)
        if verdict is None or not session.account:
            return
        rules = _some(finding.rule for finding in verdict.findings)
        reason = LockReason(ABUSE, f"policy rule {verdict.policy_rule}: {', '.join(rules)}")
        evidence = Evidence(rules, (record.transaction.id,))
        await self._locker.incident(session.tenant, session.account, reason, evidence=evidence)


def _some(rules: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(rules))[:_MOST]
