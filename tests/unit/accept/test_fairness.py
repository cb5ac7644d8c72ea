"""Whose mail is taken in hand: a slow next hop of one client does not keep the others out."""

import asyncio

from sekisho.accept.fairness import Fairness, path_of
from sekisho.config.flood_settings import FloodSettings
from sekisho.mail.envelope import Envelope, Recipient, Session
from sekisho.mail.reply import Reply

OK = Reply(250, "0.0", "Ok")


def of(client_ip="192.0.2.1", sender="a@b.example", **more):
    return Session("s", client_ip, tenant="t", **more), Envelope(sender, (Recipient("c@d.example"),))


def test_clients_by_network_or_login():
    assert path_of(*of()) == ("t", "192.0.2.0/24", "a@b.example")
    assert path_of(*of(sender=None)) == ("t", "192.0.2.0/24", "")
    assert path_of(*of(account="taro")) == ("t", "taro", "a@b.example")
    # taken from the reverse-path: a client would be as many as it names senders
    assert path_of(*of(account="taro", account_source="sender"))[1] == "192.0.2.0/24"


def test_a_client_whose_mail_hangs_leaves_places():
    async def test():
        fairness, hangs = Fairness(FloodSettings(messages_in_work=8), {}), asyncio.Event()

        async def receive(session, _envelope, _data):
            if session.client_ip == "192.0.2.1":
                await hangs.wait()
            return OK

        fair = fairness.receiving(receive)
        stuck = [asyncio.ensure_future(fair(*of(), b"x")) for _ in range(20)]
        await asyncio.sleep(0)
        assert await asyncio.wait_for(fair(*of("198.51.100.1"), b"x"), 5) == OK
        assert (fairness.in_work.running, fairness.in_work.waiting) in {(4, 16), (5, 16)}
        hangs.set()
        assert await asyncio.gather(*stuck) == [OK] * 20

    asyncio.run(test())


def test_turns_of_small_and_large_ones_are_apart():
    async def test():
        fairness = Fairness(FloodSettings(large_in_work=1), {})
        async with fairness.turn(*of(), large=True):
            async with fairness.turn(*of(), large=False), fairness.asking(*of()):
                pass
            waiting = asyncio.ensure_future(fairness.turn(*of(), large=True).__aenter__())
            await asyncio.sleep(0)
            assert not waiting.done()
        await asyncio.wait_for(waiting, 5)

    asyncio.run(test())
