import pytest

from sekisho.parse import parse


def entity(*lines):
    message = parse("\n".join(["From: a@b.example", *lines, "", "x"]).encode())
    return message.root, {finding.rule.removeprefix("message/") for finding in message.findings}


def test_defaults():
    part, faults = entity()
    assert (part.content_type, part.encoding, part.disposition, part.filename) == ("text/plain", "7bit", "", None)
    assert faults == set()


@pytest.mark.parametrize("value", ["text", "html", "/plain", "text/", "; charset=utf-8"])
def test_a_malformed_content_type_is_text(value):
    part, faults = entity(f"Content-Type: {value}")
    assert part.content_type == "text/plain"  # RFC 2045 5.2
    assert faults == {"malformed-content-type"}


def test_two_content_types():
    part, faults = entity("Content-Type: text/plain", "Content-Type: multipart/mixed; boundary=b", "", "--b", "", "y")
    assert part.is_multipart
    assert {"conflicting-content-type", "duplicate-header"} <= faults


def test_the_same_content_type_twice_is_no_conflict():
    _, faults = entity("Content-Type: text/plain", "Content-Type: TEXT/plain")
    assert faults == {"duplicate-header"}


def test_the_encoding_that_hides_something_counts():
    part, faults = entity("Content-Transfer-Encoding: 7bit", "Content-Transfer-Encoding: base64")
    assert part.encoding == "base64"
    assert "ambiguous-encoding" in faults


@pytest.mark.parametrize(
    ("value", "encoding", "fault"),
    [
        ("base64 (comment)", "base64", {"ambiguous-encoding"}),
        ("hexa", "hexa", {"unknown-encoding"}),
        ("8bit", "8bit", set()),
        ("7bit;", "7bit", set()),
    ],
)
def test_encodings(value, encoding, fault):
    part, faults = entity(f"Content-Transfer-Encoding: {value}")
    assert (part.encoding, faults) == (encoding, fault)


@pytest.mark.parametrize(
    ("value", "disposition"),
    [
        ("inline", "inline"),
        ("ATTACHMENT; filename=x", "attachment"),
        ("form-data", "attachment"),  # RFC 2183 2.8
        ("", ""),
    ],
)
def test_dispositions(value, disposition):
    assert entity(f"Content-Disposition: {value}")[0].disposition == disposition


@pytest.mark.parametrize(
    ("lines", "filename"),
    [
        (["Content-Type: a/b; name=x.txt"], "x.txt"),
        (["Content-Type: a/b; name=x.txt", "Content-Disposition: attachment; filename=y.txt"], "y.txt"),
        (["Content-Disposition: attachment; filename*=utf-8''%E6%97%A5.txt"], "日.txt"),
        (['Content-Disposition: attachment; filename="=?utf-8?B?5pel?=.txt"'], "日.txt"),
        (["Content-Disposition: attachment; filename*=utf-8''a%00%0Ab.txt"], "ab.txt"),
        (["Content-Disposition: attachment; filename=' '"], "' '"),
        (['Content-Disposition: attachment; filename=" "'], None),
    ],
)
def test_filenames(lines, filename):
    assert entity(*lines)[0].filename == filename


def test_file_names_with_different_extensions():
    _, faults = entity('Content-Type: a/b; name="x.pdf"', 'Content-Disposition: attachment; filename="x.exe"')
    assert faults == {"conflicting-filename"}


@pytest.mark.parametrize(("charset", "fault"), [("utf-7", "utf-7"), ("x-nobody", "unknown-charset")])
def test_charsets_nobody_should_use(charset, fault):
    assert entity(f"Content-Type: text/plain; charset={charset}")[1] == {fault}


@pytest.mark.parametrize("subtype", ["partial", "external-body"])
def test_messages_that_are_elsewhere(subtype):
    assert entity(f"Content-Type: message/{subtype}")[1] == {subtype}
