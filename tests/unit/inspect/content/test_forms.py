import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sekisho.inspect.content.forms import links_in, read_form

FORM = """湯浅 加奈 様

お問い合わせありがとうございます。以下の内容で受け付けました。

━━━━━━━━━━━━━
■お名前：湯浅 加奈
【メールアドレス】 kana@example.com
お問い合わせ内容(必須)：
メゾンの301はまだ空いていますか。
猫が可能か知りたいです。
━━━━━━━━━━━━━
白樺ハウジング https://shirakaba.jp/
"""


def test_a_japanese_form():
    form = read_form(FORM)
    assert form.names == ("湯浅 加奈", "湯浅 加奈")
    assert form.said.split() == ["メゾンの301はまだ空いていますか。", "猫が可能か知りたいです。"]
    assert form.fields == 3
    assert "shirakaba.jp" in form.rest


def test_an_english_form():
    form = read_form("Hi http://a.example/x,\n\nName: Bob\nEmail: b@x.com\nMessage: buy\nnow\n-----\nOur firm\n")
    assert form.names == ("http://a.example/x", "Bob")
    assert form.said == "buy\nnow"
    assert "Our firm" in form.rest


def test_a_label_on_a_line_of_its_own():
    assert read_form("お名前\n山田\n\nメッセージ\n買ってください\n").said.strip() == "買ってください"
    assert read_form("お名前\n山田\n").names == ("山田",)


def test_cells_of_a_table():
    form = read_form("Message for you\nName Bob\nEmail b@x.com\nMessage buy now\n")
    assert (form.names, form.said, form.fields) == (("Bob",), "buy now", 3)
    assert form.rest.startswith("Message for you")


def test_quotation_marks():
    assert read_form("We received your message.\n> see http://x.com\n").said == "> see http://x.com"


@pytest.mark.parametrize(
    ("text", "bare", "sites"),
    [
        ("see https://a.com/x, or www.b.co.jp.", False, ["a.com", "b.co.jp"]),
        ("bit.ly/3xYz", False, ["bit.ly"]),
        ("sendmail.cf and boot.zip", False, []),
        ("casino.com", False, []),
        ("casino.com", True, ["casino.com"]),
        ("J.Smith", True, []),
        ("a@example.com", True, []),
        ("無料 https://例え.jp/", False, ["xn--r8jz45g.jp"]),
    ],
)
def test_links(text, bare, sites):
    assert [one.site for one in links_in(text, bare=bare)] == sites


@given(st.text(alphabet="お名前：nameNAME:\n>-=[]【】 http://a.b/様", max_size=400))
def test_any_text(text):
    form = read_form(text)
    links_in(form.said, bare=True)


@pytest.mark.parametrize(
    "piece",
    [
        "dear" + " " * 150 + "x" * 204 + "\n",
        "name",
        "お名前（",
        "dear " + "x" * 390 + "\n",
        "a.",
        "-",
        "a-",
        "http://",
        " " * 390 + "x\n",
    ],
)
def test_bounded_time(piece):
    text = piece * 20_000
    before = time.process_time()
    read_form(text)
    links_in(text, bare=True)
    assert time.process_time() - before < 0.5
