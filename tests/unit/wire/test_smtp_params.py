"""Parameters of MAIL and RCPT. Single bad values are in tests/dialogs/dsn-bad.dialog."""

import pytest

from sekisho.mail.reply import ReplyError
from sekisho.wire.smtp_params import MailParameters, mail_parameters, parse_parameters, rcpt_parameters


def test_names_in_any_case_values_as_they_came():
    found = parse_parameters(" size=12 Body=8bitmime SMTPUTF8 ret=full ENVID=aB")
    assert mail_parameters(found) == MailParameters(body="8BITMIME", smtputf8=True, size=12, ret="FULL", envid="aB")


def test_size_of_twenty_digits():
    """RFC 1870 4: up to twenty digits."""
    assert mail_parameters({"SIZE": "9" * 20}).size == 10**20 - 1
    with pytest.raises(ReplyError):
        mail_parameters({"SIZE": "9" * 21})


def test_rcpt_parameters_as_received():
    found = parse_parameters(" NOTIFY=success,Failure ORCPT=RFC822;a+2Bb@c.example")
    assert rcpt_parameters(found, smtputf8=False) == ("success,Failure", "RFC822;a+2Bb@c.example")


def test_utf8_orcpt_only_with_smtputf8():
    found = {"ORCPT": "utf-8;受信@d.example"}
    assert rcpt_parameters(found, smtputf8=True) == (None, "utf-8;受信@d.example")
    with pytest.raises(ReplyError) as error:
        rcpt_parameters(found, smtputf8=False)
    assert (error.value.reply.code, error.value.reply.enhanced) == (501, "5.5.4")
