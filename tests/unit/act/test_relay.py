"""The relay against servers on loopback: pool, failover, TLS, and every way a dialog can go wrong."""

import asyncio
import datetime as dt
import itertools
import logging
import random
import socket
import threading

import pytest
from aiosmtpd.controller import UnthreadedController

from sekisho.act.relay import SmtpRelay
from sekisho.config.settings import NextHopSettings
from sekisho.mail.envelope import Envelope, Recipient
from sekisho.wire.client_transaction import Content

DATA = b"Subject: hello\r\n\r\n.leading dot\r\nbody\r\n..\r\n"


def envelope(*recipients, **more):
    return Envelope("a@example.com", tuple(Recipient(r) for r in recipients or ("b@example.net",)), **more)


def relay(*hosts, **more):
    return SmtpRelay(NextHopSettings(hosts=hosts, **{"command_seconds": 5.0, **more}), "gw.example.com")


def codes(result):
    return [str(reply).split(" ", 2)[:2] for reply in result.replies]


def unused_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@pytest.mark.parametrize("extensions", [(), ("PIPELINING",), ("CHUNKING",), ("PIPELINING", "CHUNKING")])
def test_a_message_arrives_unchanged(run, peer, extensions):
    async def main():
        async with peer(extensions) as hop:
            out = relay(hop.host)
            result = await out.send(envelope("b@example.net", "c@example.net"), DATA)
            await out.close()
            return hop, result

    hop, result = run(main())
    assert hop.messages == [("MAIL FROM:<a@example.com>", ["b@example.net", "c@example.net"], DATA)]
    assert codes(result) == [["250", "2.0.0"]] * 2
    assert result.to == hop.host
    assert hop.verbs()[-1] == "QUIT"


def test_a_message_arrives_at_aiosmtpd(run):
    class Sink:
        seen = None

        async def handle_DATA(self, _server, _session, mail):  # noqa: N802 # aiosmtpd's name
            self.seen = (mail.mail_from, mail.rcpt_tos, mail.original_content)
            return "250 2.0.0 Taken"

    async def main():
        sink, port = Sink(), unused_port()
        loop = asyncio.get_running_loop()
        hop = UnthreadedController(sink, "127.0.0.1", port, loop=loop, enable_SMTPUTF8=True)
        server = await hop._create_server()
        out = relay(f"127.0.0.1:{port}")
        data = DATA + "本文\r\n".encode()
        result = await out.send(envelope("用户@example.net", smtputf8=True), data)
        await out.close()
        server.close()
        return sink, result, data

    sink, result, data = run(main())
    assert codes(result) == [["250", "2.0.0"]]
    assert sink.seen == ("a@example.com", ["用户@example.net"], data)


def test_a_refused_recipient_has_its_own_reply(run, peer):
    async def main():
        async with peer(
            ("PIPELINING",), RCPT=[b"250 ok\r\n", b"550 5.1.1 Nobody\r\n", b"450 4.2.0 Later\r\n"]
        ) as hop:
            out = relay(hop.host)
            result = await out.send(envelope("1@x.test", "2@x.test", "3@x.test"), DATA)
            await out.close()
            return hop, result

    hop, result = run(main())
    assert codes(result) == [["250", "2.0.0"], ["550", "5.1.1"], ["450", "4.2.0"]]
    assert [rcpts for _, rcpts, _ in hop.messages] == [["1@x.test"]]


def test_connections_are_used_again(run, peer):
    async def main():
        async with peer(("PIPELINING",)) as hop:
            out = relay(hop.host)
            for _ in range(5):
                await out.send(envelope(), DATA)
            status = out.status()[0]
            await out.close()
            return hop, status

    hop, status = run(main())
    assert (hop.connections, len(hop.messages)) == (1, 5)
    assert (status.state, status.open, status.idle, status.last_error) == ("up", 1, 1, "")


def test_a_connection_carries_no_more_than_its_messages(run, peer):
    async def main():
        async with peer(("LIMITS MAILMAX=3",)) as hop:
            out = relay(hop.host, messages_per_connection=2)
            for _ in range(4):
                await out.send(envelope(), DATA)
            ours = hop.connections
            theirs = relay(hop.host)
            for _ in range(6):
                await theirs.send(envelope(), DATA)
            await asyncio.gather(out.close(), theirs.close())
            return ours, hop.connections - ours

    assert run(main()) == (2, 2)


