import pytest
from support.written_mail import LISTS, written

from sekisho.inspect.content.tenant_names import Names
from sekisho.inspect.content.threads import Threads

INSPECTOR = Threads(LISTS, {"default": Names.of(partners=["partner-kogyo.co.jp"])})
THREAD = """Please see below.

-----Original Message-----
From: Hanako Sato <hanako@tokyo-shoji.co.jp>
To: Taro Yamada <taro@yamanoue.co.jp>
Cc: keiri@yamanoue.co.jp
Subject: invoice

Please find the invoice attached.
"""


def found(text=THREAD, **headers):
    return {f.rule: f for f in INSPECTOR.inspect(written(text, **{"Subject": "Re: invoice", **headers}))}


def test_an_ordinary_answer():
    assert found(From="Taro Yamada <taro@yamanoue.co.jp>", To="hanako@tokyo-shoji.co.jp") == {}


@pytest.mark.parametrize(
    "headers",
    [
        {"From": "taro@yamanoue.co.jp", "To": "hanako@tokyo-shojl.co.jp"},
        {"From": "taro@yamanoue.co.jp", "To": "hanako@tokyo-shoji.co.jp", "Cc": "sato@tokyoshoji.co.jp"},
        {"From": "taro@yamanoue.co.jp", "To": "hanako@tokyo-shoji.co.jp", "Reply_To": "taro@yarnanoue.co.jp"},
        {"From": "hanako@tokyo-sh0ji.co.jp", "To": "taro@yamanoue.co.jp"},
    ],
)
def test_a_replaced_domain(headers):
    finding = found(**headers)["bec/thread-swap"]
    assert finding.confidence >= 0.7
    assert "with which the thread was" in finding.explanation


def test_another_suffix_counts_more_with_the_same_mailbox_and_for_who_writes():
    sent = {"From": "hanako@tokyo-shoji.net", "To": "taro@yamanoue.co.jp"}
    stranger = {"From": "jimu@tokyo-shoji.net", "To": "taro@yamanoue.co.jp"}
    received = {"From": "taro@yamanoue.co.jp", "To": "jimu@tokyo-shoji.net"}
    of = [found(**headers)["bec/thread-swap"].confidence for headers in (received, stranger, sent)]
    assert sorted(set(of)) == of
    assert 0.5 < of[-1] < 0.75


def test_a_name_that_moved_to_free_mail():
    finding = found(From="taro@yamanoue.co.jp", To="Sato Hanako <sato.hanako77@gmail.com>")["bec/thread-swap"]
    assert 0.5 <= finding.confidence < 0.75
    assert "sato.hanako77" not in finding.excerpt + finding.explanation


def test_a_free_mail_address_that_was_there_before():
    text = f"{THREAD}\nFrom: Hanako Sato <sato.hanako77@gmail.com>\n"
    assert found(text, From="taro@yamanoue.co.jp", To="Sato Hanako <sato.hanako77@gmail.com>") == {}


def test_a_partner_may_look_like_another():
    text = THREAD.replace("tokyo-shoji", "partner-kougyo")
    assert found(text, From="taro@yamanoue.co.jp", To="x@partner-kogyo.co.jp") == {}


def test_a_sender_who_was_not_there():
    finding = found(From="jiro@other.co.jp", To="hanako@tokyo-shoji.co.jp")["bec/unusual-sender"]
    assert (finding.severity.word, finding.confidence) == ("low", 0.3)
    assert found(From="jiro@other.co.jp", To="x@third.co.jp")["bec/unusual-sender"].confidence == 0.4


@pytest.mark.parametrize(
    ("text", "headers"),
    [
        (THREAD, {"From": "jiro@yamanoue.co.jp"}),  # a colleague
        (THREAD, {"From": "jiro@other.co.jp", "Subject": "Fwd of something", "To": "hanako@tokyo-shoji.co.jp"}),
        ("On Monday Hanako <hanako@tokyo-shoji.co.jp> wrote:\n> hello\n", {"From": "jiro@other.co.jp"}),
    ],
)
def test_nothing_unusual(text, headers):
    subject = {"Subject": "Re: invoice"} | headers
    rules = {
        f.rule
        for f in INSPECTOR.inspect(written(text, **{k: v.replace("Fwd of", "About") for k, v in subject.items()}))
    }
    assert rules == set()
