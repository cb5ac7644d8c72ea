"""Bounce storms: by tenant, by recipient domain, by recipient; other mail is not counted."""

import asyncio

import pytest
from support.sent import sent, strangers

from sekisho.accounts.limits.bounces import Bounces
from sekisho.accounts.naming import Names
from sekisho.config.flood_settings import TenantFloodSettings
from sekisho.store.counters_memory import MemoryCounters


class Storm:
    """Sends bounces at `now`; True: one was too many."""

    def __init__(self, **settings):
        off = {"bounces_per_minute": 0, "bounces_per_domain": 0, "bounces_per_recipient": 0}
        self.now = 1_700_000_000.0
        tenants = {"acme": TenantFloodSettings(**off | settings)}
        self.bounces = Bounces(MemoryCounters(), tenants, Names(b"k" * 32), lambda: self.now)

    def found(self, to, mail_from=None):
        return asyncio.run(self.bounces.look_up(sent([to], mail_from=mail_from)))

    def over(self, to, mail_from=None):
        return [finding.rule for finding in self.found(to, mail_from)] == ["flood/backscatter"]


def test_of_a_tenant():
    storm = Storm(bounces_per_minute=20)
    assert not any(storm.over(to) for to in strangers(20))
    assert storm.over("late@client.example")
    storm.now += 66
    assert not storm.over("late@client.example")


def test_to_a_domain():
    storm = Storm(bounces_per_domain=5)
    assert not any(storm.over(f"a{n}@victim.example") for n in range(5))
    assert storm.over("a9@VICTIM.example")
    assert not storm.over("a@other.example")


def test_to_a_recipient():
    storm = Storm(bounces_per_recipient=3)
    assert not any(storm.over("a@victim.example") for _ in range(3))
    finding = storm.found("A@victim.example")[0]
    assert "recipient" in finding.excerpt
    assert "victim" not in finding.excerpt
    assert not storm.over("b@victim.example")


@pytest.mark.parametrize("mail_from", ["hana@acme.example"])
def test_mail_with_a_sender_is_not_counted(mail_from):
    storm = Storm(bounces_per_minute=1)
    assert not any(storm.over("a@client.example", mail_from) for _ in range(5))
    assert not storm.over("a@client.example")


def test_what_was_too_much_counts_for_nothing():
    storm = Storm(bounces_per_minute=2, bounces_per_recipient=1)
    assert not storm.over("a@client.example")
    assert storm.over("a@client.example")
    assert not storm.over("b@client.example")


def test_no_limits():
    storm = Storm()
    assert not any(storm.over("a@client.example") for _ in range(100))
