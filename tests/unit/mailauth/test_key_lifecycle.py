"""The life of keys: pure decisions, and what an answer of the DNS means."""

import asyncio
from base64 import b64encode
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace
from support.zone import ZoneResolver

from sekisho.mail.dns import Records
from sekisho.mail.signing_key import SigningKey
from sekisho.mailauth.key_lifecycle import Shown, Times, look, plan, shown, signing

NOW = datetime(2026, 11, 25, 9, 0, tzinfo=UTC)
DAY = timedelta(days=1)
PUBLIC = b"p" * 32
KEY = SigningKey("t", "example.jp", "a", "ed25519", PUBLIC, b"secret", NOW - 400 * DAY, NOW - DAY)
ACTIVE = replace(KEY, state="active")
P = b64encode(PUBLIC).decode()
OURS = Shown("ours")


def planned(*keys, now=NOW, times=Times(), **seen):  # noqa: B008 - frozen
    return plan(keys, {f"{name}._domainkey.example.jp": what for name, what in seen.items()}, now, times)


def after(plan_):
    return {change.after.selector: change.after for change in plan_.changes}


@pytest.mark.parametrize(
    ("values", "seen", "testing"),
    [
        ([f"v=DKIM1; k=ed25519; p={P}"], "ours", False),
        ([(f"v=DKIM1; k=ed25519; p={P[:20]}", P[20:])], "ours", False),
        ([f"v=DKIM1; k=ed25519; t=y:s; p={P}"], "ours", True),
        ([f"v=DKIM1; k=rsa; p={P}"], "other", False),
        ([f"v=DKIM1; p={P}"], "other", False),  # RFC 6376 3.6.1: k= is rsa where it is not said
        ([f"v=DKIM1; k=ed25519; p={b64encode(b'q' * 32).decode()}"], "other", False),
        (["v=DKIM1; k=ed25519; p="], "revoked", False),  # RFC 6376 3.6.1
        ([f"v=DKIM1; k=ed25519; h=sha1; p={P}"], "other", False),
        ([f"v=DKIM1; k=ed25519; p={P}"] * 2, "several", False),  # RFC 6376 3.6.2.2
        (["v=spf1 -all"], "other", False),
        ([b"\xff" * 60_000], "other", False),
        ("no-data", "absent", False),
        ("no-name", "absent", False),
        ("away", "unknown", False),
        ("refused", "unknown", False),
        ("bogus", "unknown", False),
        ("bad", "unknown", False),
    ],
)
def test_what_the_dns_shows(values, seen, testing):
    found = asyncio.run(look(KEY, ZoneResolver({"a._domainkey.example.jp": {"TXT": values}})))
    assert (found.seen, found.testing) == (seen, testing)


def test_a_key_that_the_domain_delegates():
    zone = {
        "a._domainkey.example.jp": {"CNAME": ["a.example.jp.p.example"]},
        "a.example.jp.p.example": {"TXT": [f"k=ed25519; p={P}"]},
    }
    assert asyncio.run(look(replace(KEY, base="p.example"), ZoneResolver(zone))) == OURS


@given(st.binary(max_size=300))
def test_no_answer_raises(text):
    assert shown(KEY, Records("found", (text,))).seen in {"ours", "other", "revoked"}


@pytest.mark.parametrize("seen", ["other", "revoked", "several", "absent", "unknown"])
def test_pending_until_the_dns_shows_it(seen):
    assert not planned(KEY, a=Shown(seen)).changes
    assert not signing([KEY])


def test_active_when_the_dns_shows_it():
    key = after(planned(KEY, a=Shown("ours", testing=True)))["a"]
    assert (key.state, key.since, key.testing, key.private) == ("active", NOW, True, b"secret")


def test_the_old_key_stops_in_the_step_in_which_the_new_one_begins():
    new = replace(KEY, selector="b")
    assert not planned(ACTIVE, new, a=OURS, b=Shown("absent")).changes
    done = after(planned(ACTIVE, new, a=OURS, b=OURS))
    assert (done["a"].state, done["b"].state) == ("retiring", "active")
    rsa = replace(new, algorithm="rsa")  # one of another algorithm signs beside it
    assert set(after(planned(ACTIVE, rsa, a=OURS, b=OURS))) == {"b"}
    other = replace(new, domain="example.net")
    assert not planned(ACTIVE, other, a=OURS).changes


def test_retiring_stays_published_and_then_its_private_half_goes():
    key = replace(KEY, state="retiring", since=NOW - 7 * DAY + timedelta(seconds=1))
    assert not planned(key, a=OURS).changes
    done = after(planned(key, a=OURS, now=NOW + timedelta(seconds=1)))["a"]
    assert (done.state, done.private, done.told) == ("retired", b"", "")


