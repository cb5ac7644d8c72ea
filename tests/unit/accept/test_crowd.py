"""Who makes room: the silent first, then who did nothing of use, the longest without doing more first."""

from sekisho.accept.crowd import Crowd, standing_of
from sekisho.wire.smtp_events import ServerOptions
from sekisho.wire.smtp_server import SmtpServer


class Client:
    def __init__(self, *, slow=True):
        self.gone, self._slow = None, slow

    def shut_down(self, reply):
        self.gone = reply

    def slow(self):
        return self._slow


class Clock:
    now = 0.0

    def __call__(self):
        return self.now


def crowd_of(*standings):
    clock = Clock()
    crowd, clients = Crowd(clock), [Client() for _ in standings]
    for client, standing in zip(clients, standings, strict=True):
        crowd.stands(client, standing)
        clock.now += 0.1
    return crowd, clients, clock


def test_the_silent_go_first_and_the_oldest_of_them():
    crowd, (known, greeted, old, new), clock = crowd_of("known", "greeted", "silent", "silent")
    clock.now += 5
    assert crowd.make_room(2.0)
    assert old.gone.code == 421
    assert crowd.make_room(2.0)
    assert new.gone
    assert crowd.make_room(2.0)
    assert greeted.gone
    clock.now += 10
    assert not crowd.make_room(2.0, known=True)
    assert known.gone is None
    clock.now += 10
    assert not crowd.make_room(2.0)
    assert crowd.make_room(2.0, known=True)
    assert known.gone
    assert crowd.evicted == 4


def test_who_has_just_come_stays():
    crowd, (client,), clock = crowd_of("silent")
    clock.now += 1.5
    assert not crowd.make_room(2.0)
    assert client.gone is None


def test_for_a_known_client_the_silent_go_sooner():
    crowd, (client,), clock = crowd_of("silent")
    clock.now += 0.5
    assert not crowd.make_room(2.0)
    assert crowd.make_room(2.0, known=True)
    assert client.gone


def test_who_waits_for_us_stays_and_starts_anew():
    crowd, (client,), clock = crowd_of("greeted")
    clock.now += 60
    crowd.stands(client, None)
    assert not crowd.make_room(2.0)
    crowd.stands(client, "known")
    assert not crowd.make_room(2.0)


def test_a_message_that_comes_in_well_is_not_cut_off():
    clock = Clock()
    crowd, well, trickle = Crowd(clock), Client(slow=False), Client()
    crowd.stands(well, "sending")
    crowd.stands(trickle, "sending")
    clock.now += 60
    assert crowd.make_room(2.0)
    assert (well.gone, trickle.gone is not None) == (None, True)
    assert not crowd.make_room(2.0)


def test_saying_the_same_again_makes_nobody_younger():
    crowd, (client,), clock = crowd_of("greeted")
    clock.now += 5
    crowd.stands(client, "greeted")
    assert crowd.make_room(2.0)
    assert client.gone


def test_who_is_gone_is_forgotten():
    crowd, (client,), clock = crowd_of("silent")
    crowd.forget(client)
    crowd.forget(client)
    clock.now += 60
    assert not crowd.make_room(2.0)


def test_standings():
    server = SmtpServer(ServerOptions("mx.example"))
    assert standing_of(None, useful=False) == "silent"
    server.greet()
    assert standing_of(server, useful=False) == "silent"
    server.receive_data(b"EHLO a.example\r\nMAIL FROM:<a@b.example>\r\nRCPT TO:<c@d.example>\r\n")
    server.next_event()
    assert standing_of(server, useful=False) == "greeted"
    assert standing_of(server, useful=True) == "known"
    server.receive_data(b"DATA\r\nx")
    server.next_event()
    assert standing_of(server, useful=True) == "sending"
