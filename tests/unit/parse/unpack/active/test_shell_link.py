"""Windows shortcuts; the first is the example that MS-SHLLINK itself takes apart (3.1)."""

import contextlib
import struct

import pytest

from sekisho.parse.unpack.active.shell_link import read_shell_link
from sekisho.parse.unpack.opening import CorruptError

EXAMPLE = bytes.fromhex("""
4c0000000114020000000000c0000000000000469b00080020000000d0e9eef21515c901d0e9eef21515c901d0e9eef2
1515c901000000000000000001000000000000000000000000000000bd0014001f50e04fd020ea3a6910a2d808002b30
309d19002f433a5c0000000000000000000000000000000000000046003100000000002c3969a3100074657374000032
0007000400efbe2c3965a32c3969a326000000031e00000000f51e000000000000000000007400650073007400000014
0048003200000000002c3969a32000612e74787400340007000400efbe2c3969a32c3969a3260000002d6e0000000096
010000000000000000000061002e007400780074000000140000003c0000001c000000010000001c0000002d00000000
0000003b0000001100000003000000818a7a301000000000433a5c746573745c612e747874000007002e005c0061002e
00740078007400070043003a005c00740065007300740060000000030000a0580000000000000063687269732d787073
0000000000000040788ec7bb4d4bb0a0ef43f9a7a4ff0000000000000000000000000000000000000000000000000000
000000000000000000000000000000000000000000000000000000
""")


def shortcut(*, arguments="", target="", icon="", environment="", show=1, tail=b""):
    """A shortcut as MS-SHLLINK 2 lays it out, with only the parts that are named."""
    flags = 0x80 | (0x20 if arguments else 0) | (0x40 if icon else 0) | (0x08 if target else 0)
    flags |= 0x200 if environment else 0
    header = bytes.fromhex("4c0000000114020000000000c000000000000046")
    header += struct.pack("<II", flags, 0x20) + bytes(24) + struct.pack("<III", 0, 0, show) + bytes(12)
    assert len(header) == 76
    strings = [s for s in (target, arguments, icon) if s]
    body = b"".join(struct.pack("<H", len(s)) + s.encode("utf-16-le") for s in strings)
    if environment:
        narrow = environment.encode("ascii", "replace").ljust(260, b"\0")
        body += struct.pack("<II", 788, 0xA0000001) + narrow + environment.encode("utf-16-le").ljust(520, b"\0")
    return header + body + bytes(4) + tail


def test_the_example_of_the_specification():
    link = read_shell_link(EXAMPLE)
    assert link.target == "C:\\test\\a.txt"
    assert link.relative == ".\\a.txt"
    assert link.folder == "C:\\test"
    assert link.items == ("C:\\", "test", "a.txt")
    assert link.arguments == ""
    assert link.show == 1


def test_arguments_icon_and_environment():
    link = read_shell_link(
        shortcut(
            target="..\\a.exe",
            arguments="/c 給与",
            icon="a.ico",
            environment="%windir%\\a.exe",
            show=7,
            tail=b"x" * 9,
        )
    )
    assert (link.relative, link.arguments, link.icon) == ("..\\a.exe", "/c 給与", "a.ico")
    assert link.environment == "%windir%\\a.exe"
    assert link.command == "%windir%\\a.exe /c 給与"
    assert (link.show, link.appended) == (7, 9)


@pytest.mark.parametrize("content", [b"", b"\x4c\0\0\0", b"x" * 100, EXAMPLE[:80]])
def test_broken(content):
    with pytest.raises(CorruptError):
        read_shell_link(content)


def test_cut_or_changed_anywhere_raises_the_named_error_only():
    for at in range(len(EXAMPLE)):
        for content in (EXAMPLE[:at], EXAMPLE[:at] + b"\xff\xff\xff\xff" + EXAMPLE[at + 4 :]):
            with contextlib.suppress(CorruptError):
                read_shell_link(content)
