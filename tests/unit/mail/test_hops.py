"""The hosts that a message has passed."""

from sekisho.mail.hops import hops
from sekisho.parse import parse


def test_only_received_fields_of_the_header():
    message = parse(b"RECEIVED: from a by b\r\nReceived: by c\r\nX-Received: by d\r\n\r\nReceived: by e\r\n")
    assert [field.value.strip() for field in hops(message)] == ["from a by b", "by c"]
