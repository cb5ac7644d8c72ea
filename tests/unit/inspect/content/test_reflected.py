import pytest
from support.written_mail import LISTS, written

from sekisho.inspect.content.reflected import Reflected

INSPECTOR = Reflected(LISTS)
AUTOMATIC = {
    "Subject": "【自動返信】お問い合わせありがとうございます",
    "Auto_Submitted": "auto-replied",
    "To": "x@gmail.com",
}
FORM = "{name} 様\n\nお問い合わせを受け付けました。\n\nお名前：{name}\nお問い合わせ内容：{said}\n----------\n山上工業 https://yamanoue.co.jp/\n"


def sure(name, said, **more):
    arguments = {"rcpt_to": ("x@gmail.com",), **AUTOMATIC, **more}
    found = INSPECTOR.inspect(written(FORM.format(name=name, said=said), **arguments))
    assert all(f.rule == "spam/reflected" for f in found)
    return found[0].confidence if found else 0


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("湯浅 加奈", "301号室はまだ空いていますか。"),
        ("John Smith", "Do you ship to Canada?"),
        ("湯浅 加奈", "貴社サイト https://yamanoue.co.jp/faq を見ました。"),
    ],
)
def test_ordinary_visitors(name, said):
    assert sure(name, said) == 0


def test_a_visitors_link_alone_is_weak():
    assert 0 < sure("湯浅 加奈", "弊社は https://yuasa-design.jp/ です。見積りをお願いします。") < 0.5


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("Get $5000 now https://claim-here.top/x", "hello"),
        ("Anna wants you casino-girls.com", "hi"),
        ("XqzvbTrwk", "Earn money with bitcoin! https://bit.ly/3x https://a-b.com https://c-d.com"),
        ("RobertTef", "Лучшее онлайн казино, бонус за регистрацию https://kazino-play.top/"),
    ],
)
def test_reflected_spam(name, said):
    assert sure(name, said) >= 0.75


def test_what_was_seen_is_named():
    arguments = {"rcpt_to": ("x@gmail.com",), **AUTOMATIC}
    text = FORM.format(name="Win https://claim-here.top/abc?token=1", said="x")
    (finding,) = INSPECTOR.inspect(written(text, **arguments))
    assert "where a name should stand" in finding.explanation
    assert "Auto-Submitted" in finding.explanation
    assert finding.excerpt == "claim-here.top"


def test_mail_that_a_person_wrote():
    spam = "Earn bitcoin https://bit.ly/3x"
    assert INSPECTOR.inspect(written(f"Name: x\nMessage: {spam}\n", Subject="hello")) == ()


@pytest.mark.parametrize(
    ("headers", "automatic"),
    [
        ({"Auto_Submitted": "no"}, False),
        ({"Auto_Submitted": "auto-generated"}, True),
        ({"Precedence": "bulk"}, False),  # lists
        ({"Precedence": "auto_reply"}, True),
        ({"X_Auto_Response_Suppress": "All"}, True),
        ({"Subject": "Thank you for contacting us"}, True),
        ({"mail_from": None}, True),
        ({}, False),
    ],
)
def test_what_is_automatic(headers, automatic):
    text = "Name: https://claim-here.top/x\nMessage: hi\n"
    assert bool(INSPECTOR.inspect(written(text, **headers))) == automatic


def test_to_ones_own_staff_it_counts_less():
    name = "Get $5000 now https://claim-here.top/x"
    assert 0 < sure(name, "hello", rcpt_to=("desk@yamanoue.co.jp",)) < 0.75


def test_the_recipients_own_site():
    assert sure("湯浅", "https://www.yuasa-design.jp/", To="a@yuasa-design.jp") == 0
