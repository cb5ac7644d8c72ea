"""From raw bytes to an immutable message: the MIME index, and the decoding it does on demand."""

from sekisho.parse.mime import parse

__all__ = ["parse"]
