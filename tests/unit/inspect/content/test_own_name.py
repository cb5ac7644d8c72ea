import pytest
from support.written_mail import LISTS, written

from sekisho.inspect.content.own_name import OwnName
from sekisho.inspect.content.tenant_names import Names

NAMES = Names.of(
    companies=["山上工業"], partners=["tokyo-shoji.co.jp"], warners=["it@yamanoue.co.jp", "sso.idp-firm.net"]
)
INSPECTOR = OwnName(LISTS, {"default": NAMES}, allowed=["ok-host.com"])
WARNING = "山上工業 情報システム部です。メールボックスの容量が上限に達しました。下記から再認証してください。\n{}\n"
FOREIGN = "https://mail-check.page-host.net/login"


def sure(text, **more):
    found = INSPECTOR.inspect(written(text, **more))
    assert all(f.rule == "phishing/own-name-warning" for f in found)
    return found[0].confidence if found else 0


def test_a_warning_in_the_companys_name():
    assert sure(WARNING.format(FOREIGN), Subject="【山上工業】メールボックス容量の警告") >= 0.75
    english = f"Your mailbox is almost full. Sign in within 24 hours: {FOREIGN}\nIT Support, yamanoue.co.jp"
    assert sure(english, From='"yamanoue.co.jp Support" <x@yamanoue.co.jp>', Subject="Mailbox") >= 0.75


def test_what_was_seen_is_named():
    (finding,) = INSPECTOR.inspect(written(WARNING.format(FOREIGN)))
    assert "page-host.net" in finding.explanation
    assert finding.excerpt == "page-host.net"


@pytest.mark.parametrize(
    "said", ["Your password Maple-Hanako will be reset.", "アカウント(山田花子)は停止されました。"]
)
def test_what_stands_inside_a_warning_is_not_repeated(said):
    (finding,) = INSPECTOR.inspect(written(f"山上工業: {said}\n{FOREIGN}\n"))
    assert not any(secret in f"{finding.excerpt} {finding.explanation}" for secret in ("Hanako", "花子"))


@pytest.mark.parametrize(
    "link",
    [
        "https://portal.yamanoue.co.jp/",
        "https://portal.tokyo-shoji.co.jp/",
        "https://ok-host.com/x",
        "https://a.sso.idp-firm.net/x",
        "https://login.microsoftonline.com/",
        "",
    ],
)
def test_links_that_are_not_foreign(link):
    assert sure(WARNING.format(link)) == 0


def test_free_pages_of_known_names_are_foreign():
    assert sure(WARNING.format("https://warning.github.io/x"), Subject="山上工業") >= 0.75


def test_the_real_sender():
    assert sure(WARNING.format(FOREIGN), From="it@yamanoue.co.jp") == 0
    assert sure(WARNING.format(FOREIGN), From="it@yamanoue.co.jp", account="it@yamanoue.co.jp") == 0
    assert sure(WARNING.format(FOREIGN), From="it@yamanoue.co.jp", account="hanako@yamanoue.co.jp") > 0.5


@pytest.mark.parametrize(
    "text",
    [
        f"Your mailbox is almost full: {FOREIGN}",  # nobody's name
        f"山上工業の新製品のご案内です。 {FOREIGN}",  # no warning
    ],
)
def test_no_warning_in_the_companys_name(text):
    assert sure(text, To="x@gmail.com") == 0


def test_the_recipients_name_counts_less():
    text = f"tokyo.example.co.jp: your password expires today. {FOREIGN}"
    assert 0.4 < sure(text.replace("tokyo.example.co.jp", "victim-firm.jp"), To="a@victim-firm.jp") < 0.75
