from __future__ import annotations

import random

import pytest
from support.office import compound, macro_file, packed, project
from support.opened_file import opening_of

from sekisho.parse.unpack.office.ole_file import CompoundFile
from sekisho.parse.unpack.office.vba import decompress, form_strings, has_project, modules_of
from sekisho.parse.unpack.opening import CorruptError

# MS-OVBA 3.2.1 to 3.2.3
NORMAL = bytes.fromhex(
    "012fb000236161616263646582660070616768696a013808616b6c0030"
    "6d6e6f700671027004107273747576107778797a003c"
)  # fmt: skip
EXAMPLES = [
    (bytes.fromhex("0119b000616263646566676800696a6b6c6d6e6f70007172737475762e"), b"abcdefghijklmnopqrstuv."),
    (NORMAL, b"#aaabcdefaaaaghijaaaaaklaaamnopqaaaaaaaaaaaarstuvwxyzaaa"),
    (bytes.fromhex("0103b002614500"), b"a" * 73),
]  # fmt: skip


def budget():
    return opening_of(b"").budget


def read(content):
    return CompoundFile(content, budget())


@pytest.mark.parametrize(("compressed", "plain"), EXAMPLES)
def test_the_examples_of_the_specification(compressed, plain):
    assert decompress(compressed, budget()) == plain


def test_an_uncompressed_chunk():
    assert decompress(b"\x01\xff\x3f" + b"x" * 4096, budget()) == b"x" * 4096


def test_what_is_no_container():
    with pytest.raises(CorruptError):
        decompress(b"\x02\x00\xb0", budget())


def test_a_copy_from_before_the_chunk():
    with pytest.raises(CorruptError):
        decompress(b"\x01\x04\xb0\x02a\xff\xff", budget())


def test_mutations_are_read_or_refused():
    rng = random.Random(4)
    for _ in range(2000):
        broken = bytearray(NORMAL)
        for _ in range(rng.randrange(1, 6)):
            broken[rng.randrange(len(broken))] = rng.randrange(256)
        try:
            decompress(bytes(broken), budget())
        except CorruptError:
            continue


def test_modules_by_name_in_their_code_page():
    source = 'Attribute VB_Name = "集計"\r\nSub 合計()\r\n MsgBox "終了しました"\r\nEnd Sub\r\n'
    (module,) = modules_of(read(compound(project({"集計": source}))), budget())
    assert (module.name, module.source) == ("集計", source)


def test_a_long_module():
    source = "".join(f"' line {n}\r\n" for n in range(2000))
    assert modules_of(read(macro_file(source)), budget())[0].source == source


def test_modules_without_a_directory():
    streams = project({"Module1": 'Attribute VB_Name = "Module1"\r\nSub A()\r\nEnd Sub\r\n'}, cached=b"\0" * 700)
    streams["VBA/dir"] = b"broken"
    (module,) = modules_of(read(compound(streams)), budget())
    assert "Sub A()" in module.source


def test_strings_of_a_module_without_source():
    cached = b"\0" * 5000 + b"powershell -enc AAAA" + b"\0" * 10
    (module,) = modules_of(read(macro_file('Attribute VB_Name = "ThisDocument"\r\n', cached=cached)), budget())
    assert module.cached == len(cached)
    assert "powershell -enc AAAA" in module.strings


def test_no_project():
    assert not has_project(read(compound({"WordDocument": b"x" * 100})))


def test_strings_of_forms():
    file = read(compound(project({"M": "Sub A()\r\nEnd Sub"}) | {"UserForm1/o": b"\0\0cmd /c calc\0\0"}))
    assert "cmd /c calc" in form_strings(file)


def test_compressing_and_back():
    plain = bytes(random.Random(1).randrange(32, 127) for _ in range(9000))
    assert decompress(packed(plain), budget()) == plain
