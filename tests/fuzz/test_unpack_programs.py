"""Programs, scripts, shortcuts, OneNote and polyglots: whatever the octets are, only the named errors come out."""

import contextlib
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sekisho.mail.opened import OpenLimits
from sekisho.parse.unpack.active import onenote, polyglot, programs, scripts, shortcuts
from sekisho.parse.unpack.opening import Budget, CorruptError, Opening, OverLimitError

STARTS = (
    b"MZ" + bytes(58) + struct.pack("<I", 64) + b"PE\0\0",
    b"\x7fELF\x02\x01\x01" + bytes(9),
    struct.pack("<7I", 0xFEEDFACF, 0x0100000C, 0, 2, 0, 0, 0),
    b"PK\3\4" + bytes(26) + b"META-INF/MANIFEST.MF",
    b"PK\1\2" + bytes(42) + b"PK\5\6" + bytes(18),
    bytes.fromhex("4c0000000114020000000000c000000000000046ff000000") + bytes(52),
    bytes.fromhex("e4525c7b8cd8a74daeb15378d02996d3")
    + bytes(1008)
    + bytes.fromhex("e716e3bd65261145a4c48d4d0b7a9eac"),
    b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR",
    b"\xff\xd8\xff\xe0\0\x10JFIF\0",
    b"GIF89a" + bytes(7),
    b"%PDF-1.4\n%%EOF",
    b"bplist00",
    b"[InternetShortcut]\nURL=",
    b"powershell -enc ",
)
STEPS = (
    programs.open_exe, programs.open_elf, programs.open_macho, programs.open_jar, programs.open_xar,
    programs.open_package, programs.open_unknown, scripts.open_script, shortcuts.open_lnk, shortcuts.open_url,
    shortcuts.open_desktop, shortcuts.open_webloc, shortcuts.open_windows_xml, shortcuts.open_rdp,
    shortcuts.open_web_query, shortcuts.look_at_named_files, onenote.open_onenote, polyglot.look_for_second_nature,
)  # fmt: skip
KINDS = ("png", "jpeg", "gif", "bmp", "webp", "pdf", "zip", "text", "unknown", *scripts.SCRIPT_KINDS)


@pytest.mark.parametrize("step", STEPS, ids=lambda step: step.__name__)
@given(
    pieces=st.lists(st.one_of(st.sampled_from(STARTS), st.binary(max_size=80)), max_size=6),
    kind=st.sampled_from(KINDS),
)
def test_only_named_errors(step, pieces, kind):
    opening = Opening(b"".join(pieces), "a.theme", budget=Budget(OpenLimits()))
    opening.kind = kind
    with contextlib.suppress(CorruptError, OverLimitError):
        step(opening)
