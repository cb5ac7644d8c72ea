"""What a corpus left in a message goes; what somebody wrote stays."""

import email
import sys
from email.header import decode_header, make_header
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[3] / "train"))

from corpora import Sample
from mail_text import subject_and_text
from traces import KEPT, without_footers, without_source_traces, without_tags

LIST_MAIL = """\
Return-Path: <osst-users-bounces@lists.sourceforge.net>
Received: from a.example (a.example [192.0.2.1]) by b.example; Mon, 1 Apr 2024 10:00:00 +0000
X-Spam-Score: 8.6 (++++++++)
X-Spam-Report: Spam Filtering performed by a list host
X-Mailman-Version: 2.1.21
X-Mailer: Some Mailer 1.0
List-Id: <osst-users.lists.sourceforge.net>
List-Post: <mailto:osst-users@lists.sourceforge.net>
List-Unsubscribe: <mailto:osst-users-request@lists.sourceforge.net>
Precedence: list
In-Reply-To: <1@a.example>
Message-ID: <abc@mailer.example>
Date: Tue, 2 Apr 2024 10:00:00 +0000
From: Card Terminal <offer@shop.example>
To: osst-users@lists.sourceforge.net
Subject: Re: [Osst-users] [SPAM] Taking card payments
MIME-Version: 1.0
Content-Type: multipart/mixed; boundary="outer"

--outer
Content-Type: text/plain; charset=utf-8
Content-Transfer-Encoding: base64

44Kr44O844OJ5rG65riI44KS5bCO5YWl44GX44G+44Gb44KT44GL44CC

--outer
Content-Type: text/plain; charset="us-ascii"

_______________________________________________
Osst-users mailing list
Osst-users@lists.sourceforge.net
https://lists.sourceforge.net/lists/listinfo/osst-users

--outer--
"""


def sample(text: str) -> Sample:
    raw = text.replace("\n", "\r\n").encode()
    return Sample("source", "spam", "en", ship_safe=True, raw=raw, group="0123456789abcdef", headers=True)


def cleaned(text: str):
    return email.message_from_bytes(without_source_traces(sample(text)).raw)


def test_only_headers_that_every_source_can_have_stay():
    names = {name.lower() for name, _ in cleaned(LIST_MAIL).items()}
    assert names <= KEPT | {"message-id"}
    assert {"from", "to", "subject", "date", "message-id", "content-type"} <= names


def test_the_message_id_and_the_date_are_the_same_kind_for_all():
    message = cleaned(LIST_MAIL)
    assert message["Message-ID"] == "<0123456789abcdef@mail.example.net>"
    assert message["Date"] == "Mon, 08 Jan 2024 09:00:00 +0000"


def test_the_list_s_footer_part_goes_and_its_wrapper_with_it():
    message = cleaned(LIST_MAIL)
    assert message.get_content_type() == "text/plain"
    assert message.get_payload(decode=True).decode("utf-8") == "カード決済を導入しませんか。"


def test_the_trap_s_address_and_the_tags_go():
    message = cleaned(LIST_MAIL)
    assert "osst" not in message.as_string().lower()
    assert message["Subject"] == "Re: Taking card payments"
    assert message["From"] == "Card Terminal <offer@shop.example>"


def test_line_ends_are_crlf():
    raw = without_source_traces(sample(LIST_MAIL)).raw
    assert raw.count(b"\n") == raw.count(b"\r\n") > 5


def test_an_author_whom_the_list_replaced_comes_back():
    munged = LIST_MAIL.replace(
        "From: Card Terminal <offer@shop.example>",
        "From: Ann Lee via Osst-users <osst-users@lists.sourceforge.net>\nReply-To: Ann Lee <ann@author.example>",
    )
    message = cleaned(munged)
    assert message["From"] == "Ann Lee <ann@author.example>"
    assert message["Reply-To"] is None


def test_a_reply_address_of_his_own_stays():
    message = cleaned(LIST_MAIL.replace("Subject:", "Reply-To: other@mailbox.example\nSubject:"))
    assert message["Reply-To"] == "other@mailbox.example"


