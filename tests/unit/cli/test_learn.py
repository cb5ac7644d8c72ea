"""Held, decided, learned: `sekisho hold` and `sekisho learn` against a store and a model of their own."""

import asyncio

import pytest
from support.client import message
from support.taught import ABUSE, GARDEN, OFFICE, WEIGHTS, words

from sekisho.daemon import learning
from sekisho.learn.model import to_bytes
from sekisho.mail.envelope import Envelope, Recipient
from sekisho.mail.finding import Finding, Severity

SPAM = (Finding("spam/content", Severity.HIGH, 0.88),)


@pytest.fixture(scope="module")
def model_file(tmp_path_factory):
    file = tmp_path_factory.mktemp("model") / "content.model"
    file.write_bytes(to_bytes(WEIGHTS))
    return file


@pytest.fixture(autouse=True)
def _model(model_file, monkeypatch):
    monkeypatch.setattr(learning, "_MODEL", str(model_file))
    learning.shipped_model.cache_clear()
    yield
    learning.shipped_model.cache_clear()


@pytest.fixture
def held(store, kept):
    def keep(kept_id, text, sender="news@corp.example", **more):
        data = message(f"Letter {kept_id}", f"{text}\r\n", sender=sender)
        envelope = Envelope(sender, (Recipient("taro@example.net"),))
        row, data = kept(kept_id, data, **{"envelope": envelope, "findings": SPAM, **more})
        asyncio.run(store.keep(row, data))

    return keep


@pytest.fixture
def newsletters(sekisho, held):
    """A dozen issues, released by two reviewers in turn."""
    for number in range(12):
        held(f"n{number}", f"{GARDEN}\r\nThis week: {words(OFFICE, 30, number)}.")
        done = sekisho("hold", "release", f"n{number}", "--by", ("ann", "bob")[number % 2], "--json")
        assert done.objects == [{"id": f"n{number}", "done": True, "state": "releasing", "learned": "fine"}]


def shown(sekisho, *more):
    return sekisho("learn", "show", "--json", *more).objects[0]


def test_nothing_decided(sekisho):
    state = shown(sekisho)
    assert (state["in_effect"], state["fine"]["decisions"], state["strongest"]) == (False, 0, [])
    assert state["fine"]["why_not"] == "0.0 of 6 decisions count"
    assert sekisho("learn", "show").out.startswith("default: not in effect\n")
    assert sekisho("learn", "evaluate").status == 0


@pytest.mark.usefixtures("newsletters")
def test_released_newsletters_are_learned_shown_and_judged(sekisho):
    state = shown(sekisho)
    assert state["in_effect"]
    assert state["fine"] == {"decisions": 12, "counted": 7.2, "why_not": ""}
    assert state["reviewers"] == [
        {"reviewer": "ann", "fine": 6, "bad": 0},
        {"reviewer": "bob", "fine": 6, "bad": 0},
    ]
    assert {x["sender"] for x in state["strongest"]} == {"news@corp.example"}
    assert all(x["pull"] < 0 and x["probability"] > 0.75 for x in state["strongest"])
    text = sekisho("learn", "show").out
    assert "default: in effect" in text
    assert "fine: 12 decisions, of which 7.2 count" in text
    (judged,) = sekisho("learn", "evaluate", "--json").objects
    assert (judged["before"]["false_holds"], judged["after"]["missed"]) == (12, 0)
    assert judged["changed"] == 12 - judged["after"]["false_holds"] > 0
    assert "false holds" in sekisho("learn", "evaluate").out


@pytest.mark.usefixtures("newsletters")
def test_a_reset_is_undone_and_a_decision_forgotten(sekisho):
    before = shown(sekisho)
    done = sekisho("learn", "reset")
    assert (done.status, "--yes" in done.err) == (2, True)
    assert shown(sekisho) == before
    assert sekisho("learn", "reset", "--yes", "--json").objects == [{"tenant": "default", "decisions": 12}]
    after = shown(sekisho)
    assert (after["in_effect"], after["fine"]["decisions"], after["set_aside"]) == (False, 0, 12)
    assert "12 set aside at" in sekisho("learn", "show").out
    assert sekisho("learn", "restore").out == "default: 12 decisions in force again\n"
    assert shown(sekisho)["strongest"][0]["id"] == before["strongest"][0]["id"]
    done = sekisho("learn", "forget", "n3", "none", "--json")
    assert (done.status, done.objects) == (1, [{"id": "n3", "done": True}, {"id": "none", "done": False}])
    assert shown(sekisho)["fine"]["decisions"] == 11


def test_a_rejected_message_is_bad(sekisho, held):
    held("b1", words(ABUSE, 60, 1))
    assert sekisho("hold", "reject", "b1", "--by", "ann", "--json").objects[0]["learned"] == "bad"
    assert shown(sekisho)["bad"]["decisions"] == 1


@pytest.mark.parametrize("option", ["--no-learn", "--reinspect"])
def test_nothing_is_learned_where_it_is_not_wanted_or_not_decided(sekisho, held, option):
    held("k1", GARDEN)
    done = sekisho("hold", "release", "k1", option, "--json")
    assert done.objects == [{"id": "k1", "done": True, "state": "releasing"}]
    assert shown(sekisho)["fine"]["decisions"] == 0


def test_a_release_for_other_reasons_teaches_nothing(sekisho, held):
    held("k1", GARDEN, findings=(Finding("dlp/secret/password", Severity.HIGH),))
    assert sekisho("hold", "release", "k1", "--json").objects == [{"id": "k1", "done": True, "state": "releasing"}]
    assert shown(sekisho)["fine"]["decisions"] == 0


def test_a_release_of_ones_own_mail_teaches_nothing_and_says_so(sekisho, held):
    held("k1", GARDEN)
    done = sekisho("hold", "release", "k1", "--by", "news@corp.example")
    assert (done.status, done.out) == (0, "k1: releasing\n  nothing learned: the reviewer's own mail\n")
    assert shown(sekisho)["fine"]["decisions"] == 0


def test_what_is_decided_already_is_not_learned_again(sekisho, held):
    held("k1", GARDEN)
    assert sekisho("hold", "release", "k1", "--by", "ann").status == 0
    assert sekisho("hold", "reject", "k1", "--by", "bob", "--json").objects[0].get("learned") is None
    assert (shown(sekisho)["fine"]["decisions"], shown(sekisho)["bad"]["decisions"]) == (1, 0)


def test_switched_off_for_a_tenant(sekisho, held, folder):
    (folder / "sekisho.toml").write_text("[tenant.default.learning]\nenabled = false\n")
    held("k1", GARDEN)
    (done,) = sekisho("hold", "release", "k1", "--json").objects
    assert (done["done"], done["not_learned"]) == (True, "switched off for this tenant")


@pytest.mark.parametrize("content", [None, b"broken"])
def test_without_a_model_a_release_is_a_release(sekisho, held, folder, monkeypatch, content):
    file = folder / "other.model"
    if content is not None:
        file.write_bytes(content)
    monkeypatch.setattr(learning, "_MODEL", str(file))
    held("k1", GARDEN)
    (done,) = sekisho("hold", "release", "k1", "--json").objects
    assert (done["done"], done["learned"], "model" in done["not_learned"]) == (True, None, True)
    assert sekisho("learn", "evaluate").status == 3


def test_a_tenant_that_is_none(sekisho):
    done = sekisho("learn", "show", "--tenant", "nobody")
    assert (done.status, "no tenant 'nobody'" in done.err) == (2, True)
