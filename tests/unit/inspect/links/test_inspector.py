from datetime import UTC, datetime

from hypothesis import given, settings
from hypothesis import strategies as st

from sekisho.config.shipped import shipped
from sekisho.inspect.links.inspector import Links
from sekisho.inspect.links.lists import load_lists
from sekisho.inspect.rules import load_rules
from sekisho.mail.envelope import Envelope, Recipient, Session
from sekisho.mail.finding import Severity
from sekisho.mail.transaction import Transaction
from sekisho.parse import parse

LISTS = load_lists(shipped("lists"))
LINKS = Links(LISTS, partners={"default": ["tokyo-shoji.co.jp"]}, allowed=["ok.example.top"])
HEAD = (
    "From: a@example.co.jp\nSubject: x\nMIME-Version: 1.0\n"
    "Content-Transfer-Encoding: 8bit\nContent-Type: text/{}; charset=utf-8\n\n"
)


def transaction(body, kind="plain", **more):
    raw = (HEAD.format(kind) + body).encode()
    session = Session("s", "192.0.2.1")
    envelope = Envelope("a@example.co.jp", (Recipient("b@example.com"),))
    return Transaction(
        "1",
        session,
        envelope,
        parse(raw),
        datetime.now(UTC),
        internal_domains=frozenset({"yamanoue-kogyo.jp"}),
        **more,
    )


def rules(body, kind="plain", links=LINKS, **more):
    return {f.rule.removeprefix("link/"): f for f in links.inspect(transaction(body, kind, **more))}


def test_no_links_no_work():
    assert LINKS.inspect(transaction("Hello.")) == ()


def test_ordinary_links():
    body = "https://www.example.co.jp/a https://github.com/x/y https://www.google.com/maps?q=1 mailto:a@example.com"
    assert rules(body) == {}


def test_text_that_names_another_site():
    found = rules('<a href="http://evil.example.com/a?id=7">https://www.amazon.co.jp/account</a>', "html")
    assert found["text-mismatch"].severity is Severity.HIGH
    assert found["text-mismatch"].excerpt == "http://evil.example.com/a?…"
    assert "amazon.co.jp" in found["text-mismatch"].explanation


def test_the_tenants_and_its_partners_names():
    assert rules("http://yamanoue-kougyo.jp/")["lookalike"].severity is Severity.HIGH
    assert rules("http://tokyo-shojl.co.jp/")["lookalike"].severity is Severity.HIGH
    assert rules("http://www.yamanoue-kogyo.jp/ http://tokyo-shoji.co.jp/") == {}


def test_allowed_hosts():
    assert "lookalike" in rules("http://amazon-login.top/")
    assert rules("http://amazon-login.ok.example.top/") == {}


def test_an_address_in_a_redirector():
    found = rules("https://www.google.com/url?q=http%3A%2F%2Fpaypal-login.example.top%2F")
    assert found["redirector"].severity is Severity.MEDIUM
    assert found["lookalike"].explanation.startswith("behind google.com: ")


def test_several_weak_signs():
    found = rules("http://ygxqjrngdx.duckdns.org/signin")["suspicious"]
    assert found.severity is Severity.HIGH
    assert "changing address" in found.explanation
    assert "login" in found.explanation


def test_too_many():
    found = rules("\n".join(f"http://h{i}.example.com/" for i in range(600)))
    assert found["too-many"].count == 100


def test_every_finding_has_its_rule_file():
    heads, problems = load_rules([shipped("rules/link")])
    assert problems == []
    urls = """http://1.2.3.4:99/a.exe javascript:x() data:text/html,x file://a.example.com/ http://bit.ly/a
    http://a:b@bank.co.jp.qzxkv.top/netflix/login http://a.duckdns.org http://a.vercel.app
    http://a.b.c.d.e.example.org/"""
    body = "".join(f'<a href="{url}">http://paypal.com/</a>' for url in urls.split())
    found = LINKS.inspect(transaction(body, "html"))
    assert len({f.rule for f in found}) > 12
    assert {f.rule for f in found} <= set(heads.by_id)


@given(st.lists(st.text(alphabet="htp:/\\.@%-[]www xn--a0１。аノcomjp?=&#<>\"'", max_size=60), max_size=20))
@settings(max_examples=150, deadline=None)
def test_never_raises(texts):
    LINKS.inspect(transaction("\n".join(f'<a href="{t}">{t}</a> http://{t}' for t in texts), "html"))
