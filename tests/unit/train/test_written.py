"""TOML tables as raw mail."""

import email
import email.policy
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[3] / "train"))

from written import rendered, tables


def read(table):
    return email.message_from_bytes(rendered(table), policy=email.policy.default)


def test_the_same_table_is_the_same_octets():
    table = {"id": "a", "subject": "x", "body": "text", "html": "<p>text</p>", "attachment_names": ["a.pdf"]}
    assert rendered(table) == rendered(dict(table))


def test_what_the_table_says_is_in_the_message():
    message = read(
        {
            "id": "a",
            "subject": "Rechnung für März",
            "from": "billing@company.example",
            "sender_name": "Jörg Weiß",
            "to": ["Anna <anna@customer.example>", "ben@customer.example"],
            "reply_to": "else@mailbox.example",
            "body": "Grüße",
            "headers": {"List-Unsubscribe": "<https://company.example/u>", "Date": "Tue, 2 Jan 2024 09:00:00 +0900"},
        }
    )
    assert message["Subject"] == "Rechnung für März"
    assert message["From"].addresses[0].display_name == "Jörg Weiß"
    assert message["From"].addresses[0].addr_spec == "billing@company.example"
    assert [a.addr_spec for a in message["To"].addresses] == ["anna@customer.example", "ben@customer.example"]
    assert message["Reply-To"] == "else@mailbox.example"
    assert message["List-Unsubscribe"] == "<https://company.example/u>"
    assert message.get_all("Date") == ["Tue, 02 Jan 2024 09:00:00 +0900"]
    assert message.get_content() == "Grüße\n"
    assert message.defects == []


def test_text_and_html_are_alternatives_and_files_stand_beside():
    message = read({"id": "a", "subject": "x", "body": "t", "html": "<p>h</p>", "attachment_names": ["見積書.pdf"]})
    assert [part.get_content_type() for part in message.walk()] == [
        "multipart/mixed", "multipart/alternative", "text/plain", "text/html", "application/pdf",
    ]  # fmt: skip
    assert [part.get_filename() for part in message.iter_attachments()] == ["見積書.pdf"]


def test_some_japanese_messages_are_iso_2022_jp_and_all_read_the_same():
    texts = {"subject": "お見積りの件", "body": "いつもお世話になっております。\n田中です。\n", "sender_name": "田中"}
    messages = [read({"id": f"n-{number}", **texts}) for number in range(40)]
    charsets = {message.get_content_charset() for message in messages}
    assert charsets == {"iso-2022-jp", "utf-8"}
    assert {message.get_content().replace("\r\n", "\n") for message in messages} == {texts["body"]}
    assert {message["Subject"] for message in messages} == {texts["subject"]}
    assert {message["From"].addresses[0].display_name for message in messages} == {"田中"}


def test_letters_that_iso_2022_jp_does_not_have_are_utf_8():
    assert {read({"id": str(n), "subject": "x", "body": "한국어 😀"}).get_content_charset() for n in range(20)} == {
        "utf-8"
    }


def test_a_recipient_without_an_address_gets_one():
    address = read({"id": "a", "subject": "x", "body": "t", "to": "All employees"})["To"].addresses[0]
    assert address.display_name == "All employees"
    assert "@example." in address.addr_spec


def test_a_table_without_text_names_its_file(tmp_path):
    file = tmp_path / "a.toml"
    file.write_text('[[message]]\nid = "a"\nsubject = "x"\n')
    with pytest.raises(ValueError, match=r"a\.toml: message 1 needs"):
        list(tables(file))
    file.write_text("[[message]\n")
    with pytest.raises(ValueError, match=r"a\.toml"):
        list(tables(file))


def test_plain_ascii_is_not_encoded_and_no_line_is_too_long():
    raw = rendered({"id": "a", "subject": "x", "body": "short text"})
    assert b"\r\n\r\nshort text\r\n" in raw
    long = rendered({"id": "a", "subject": "x", "body": "word " * 500})
    assert max(map(len, long.split(b"\r\n"))) <= 998
