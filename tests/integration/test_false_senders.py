"""`sekisho check` with a directory of people: signs that need no model hold what an abused account sends."""

import json

import pytest
from support.written_mail import raw_mail

from sekisho.cli.main import main

SETTINGS = """
[tenant.default]
domains = ["yamanoue.co.jp"]
partners = ["tokyo-shoji.co.jp"]
people_file = "people.csv"
company_names = ["山上工業"]
"""


@pytest.fixture
def check(capsys, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "sekisho.toml").write_text(SETTINGS, "utf-8")
    (tmp_path / "people.csv").write_text("山田 太郎;Taro Yamada;taro@yamanoue.co.jp\n", "utf-8")

    def run(text, *options, **headers):
        (tmp_path / "mail.eml").write_bytes(raw_mail(text, headers))
        main(["check", "--json", "--config", "sekisho.toml", "mail.eml", *options])
        (found,) = map(json.loads, capsys.readouterr().out.splitlines())
        return found, {f["rule"]: f["confidence"] for f in found["findings"]}

    return run


def test_an_executive_from_elsewhere(check):
    found, rules = check("至急、本日中に送金をお願いします。", From='"Taro Yamada" <ceo.office77@gmail.com>')
    assert rules["bec/impersonation"] >= 0.75
    assert found["disposition"] == "hold"
    found, rules = check("至急、本日中に送金をお願いします。", From='"Taro Yamada" <taro@yamanoue.co.jp>')
    assert "bec/impersonation" not in rules


def test_a_replaced_partner(check):
    text = "Paid.\n\nFrom: Sato <sato@tokyo-shoji.co.jp>\nTo: taro@yamanoue.co.jp\nSubject: invoice\n\nplease pay\n"
    found, rules = check(text, From="taro@yamanoue.co.jp", To="sato@tokyo-sh0ji.co.jp", Subject="Re: invoice")
    assert rules["bec/thread-swap"] >= 0.75
    assert found["disposition"] == "hold"


def test_a_warning_in_ones_own_name(check):
    text = (
        "山上工業 情報システム部です。\nパスワードの有効期限が本日切れます。\nhttps://renew-pass.weebly.com/login\n"
    )
    found, rules = check(text, Subject="【山上工業】パスワード更新のお願い")
    assert rules["phishing/own-name-warning"] >= 0.75
    assert found["disposition"] == "hold"


def test_a_reflected_visitor(check):
    text = "お名前：Claim $900 https://free-prize.top/x\nお問い合わせ内容：bitcoin\n"
    found, rules = check(text, Subject="【自動返信】お問い合わせありがとうございます", To="victim@gmail.com")
    assert rules["spam/reflected"] >= 0.75
    assert found["disposition"] == "hold"
