"""The inspector "content" over a small model whose weights are known."""

from __future__ import annotations

from datetime import UTC, datetime

import numpy as np
import pytest

from sekisho.config.shipped import shipped
from sekisho.inspect.content.concepts import Concepts
from sekisho.inspect.content.explain import explained
from sekisho.inspect.content.inspector import LEAST, Content, kinds
from sekisho.inspect.content.reading import Reader
from sekisho.inspect.links.inspector import Links
from sekisho.inspect.links.lists import load_lists
from sekisho.learn.grams import BITS, spelled
from sekisho.learn.model import Model, Reading, Scores, Weights
from sekisho.mail.envelope import Envelope, Session
from sekisho.mail.finding import Severity
from sekisho.mail.transaction import Transaction
from sekisho.parse import parse

CURVE = ((-5.0, -4.6), (0.0, -0.85), (5.0, 3.9))


def weights(abuse, common, bias=(-9.0, -9.0, -3.0), facts=None):
    size = 1 << BITS
    return Weights(
        version="test",
        importance=np.ones((3, size), np.float32),
        common=common,
        grams=np.stack([np.zeros(size, np.float32), np.zeros(size, np.float32), abuse]),
        facts=facts or {},
        bias=bias,
        curves={"kana": (CURVE,) * 3, "other": (CURVE,) * 3},
    )


def model(bias=(-9.0, -9.0, -3.0)):
    """Says that whoever writes "giftcards" or "voucher" commits fraud; "voucher" is a word few mails have."""
    size = 1 << BITS
    abuse, common = np.zeros(size, np.float32), np.zeros(size, bool)
    places = dict(spelled("giftcards voucher"))
    abuse[[places["giftcards"], places["voucher"]]] = 60.0
    common[places["giftcards"]] = True
    facts = {
        "about:urgency": (0.0, 0.0, 0.5),
        "form:hidden-text": (0.0, 0.0, 2.0),
        "sign:link/ip-address": (0.0, 0.0, 1.0),
    }
    return Model(weights(abuse, common, bias, facts))


@pytest.fixture(scope="module")
def reader():
    return Reader(Links(load_lists(shipped("lists"))), Concepts.load(shipped("lists/concepts.toml")))


def mail(text, tenant="default"):
    raw = f"From: a@ours.example\r\nSubject: request\r\n\r\n{text}\r\n".encode()
    return Transaction(
        "t", Session("s", "192.0.2.1", tenant=tenant), Envelope(None, ()), parse(raw), datetime.now(UTC)
    )


def test_a_mail_like_fraud_is_found_with_its_probability(reader):
    (finding,) = Content(model(), reader).inspect(mail("buy giftcards today"))
    expected = model().score(reader.read(mail("buy giftcards today"))).abuse
    assert (finding.rule, finding.severity) == ("bec/content", Severity.HIGH)
    assert finding.confidence == pytest.approx(expected, abs=1e-4)
    assert finding.excerpt == ""


def test_an_ordinary_mail_is_not(reader):
    assert Content(model(), reader).inspect(mail("the minutes of the meeting are attached")) == ()


def test_a_mail_that_says_nothing_cannot_be_judged(reader):
    raw = b"From: a@b.example\r\n\r\n"
    empty = Transaction("t", Session("s", "192.0.2.1"), Envelope(None, ()), parse(raw), datetime.now(UTC))
    assert Content(model((9.0, 9.0, 9.0)), reader).inspect(empty) == ()


def test_what_a_tenant_taught_shifts_its_own_mail_only(reader):
    class Taught:
        def shift_for(self, tenant):
            return lambda indices, logit: -20.0 - logit if tenant == "taught" and len(indices) else 0.0

    content = Content(model(), reader, Taught())
    assert content.inspect(mail("buy giftcards today", "taught")) == ()
    assert content.inspect(mail("buy giftcards today")) != ()


def test_every_likely_kind_is_named_with_its_own_probability():
    assert kinds(Scores((0.5, 0.1, 0.9))) == [("bec", 0.9), ("spam", 0.5)]


def test_the_explanation_names_words_and_signs_in_the_tenants_language(reader):
    languages = {"english": "en", "japanese": "ja"}
    text = "urgent: buy giftcards and a voucher at http://203.0.113.9/a today"

    def told(tenant):
        return Content(model(), reader, None, languages).inspect(mail(text, tenant))[0].explanation

    assert told("english") == "words: giftcards; signs: a link that deceives (ip-address)"
    assert told("japanese") == "語句: giftcards; 特徴: 不審なリンク(ip-address)"
    assert told("other") == f"{told('english')} / {told('japanese')}"


def test_a_word_that_few_mails_have_is_not_repeated():
    assert explained(model(), Reading("\ue003 voucher for ms berg \ue003"), "bec", "en") == ""


def test_masks_are_shown_as_what_they_stand_for():
    size = 1 << BITS
    abuse = np.zeros(size, np.float32)
    abuse[dict(spelled("pay \ue002 now"))["pay \ue002"]] = 5.0
    shown = Model(weights(abuse, np.ones(size, bool)))
    assert explained(shown, Reading("pay \ue002 now"), "bec", "en") == "words: pay [amount]"


def test_least_is_below_what_the_policy_acts_on():
    assert LEAST < 0.75
