"""Networks' connections and new ones, over all workers; clients that sent mail before."""

from msgspec.structs import replace

from sekisho.accept.fleet import FleetCounts
from sekisho.accept.newcomers import Newcomers
from sekisho.config.flood_settings import FloodSettings

SETTINGS = FloodSettings(crowded_share=0.5, network_share=0.2, new_connections_per_network=5)


class Clock:
    now = 1_700_000_000.0

    def __call__(self):
        return self.now


def workers(settings=SETTINGS):
    counts, clock = FleetCounts(2), Clock()
    both = [Newcomers(counts, row, clock) for row in (0, 1)]
    for one in both:
        one.settings = settings
    return *both, clock


def test_a_network_has_its_share_where_it_is_crowded():
    one, two, _ = workers()
    assert one.enter("192.0.2.1", total=0, most=10) is None
    assert two.enter("192.0.2.2", total=1, most=10) is None
    assert one.enter("192.0.2.3", total=4, most=10) is None
    assert "network_share" in one.enter("192.0.2.4", total=5, most=10).text
    assert one.enter("198.51.100.1", total=5, most=10) is None
    two.leave("192.0.2.2")
    one.leave("192.0.2.1")
    assert two.enter("192.0.2.4", total=5, most=10) is None


def test_new_connections_of_a_network_in_a_minute():
    one, two, clock = workers()
    for worker in (one, two, one, two, one):
        assert worker.enter("192.0.2.1", total=0, most=100) is None
        worker.leave("192.0.2.1")
    assert "new_connections" in two.enter("192.0.2.9", total=0, most=100).text
    assert two.enter("198.51.100.9", total=0, most=100) is None
    clock.now += 60
    assert two.enter("192.0.2.9", total=0, most=100) is None


def test_known_clients_may_more():
    one, two, clock = workers()
    assert not two.known("192.0.2.1")
    one.welcome("192.0.2.1")
    assert two.known("192.0.2.1")
    assert all(two.enter("192.0.2.1", total=90, most=10) is None for _ in range(50))
    assert two.enter("192.0.2.1", total=90, most=10).code == 421
    clock.now += 8 * 86_400
    assert not two.known("192.0.2.1")


def test_no_limit():
    one, _, _ = workers(replace(SETTINGS, new_connections_per_network=0))
    assert all(one.enter("192.0.2.1", total=0, most=1000) is None for _ in range(100))
