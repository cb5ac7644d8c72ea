import pytest

from sekisho.parse.parameters import Parameters


@pytest.mark.parametrize(
    ("value", "token", "parameters"),
    [
        ("text/plain; charset=us-ascii (Plain text)", "text/plain", {"charset": "us-ascii"}),  # RFC 2045 5.1
        ('text/plain; charset="us-ascii"', "text/plain", {"charset": "us-ascii"}),
        ("Text / HTML ;Charset = utf-8", "text/html", {"charset": "utf-8"}),
        ('multipart/mixed; boundary="a;\\"b"; x=y', "multipart/mixed", {"boundary": 'a;"b', "x": "y"}),
        # RFC 2231 3, 4, 4.1
        (
            'message/external-body; access-type=URL; URL*0="ftp://"; URL*1="cs.utk.edu/pub/moore/bulk-mailer.tar"',
            "message/external-body",
            {"access-type": "URL", "url": "ftp://cs.utk.edu/pub/moore/bulk-mailer.tar"},
        ),
        (
            "application/x-stuff; title*=us-ascii'en-us'This%20is%20%2A%2A%2Afun%2A%2A%2A",
            "application/x-stuff",
            {"title": "This is ***fun***"},
        ),
        (
            (
                "application/x-stuff; title*1*=%2A%2A%2Afun%2A%2A%2A%20; "
                "title*0*=us-ascii'en'This%20is%20even%20more%20; title*2=\"isn't it!\""
            ),
            "application/x-stuff",
            {"title": "This is even more ***fun*** isn't it!"},
        ),
        ("a/b; filename*0*=iso-2022-jp''%1B$B@A5a; filename*1*==q%1B(B.txt", "a/b", {"filename": "請求書.txt"}),
        ('a/b; name="=?UTF-8?B?5pel5pys?= =?UTF-8?B?6Kqe?=.txt"', "a/b", {"name": "日本語.txt"}),
        ("attachment; filename=my file.pdf", "attachment", {"filename": "my file.pdf"}),
        ('attachment; filename="abc', "attachment", {"filename": "abc"}),
        ("attachment; filename", "attachment", {}),
        ("(c) text/html (d); (e) charset=utf-8", "text/html", {"charset": "utf-8"}),
        ("a/b; boundary=(x)", "a/b", {"boundary": "(x)"}),
        (";;; ;", "", {}),
        ("", "", {}),
    ],
)
def test_reading(value, token, parameters):
    read = Parameters(value)
    assert (read.token, read.shown()) == (token, parameters)


def test_a_parameter_given_again_is_kept_apart():
    read = Parameters("a/b; boundary=x; boundary=y")
    assert read.first == {"boundary": "x"}
    assert read.again == [("boundary", "y")]


def test_the_extended_form_is_preferred():
    read = Parameters("attachment; filename=plain.txt; filename*=utf-8''%E6%97%A5.txt")
    assert read.shown() == {"filename": "日.txt"}
    assert read.again == [("filename", "plain.txt")]


def test_raw_octets_are_decoded_for_people():
    value = "attachment; filename=" + "日本.txt".encode("cp932").decode("ascii", "surrogateescape")
    assert Parameters(value).shown() == {"filename": "日本.txt"}


def test_short_values_are_remembered():
    assert Parameters.of("text/plain; charset=utf-8") is Parameters.of("text/plain; charset=utf-8")
    assert Parameters.of("a" * 200) is not Parameters.of("a" * 200)
