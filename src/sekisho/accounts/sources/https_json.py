"""JSON over HTTPS from an identity provider: bounded in size and time, and no redirect is followed."""

from __future__ import annotations

import http.client
import ssl
import urllib.parse
from collections.abc import Mapping
from typing import Any, Final

import msgspec

from sekisho.accounts.sources.source import SourceAwayError
from sekisho.config.source_checks import sound_url

MOST_OCTETS: Final = 1_000_000


def fetch_json(
    url: str,
    context: ssl.SSLContext,
    seconds: float,
    form: Mapping[str, str] | None = None,
    headers: Mapping[str, str] | None = None,
) -> dict[str, Any]:
    """GET an object, or POST a form for one. Blocks; `seconds` are for each step. Raises SourceAwayError.

    `url` must be https, or http to this machine.
    """
    if not sound_url(url):
        raise SourceAwayError("not an https URL")
    try:
        return _asked(url, context, seconds, form, {"Accept": "application/json", **(headers or {})})
    except (OSError, ssl.SSLError, http.client.HTTPException, msgspec.DecodeError, ValueError) as error:
        raise SourceAwayError(f"{_place(url)}: {type(error).__name__}: {str(error)[:200]}") from error


def _asked(
    url: str, context: ssl.SSLContext, seconds: float, form: Mapping[str, str] | None, headers: dict[str, str]
) -> dict[str, Any]:
    parts = urllib.parse.urlsplit(url)
    host = parts.hostname or ""
    connection: http.client.HTTPConnection
    if parts.scheme == "https":
        connection = http.client.HTTPSConnection(host, parts.port, timeout=seconds, context=context)
    else:
        connection = http.client.HTTPConnection(host, parts.port, timeout=seconds)
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    body = urllib.parse.urlencode(form) if form is not None else None
    if body is not None:
        headers["Content-Type"] = "application/x-www-form-urlencoded"
    try:
        connection.request("POST" if body is not None else "GET", target, body, headers)
        answer = connection.getresponse()
        data = answer.read(MOST_OCTETS + 1)
    finally:
        connection.close()
    if answer.status != 200 or len(data) > MOST_OCTETS:
        raise SourceAwayError(f"{_place(url)}: status {answer.status}, {len(data)} octets")
    return msgspec.json.decode(data, type=dict[str, Any])


def _place(url: str) -> str:
    """The part of a URL that may be in a log."""
    return urllib.parse.urlsplit(url).netloc
