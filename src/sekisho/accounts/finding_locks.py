"""From one finding to a lock: a limit's last step, a takeover that is all but sure. Not if policy let the mail go."""

from __future__ import annotations

from typing import Final

from sekisho.accounts.locks import Locker
from sekisho.mail.finding import Finding, Severity
from sekisho.mail.lock import Evidence, LockReason
from sekisho.mail.transaction import AuditRecord
from sekisho.mail.verdict import Disposition

# By whom an account is locked for which finding, from which severity on.
_LOCKING: Final = {
    "flood/rate-lock": ("limits", Severity.LOW),
    "flood/new-recipients-lock": ("limits", Severity.LOW),
    "account/takeover": ("behaviour", Severity.CRITICAL),
}


class FindingLocks:
    """Told of every message that was handled, as `accounts.incidents.Incidents` is."""

    def __init__(self, locker: Locker) -> None:
        self._locker = locker

    async def seen(self, record: AuditRecord) -> None:
        """Lock the account whose message policy stopped because of such a finding. Raises StoreAwayError."""
        session, found = record.transaction.session, lock_findings(record)
        if not found or not session.account:
            return
        by = _LOCKING[found[0].rule][0]
        reasons = tuple(LockReason(_LOCKING[finding.rule][0], finding.excerpt) for finding in found)
        evidence = Evidence(tuple(finding.rule for finding in found), (record.transaction.id,))
        await self._locker.lock(session.tenant, session.account, reasons, by=by, evidence=evidence)


def lock_findings(record: AuditRecord) -> tuple[Finding, ...]:
    """The findings that lock, of those because of which policy stopped the message."""
    stopped = (v for v in record.verdicts if v.disposition is not Disposition.DELIVER)
    return tuple(dict.fromkeys(f for verdict in stopped for f in verdict.findings if _locks(f)))


def _locks(finding: Finding) -> bool:
    return finding.rule in _LOCKING and finding.severity >= _LOCKING[finding.rule][1]
