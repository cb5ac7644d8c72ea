"""Sekisho (関所), a gateway for outgoing mail. Start reading in `gateway.py`."""

__version__ = "0.1.0"
