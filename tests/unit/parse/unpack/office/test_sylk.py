from __future__ import annotations

from support.office import corpus
from support.opened_file import all_text, found, opened

from sekisho.parse.unpack.office.sylk import open_sylk


def test_macros_of_the_corpus():
    opening = opened(open_sylk, corpus("excel4_sample_macro.slk"))
    assert 'ALERT("This is a sample Excel 4 macro")' in all_text(opening)
    assert found(opening) == {"xlm-macro": "medium"}


def test_cells():
    text = 'ID;PWXL;N;E\r\nC;Y1;X1;K"山田"\r\nC;X2;K"a;;b"\r\nC;Y2;X1;K123\r\nE\r\n'
    opening = opened(open_sylk, text.encode("cp932"))
    assert all_text(opening) == "山田\ta;b\n123"
    assert found(opening) == {}


def test_a_program_started():
    assert found(opened(open_sylk, b'ID;P\nO;E\nNN;NAuto_open;ER101C1\nC;X1;Y101;EEXEC("calc.exe")\nE\n')) == {
        "xlm-macro": "high"
    }


def test_dde():
    assert found(opened(open_sylk, b"ID;P\nC;Y1;X1;K0;Ecmd|'/c calc'!A0\nE\n")) == {"dde": "high"}
