import pytest
from tests.support.opened_file import found, opening_of

from sekisho.parse.unpack.archive.members import decode_name, tell_closed, tell_device, tell_link, tell_names


@pytest.mark.parametrize("encoding", ["utf-8", "cp932", "euc_jp"])
@pytest.mark.parametrize("name", ["見積書.xlsx", "資料/議事録（案）.docx", "請求書_株式会社山田.pdf", "plain.txt"])
def test_japanese_names(name, encoding):
    assert decode_name(name.encode(encoding)) == name


def test_any_octets_have_a_name():
    assert isinstance(decode_name(bytes(range(256)) * 40), str)


def test_names_are_a_text_of_their_own():
    opening = opening_of(b"x", "a.zip")
    tell_names(opening, ["社外秘.xlsx", "b\u202e.txt"])
    assert [(t.place, t.text) for t in opening.texts] == [("names", "社外秘.xlsx\nb.txt")]


@pytest.mark.parametrize(
    ("name", "target", "severity"),
    [
        ("a/b", "c", "low"),
        ("a/b", "../c", "low"),
        ("b", "../c", "medium"),
        ("a/b", "../../c", "medium"),
        ("b", "/etc/passwd", "medium"),
        ("b", "C:\\x", "medium"),
        ("a/b", "..\\..\\x", "medium"),
        ("b", "x/../../y", "medium"),
    ],
)
def test_links(name, target, severity):
    opening = opening_of(b"x", "a.tar")
    tell_link(opening, name, target)
    assert found(opening) == {"archive-anomaly": severity}
    assert f" to {target}" not in opening.findings[0].explanation


def test_devices():
    opening = opening_of(b"x", "a.tar")
    tell_device(opening, "dev/null")
    assert opening.findings[0].path == "a.tar/dev/null"


def test_names_of_closed_files_are_looked_at_within_bounds():
    opening = opening_of(b"x", "a.zip")
    tell_closed(opening, ["good.pdf", *(f"{n}.pdf.exe" for n in range(1000))])
    assert found(opening)["disguised-program"] == "critical"
    assert len(opening.findings) < 60
