"""A message and what the standard says it holds: `NAME.eml` (LF) and `NAME.json`, read with LF and with CRLF."""

import json
from pathlib import Path

import pytest

from sekisho.parse import parse

HERE = Path(__file__).parent


def shown(part):
    found = {"path": part.path, "content_type": part.content_type}
    if part.filename:
        found["filename"] = part.filename
    if part.visible_text:
        found["visible_text"] = part.visible_text
    if links := [link.url for link in part.links]:
        found["links"] = links
    if not part.is_multipart and not part.content_type.startswith(("text/", "message/")):
        found["content_hex"] = part.content.hex()
    return found


@pytest.mark.parametrize("end", [b"\n", b"\r\n"], ids=["lf", "crlf"])
@pytest.mark.parametrize("path", sorted(HERE.glob("*.eml")), ids=lambda path: path.stem)
def test_golden(path, end):
    message = parse(path.read_bytes().replace(b"\n", end))
    expected = json.loads(path.with_suffix(".json").read_text())
    assert {key: message.header(key).text for key in expected["headers"]} == expected["headers"]
    assert sorted(finding.rule for finding in message.findings) == expected["findings"]
    assert [shown(part) for part in message.parts] == expected["parts"]
