import pytest

from sekisho.config.shipped import shipped
from sekisho.inspect.links.lists import load_lists
from sekisho.inspect.links.signs import host_signs, other_signs, scheme_signs
from sekisho.inspect.links.url import normalise
from sekisho.mail.finding import Severity

LISTS = load_lists(shipped("lists"))


def signs(written, origin="href"):
    address = normalise(written)
    found = list(other_signs(address, LISTS)) if address.host else []
    if address.scheme in ("http", "https", "ftp"):
        found += host_signs(address.host)
    else:
        found = list(scheme_signs(address, origin, LISTS))
    return {sign.rule.removeprefix("link/"): sign.severity.word for sign in found}


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("https://example.com/a", {}),
        ("https://example.com:443/", {}),
        ("http://example.com:8080/", {}),
        ("http://example.com:4444/", {"odd-port": "low"}),
        ("http://8.8.8.8/", {"ip-address": "medium"}),
        ("http://192.168.1.1/", {"ip-address": "low"}),
        ("http://[::1]/", {"ip-address": "low"}),
        ("http://0x08080808/", {"ip-address": "medium", "encoded-host": "high"}),
        ("http://134744072/", {"ip-address": "medium", "encoded-host": "high"}),
        ("http://%65xample.com/", {"encoded-host": "high"}),
        ("http://ｅxample.com/", {"encoded-host": "medium"}),
        ("http://exam\u200bple.com/", {"encoded-host": "medium"}),
        ("http://日本語.jp/", {}),
        ("http://EXAMPLE.com/", {}),
        ("http://pаypal.com/", {"confusable": "high"}),
        ("http://www.paypal.com@evil.example.com/", {"userinfo": "high"}),
        ("http://anna:pw@example.com/", {"userinfo": "medium"}),
        ("https://git@example.com/a.git", {"userinfo": "low"}),
        ("https://example.com/setup.exe", {"program": "medium"}),
        ("https://example.com/a/invoice.pdf.exe", {"program": "high"}),
        ("https://example.com/a/invoice.pdf%20%20%20.scr", {"program": "high"}),
        ("https://example.com/a.dmg", {"program": "low"}),
        ("https://example.com/index.php", {}),
        ("https://example.com/.exe", {}),
        ("http://bank.co.jp.evil.top/", {"domain-in-subdomain": "high"}),
        ("http://www-bank-co-jp.evil.top/", {"domain-in-subdomain": "high"}),
        ("http://bank.com.evil.example.org/", {"domain-in-subdomain": "medium"}),
        ("http://www.example.co.jp/", {}),
        ("http://co.example.jp/", {}),
        ("javascript:alert(document.cookie)", {"javascript": "medium"}),
        ("javascript:void(0);", {}),
        ("javascript:;", {}),
        ("data:text/html;base64,PGI+", {"data": "high"}),
        ("data:image/png;base64,AAAA", {}),
        ("mailto:a@example.com", {}),
        ("file://files.example.com/a", {"file": "high"}),
        ("\\\\fileserver\\share\\a.xlsx", {"file": "low"}),
        ("file:///C:/a.txt", {"file": "low"}),
        ("file://192.168.0.5/share", {"file": "low"}),
        ("search-ms:query=a&crumb=location:%5C%5Cevil", {"app-scheme": "high"}),
        ("ms-msdt:/id PCWDiagnostic", {"app-scheme": "high"}),
    ],
)
def test_signs(written, expected):
    assert signs(written) == expected


def test_an_svg_image_runs_nothing():
    assert signs("data:image/svg+xml,<svg/>", "src") == {}
    assert signs("data:image/svg+xml,<svg/>", "href") == {"data": "high"}


def test_the_severity_of_a_program_is_the_lists():
    assert LISTS.programs["scr"] is Severity.MEDIUM