def test_a_footer_in_an_encoded_part_goes_and_the_encoding_stays():
    message = cleaned(
        "From: a@b.example\nSubject: x\nMIME-Version: 1.0\nContent-Type: text/plain; charset=iso-8859-1\n"
        "Content-Transfer-Encoding: quoted-printable\n\nGr=FC=DFe =3D greetings\n"
        "_______________________________________________\nUSRP-users mailing list\n"
    )
    assert message["Content-Transfer-Encoding"] == "quoted-printable"
    assert message.get_payload(decode=True).decode("iso-8859-1").strip() == "Grüße = greetings"


def test_a_subject_in_japanese_stays_readable():
    subject = "【重要】お客様のアカウントに関する大切なお知らせとご確認のお願いについて"
    message = cleaned(LIST_MAIL.replace("Re: [Osst-users] [SPAM] Taking card payments", subject))
    assert str(make_header(decode_header(message["Subject"]))) == subject


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("[ILUG] Silent pc", "Silent pc"),
        ("Re: [zzzzteana] Moscow bomber", "Re: Moscow bomber"),
        ("*****SPAM***** Cheap", "Cheap"),
        ("Fwd: Re: [a] [b] c", "Fwd: Re: c"),
        ("Invoice [final]", "Invoice [final]"),
        ("【重要】ご確認", "【重要】ご確認"),
    ],
)
def test_tags_at_the_start_of_a_subject(before, after):
    assert without_tags(before) == after


@pytest.mark.parametrize(
    "footer",
    [
        (
            "> _______________________________________________\n"
            "> USRP-users mailing list -- usrp-users@lists.ettus.com\n"
            "> To unsubscribe send an email to usrp-users-leave@lists.ettus.com\n"
        ),
        (
            "Irish Linux Users' Group: ilug@linux.ie\n"
            "http://www.linux.ie/mailman/listinfo/ilug for (un)subscription\nList maintainer: listmaster@linux.ie\n"
        ),
        (
            "------------------------ Yahoo! Groups Sponsor ---------------------~-->\n4 DVDs\n"
            "---------------------------------------------------------------------~->\n"
        ),
        "---------------------- Forwarded by Karen Denne/Corp/Enron on 10/18/99 07:07 \nAM ----------------------\n",
        "- - - - - - - - - - - - - - - - forwarded by ron james / hou / ees on 02 / 21 / 2001 10 : 23 am - - - - -\n",
    ],
)
def test_footers(footer):
    assert without_footers(f"before\n{footer}after\n") == "before\nafter\n"


@pytest.mark.parametrize(
    "text",
    [
        "To unsubscribe from our newsletter click https://news.example/unsubscribe/1\n",
        "I am on your mailing list and would like to be removed.\n",
        "Please find attached the invoice forwarded by our office.\n",
    ],
)
def test_what_somebody_wrote_stays(text):
    assert without_footers(text) == text


def test_notes_addresses_and_the_company_s_name_go():
    assert without_footers("to : steve / hou / ect @ ect at Enron") == "to : steve at "
    assert without_footers("Mark Schroeder/LON/ECT@ECT") == "Mark Schroeder"


def test_hosts_of_the_corpora_become_an_example():
    assert without_footers("see http://files.ettus.com/a and a.b@enron.com") == (
        "see http://example.com/a and a.b@example.com"
    )


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"\r\n\r\nno headers",
        b"Content-Type: text/plain; charset=no-such\r\n\r\n\xff\xfe text",
        b"Content-Type: multipart/mixed; boundary=x\r\n\r\n--x\r\nContent-Type: message/rfc822\r\n\r\n",
        b"From: =?utf-8?q?=ff?= <\xe3\x81\x82@b>\r\nSubject: \xe3\x81\x82\r\n\r\nbody",
        b"Content-Type: text/html\r\nContent-Transfer-Encoding: base64\r\n\r\n!!!",
    ],
)
def test_broken_messages_are_read(raw):
    broken = Sample("s", "ham", "en", ship_safe=True, raw=raw, group="00", headers=True)
    once = without_source_traces(broken)
    assert subject_and_text(once.raw) == subject_and_text(without_source_traces(once).raw)
