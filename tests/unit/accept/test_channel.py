"""The socket of a connection."""

from sekisho.accept.channel import Channel


class Transport:
    """Says what it was told."""

    def __init__(self):
        self.told = []

    def __getattr__(self, name):
        return lambda *data: self.told.append((name, *data))


def channel():
    made = Channel()
    made.transport = Transport()
    return made


def test_reading_is_paused_and_resumed_once():
    made = channel()
    for act in (made.resume, made.pause, made.pause, made.resume, made.resume):
        act()
    assert made.transport.told == [("pause_reading",), ("resume_reading",)]


def test_in_clear():
    made = channel()
    assert made.ready
    assert made.read(b"NOOP\r\n") == b"NOOP\r\n"
    made.write(b"250 Ok\r\n")
    made.write(b"")
    made.close()
    assert made.transport.told == [("write", b"250 Ok\r\n"), ("close",)]


def test_nothing_goes_to_a_lost_one():
    made = channel()
    made.lost = True
    made.write(b"250 Ok\r\n")
    made.abort()
    assert made.transport.told == []
