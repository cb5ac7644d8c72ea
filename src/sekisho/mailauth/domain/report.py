"""What a check of a domain gives."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from msgspec import Struct, field

if TYPE_CHECKING:
    from sekisho.mail.dns import Records
    from sekisho.mailauth.spf.result import Branch

CheckName = Literal["spf", "dkim", "dmarc", "mta-sts", "tls-rpt", "bimi", "dane", "mx", "blocklist"]
Level = Literal["error", "warning", "note"]
AWAY = frozenset(("refused", "away", "bogus", "bad"))


class Finding(Struct, frozen=True):
    """Something to know: `code` and `values` make its text (`texts`), `record` is what to paste."""

    code: str
    level: Level = "error"
    values: dict[str, object] = field(default_factory=dict)
    record: str = ""


class Check(Struct, frozen=True):
    """What came of one check. `record` is the record that was found, text of others; `tree` that of SPF."""

    check: CheckName
    findings: tuple[Finding, ...] = ()
    record: str = ""
    absent: bool = False
    tree: Branch | None = None

    @property
    def status(self) -> Literal["ok", "warning", "error", "absent"]:
        """The worst of the findings; "absent" where nothing is published and nothing else is wrong."""
        levels = {finding.level for finding in self.findings}
        if self.absent and not any(finding.code == "dns" for finding in self.findings):
            return "absent"
        return "error" if "error" in levels else "warning" if "warning" in levels else "ok"

    @property
    def failing(self) -> bool:
        """Whether mail of the domain suffers from it: an error, or no record where one must be."""
        return any(finding.level == "error" for finding in self.findings)


def away(check: CheckName, name: str, answer: Records) -> Check:
    """The DNS did not say."""
    return Check(check, (Finding("dns", values={"name": name, "status": answer.status}),))


def txt(name: str, text: str) -> str:
    """A TXT record as a line of a zone file, in strings of at most 255 octets. Source: RFC 1035 5.1, 3.3."""
    octets = text.encode("ascii", "backslashreplace").decode().replace("\\", "\\\\").replace('"', '\\"')
    strings = [octets[start : start + 200] for start in range(0, len(octets), 200)] or [""]
    return f"{name}. IN TXT " + " ".join(f'"{one}"' for one in strings)


def texts_of(answer: Records, start: bytes) -> list[bytes]:
    """The TXT records that begin so, in any case."""
    return [one for one in answer.values if isinstance(one, bytes) and one[: len(start)].lower() == start.lower()]


def shown(text: bytes) -> str:
    """A record of others as text."""
    return text.decode("utf-8", "replace")
