import pytest

from sekisho.inspect.antivirus.clamd import meaning_of
from sekisho.mail.finding import Severity

ENCRYPTED = ("attachment/encrypted", Severity.MEDIUM)
LIMIT = ("attachment/over-limit", Severity.HIGH)
ODD = ("attachment/heuristic", Severity.MEDIUM)
MALWARE = ("malware/clamav", Severity.CRITICAL)


# Names as clamd.conf(5), the documentation and the public databases have them.
@pytest.mark.parametrize(
    ("signature", "expected"),
    [
        ("Win.Test.EICAR_HDB-1", MALWARE),
        ("Eicar-Signature", MALWARE),
        ("Doc.Downloader.Emotet-7580152-0", MALWARE),
        ("Email.Phishing.VOF1-6313834-0", MALWARE),
        ("YARA.Words.UNOFFICIAL", MALWARE),
        ("Heuristics.W32.Parite.B", MALWARE),
        ("Heuristics.Trojan.Swizzor.Gen", MALWARE),
        ("Heuristics.Encrypted.Zip", ENCRYPTED),
        ("Heuristics.Encrypted.7Zip", ENCRYPTED),
        ("Heuristics.Encrypted.PDF", ENCRYPTED),
        ("Heuristics.Limits.Exceeded.MaxScanSize", LIMIT),
        ("Heuristics.Limits.Exceeded", LIMIT),
        ("Heuristics.Phishing.Email.SpoofedDomain", ODD),
        ("Heuristics.Safebrowsing.Suspected-phishing_safebrowsing.clamav.net", ODD),
        ("Heuristics.Email.Phishing.Odd", ODD),
        ("Heuristics.Structured.CreditCardNumber", ODD),
        ("Heuristics.OLE2.ContainsMacros.VBA", ODD),
        ("Heuristics.Broken.Executable", ODD),
        ("Heuristics.Broken.Media.JPEG.JFIFmarkerBadPosition", ODD),
        ("PUA.Win.Tool.NirCmd-1", ODD),
    ],
)
def test_what_a_name_means(signature, expected):
    threat = meaning_of(signature)
    assert ((threat.rule, threat.severity), threat.name) == (expected, signature)


def test_a_name_is_short_and_printable():
    assert meaning_of("a\x1bb\r\n" + "x" * 1000).name == "a b  " + "x" * 195
