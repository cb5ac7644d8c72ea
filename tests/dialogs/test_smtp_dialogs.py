"""Every dialog against the core (whole, byte by byte, in random pieces) and against a live listener on uvloop."""

import asyncio
import contextlib
import queue
import threading

import pytest
import smtp_dialog
import uvloop

from sekisho.accept.smtp import SmtpListener
from sekisho.config.settings import ListenerSettings
from sekisho.mail.reply import Reply

DIALOGS = smtp_dialog.all_dialogs()
CORE = [d for d in DIALOGS if d.options.get("only") != "live"]
SPLITTABLE = [d for d in CORE if d.options.get("split") != "no"]


def by_name(dialogs):
    return [pytest.param(dialog, id=dialog.name) for dialog in dialogs]


@pytest.mark.parametrize("dialog", by_name(CORE))
def test_core(dialog):
    smtp_dialog.run(dialog, smtp_dialog.CoreTarget(dialog))


@pytest.mark.parametrize("dialog", by_name(SPLITTABLE))
def test_core_byte_by_byte(dialog):
    smtp_dialog.run(dialog, smtp_dialog.CoreTarget(dialog, smtp_dialog.bytewise))


@pytest.mark.parametrize("dialog", by_name(SPLITTABLE))
@pytest.mark.parametrize("seed", range(5))
def test_core_in_random_pieces(dialog, seed):
    smtp_dialog.run(dialog, smtp_dialog.CoreTarget(dialog, smtp_dialog.random_cut(seed)))


@pytest.fixture(scope="module")
def loop():
    """An event loop of uvloop in a thread."""
    loop = uvloop.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    yield loop
    loop.call_soon_threadsafe(loop.stop)
    thread.join()
    loop.close()


class Live:
    """A listener for one dialog."""

    def __init__(self, dialog, certificate):
        self.mails = queue.SimpleQueue()
        self.answers = list(dialog.answers)
        tls = {"certificate": certificate} if "tls" in dialog.listener else {}
        settings = ListenerSettings(name="test", address="127.0.0.1:0", **dialog.listener, **tls)
        self.listener = SmtpListener(
            settings, dialog.limits, smtp_dialog.HOSTNAME, self.receive, authenticator=smtp_dialog.accounts()
        )

    async def receive(self, session, envelope, data):
        words = {
            "client_ip": session.client_ip,
            "helo": session.helo,
            "account": session.account or "",
            "esmtp": str(session.esmtp).lower(),
            "tls": "yes" if session.tls else "no",
        }
        self.mails.put((words, envelope, data))
        return self.answers.pop(0) if self.answers else Reply(250, "0.0", "Ok")

    async def start(self):
        loop = asyncio.get_running_loop()
        self.server = await loop.create_server(self.listener.protocol_factory, "127.0.0.1", 0)
        return self.server.sockets[0].getsockname()

    async def stop(self):
        self.server.close()
        await self.listener.drain()
        assert (self.listener.usage.connections, self.listener.usage.memory) == (0, 0)

    def next_mail(self):
        with contextlib.suppress(queue.Empty):
            return self.mails.get_nowait()
        return None


@pytest.mark.parametrize("dialog", by_name(DIALOGS))
def test_live(dialog, loop, certificate):
    async def made():
        return Live(dialog, str(certificate))

    live = asyncio.run_coroutine_threadsafe(made(), loop).result(10)
    address = asyncio.run_coroutine_threadsafe(live.start(), loop).result(10)
    try:
        implicit = dialog.listener.get("tls") == "implicit"
        target = smtp_dialog.LiveTarget(address, live.next_mail, implicit_tls=implicit)
        try:
            smtp_dialog.run(dialog, target)
        finally:
            target.close()
    finally:
        asyncio.run_coroutine_threadsafe(live.stop(), loop).result(10)
