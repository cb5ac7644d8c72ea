"""What came of getting a document by HTTPS."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from msgspec import Struct

FetchStatus = Literal["ok", "http", "redirect", "certificate", "tls", "away", "too-long", "bad"]


class Fetched(Struct, frozen=True):
    """A document, or why there is none.

    `status`: "ok" (200), "redirect" (not followed) and "http" (`code` says what the server answered), "certificate"
    (not valid for the name), "tls" (no other agreement on encryption), "away" (nobody answered in time, or the name
    has no address to be asked), "too-long", "bad" (not a URL to ask, or not HTTP that comes back). `content_type` is
    lower case, without parameters. `not_after` is when the server's certificate expires, where it was seen.
    """

    status: FetchStatus
    body: bytes = b""
    content_type: str = ""
    code: int = 0
    not_after: datetime | None = None
    why: str = ""