def test_no_more_connections_than_allowed_and_no_message_lost(run, peer):
    async def main():
        async with peer(("PIPELINING",)) as hop:
            out = relay(hop.host, connections=3)
            results = await asyncio.gather(*(out.send(envelope(f"{i}@x.test"), DATA) for i in range(40)))
            await out.close()
            return hop, results

    hop, results = run(main())
    assert hop.connections == 3
    assert all(codes(result) == [["250", "2.0.0"]] for result in results)
    assert sorted(rcpts[0] for _, rcpts, _ in hop.messages) == sorted(f"{i}@x.test" for i in range(40))


def test_waiting_for_a_connection_ends(run, peer):
    async def main():
        async with peer(BODY=peer.HANG) as hop:
            out = relay(hop.host, connections=1, command_seconds=0.2, data_seconds=0.6)
            first = asyncio.create_task(out.send(envelope(), DATA))
            second = asyncio.create_task(out.send(envelope(), DATA))
            return codes(await first), codes(await second)

    assert run(main()) == ([["451", "4.4.2"]], [["451", "4.4.5"]])


def test_a_server_that_takes_few_connections_is_shared(run, peer):
    async def main():
        busy = b"421 4.7.0 Too many connections\r\n"
        greetings = [b"220 one\r\n", (busy, peer.CLOSE)]
        async with peer(GREETING=greetings) as hop:
            out = relay(hop.host, connections=5)
            results = await asyncio.gather(*(out.send(envelope(), DATA) for _ in range(5)))
            await out.close()
            return hop, results

    hop, results = run(main())
    assert [codes(result) for result in results] == [[["250", "2.0.0"]]] * 5
    assert len(hop.messages) == 5


def test_a_stale_connection_is_replaced_unseen(run, peer):
    async def main():
        async with peer(("PIPELINING",), MAIL=[b"250 ok\r\n", peer.CLOSE, b"250 ok\r\n"]) as hop:
            out = relay(hop.host)
            first = await out.send(envelope(), DATA)
            second = await out.send(envelope(), DATA)
            status = out.status()[0]
            await out.close()
            return hop, first, second, status

    hop, first, second, status = run(main())
    assert codes(first) == codes(second) == [["250", "2.0.0"]]
    assert (hop.connections, len(hop.messages), status.last_error) == (2, 2, "")


def test_a_goodbye_to_an_idle_connection_is_no_failure(run, peer):
    async def main():
        async with peer(MAIL=[b"250 ok\r\n", (b"421 4.4.2 Idle too long\r\n", peer.CLOSE), b"250 ok\r\n"]) as hop:
            out = relay(hop.host)
            await out.send(envelope(), DATA)
            result = await out.send(envelope(), DATA)
            await out.close()
            return hop, result

    hop, result = run(main())
    assert codes(result) == [["250", "2.0.0"]]
    assert len(hop.messages) == 2


def test_a_restarted_server_costs_no_message(run, peer):
    async def main():
        hop = peer(("PIPELINING",))
        async with hop:
            out = relay(hop.host, connections=4)
            await asyncio.gather(*(out.send(envelope(), DATA) for _ in range(4)))
            await hop.stop()
            hop.port = int(hop.host.rpartition(":")[2])
            async with hop:
                results = await asyncio.gather(*(out.send(envelope(), DATA) for _ in range(4)))
                await out.close()
        return results

    assert [codes(result) for result in run(main())] == [[["250", "2.0.0"]]] * 4


def test_the_next_host_is_tried(run, peer):
    async def main():
        async with (
            peer(GREETING=(b"421 4.3.2 Closing\r\n", peer.CLOSE)) as closing,
            peer(EHLO=b"451 4.3.0 Not now\r\n") as ill,
            peer(MAIL=peer.CLOSE) as broken,
            peer() as good,
        ):
            dead = f"127.0.0.1:{unused_port()}"
            out = relay(dead, closing.host, ill.host, broken.host, good.host)
            result = await out.send(envelope(), DATA)
            states = [status.state for status in out.status()]
            await out.close()
            return good, result, states

    good, result, states = run(main())
    assert (result.to, codes(result)) == (good.host, [["250", "2.0.0"]])
    assert states == ["backing off"] * 4 + ["up"]


