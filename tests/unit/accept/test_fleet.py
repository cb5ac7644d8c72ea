"""Connections are counted over all workers, and a worker's death takes its count along."""

import os

from sekisho.accept.fleet import FleetCounts, FleetUsage
from sekisho.config.settings import LimitSettings

LIMITS = LimitSettings(connections=3, connections_per_ip=2)


def test_limits_hold_over_all_workers():
    counts = FleetCounts(2)
    one, two = FleetUsage(counts, 0), FleetUsage(counts, 1)
    assert one.enter("192.0.2.1", LIMITS) is None
    assert two.enter("192.0.2.1", LIMITS) is None
    assert one.enter("192.0.2.1", LIMITS).code == 421
    two.leave("192.0.2.1")
    assert one.enter("192.0.2.1", LIMITS) is None


def test_all_connections_together():
    counts = FleetCounts(2)
    one, two = FleetUsage(counts, 0), FleetUsage(counts, 1)
    one.connections += 2
    assert two.refusal(LIMITS) is None
    two.connections += 1
    assert (one.connections, two.connections, counts.total()) == (2, 1, 3)
    assert one.refusal(LIMITS).code == 421
    two.connections -= 1
    assert one.refusal(LIMITS) is None


def test_another_process_sees_it_and_a_new_worker_starts_at_nothing():
    counts = FleetCounts(2)
    pid = os.fork()
    if pid == 0:
        usage = FleetUsage(counts, 1)
        usage.connections += 3
        usage.enter("192.0.2.1", LIMITS)
        os._exit(0)
    os.waitpid(pid, 0)
    usage = FleetUsage(counts, 0)
    assert usage.refusal(LIMITS).code == 421
    counts.clear(1)
    assert usage.refusal(LIMITS) is None
    assert counts.sum(counts.bucket("192.0.2.1")) == 0


def test_never_below_zero():
    usage = FleetUsage(FleetCounts(1), 0)
    usage.leave("192.0.2.1")
    usage.connections -= 1
    assert usage.connections == 0
