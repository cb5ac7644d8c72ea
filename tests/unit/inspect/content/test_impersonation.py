import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.written_mail import LISTS, written

from sekisho.inspect.content.impersonation import Impersonation
from sekisho.inspect.content.people import read_people
from sekisho.inspect.content.tenant_names import Names
from sekisho.mail.finding import Severity

PEOPLE = read_people(["山田 太郎;Taro Yamada;taro@yamanoue.co.jp", "佐藤 花子;Hanako Sato;hanako@yamanoue.co.jp"])
NAMES = {"default": Names.of(people=PEOPLE, partners=["tokyo-shoji.co.jp"])}
INSPECTOR = Impersonation(LISTS, NAMES)
PLAIN = Impersonation(LISTS)
PRESSING = "至急、本日中に送金をお願いします。"


def sure(transaction, inspector=INSPECTOR):
    found = inspector.inspect(transaction)
    assert all(f.rule == "bec/impersonation" for f in found)
    return found[0].confidence if found else 0


def test_ordinary_mail():
    assert sure(written(PRESSING, From="山田 太郎 <taro@yamanoue.co.jp>")) == 0
    assert sure(written(PRESSING, From="田中 <tanaka@yamanoue.co.jp>")) == 0
    assert sure(written(PRESSING, From="佐藤 花子 <Hanako@Yamanoue.co.jp>", Reply_To="sales@yamanoue.co.jp")) == 0
    assert sure(written("hello", From="", Reply_To="x@gmail.com")) == 0


@pytest.mark.parametrize("name", ["山田 太郎", "Taro Yamada", "代表取締役 山田太郎", '"Yamada, Taro (CEO)"'])
def test_a_name_of_the_directory_at_another_address(name):
    calm = sure(written("資料をお送りします。", From=f"{name} <taro.yamada@gmail.com>"))
    assert 0.5 <= calm < 0.75
    (finding,) = INSPECTOR.inspect(written(PRESSING, From=f"{name} <taro.yamada@gmail.com>"))
    assert finding.confidence >= 0.75
    assert finding.severity is Severity.HIGH
    assert "directory of people" in finding.explanation
    assert "taro.yamada" not in finding.excerpt + finding.explanation


def test_a_colleague_of_the_same_name_is_not_held():
    assert 0 < sure(written(PRESSING, From="山田 太郎 <taro2@yamanoue.co.jp>")) < 0.75


def test_answers_to_a_person_go_elsewhere():
    found = sure(written(PRESSING, From="山田 太郎 <taro@yamanoue.co.jp>", Reply_To="山田 <yamada.shacho@gmail.com>"))
    assert found >= 0.75
    assert sure(written("資料です。", From="山田 太郎 <taro@yamanoue.co.jp>", Reply_To="ml@yamanoue.co.jp")) == 0


def test_a_list_writes_under_its_own_address():
    name = '"Taro Yamada via Project list" <list@lists.other.co.jp>'
    assert sure(written(PRESSING, From=name, Reply_To="Taro Yamada <taro@yamanoue.co.jp>")) < 0.3
    assert sure(written(PRESSING, From=name, Reply_To="Taro Yamada <ty@gmail.com>")) > 0.5


def test_signed_with_a_name_of_the_directory():
    text = "至急、振込をお願いします。\n\n--\n山田 太郎\n"
    assert 0 < sure(written(text, From="x@yamanoue.co.jp")) < 0.75
    assert sure(written(text, From="taro@yamanoue.co.jp")) == 0


@pytest.mark.parametrize(
    ("sender", "least", "most"),
    [
        ('"ceo@tokyo-shoji.co.jp" <x@evil-mailer.net>', 0.75, 1),
        ('"ceo@other.co.jp" <x@evil-mailer.net>', 0.6, 0.75),
        ('"taro@yamanoue.co.jp" <taro@yamanoue.co.jp>', 0, 0),
        ('"taro@mail.yamanoue.co.jp" <taro@yamanoue.co.jp>', 0, 0),
        ('"ann@customer.com via Support" <support@yamanoue.co.jp>', 0, 0),
    ],
)
def test_a_display_name_with_another_address(sender, least, most):
    assert least <= sure(written("ok", From=sender)) <= most


@pytest.mark.parametrize(
    "address", ["a@yarnanoue.co.jp", "a@yamanoue-co-jp.com", "a@yamanoue.co.jp.mail-login.top", "a@tokyo-sh0ji.co.jp"]
)
def test_from_a_look_alike_of_ones_own_or_a_partner(address):
    assert sure(written("ok", From=f"Sato <{address}>", To="c@d-firm.jp")) > 0.5


def test_a_look_alike_needs_no_settings():
    strange = {"From": "Nakahara <n@lighthouse-kogei.example>", "Reply_To": "n@lighthouse-kougei.example"}
    assert sure(written(PRESSING, own=frozenset(), **strange), PLAIN) >= 0.75
    to_its_victim = {"From": "x@tokyo-shojl.co.jp", "To": "y@tokyo-shoji.co.jp"}
    assert sure(written("ok", own=frozenset(), **to_its_victim), PLAIN) >= 0.75


@pytest.mark.parametrize(
    ("text", "sender", "answer", "least", "most"),
    [
        ("Please pay the invoice today.", "A <a@firm.example>", "a.b@gmail.com", 0.5, 0.75),
        ("Please pay the invoice today.", "A, CEO <a@firm.example>", "a.b@gmail.com", 0.7, 1),
        ("The minutes are attached.", "A <a@firm.example>", "a.b@gmail.com", 0, 0),
        ("Please pay the invoice today.", "A <a@gmail.com>", "a.b@yahoo.com", 0, 0.5),
        ("Please pay the invoice.", "A <a@firm.example>", "bills@service.example", 0, 0.3),
        ("今、席にいますか。", "社長 大槻 <o@firm.example>", "o@freemail.example", 0.4, 0.75),
    ],
)
def test_answers_elsewhere(text, sender, answer, least, most):
    assert least <= sure(written(text, own=frozenset(), From=sender, Reply_To=answer), PLAIN) <= most


@given(st.text(max_size=80), st.text(max_size=80))
def test_any_header(name, answer):
    plain = [" ".join(text.split()).encode("utf-8", "ignore").decode() for text in (name, answer)]
    INSPECTOR.inspect(written("送金", From=f"{plain[0]} <a@b.jp>", Reply_To=plain[1]))