REFUSALS = [
    ("MAIL", b"451 4.7.1 Greylisted\r\n", ["451", "4.7.1"]),
    ("MAIL", b"550 5.7.1 No\r\n", ["550", "5.7.1"]),
    ("RCPT", b"550 5.1.1 Nobody\r\n", ["550", "5.1.1"]),
    ("DATA", b"452 4.3.1 Full\r\n", ["452", "4.3.1"]),
    ("BODY", b"554 5.7.1 Spam\r\n", ["554", "5.7.1"]),
    ("BODY", b"451 4.3.0 Later\r\n", ["451", "4.3.0"]),
]
EXTENSIONS = [(), ("PIPELINING",), ("PIPELINING", "CHUNKING")]


@pytest.mark.parametrize(
    ("extensions", "answers", "reply"),
    [
        (extensions, {verb: answer}, reply)
        for extensions in EXTENSIONS
        for verb, answer, reply in REFUSALS
        if not ("CHUNKING" in extensions and verb == "DATA")  # with CHUNKING there is no DATA to refuse
    ],
)
def test_what_the_next_hop_says_of_a_message_is_our_reply(run, peer, extensions, answers, reply):
    async def main():
        (verb, refusal) = next(iter(answers.items()))
        usual = b"354 Go on\r\n" if verb == "DATA" else b"250 2.0.0 OK\r\n"
        async with peer(extensions, **{verb: [refusal, usual]}) as hop, peer() as other:
            out = relay(hop.host, other.host)
            result = await out.send(envelope(), DATA)
            again = await out.send(envelope(), DATA)
            await out.close()
            return hop, other, result, again

    hop, other, result, again = run(main())
    assert codes(result) == [reply]
    assert codes(again) == [["250", "2.0.0"]]
    assert (other.connections, hop.connections) == (0, 1)
    # A server that says 354 without a recipient gets the lone dot of RFC 2920 3.1 and nothing else.
    assert [data for _, _, data in hop.messages if data] == [DATA]


@pytest.mark.parametrize("extensions", [("PIPELINING",), ("CHUNKING",)])
def test_a_break_after_the_message_is_temporary_and_not_retried(run, peer, extensions):
    async def main():
        async with peer(extensions, BODY=peer.CLOSE) as hop, peer() as other:
            out = relay(hop.host, other.host)
            result = await out.send(envelope("1@x.test", "2@x.test"), DATA)
            await out.close()
            return hop, other, result

    hop, other, result = run(main())
    assert codes(result) == [["451", "4.4.2"]] * 2
    assert (hop.connections, other.connections, result.to) == (1, 0, hop.host)


def test_421_instead_of_the_last_reply_is_passed_on_as_451(run, peer):
    async def main():
        async with peer(BODY=(b"421 4.3.2 Shutting down\r\n", peer.CLOSE)) as hop:
            out = relay(hop.host)
            result = await out.send(envelope(), DATA)
            await out.close()
            return result

    result = run(main())
    assert codes(result) == [["451", "4.3.2"]]
    assert result.replies[0].text == "Shutting down"


@pytest.mark.parametrize("verb", ["GREETING", "EHLO", "MAIL", "RCPT", "DATA", "BODY"])
def test_a_server_that_hangs_is_given_up(run, peer, verb):
    async def main():
        async with peer(**{verb: peer.HANG}) as hop:
            out = relay(hop.host, command_seconds=0.2, data_seconds=0.2)
            result = await out.send(envelope(), DATA)
            await out.close()
            return result

    assert codes(run(main())) == [["451", "4.4.2"]]


@pytest.mark.parametrize(
    "reply",
    [
        b"OK\r\n",
        b"250-\r\n" * 200,
        b"2" * 10_000,
        b"250-one\r\n550 two\r\n",
        b"999 x\r\n",
        b"250 a\r\n250 b\r\n250 c\r\n",
    ],
)
def test_a_garbled_reply_is_temporary(run, peer, reply):
    async def main():
        async with peer(MAIL=reply) as hop:
            out = relay(hop.host)
            result = await out.send(envelope(), DATA)
            await out.close()
            return hop, result

    hop, result = run(main())
    assert codes(result) == [["451", "4.5.0"]]
    assert hop.messages == []


