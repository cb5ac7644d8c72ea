"""Counts of connections against the limits."""

from sekisho.accept.usage import Usage
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
