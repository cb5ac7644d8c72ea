"""From hold to learned and back: reader, inspector, store and layers together, with a model made by hand."""

import asyncio
import random
from datetime import UTC, datetime

import pytest
from support.client import message, send
from support.gateway import RunningGateway
from support.taught import ABUSE, GARDEN, MODEL, OFFICE, words

from sekisho.config.load import load
from sekisho.config.settings import LearningSettings
from sekisho.config.shipped import shipped
from sekisho.daemon.content import content_reader
from sekisho.daemon.learning import TenantLayers
from sekisho.daemon.teaching import Teacher, transaction_of
from sekisho.inspect.content.inspector import Content
from sekisho.inspect.links.inspector import Links
from sekisho.inspect.links.lists import load_lists
from sekisho.mail.envelope import Envelope, Recipient, Session
from sekisho.mail.kept import Kept
from sekisho.store.sqlite import SqliteStore


def issue(number):
    return message(f"letter-{number}", f"{GARDEN}\r\nThis week: {words(OFFICE, 30, number)}.\r\n")


def fraud(number):
    return message(f"alert-{number}", f"{words(ABUSE, 60, number)} {words(OFFICE, 10, number)}\r\n")


class Company:
    """A tenant's mail: what the models say of it, and what its reviewers decide."""

    def __init__(self, store):
        reader = content_reader(Links(load_lists(shipped("lists"))))
        self.configuration, _ = load(None)
        self.store = store
        self.layers = TenantLayers(MODEL, {"default": LearningSettings()}, store.decisions)
        self.content = Content(MODEL, reader, self.layers)
        self.teacher = Teacher(MODEL, reader.read)

    def kept(self, name, data, sender, findings=()):
        now = datetime.now(UTC)
        return Kept(
            id=name, tenant="default", kind="approval", state="held", received_at=now, expires_at=now,
            session=Session("s", "192.0.2.1"), envelope=Envelope(sender, (Recipient("taro@example.net"),)),
            transaction_id=name, message_id="", size=len(data), findings=findings,
        )  # fmt: skip

    def found(self, data, sender="news@corp.example"):
        return self.content.inspect(transaction_of(self.configuration, self.kept("x", data, sender), data))

    def confidence(self, data):
        return max((finding.confidence for finding in self.found(data)), default=0.0)

    def decide(self, name, data, label, reviewer, sender="news@corp.example"):
        kept = self.kept(name, data, sender, self.found(data, sender))
        transaction = transaction_of(self.configuration, kept, data)
        made = self.teacher.decision(kept, transaction, label, reviewer, datetime.now(UTC))
        if hasattr(made, "features"):
            asyncio.run(self.store.decisions.add(made))
        return made

    def refresh(self):
        asyncio.run(self.layers.refresh())


@pytest.fixture
def company(tmp_path):
    with SqliteStore.open(tmp_path / "var") as store:
        yield Company(store)


def test_a_newsletter_is_freed_phishing_stays_and_a_reset_restores_every_score(company):
    mails = [issue(n) for n in range(100, 110)] + [fraud(n) for n in range(100, 110)]
    shipped_scores = [company.found(mail) for mail in mails]
    assert all(company.confidence(mail) >= 0.75 for mail in mails)
    for number in range(12):
        company.decide(f"n{number}", issue(number), "fine", ("ann", "bob")[number % 2])
    assert [company.found(mail) for mail in mails] == shipped_scores  # nothing before a refresh
    company.refresh()
    assert all(company.confidence(mail) < 0.75 for mail in mails[:10])
    assert all(company.confidence(mail) >= 0.95 for mail in mails[10:])
    asyncio.run(company.store.decisions.set_aside("default", datetime.now(UTC)))
    company.refresh()
    assert [company.found(mail) for mail in mails] == shipped_scores


def test_an_attacker_who_releases_his_own_mail_changes_no_score(company):
    mails = [issue(100), fraud(100), fraud(7)]
    before = [company.found(mail) for mail in mails]
    for number in range(100):
        made = company.decide(f"e{number}", fraud(number), "fine", "eve", "eve@corp.example")
        assert made.why == "the reviewer's own mail"
        company.decide(f"f{number}", fraud(number), "fine", "eve", f"account{number}@corp.example")
    company.refresh()
    assert [company.found(mail) for mail in mails] == before


POLICY = """
[[rule]]
name = "letters"
when = { finding = ["spam/content", "phishing/content", "bec/content"], confidence = 0.2 }
then = { disposition = "hold", hold = "approval" }
"""
LETTER = """FREE delivery this week only! Order now and save up to {percent}% on everything for your garden.

New in our shop:
{items}
BUY NOW: https://www.aoyama-gardens.example/shop

Members of our garden club get a bonus gift with every order. Limited offer, while stocks last! Don't miss this deal.
Click here to claim your discount: https://www.aoyama-gardens.example/club

You get this letter because you are a member. To unsubscribe click here: https://www.aoyama-gardens.example/leave
Aoyama Gardens Ltd, 3 Hill Road
"""
ITEMS = (
    "tulip bulbs in five colours", "a steel watering can", "rose food, 2 kg", "gloves for small hands",
    "a folding saw", "tomato seedlings", "lavender in pots", "a bench of oak", "lanterns for the terrace",
    "grass seed for shade", "bird boxes", "a hose of 25 m", "compost makers", "bee hotels", "herb sets",
    "frost fleece", "ladders for pruning", "clay pots, set of three", "a rain gauge", "slug traps",
)  # fmt: skip


def letter(number):
    chance = random.Random(number)
    items = chance.sample(ITEMS, 6)
    shown = "".join(f"* {item}: now only ${chance.randrange(5, 90)}.99!\n" for item in items)
    body = LETTER.format(percent=chance.randrange(20, 60), items=shown).replace("\n", "\r\n")
    return message(f"Save big on {items[0]} this week - letter {number}", body, sender="news@corp.example")


def test_hold_release_and_show_through_the_running_gateway(tmp_path):
    (tmp_path / "policy.toml").write_text(POLICY)
    sections = '[tenant.default]\ndomains = ["corp.example"]\npolicy = ["policy.toml"]\n'

    def confidence(number):
        """Send a letter and say how sure the gateway was that it is spam; held, it is rejected without a lesson."""
        assert send(gateway.port, letter(number), sender="news@corp.example").startswith("250")
        held = gateway.held()
        if not held:
            return 0.0  # below what is reported at all
        (row,) = held
        gateway.cli("hold", "reject", row["id"], "--no-learn")
        return max(f["confidence"] for f in row["findings"] if f["rule"].endswith("/content"))

    with RunningGateway(tmp_path, sections=sections, workers=1) as gateway:
        before = confidence(100)
        for number in range(12):
            assert send(gateway.port, letter(number), sender="news@corp.example").startswith("250")
            (row,) = gateway.held()
            (done,) = gateway.json("hold", "release", row["id"], "--by", ("ann", "bob")[number % 2])
            assert done["learned"] == "fine"
        (state,) = gateway.json("learn", "show")
        assert (state["in_effect"], state["fine"]["decisions"]) == (True, 12)
        gateway.reload()  # takes up at once what it would take up in half a minute
        assert confidence(100) < before - 0.05
        gateway.cli("learn", "reset", "--yes")
        gateway.reload()
        assert confidence(100) == before