def test_a_drip_of_bytes_does_not_buy_time(run, peer):
    async def main():
        async with peer(GREETING=(b"220-", peer.DRIP)) as hop:
            out = relay(hop.host, command_seconds=0.3)
            result = await out.send(envelope(), DATA)
            await out.close()
            return result

    assert codes(run(main())) == [["451", "4.4.2"]]


def test_back_off_answers_at_once_and_one_probe_ends_it(run, peer):
    async def main():
        hop = peer()
        hop.port = unused_port()
        out = relay(hop.host, backoff_seconds=0.2)
        first = await out.send(envelope(), DATA)
        async with hop:
            during = await out.send(envelope(), DATA)
            reached = hop.connections
            until = out.status()[0].until
            await asyncio.sleep((until - dt.datetime.now(dt.UTC)).total_seconds() + 0.05)
            probes = await asyncio.gather(*(out.send(envelope(), DATA) for _ in range(3)))
            after = await out.send(envelope(), DATA)
            await out.close()
        return codes(first), codes(during), reached, until, [codes(p) for p in probes], codes(after)

    first, during, reached, until, probes, after = run(main())
    assert first == during == [["451", "4.4.1"]]
    assert reached == 0
    assert until is not None
    assert until.tzinfo is not None
    assert sorted(probes) == [[["250", "2.0.0"]], [["451", "4.4.1"]], [["451", "4.4.1"]]]
    assert after == [["250", "2.0.0"]]


def test_the_first_host_is_preferred_again_once_it_is_back(run, peer):
    async def main():
        first = peer()
        first.port = unused_port()
        async with peer() as second:
            out = relay(first.host, second.host, connections=1, backoff_seconds=0.001)
            before = await out.send(envelope(), DATA)
            async with first:
                while (after := await out.send(envelope(), DATA)).to != first.host:
                    assert after.to == second.host
                # One connection is allowed, so that the idle one to the second host had to go.
                await second.heard("QUIT")
                await out.close()
        return before.to == second.host, codes(before), codes(after)

    assert run(main()) == (True, [["250", "2.0.0"]], [["250", "2.0.0"]])


def test_waiting_for_a_server_that_takes_few_connections_ends(run, peer):
    async def main():
        busy = b"421 4.7.0 Too many connections\r\n"
        async with peer(GREETING=[b"220 one\r\n", (busy, peer.CLOSE)], BODY=peer.HANG) as hop:
            out = relay(hop.host, command_seconds=0.2, data_seconds=1.0)
            first = asyncio.create_task(out.send(envelope(), DATA))
            await hop.heard("DATA")
            second = await out.send(envelope(), DATA)
            await out.close()
            return codes(second), codes(await first)

    # What refuses a connection says nothing of the message; its own words stay in the log.
    second, first = run(main())
    assert second == [["451", "4.3.2"]]
    assert first == [["451", "4.4.2"]]


@pytest.mark.parametrize("extensions", [(), ("PIPELINING",), ("PIPELINING", "CHUNKING")])
def test_whatever_a_server_does_no_message_that_was_taken_is_lost(run, peer, extensions):
    chance = random.Random(20)

    def moods(usual):
        bad = [
            peer.CLOSE,
            b"450 4.2.0 Later\r\n",
            b"550 5.7.1 No\r\n",
            (b"421 4.3.2 Bye\r\n", peer.CLOSE),
            b"junk\r\n",
        ]
        return [chance.choice(bad) if chance.random() < 0.1 else usual for _ in range(3000)]

    async def main():
        ok = b"250 2.0.0 OK\r\n"
        answers = {verb: moods(ok) for verb in ("MAIL", "RCPT", "BODY", "RSET")}
        async with peer(extensions, DATA=moods(b"354 go\r\n"), GREETING=moods(b"220 hi\r\n"), **answers) as hop:
            out = relay(hop.host, connections=5, backoff_seconds=0.0001, backoff_max_seconds=0.001)
            results = []
            for batch in range(30):
                names = [f"{batch}.{i}" for i in range(10)]
                sends = (out.send(envelope(f"a{n}@x.test", f"b{n}@x.test"), DATA) for n in names)
                results += zip(names, await asyncio.gather(*sends), strict=True)
            await out.close()
            return hop, results

    hop, results = run(main())
    arrived = {recipient for _, rcpts, data in hop.messages if data == DATA for recipient in rcpts}
    told = {
        f"{who}{name}@x.test"
        for name, result in results
        for who, reply in zip("ab", result.replies, strict=True)
        if reply.positive
    }
    assert told <= arrived
    assert 100 < len(told) < 600
    assert {len(result.replies) for _, result in results} == {2}


