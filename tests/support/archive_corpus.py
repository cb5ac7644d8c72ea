"""The public archives and documents in `../shared/data/attachments`, read in memory."""

import binascii
import re
import tarfile
from pathlib import Path

import pytest

FILES = Path(__file__).parents[3] / "shared/data/attachments/files.tar.xz"


def corpus(part=""):
    """Name and content of each file whose path contains `part`; uuencoded ones are decoded. Skips where absent."""
    if not FILES.exists():
        pytest.skip("needs ../shared/data/attachments/files.tar.xz")
    with tarfile.open(FILES) as tar:
        members = [(m.name, tar.extractfile(m).read()) for m in tar if m.isfile() and part in m.name]
    return [(n.removesuffix(".uu"), _uudecoded(c) if n.endswith(".uu") else c) for n, c in members]


def corpus_file(name):
    """The content of the one file with this base name."""
    return next(content for path, content in corpus(name) if path.rsplit("/", 1)[-1] == name)


def _uudecoded(text):
    plain, mode = bytearray(), None
    for line in text.splitlines():
        if mode is None:
            begin = re.match(rb"begin(-base64)? \d+ ", line)
            mode = begin and ("base64" if begin[1] else "uu")
        elif line.startswith((b"end", b"====")):
            mode = None
        elif mode == "base64":
            plain += binascii.a2b_base64(line)
        elif line:
            plain += binascii.a2b_uu(line[: 1 + (4 * ((line[0] - 32) & 63) + 2) // 3])
    return bytes(plain)
