"""Reading hosts and opening connections; the dialogs are in test_relay.py."""

import asyncio
import logging

import pytest

from sekisho.act.dial import Dialer, DialError, host_and_port
from sekisho.config.settings import NextHopSettings


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("mx.example", ("mx.example", 25)),
        ("mx.example:587", ("mx.example", 587)),
        ("192.0.2.1:26", ("192.0.2.1", 26)),
        ("2001:db8::1", ("2001:db8::1", 25)),
        ("[2001:db8::1]", ("2001:db8::1", 25)),
        ("[2001:db8::1]:465", ("2001:db8::1", 465)),
    ],
)
def test_host_and_port(text, expected):
    assert host_and_port(text) == expected


@pytest.mark.parametrize(
    "text", ["", ":25", "mx:", "mx:0", "mx:65536", "mx:-1", "mx:smtp", "[::1", "[::1]25", "[]:25", "mx:２５"]
)
def test_not_a_host_and_port(text):
    with pytest.raises(ValueError, match="not a host and port"):
        host_and_port(text)


def dial(settings, host, port):
    async def main():
        connection = await Dialer(settings, "gw").dial(host, port, lambda _: None)
        connection.abort()

    return asyncio.run(main())


@pytest.mark.parametrize("host", ["a" * 64 + ".example", "x..y"])
def test_a_name_that_cannot_be_resolved(host):
    # RFC 1035 2.3.4: labels have 1 to 63 octets, so that no resolver needs to be asked
    with pytest.raises(DialError) as caught:
        dial(NextHopSettings(), host, 25)
    assert str(caught.value.reply).startswith("451 4.4.1")


def test_every_address_of_a_host_is_tried(run, peer):
    async def main():
        async with peer(address="127.0.0.2") as hop:

            class TwoAddresses(Dialer):
                """What a resolver would say of a name with a dead and a living address."""

                async def _addresses(self, _host, port):
                    return [("127.0.0.3", port), ("127.0.0.2", port)]

            connection = await TwoAddresses(NextHopSettings(tls="off"), "gw").dial(
                "mx.test", hop.port, lambda _: None
            )
            usable = connection.usable
            connection.abort()
            return usable

    assert run(main())


def test_tls_that_is_no_tls_is_told_from_no_connection(run, peer):
    async def main():
        async with peer(("STARTTLS",), STARTTLS=(b"220 go\r\n", peer.CLOSE)) as hop:
            with pytest.raises(DialError) as strict:
                await Dialer(NextHopSettings(tls="verified"), "gw").dial("127.0.0.1", hop.port, lambda _: None)
            return strict.value

    error = run(main())
    assert error.tls
    assert str(error.reply).startswith("451 4.7.5")


def test_a_refused_login_is_not_repeated_at_the_next_address(run, peer, tmp_path, caplog):
    secret = tmp_path / "password"
    secret.write_text("secret")

    async def main():
        async with peer(("AUTH PLAIN",), AUTH=b"535 5.7.8 Wrong\r\n") as hop:
            dialer = Dialer(NextHopSettings(username="u", password_file=str(secret)), "gw")
            with pytest.raises(DialError) as caught:
                await dialer.dial("127.0.0.1", hop.port, lambda _: None)
            return hop.connections, caught.value

    with caplog.at_level(logging.DEBUG):
        connections, error = run(main())
    assert connections == 1
    assert "535 5.7.8" in error.cause
    assert "secret" not in caplog.text