def test_more_recipients_than_rcptmax_go_in_several_transactions(run, peer):
    async def main():
        async with peer(("PIPELINING", "LIMITS RCPTMAX=2")) as hop:
            out = relay(hop.host)
            result = await out.send(envelope(*(f"{i}@x.test" for i in range(5))), DATA)
            await out.close()
            return hop, result

    hop, result = run(main())
    assert [rcpts for _, rcpts, _ in hop.messages] == [
        ["0@x.test", "1@x.test"],
        ["2@x.test", "3@x.test"],
        ["4@x.test"],
    ]
    assert codes(result) == [["250", "2.0.0"]] * 5


def test_too_many_recipients_go_in_a_further_transaction(run, peer):
    async def main():
        ok, full = b"250 ok\r\n", b"452 4.5.3 Too many\r\n"
        async with peer(RCPT=[ok, ok, full, b"550 5.1.1 Nobody\r\n", ok]) as hop:
            out = relay(hop.host)
            result = await out.send(envelope(*(f"{i}@x.test" for i in range(5))), DATA)
            await out.close()
            return hop, result

    hop, result = run(main())
    assert [rcpts for _, rcpts, _ in hop.messages] == [["0@x.test", "1@x.test", "4@x.test"], ["2@x.test"]]
    assert [code for code, _ in codes(result)] == ["250", "250", "250", "550", "250"]


def test_452_for_everybody_is_the_reply(run, peer):
    async def main():
        async with peer(RCPT=b"452 4.5.3 Too many\r\n") as hop:
            out = relay(hop.host)
            result = await out.send(envelope("1@x.test", "2@x.test"), DATA)
            await out.close()
            return hop, result

    hop, result = run(main())
    assert codes(result) == [["452", "4.5.3"]] * 2
    assert hop.connections == 1


def test_starttls_is_taken_where_offered(run, peer, certificate):
    _, context = certificate

    async def main():
        async with peer(("STARTTLS", "PIPELINING"), context) as hop:
            out = relay(hop.host)
            result = await out.send(envelope(), DATA)
            plain = relay(hop.host, tls="off")
            await plain.send(envelope(), DATA)
            await asyncio.gather(out.close(), plain.close())
            return hop, result

    hop, result = run(main())
    assert codes(result) == [["250", "2.0.0"]]
    assert hop.verbs()[:4] == ["EHLO", "STARTTLS", "EHLO", "MAIL"]
    assert hop.verbs().count("STARTTLS") == 1


@pytest.mark.parametrize("case", list(itertools.product(["localhost", "127.0.0.1"], [True, False], [False, True])))
def test_verified_tls_checks_the_certificate(run, peer, certificate, case):
    name, trusted, implicit = case
    pem, context = certificate

    async def main():
        how = {"implicit": context} if implicit else {"context": context, "extensions": ("STARTTLS",)}
        async with peer(**how) as hop:
            ca_file = str(pem) if trusted else ""
            out = relay(f"{name}:{hop.port}", tls="verified", ca_file=ca_file, implicit_tls=implicit)
            result = await out.send(envelope(), DATA)
            await out.close()
            return hop, result

    hop, result = run(main())
    assert codes(result) == [["250", "2.0.0"] if trusted else ["451", "4.7.5"]]
    assert len(hop.messages) == int(trusted)


