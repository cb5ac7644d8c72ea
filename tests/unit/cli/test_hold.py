"""`sekisho hold` against a store in a folder of its own."""

import asyncio
import os

import pytest
from support.client import message

# contract.md names the commands; the fields are ours, and what programs rely on from now on
FIELDS = {
    "id", "tenant", "kind", "state", "received_at", "expires_at", "release_at", "mail_from", "rcpt_to", "message_id",
    "size", "policy_rule", "findings", "attempts", "next_attempt_at", "last_reply", "decided_by", "note",
}  # fmt: skip


@pytest.fixture
def held(store, kept):
    def keep(*arguments, **more):
        row, data = kept(*arguments, **more)
        asyncio.run(store.keep(row, data))
        return row

    return keep


def state_of(store, kept_id):
    return asyncio.run(store.kept(kept_id)).state


def test_nothing_waits(sekisho):
    assert sekisho("hold", "list").out == "nothing waits\n"
    done = sekisho("hold", "list", "--json")
    assert (done.status, done.out) == (0, "")


def test_list(sekisho, held):
    held("k1")
    held("k2", kind="quarantine")
    done = sekisho("hold", "list", "--json")
    assert done.status == 0
    assert {shown["id"] for shown in done.objects} == {"k1", "k2"}
    assert all(set(shown) >= FIELDS for shown in done.objects)
    one = next(shown for shown in done.objects if shown["id"] == "k1")
    assert (one["kind"], one["mail_from"], one["rcpt_to"]) == ("approval", "hanako@example.com", ["taro@example.net"])
    assert one["received_at"].endswith("Z")
    assert [shown["id"] for shown in sekisho("hold", "list", "--json", "--kind", "quarantine").objects] == ["k2"]
    assert sekisho("hold", "list", "--json", "--recipient", "example.org").objects == []
    assert sekisho("hold", "list", "--json", "--since", "2999-01-01").objects == []
    text = sekisho("hold", "list").out.splitlines()
    assert text[0].split() == ["id", "since", "kind", "state", "from", "to", "rule"]
    assert len(text) == 3


def test_a_time_that_is_none(sekisho):
    done = sekisho("hold", "list", "--since", "yesterday")
    assert done.status == 2
    assert "--since" in done.err


def test_show(sekisho, held):
    held("k1")
    (shown,) = sekisho("hold", "show", "k1", "--json").objects
    assert shown["headers"]["Subject"] == "k1"
    assert shown["parts"][0]["type"] == "text/plain"
    assert shown["findings"][0]["rule"] == "dlp/secret/password"
    assert "subject: k1" in sekisho("hold", "show", "k1").out.lower()


@pytest.mark.parametrize("verb", ["show", "release", "reject", "export"])
def test_an_id_that_is_none(sekisho, store, verb):
    assert store
    done = sekisho("hold", verb, "none")
    assert (done.status, done.out) == (3, "")
    assert "no kept message 'none'" in done.err


@pytest.mark.parametrize(("verb", "state"), [("release", "releasing"), ("reject", "rejecting")])
def test_decide_once(sekisho, held, store, verb, state):
    held("k1")
    done = sekisho("hold", verb, "k1", "--note", "asked her", "--by", "jiro", "--json")
    assert (done.status, done.objects) == (0, [{"id": "k1", "done": True, "state": state}])
    row = asyncio.run(store.kept("k1"))
    assert (row.state, row.note, row.decided_by, row.reinspect) == (state, "asked her", "jiro", False)
    again = sekisho("hold", verb, "k1", "--json")
    assert (again.status, again.objects) == (1, [{"id": "k1", "done": False, "state": state}])


def test_one_that_is_decided_already_does_not_stop_the_others(sekisho, held, store):
    held("k1")
    held("k2", state="releasing")
    held("k3")
    done = sekisho("hold", "release", "k1", "k2", "k3", "--reinspect")
    assert done.status == 1
    assert "k2: not held any more (releasing)" in done.out
    assert [state_of(store, name) for name in ("k1", "k3")] == ["releasing", "releasing"]
    assert asyncio.run(store.kept("k3")).reinspect


def test_who_decides_where_nobody_has_a_name(sekisho, held, store, monkeypatch):
    """In a container the user's number may be in no passwd file."""
    for name in ("LOGNAME", "USER", "LNAME", "USERNAME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(os, "getuid", lambda: 54321)
    held("k1")
    assert sekisho("hold", "release", "k1").status == 0
    assert asyncio.run(store.kept("k1")).decided_by == "uid 54321"


def test_export_gives_the_bytes_as_they_came(sekisho, held, folder):
    data = message("k1", "8 bit \u00e9\r\n.dot\r\n")
    held("k1", data)
    assert sekisho("hold", "export", "k1", "-o", folder / "mail.eml").status == 0
    assert (folder / "mail.eml").read_bytes() == data
    assert sekisho("hold", "export", "k1").out.encode() == data
    done = sekisho("hold", "export", "k1", "-o", folder / "none" / "mail.eml")
    assert done.status == 3
    assert "No such file or directory" in done.err


def test_what_is_gone_is_not_exported(sekisho, held, store, kept):
    row = held("k1")
    gone, _ = kept("k1", state="released")
    assert asyncio.run(store.change(gone, row.state))
    done = sekisho("hold", "export", "k1")
    assert done.status == 3
    assert "released" in done.err
    (shown,) = sekisho("hold", "show", "k1", "--json").objects
    assert "headers" not in shown
