import time

import pytest

from sekisho.parse.unpack.kind_text import text_kind

_POWERSHELL = b"$c = New-Object Net.WebClient\nInvoke-Expression $c.DownloadString('x')\nStart-Process a"
_VBSCRIPT = b'On Error Resume Next\nSet s = CreateObject("WScript.Shell")\nDim x\ns.Run Chr(65)\n'
_BATCH = b"@echo off\r\nsetlocal\r\nset x=%TEMP%\r\nstart %x%\\a.exe\r\n"


@pytest.mark.parametrize(
    ("content", "name", "kind"),
    [
        (b"#!/bin/sh\necho", "run", "shell"),
        (b"#!/usr/bin/env python3\n", "x", "python"),
        (b"#!/usr/bin/perl -w\n", "x", "perl"),
        (b"<?php echo 1;", "x.gif", "php"),
        (_POWERSHELL, "x", "powershell"),
        (_VBSCRIPT, "x", "vbscript"),
        (_BATCH, "x", "batch"),
        (b"hello", "a.ps1", "powershell"),
        (b"hello", "a.VBS", "vbscript"),
        (b"hello", "a.js", "javascript"),
        (b"hello", "a.cmd", "batch"),
        (b"a,b\n1,2\n", "list.csv", "csv"),
        (b"a,b\n1,2\n", "list.txt", "text"),
        (b"a,b\n", "", "text"),
        (b"Windows Registry Editor Version 5.00\r\n", "x", "reg"),
        ("Windows Registry Editor Version 5.00\r\n".encode("utf-16"), "x", "reg"),
        (b"[InternetShortcut]\r\nURL=http://a\r\n", "x", "url"),
        (b"junk\r\n[InternetShortcut]\r\nURL=http://a\r\n", "x", "url"),
        (b"[Desktop Entry]\nExec=a\n", "x", "desktop"),
        (b"[Shell]\r\nCommand=2\r\nIconFile=\\\\a\\b\r\n", "x", "scf"),
        (b'[Version]\r\nSignature="$CHICAGO$"\r\n', "x", "inf"),
        (b"full address:s:a.example\r\n", "x", "rdp"),
        (b"Received: from a\r\nFrom: b\r\nSubject: c\r\n\r\nd", "x", "eml"),
        (b"From a@b Mon\nReceived: x\nFrom: b\n\nd", "x", "mbox"),
        (b"To: all staff\nplease read", "note", "text"),
        (b"begin 644 a.bin\n", "x", "uu"),
        (b"ID;PWXL;N;E\r\n", "a", "slk"),
        (b"WEB\r\n1\r\nhttp://a", "a", "iqy"),
        (b"{\\rtf1", "a", "rtf"),
    ],
)
def test_texts(content, name, kind):
    assert text_kind(content, name) == kind


@pytest.mark.parametrize(
    ("content", "name", "kind"),
    [
        (b"<!DOCTYPE html><html>", "x", "html"),
        (b"\xef\xbb\xbf \n<HTML>", "x", "html"),
        (b"<!-- c --><html>", "x", "html"),
        (b"<script>alert(1)</script>", "x", "html"),
        (b"<?xml version='1.0'?><svg xmlns='x'/>", "x", "svg"),
        (b"<svg xmlns='x'/>", "x", "svg"),
        (b"<?xml version='1.0'?><!DOCTYPE svg [<!ENTITY a 'b'>]><svg/>", "x", "svg"),
        (b"<?xml version='1.0'?><a/>", "x.xml", "xml"),
        (b"<html><hta:application id=a>", "x", "hta"),
        (b"<html>", "a.hta", "hta"),
        (b"<job><script/></job>", "a.wsf", "wsf"),
        (b"<?xml version='1.0'?><scriptlet><script/></scriptlet>", "x", "sct"),
        (b"<?xml version='1.0'?><libraryDescription xmlns='x'/>", "x", "library-ms"),
        (b"<?xml version='1.0'?><PCSettings/>", "x", "settingcontent-ms"),
        (b"<?xml version='1.0'?><persistedQuery/>", "x", "search-ms"),
        (b"<?xml version='1.0'?><MMC_ConsoleFile/>", "x", "msc"),
        (b"<?xml version='1.0'?><plist><dict><key>URL</key></dict></plist>", "x", "webloc"),
        (b"<?xml version='1.0'?><html xmlns='x'/>", "x", "html"),
        ("<html>".encode("utf-16"), "x", "html"),
        ("<html><body>".encode("utf-16-le"), "x", "html"),
        (b"<w:document xmlns:w='x'/>", "x", "xml"),
    ],
)
def test_markup(content, name, kind):
    assert text_kind(content, name) == kind


@pytest.mark.parametrize("encoding", ["cp932", "euc_jp", "iso2022_jp", "utf-8", "utf-16"])
def test_japanese_text_is_text(encoding):
    assert text_kind("いつもお世話になっております。株式会社の山田です。".encode(encoding), "a") == "text"


@pytest.mark.parametrize("name", ["howto.txt", "notes.md", "trace.log"])
@pytest.mark.parametrize("content", [_POWERSHELL, _VBSCRIPT, _BATCH, b"[InternetShortcut]\nURL=x\n"])
def test_a_listing_in_a_text_file_is_text(name, content):
    assert text_kind(content, name) == "text"


@pytest.mark.parametrize(
    "prose", [b"The function of the form is to set a goal. If exist...", b"Dim sum for lunch? Set a date."]
)
def test_prose_is_no_script(prose):
    assert text_kind(prose, "letter") == "text"


def test_binary_is_no_text():
    assert text_kind(bytes(range(256)), "a.js") == ""


@pytest.mark.parametrize(
    "bait",
    [
        b"<!--" * 5000,
        b"<?" * 9000,
        b"<!" * 9000,
        b" " * 16000 + b"[",
        b"<a" * 9000,
        b"<" + b"a" * 16000,
        b"$" * 16000,
    ],
)
def test_bait_is_quick(bait):
    before = time.process_time()
    text_kind(bait, "x")
    assert time.process_time() - before < 0.1
