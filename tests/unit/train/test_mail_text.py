"""Text, language and group of a corpus message."""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[3] / "train"))

from mail_text import decoded_header, group, language, seen, subject_and_text

LONG = "We would like to confirm the meeting about the delivery of your order and the invoice for it"


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("いつもお世話になっております。田中です。", "ja"),
        ("您好：我公司有各行业发票代开，票真价实，可查验后付款", "zh"),
        ("Sehr geehrte Damen und Herren, bitte senden Sie die Rechnung nicht an uns", "de"),
        ("Merci de nous envoyer la facture dans les plus brefs délais pour votre dossier", "fr"),
        ("Por favor envíe la factura para el pago de los servicios del mes", "es"),
        ("Você não precisa enviar o documento para a empresa, obrigado", "pt"),
        ("La fattura non è ancora arrivata, grazie per la risposta della ditta", "it"),
        ("Please send us the invoice for the order", "en"),
        ("Здравствуйте, отправьте нам счёт, пожалуйста", "ru"),
        ("", "en"),
    ],
)
def test_language(text, code):
    assert language(text) == code


def test_near_duplicates_share_a_group():
    first = f"Dear anna@a.example, {LONG}. https://one.example/x?1 Ref 1234"
    second = f"Dear ben@b.example, {LONG}!\r\n\r\nhttps://two.example/y?2   Ref 98-76"
    assert group("Hello", first) == group("Another", second)


def test_other_texts_do_not():
    assert group("Hello", LONG) != group("Hello", LONG.replace("invoice", "contract"))
    assert group("Hello", "see below") != group("Goodbye", "see below")
    assert group("", "") != group("", "123")


def test_a_message_without_a_plain_text_is_read_from_its_html():
    raw = (
        b"Subject: =?utf-8?b?44GK55+l44KJ44Gb?=\r\nContent-Type: text/html; charset=utf-8\r\n\r\n"
        b"<style>p{}</style><p>Hello&nbsp;<b>you</b></p><!-- not this -->"
    )
    subject, text = subject_and_text(raw)
    assert subject == "お知らせ"
    assert text.split() == ["Hello", "you"]


def test_markup_that_never_closes_is_read_in_time():
    assert len(seen("<" * 200_000)) == 200_000
    assert "x" in seen("<script>" * 2000 + "x")


@pytest.mark.parametrize("value", ["=?x?q?a?=", "=?utf-8?b?!?=", "plain", "=?no-such?q?=41?="])
def test_a_broken_header_is_text(value):
    assert isinstance(decoded_header(value), str)
