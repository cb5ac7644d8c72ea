import pytest

from sekisho.parse.unpack.cue_list import CUES
from sekisho.parse.unpack.cues import cues_in


def test_each_cue_says_what_it_is():
    assert all(cue.says and cue.pattern for cue in CUES)
    assert len({cue.pattern for cue in CUES}) == len(CUES)


@pytest.mark.parametrize(
    ("line", "deed"),
    [
        ('s.Run "cmd /c dir", 0', "start"),
        ('s.Run("%COMSPEC% /c powershell -c dir")', "start"),
        ("x.Exec('rundll32 a.dll,b')", "start"),
        ("powershell -w hidden -enc SQBFAFg=", "start"),
        ("PowerShell.exe -NoProfile -Command dir", "start"),
        ("wscript //B a.vbs", "start"),
        ("schtasks /create /tn a /tr notepad", "start"),
        ("IEX $a", "start"),
        ("[Diagnostics.Process]::Start('a')", "start"),
        ("$w = New-Object -ComObject WScript.Shell", "run"),
        ('GetObject("script:https://a.example/x")', "strong"),
        ("ftp -s:a.txt", "fetch"),
        ("copy \\\\a.example@SSL\\DavWWWRoot\\x.exe .", "fetch"),
        ('Set f = o.CreateTextFile("a.txt")', "write"),
        ("Set-Content a.txt 'x'", "write"),
        ("echo x > %TEMP%\\a.vbs", "write"),
        ('n.dataType = "bin.base64"', "decode"),
        ("Execute StrReverse(a)", "encode"),
        ('a = 1: Execute "b"', "encode"),
        ("Execute(a)", "encode"),
        ("eval(String.fromCharCode(a))", "encode"),
        ('"{1}{0}" -f "b","a"', "encode"),
        ("%a%%b%%c%%d%%e%%f%", "encode"),
        ("new ActiveXObject(x)", "wsh"),
        ("WScript['Echo'](1)", "wsh"),
    ],
)  # fmt: skip
def test_deed(line, deed):
    assert deed in cues_in(line).deeds


@pytest.mark.parametrize(
    "line",
    [
        "@echo off\r\ncopy a.txt b.txt\r\npause\r\n",
        "set PATH=%PATH%;%CD%\\bin\r\ncall npm run build > build.log\r\nif errorlevel 1 exit /b 1\r\n",
        'MsgBox "Finished" & vbCrLf & Chr(34) & Date & Chr(34)\r\nOption Explicit\r\n',
        "Get-ChildItem -Recurse | Where-Object { $_.Length -gt 1MB } | Sort-Object Length\r\n",
        "for (var i = 0; i < a.length; i++) { total += a[i]; }",
        "goto execute\r\n:execute\r\n@rem Setup the command line\r\n",
        "function execute(task) { return task.run('build'); }",
    ],
)
def test_everyday_work(line):
    assert not cues_in(line).acts