def test_verified_tls_checks_the_host_name(run, peer, certificate):
    pem, context = certificate

    async def main():
        async with peer(("STARTTLS",), context, address="127.0.0.2") as hop:
            out = relay(hop.host, tls="verified", ca_file=str(pem))
            result = await out.send(envelope(), DATA)
            await out.close()
            return hop, result

    hop, result = run(main())
    assert codes(result) == [["451", "4.7.5"]]
    assert hop.messages == []


def test_verified_tls_insists_on_tls(run, peer):
    async def main():
        async with peer() as hop:
            out = relay(hop.host, tls="verified")
            result = await out.send(envelope(), DATA)
            await out.close()
            return hop, result

    hop, result = run(main())
    assert codes(result) == [["451", "4.7.4"]]
    assert "MAIL" not in hop.verbs()


def test_opportunistic_tls_goes_on_in_clear(run, peer, caplog):
    async def main():
        # What comes instead of a handshake is no TLS at all.
        answers = {"STARTTLS": (b"220 Go on\r\n", peer.CLOSE)}
        async with peer(("STARTTLS",), **answers) as hop:
            out = relay(hop.host)
            result = await out.send(envelope(), DATA)
            await out.close()
            return hop, result

    with caplog.at_level(logging.WARNING):
        hop, result = run(main())
    assert codes(result) == [["250", "2.0.0"]]
    assert hop.connections == 2
    assert "TLS failed" in caplog.text


def test_bytes_injected_before_tls_are_refused(run, peer, certificate):
    _, context = certificate

    async def main():
        async with peer(("STARTTLS",), context, STARTTLS=b"220 Go on\r\n250 injected\r\n") as hop:
            out = relay(hop.host)
            result = await out.send(envelope(), DATA)
            await out.close()
            return hop, result

    hop, result = run(main())
    assert codes(result) == [["451", "4.5.0"]]
    assert hop.messages == []


@pytest.mark.parametrize(
    "case",
    [
        ("AUTH LOGIN PLAIN", {"AUTH": b"235 2.7.0 Welcome\r\n"}, [b"AUTH PLAIN AHVzZXIAc2VjcmV0"]),
        (
            "AUTH=LOGIN",
            {
                "AUTH": b"334 VXNlcm5hbWU6\r\n",
                "DXNLCG==": b"334 UGFzc3dvcmQ6\r\n",
                "C2VJCMV0": b"235 2.7.0 Welcome\r\n",
            },
            [b"AUTH LOGIN", b"dXNlcg==", b"c2VjcmV0"],
        ),
    ],
)
def test_login(run, peer, tmp_path, case):
    extension, answers, said = case
    secret = tmp_path / "password"
    secret.write_text("secret\n")

    async def main():
        async with peer((extension,), **answers) as hop:
            out = relay(hop.host, username="user", password_file=str(secret))
            result = await out.send(envelope(), DATA)
            await out.close()
            return hop, result

    hop, result = run(main())
    assert hop.commands[1 : 1 + len(said)] == said
    assert codes(result) == [["250", "2.0.0"]]


def test_a_refused_login_is_temporary_and_the_next_host_is_tried(run, peer, tmp_path):
    secret = tmp_path / "password"
    secret.write_text("secret")

    async def main():
        bad = {"AUTH": b"535 5.7.8 Wrong\r\n"}
        async with peer(("AUTH PLAIN",), **bad) as hop, peer(("AUTH PLAIN",), AUTH=b"235 ok\r\n") as other:
            alone = relay(hop.host, username="user", password_file=str(secret))
            both = relay(hop.host, other.host, username="user", password_file=str(secret))
            results = await alone.send(envelope(), DATA), await both.send(envelope(), DATA)
            await asyncio.gather(alone.close(), both.close())
            return results

    alone, both = run(main())
    assert codes(alone) == [["451", "4.7.0"]]
    assert codes(both) == [["250", "2.0.0"]]


def test_close_lets_running_sends_finish(run, peer):
    async def main():
        async with peer(("PIPELINING",)) as hop:
            out = relay(hop.host, connections=2)
            sends = [asyncio.create_task(out.send(envelope(), DATA)) for _ in range(6)]
            await asyncio.sleep(0)
            await out.close()
            done = [task.done() for task in sends]
            return hop, done, [codes(task.result()) for task in sends]

    hop, done, results = run(main())
    assert all(done)
    assert results == [[["250", "2.0.0"]]] * 6
    assert hop.verbs().count("QUIT") == hop.connections


