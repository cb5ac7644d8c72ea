import pytest
from tests.support.archive_corpus import corpus

from sekisho.parse.unpack.kind_ole import ole_kind
from sekisho.parse.unpack.kinds import kind_of

_MAGIC = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_FREE = 0xFFFFFFFF


def compound(*names, class_id=bytes(16), loop=False):
    """A compound file of two sectors: the FAT and a directory of up to three entries under the root."""
    header = _MAGIC + bytes(16) + b"\x3e\0\x03\0\xfe\xff\x09\0\x06\0" + bytes(10)
    header += (1).to_bytes(4, "little") + (1).to_bytes(4, "little") + bytes(24) + (0).to_bytes(4, "little")
    header = header.ljust(512, b"\xff")
    fat = (0xFFFFFFFD).to_bytes(4, "little") + (1 if loop else 0xFFFFFFFE).to_bytes(4, "little")
    entries = entry("Root Entry", child=1, class_id=class_id)
    for number, name in enumerate(names, 1):
        entries += entry(name, right=number + 1 if number < len(names) else _FREE)
    return header + fat.ljust(512, b"\xff") + entries.ljust(512, b"\0")


def entry(name, *, right=_FREE, child=_FREE, class_id=bytes(16)):
    raw = name.encode("utf-16-le") + b"\0\0"
    numbers = b"".join(n.to_bytes(4, "little") for n in (_FREE, right, child))
    return raw.ljust(64, b"\0") + len(raw).to_bytes(2, "little") + b"\x02\x01" + numbers + class_id + bytes(32)


@pytest.mark.parametrize(
    ("names", "kind"),
    [
        (["WordDocument"], "doc"),
        (["1Table", "WordDocument"], "doc"),
        (["Workbook"], "xls"),
        (["Book"], "xls"),
        (["PowerPoint Document"], "ppt"),
        (["EncryptionInfo", "EncryptedPackage"], "encrypted-office"),
        (["__properties_version1.0"], "msg"),
        (["VisioDocument"], "visio"),
        (["Quill"], "publisher"),
        (["Other"], "ole"),
        (["worddocument"], "doc"),
    ],
)
def test_by_top_names(names, kind):
    assert ole_kind(compound(*names)) == kind


def test_installer_by_class():
    class_id = bytes.fromhex("84100c0000000000c000000000000046")
    assert ole_kind(compound("x", class_id=class_id)) == "msi"


def test_a_directory_that_is_its_own_next_sector_ends():
    assert ole_kind(compound("Workbook", loop=True)) == "xls"


@pytest.mark.parametrize("size", [8, 30, 47, 76, 512, 900, 1030])
def test_cut_off(size):
    assert ole_kind(compound("Workbook")[:size]) == "ole"


def test_public_documents():
    assert {kind_of(c, "") for p, c in corpus("oletools") if p.endswith((".doc", ".dot"))} == {"doc"}
