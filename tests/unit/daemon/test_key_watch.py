"""Rounds of the keys' life: notices once, rotation, and a name server that is updated."""

import asyncio
from datetime import UTC, datetime, timedelta
from email import message_from_string, policy

import pytest
from msgspec.structs import replace
from support.knot import KEY_NAME, SECRET, knot_server
from support.zone import ZoneResolver, served

from sekisho.config.settings import HoldSettings, NoticeSettings, TenantSettings
from sekisho.config.signing_settings import DnsUpdateSettings, SigningSettings
from sekisho.daemon.key_watch import KeyWatch, Watched, look_now
from sekisho.mailauth.key_making import new_key, record_text
from sekisho.store.sqlite import SqliteStore

START = datetime(2026, 11, 25, 9, 0, tzinfo=UTC)
NOTICE = NoticeSettings(administrator=("admin@example.jp",), language="en")


class Keeper:
    """A watch with a clock of its own and a zone in a dict."""

    def __init__(self, store, path, **settings):
        self.store = store
        self.now = START
        self.noted = []
        self.zone = {}
        tenant = TenantSettings(notice=settings.pop("notice", NOTICE), **settings)
        of = Watched({"default": tenant}, HoldSettings(), "gate.example.jp", lambda text: path / text)
        self.watch = KeyWatch(store, of, lambda tenant, event: self.noted.append(event), lambda: self.now)

    def add(self, *keys):
        asyncio.run(self.store.signing_keys.add(keys))

    def publish(self, *keys):
        for key in keys:
            self.zone[key.record_name] = {"TXT": [record_text(key)]}

    def round(self, **after):
        self.now += timedelta(**after)
        done = asyncio.run(self.watch.run_once(ZoneResolver(self.zone)))
        return [entry.event for entry in done.told]

    def states(self):
        return {key.selector: key.state for key in asyncio.run(self.store.signing_keys.of())}

    def notices(self):
        found = self.store.list_kept(kind="notice")
        return [self.store.kept_data_sync(kept).decode() for kept in reversed(found)]


@pytest.fixture
def keeper(tmp_path):
    with SqliteStore.open(tmp_path / "state") as store:
        yield lambda **settings: Keeper(store, tmp_path, **settings)


def key_of(selector="s1", algorithm="ed25519", **more):
    return replace(new_key("default", "example.jp", selector, algorithm, START), **more)


def test_a_life(keeper):
    watched = keeper(signing=SigningSettings(rotate_days=100, overlap_days=7, late_days=3))
    key = key_of()
    watched.add(key)
    assert watched.round() == []
    watched.publish(key)
    assert watched.round(hours=1) == ["active"]
    assert watched.round(days=100) == ["made", "rotation-due"]
    (new,) = [k for k in asyncio.run(watched.store.signing_keys.of()) if k.state == "pending"]
    (notice,) = watched.notices()
    text = message_from_string(notice, policy=policy.default).get_content()
    assert record_text(new) in text  # what to publish is the new one
    assert watched.round(hours=1) == []
    watched.publish(new)
    assert sorted(watched.round(hours=1)) == ["active", "retiring"]
    assert watched.round(days=7) == ["retired"]
    assert watched.round(days=3) == ["still-published"]
    del watched.zone["s1._domainkey.example.jp"]
    assert watched.round(hours=1) == []
    assert watched.states() == {"s1": "retired", new.selector: "active"}
    assert len(watched.notices()) == 2
    assert watched.noted == [
        "active", "made", "rotation-due", "retiring", "active", "retired", "still-published",
    ]  # fmt: skip


def test_one_notice_for_one_change(keeper):
    watched = keeper()
    watched.add(key_of(state="active"))
    assert watched.round() == ["absent"]
    for _ in range(5):
        assert watched.round(days=1) == []
    (notice,) = watched.notices()
    assert "Subject: DKIM key not in the DNS: example.jp (s1)" in notice
    assert "To: <admin@example.jp>" in notice
    watched.zone["s1._domainkey.example.jp"] = {"TXT": ["v=DKIM1; k=ed25519; p="]}
    assert watched.round(days=1) == ["revoked"]
    assert len(watched.notices()) == 2
    watched.zone["s1._domainkey.example.jp"] = "away"
    assert watched.round(days=1) == []


def test_nobody_to_tell(keeper, caplog):
    watched = keeper(notice=NoticeSettings())
    watched.add(key_of(state="active"))
    assert watched.round() == ["absent"]
    assert watched.notices() == []
    assert "nobody to tell" in caplog.text


def test_who_changed_a_key_meanwhile_is_not_overwritten(keeper, monkeypatch):
    watched = keeper()
    key = key_of()
    watched.add(key)
    watched.publish(key)
    of = type(watched.store.signing_keys).of

    async def late(rows, *arguments, **named):
        found = await of(rows, *arguments, **named)
        await rows.change([(key, replace(key, state="retired", private=b""))])
        return found

    with monkeypatch.context() as patched:
        patched.setattr(type(watched.store.signing_keys), "of", late)
        assert watched.round() == []
    assert watched.states() == {"s1": "retired"}


def test_a_name_server_on_a_port_is_asked_anew(keeper):
    watched = keeper()
    key = key_of()
    watched.add(key)
    with served(watched.zone) as server:
        assert asyncio.run(look_now(watched.watch, [server.address])).told == ()
        watched.publish(key)
        (told,) = asyncio.run(look_now(watched.watch, [server.address])).told
    assert told.event == "active"


def test_published_and_withdrawn_by_dynamic_update(keeper, tmp_path):
    (tmp_path / "tsig").write_text(SECRET)
    (tmp_path / "knot").mkdir()
    with knot_server(tmp_path / "knot", "example.jp") as server:
        update = DnsUpdateSettings(server, "example.jp", KEY_NAME, "tsig")
        signing = SigningSettings(rotate_days=100, overlap_days=7)
        watched = keeper(signing=signing, dns_update=(update,))
        watched.add(key_of("s1", "rsa"))

        def round_(**after):
            watched.now += timedelta(**after)
            return [told.event for told in asyncio.run(look_now(watched.watch, [server])).told]

        assert round_() == ["published"]
        assert round_(hours=1) == ["active"]
        assert round_(days=100) == ["made", "published", "rotation-due"]
        assert sorted(round_(hours=1)) == ["active", "retiring"]
        assert round_(days=7) == ["retired", "withdrawn"]
        assert round_(hours=1) == []
        assert sorted(watched.states().values()) == ["active", "retired"]
        assert watched.notices() == []  # nobody has anything to do
        (tmp_path / "tsig").write_text("eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4")
        watched.add(key_of("s9", since=watched.now))
        assert round_(hours=1) == ["publish-failed"]
