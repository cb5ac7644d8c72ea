"""Counts of connections against the limits."""

from sekisho.accept.fleet import FleetCounts, FleetUsage
from sekisho.accept.load import Measured
from sekisho.accept.usage import Held, Usage
from sekisho.config.flood_settings import FloodSettings
from sekisho.config.settings import LimitSettings


def test_connections_of_one_client():
    usage, limits = Usage(), LimitSettings(connections_per_ip=2)
    assert usage.enter("192.0.2.1", limits) is None
    assert usage.enter("192.0.2.1", limits) is None
    refusal = usage.enter("192.0.2.1", limits)
    assert (refusal.code, refusal.enhanced) == (421, "4.7.0")
    assert usage.enter("192.0.2.2", limits) is None
    usage.leave("192.0.2.1")
    assert usage.enter("192.0.2.1", limits) is None


def test_clients_that_are_gone_take_no_memory():
    usage, limits = Usage(), LimitSettings()
    for number in range(1000):
        usage.enter(f"192.0.2.{number}", limits)
        usage.leave(f"192.0.2.{number}")
    assert not usage._clients


def test_connections_in_all():
    usage = Usage()
    usage.connections = 5
    assert usage.refusal(LimitSettings(connections=6)) is None
    assert "connections" in usage.refusal(LimitSettings(connections=5)).text


class Idle:
    gone = False

    def shut_down(self, _reply):
        self.gone = True

    def slow(self):
        return True


def test_who_is_idle_makes_room():
    usage, idle = Usage(), Idle()
    usage.update(FloodSettings(evict_idle_seconds=1e-9))
    usage.connections = 5
    usage.crowd.stands(idle, "silent")
    assert usage.refusal(LimitSettings(connections=5)) is None
    assert idle.gone
    assert usage.refusal(LimitSettings(connections=5)).code == 421


def test_known_clients_and_front_ends_get_in_while_others_do_not():
    counts = FleetCounts(1)
    usage, limits = FleetUsage(counts, 0), LimitSettings(connections=20)
    usage.welcome("192.0.2.1")
    usage.load.observe(Measured(lag=5.0))
    assert usage.refusal(limits, "198.51.100.1").code == 421
    assert usage.refusal(limits, "192.0.2.1") is None
    assert usage.refusal(limits, "198.51.100.1", trusted=True) is None
    usage.connections = 20
    assert usage.refusal(limits, "192.0.2.1") is None
    usage.connections = 22
    assert usage.refusal(limits, "192.0.2.1").code == 421


def test_mail_that_is_not_begun():
    usage, limits = Usage(), LimitSettings(memory_bytes=1000)
    assert usage.mail_refusal(1000, limits) is None
    usage.memory = 1
    assert usage.mail_refusal(1000, limits).enhanced == "4.3.1"
    usage.load.observe(Measured(free=0, disk=1000))
    assert "disk" in usage.mail_refusal(0, limits).text.lower()


def test_memory_of_connections():
    usage = Usage()
    one, two = Held(usage), Held(usage)
    one(10)
    two(5)
    one(3)
    assert usage.memory == 8
    one(0)
    two(0)
    assert usage.memory == 0
