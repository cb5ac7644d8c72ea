"""Programs, most of them real: the launchers that setuptools brings, and the Python that runs this test."""

import io
import struct
import sys
import zipfile
import zlib
from importlib.metadata import PackageNotFoundError, files
from pathlib import Path

import pytest

from sekisho.mail.finding import Severity
from sekisho.mail.opened import OpenLimits
from sekisho.parse.unpack.active import programs
from sekisho.parse.unpack.opening import Budget, Opening


def told(step, content, name="file", kind=""):
    opening = Opening(content, name, budget=Budget(OpenLimits()))
    opening.kind = kind
    step(opening)
    assert {f.rule for f in opening.findings} <= {"attachment/program", "attachment/unreadable"}
    return [(f.severity, f.explanation) for f in opening.findings]


def launcher(name):
    for package in ("pip", "setuptools"):
        try:
            found = next((f for f in files(package) or () if f.name == name), None)
        except PackageNotFoundError:
            continue
        if found:
            return Path(found.locate()).read_bytes()
    pytest.skip(f"no installed package brings {name}")
    return b""


@pytest.mark.parametrize(("name", "machine"), [("t32.exe", "x86"), ("t64.exe", "x64"), ("t64-arm.exe", "ARM64")])
def test_windows_program(name, machine):
    assert told(programs.open_exe, launcher(name)) == [(Severity.HIGH, f"Windows program, {machine}, not signed")]


def test_name_says_screen_saver():
    assert told(programs.open_exe, launcher("t64.exe"), "photo.SCR")[0][1].startswith("screen saver for Windows")


def with_directory(index):
    """The launcher with one entry of its data directory set, as signing or .NET does."""
    whole = bytearray(launcher("t64.exe"))
    (at,) = struct.unpack_from("<I", whole, 60)
    struct.pack_into("<II", whole, at + 24 + 112 + index * 8, 0x1000, 0x100)
    return bytes(whole)


def test_signed_and_dotnet():
    assert told(programs.open_exe, with_directory(4))[0][1].endswith(", signed")
    assert ".NET" in told(programs.open_exe, with_directory(14))[0][1]


@pytest.mark.parametrize("content", [b"MZ", b"MZ" + bytes(100), b"MZ" + bytes(58) + b"\xff\xff\xff\xff" + bytes(50)])
def test_only_the_magic_is_medium(content):
    assert [severity for severity, _ in told(programs.open_exe, content)] == [Severity.MEDIUM]


def test_cut_short_anywhere_never_raises():
    whole = launcher("t64.exe")[:2000]
    for end in range(0, 2000, 7):
        told(programs.open_exe, whole[:end])
        told(programs.open_elf, whole[:end])
        told(programs.open_macho, whole[:end])


@pytest.mark.skipif(sys.platform != "linux", reason="needs a Linux program")
def test_linux_program_and_library():
    assert told(programs.open_elf, Path(sys.executable).read_bytes()) == [(Severity.HIGH, "Linux program")]
    library = next(
        Path(m.__file__)
        for m in list(sys.modules.values())
        if getattr(m, "__file__", None) and m.__file__.endswith(".so")
    )
    assert told(programs.open_elf, library.read_bytes()) == [(Severity.MEDIUM, "Linux library or object file")]


def test_macos_program():
    header = struct.pack("<7I", 0xFEEDFACF, 0x0100000C, 0, 2, 0, 0, 0)
    assert told(programs.open_macho, header)[0] == (Severity.HIGH, "macOS program")
    assert told(programs.open_macho, header[:12] + struct.pack("<I", 6) + header[16:])[0][0] is Severity.MEDIUM


@pytest.mark.parametrize("compression", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_jar_with_main_class(compression):
    def jar(manifest):
        whole = io.BytesIO()
        with zipfile.ZipFile(whole, "w", compression) as archive:
            archive.writestr("META-INF/MANIFEST.MF", manifest)
            archive.writestr("a/B.class", b"\xca\xfe\xba\xbe")
        return whole.getvalue()

    runs = jar("Manifest-Version: 1.0\r\nMain-Class: org.example.Main\r\n")
    assert told(programs.open_jar, runs) == [(Severity.HIGH, "Java program, with a class to start")]
    assert told(programs.open_jar, jar("Manifest-Version: 1.0\r\n")) == [(Severity.MEDIUM, "Java library")]
    assert told(programs.open_jar, b"PK\3\4 nothing") == [(Severity.MEDIUM, "Java library")]


def test_macos_installer():
    toc = b"<xar><toc><file><name>Distribution</name></file></toc></xar>"
    header = struct.pack(">IHHQQI", 0x78617221, 28, 1, 0, len(toc), 1)
    assert told(programs.open_xar, header + zlib.compress(toc)) == [(Severity.HIGH, "macOS installer package")]
    closed = [(Severity.MEDIUM, "a xar archive, which cannot be opened here")]
    assert told(programs.open_xar, header + zlib.compress(b"<xar/>")) == closed
    assert told(programs.open_xar, header) == closed


def test_app_package():
    whole = io.BytesIO()
    with zipfile.ZipFile(whole, "w") as archive:
        archive.writestr("AppxManifest.xml", "<Package/>")
    assert told(programs.open_package, whole.getvalue()) == [(Severity.HIGH, "Windows app package")]


def test_every_plain_kind_has_a_finding():
    for kind in programs.PLAIN_KINDS:
        assert len(told(programs.open_plain, b"content", kind=kind)) == 1


def test_com_file_by_its_name():
    assert told(programs.open_unknown, b"\xb4\x09\xcd\x21", "run.COM")[0][0] is Severity.MEDIUM
    assert told(programs.open_unknown, b"\xb4\x09\xcd\x21", "run.dat") == []
