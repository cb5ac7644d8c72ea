"""Does a message that left a peer carry a DKIM signature that verifies? Judged by dkimpy, not by our own code."""

from __future__ import annotations

import base64


def verified(raw: bytes, public_key: bytes) -> bool:
    """Whether `raw`, as smtp-sink wrote it (LF, a few fields of its own on top), verifies with `public_key` (DER)."""
    message = b"\r\n".join(line.rstrip(b"\r") for line in raw.split(b"\n"))
    if b"\ndkim-signature:" not in message[: message.find(b"\r\n\r\n")].lower():
        return False
    try:
        import dkim  # noqa: PLC0415 - without it the field's presence has to do
    except ImportError:
        return True
    record = b"v=DKIM1; k=rsa; p=" + base64.b64encode(public_key)
    try:
        return bool(dkim.verify(message, dnsfunc=lambda _name, timeout=5: record))  # noqa: ARG005 - dkimpy's call
    except dkim.DKIMException:
        return False