def test_an_idle_connection_is_closed_in_time(run, peer):
    async def main():
        async with peer() as hop:
            out = relay(hop.host, idle_seconds=0.05)
            await out.send(envelope(), DATA)
            await hop.heard("QUIT")
            await out.close()
            return hop

    assert run(main()).verbs()[-1] == "QUIT"


def test_a_cancelled_send_gives_its_slot_back(run, peer):
    async def main():
        async with peer(("PIPELINING",), BODY=[peer.HANG, b"250 2.0.0 OK\r\n"]) as hop:
            out = relay(hop.host, connections=1)
            task = asyncio.create_task(out.send(envelope(), DATA))
            await hop.heard("DATA")
            waiting = asyncio.create_task(out.send(envelope(), DATA))
            await asyncio.sleep(0)
            task.cancel()
            result = await waiting
            await out.close()
            return task.cancelled(), result

    cancelled, result = run(main())
    assert cancelled
    assert codes(result) == [["250", "2.0.0"]]


def test_a_large_message_arrives_whole(run, peer):
    data = b"Subject: big\r\n\r\n" + b".dots and text, 60 octets a line or so, again and again\r\n" * 200_000

    async def main():
        async with peer(("PIPELINING",)) as hop:
            out = relay(hop.host)
            result = await out.send(envelope(), data)
            await out.close()
            return hop, result

    hop, result = run(main())
    assert codes(result) == [["250", "2.0.0"]]
    assert hop.messages[0][2] == data


@pytest.mark.parametrize(
    ("settings", "named"),
    [
        ({"hosts": ()}, "hosts"),
        ({"hosts": ("a:b:c:0x",), "ca_file": "/nonexistent/ca.pem"}, "ca_file"),
        ({"hosts": ("mx:99999",)}, "host and port"),
        ({"hosts": ("mx",), "username": "u", "password_file": "/nonexistent/pw"}, "password_file"),
    ],
)
def test_settings_that_cannot_work_are_named(settings, named):
    with pytest.raises(ValueError, match=named):
        SmtpRelay(NextHopSettings(**settings), "gw.example.com")


def test_thousands_of_recipients_in_one_transaction(run, peer):
    async def main():
        async with peer(("PIPELINING",)) as hop:
            out = relay(hop.host)
            result = await out.send(envelope(*(f"{i}@x.test" for i in range(5000))), DATA)
            await out.close()
            return result

    result = run(main())
    assert len(result.replies) == 5000
    assert all(reply.code == 250 for reply in result.replies)


@pytest.mark.parametrize(
    "extensions", [("PIPELINING", "STARTTLS"), ("PIPELINING", "CHUNKING", "STARTTLS"), ("CHUNKING",)]
)
def test_a_large_message_in_pieces_arrives_whole(run, peer, certificate, extensions):
    data = b"Subject: big\r\n\r\n" + b".dots and text, 60 octets a line or so, again and again\r\n" * 200_000

    small = b"Subject: small\r\n\r\n.\r\n"

    async def main():
        async with peer(extensions, context=certificate[1]) as hop:
            out = relay(hop.host, tls="opportunistic")
            results = [await out.send(envelope(), octets) for octets in (data, small, data)]
            await out.close()
            return hop, results

    hop, results = run(main())
    assert [codes(result) for result in results] == [[["250", "2.0.0"]]] * 3
    assert [message[2] for message in hop.messages] == [data, small, data]
    assert hop.connections == 1


def test_a_large_message_is_looked_through_in_a_thread(run, peer, monkeypatch):
    seen = []

    def looking(data):
        seen.append(threading.current_thread() is threading.main_thread())
        return Content(data)

    monkeypatch.setattr("sekisho.act.relay.Content", looking)

    async def main():
        async with peer() as hop:
            out = relay(hop.host)
            await out.send(envelope(), b"a\r\n" * 100_000)
            await out.close()

    run(main())
    assert seen == [False]
