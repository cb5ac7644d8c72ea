"""How paths to inner files stand in what is recorded: whole, or as a company wants it with every name cut."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Literal

from msgspec.structs import replace

if TYPE_CHECKING:
    from sekisho.mail.finding import Finding
    from sekisho.mail.transaction import AuditRecord

FileNames = Literal["masked", "endings"]

# Where in a file or text: our words, which tell nothing of its content (the name of a sheet might).
_PLACE = re.compile(
    r"macro|macros|header|footer|names|comments|notes|properties|body|qr code|quoted reply|form|script"
    r"|(?:page|slide) [0-9]+"
)
_EXTENSION = re.compile(r"\.([A-Za-z][A-Za-z0-9]{0,4})$")
_MOST_CHARACTERS = 200_000  # of the paths in one record: thousands of findings may be about names of 255 characters
_CUT_FROM = 4096


def with_paths(audit: AuditRecord, file_names: FileNames) -> AuditRecord:
    """The record as it is written down. Its findings come with the values in their paths masked already.

    "endings": of every name only what tells its type. With more paths than there is room for, so are the last ones.
    """
    room = _MOST_CHARACTERS if file_names == "masked" else 0
    cut: dict[Finding, Finding] = {}
    for finding in audit.findings:
        room -= len(finding.path)
        if finding.path and room < 0:
            cut[finding] = replace(finding, path=endings(finding.path))
    if not cut:
        return audit
    verdicts = tuple(replace(v, findings=tuple(cut.get(f, f) for f in v.findings)) for v in audit.verdicts)
    return replace(audit, findings=tuple(cut.get(f, f) for f in audit.findings), verdicts=verdicts)


def endings(path: str) -> str:
    """A path with its names cut to their extensions: "*.zip/*.docx/macro"."""
    return "/".join(map(_ending, path[-_CUT_FROM:].split("/")))


def _ending(name: str) -> str:
    extension = _EXTENSION.search(name)
    if extension:
        return f"*.{extension[1].lower()}"
    return name if _PLACE.fullmatch(name) else "*"