def test_retired_until_it_is_gone():
    key = replace(KEY, state="retired", private=b"", since=NOW - 4 * DAY)
    (alert,) = planned(key, a=OURS).alerts
    assert (alert.code, alert.key.gone) == ("still-published", False)
    assert after(planned(key, a=Shown("absent")))["a"].gone
    assert after(planned(key, a=Shown("other")))["a"].gone  # the name is somebody else's now
    assert not planned(key, a=Shown("unknown")).changes
    assert not planned(replace(key, gone=True)).changes


@pytest.mark.parametrize(
    ("seen", "code"), [("absent", "absent"), ("other", "changed"), ("revoked", "revoked"), ("several", "several")]
)
@pytest.mark.parametrize("state", ["active", "retiring"])
def test_a_published_key_that_is_not_there_any_more_is_told_once(state, seen, code):
    key = replace(KEY, state=state)
    first = planned(key, a=Shown(seen, "d"))
    assert [(alert.code, alert.detail) for alert in first.alerts] == [(code, "d")]
    told = after(first)["a"]
    assert (told.state, told.told) == (state, code)  # it goes on: who repairs the record has lost nothing
    again = planned(told, a=Shown(seen), now=NOW + DAY)
    assert (again.alerts, again.changes) == ((), ())
    assert planned(told, a=Shown("unknown")).changes == ()  # no answer is no news
    better = after(planned(told, a=OURS))["a"]
    assert not better.told
    assert len(planned(better, a=Shown(seen)).alerts) == 1


def test_no_answer_changes_nothing():
    for state in ("pending", "active", "retiring"):
        assert planned(replace(KEY, state=state), a=Shown("unknown")) == planned()


def test_pending_for_long():
    key = replace(KEY, since=NOW - 3 * DAY)
    first = planned(key, a=Shown("other", "k=rsa"))
    assert [(alert.code, alert.detail) for alert in first.alerts] == [("pending-long", "k=rsa")]
    assert not planned(after(first)["a"], a=Shown("absent"), now=NOW + DAY).alerts


def test_rotation_by_time():
    key = replace(ACTIVE, since=NOW - 180 * DAY)
    first = planned(key, a=OURS)
    assert [k.selector for k in first.due] == ["a"]
    assert [alert.code for alert in first.alerts] == ["rotation-due"]
    told = after(first)["a"]
    pending = replace(KEY, selector="b")
    waiting = planned(told, pending, a=OURS, b=Shown("absent"))
    assert (waiting.due, waiting.alerts, waiting.changes) == ((), (), ())
    assert not planned(key, a=OURS, times=Times(rotate=timedelta(0))).due
    assert not planned(replace(key, since=NOW - 179 * DAY), a=OURS).due
    assert planned(key, replace(pending, algorithm="rsa"), a=OURS).due


def test_of_several_active_ones_the_newest_signs():
    new = replace(ACTIVE, selector="b", since=NOW)
    assert signing([new, ACTIVE]) == {("t", "example.jp", "ed25519"): new}
    assert after(planned(ACTIVE, new, a=OURS, b=OURS))["a"].state == "retiring"


STATES = st.sampled_from(["pending", "active", "retiring", "retired"])
SEEN = st.sampled_from(["ours", "other", "revoked", "several", "absent", "unknown"])


@given(st.lists(st.tuples(STATES, SEEN, st.integers(0, 400)), max_size=5), st.lists(SEEN, max_size=5))
def test_never_without_a_signature_once_there_was_one(start, later):
    keys = [
        replace(KEY, selector=f"k{number}", state=state, since=NOW - days * DAY)
        for number, (state, _, days) in enumerate(start)
    ]
    signed = bool(signing(keys))
    for hour, seen in enumerate([None, *later]):
        said = {key.asked_name: Shown(seen or start[number][1]) for number, key in enumerate(keys)}
        done = plan(keys, said, NOW + hour * 30 * DAY, Times())
        changed = {change.before.selector: change.after for change in done.changes}
        for key in keys:
            new = changed.get(key.selector, key)
            allowed = {
                "pending": {"pending", "active", "retiring"}, "active": {"active", "retiring"},
                "retiring": {"retiring", "retired"}, "retired": {"retired"},
            }  # fmt: skip
            assert new.state in allowed[key.state]
            assert bool(new.private) == (new.state != "retired") or key.state == "retired"
        keys = [changed.get(key.selector, key) for key in keys]
        assert len([key for key in keys if key.state == "active"]) <= 1
        assert bool(signing(keys)) or not signed
        signed = bool(signing(keys))
