"""The sender's own password in what he sends."""

import asyncio
import time

import pytest
from msgspec.structs import replace
from support.sent import sent, strangers

from sekisho.accounts.own_password import OwnPasswords, candidates
from sekisho.accounts.passwords.reuse import fingerprint
from sekisho.mail.message import Text

KEY = b"k" * 32
LOGIN = "hana@acme.example"


class Rows:
    def __init__(self, password, tenant="acme"):
        self._prints = {tenant: {LOGIN: (fingerprint(KEY, tenant, password),)}}

    async def prints(self, tenant):
        return self._prints.get(tenant, {})

    async def stamp(self):
        return (1,)


def found(password, *texts, account=LOGIN):
    passwords = OwnPasswords(Rows(password), KEY)
    asyncio.run(passwords.refresh(["acme"]))
    transaction = sent(strangers(1), account=account)
    transaction = replace(transaction, memo={"texts": tuple(Text(text, "body", "1") for text in texts)})
    return passwords.find(transaction)


@pytest.mark.parametrize(
    ("password", "text"),
    [
        ("Tr0ub4dor&3xyz", "my password is Tr0ub4dor&3xyz thanks"),
        ("Tr0ub4dor&3xyz", "password:Tr0ub4dor&3xyz"),
        ("Tr0ub4dor&3xyz", "パスワード：「Tr0ub4dor&3xyz」です"),
        ("quiet harbour seventeen lamps", "here it is:\nquiet harbour seventeen lamps\nbye"),
        ("quiet harbour seventeen lamps", "Password: quiet harbour seventeen lamps"),
        ("quiet harbour seventeen lamps", "パスワードは quiet harbour seventeen lamps"),
        ("正しい馬の電池ホッチキス", "パスワード：正しい馬の電池ホッチキス"),
    ],
)
def test_it_is_found(password, text):
    (finding,) = found(password, "an innocent text", text)
    assert finding.rule == "dlp/secret/own-password"
    assert password not in repr(finding)


@pytest.mark.parametrize("text", ["", "Tr0ub4dor&3xy", "Tr0ub4dor&3xyzz", "see you at ten", "tr0ub4dor&3xyz"])
def test_others_are_not(text):
    assert found("Tr0ub4dor&3xyz", text) == ()


def test_somebody_elses_mail_may_hold_it():
    assert found("Tr0ub4dor&3xyz", "Tr0ub4dor&3xyz", account="jiro@acme.example") == ()
    assert found("Tr0ub4dor&3xyz", "Tr0ub4dor&3xyz", account=None) == ()


def test_a_long_text_costs_little():
    text = " ".join(f"distinct-word-{n}" for n in range(50_000))
    began = time.process_time()
    assert found("Tr0ub4dor&3xyz", text) == ()
    assert time.process_time() - began < 1.0


def test_candidates_come_once():
    told = list(candidates("pass word12345678 word12345678"))
    assert told.count("word12345678") == 1


def test_a_long_text_of_short_words_stops_nobody():
    began = time.process_time()
    assert found("Tr0ub4dor&3xyz", "a b " * 2_000_000) == ()
    assert time.process_time() - began < 1.0
