"""A submission listener on a loopback port, with accounts in a dictionary."""

import asyncio
import queue
import threading
from contextlib import contextmanager

import uvloop

from sekisho.accept.smtp import SmtpListener
from sekisho.config.settings import LimitSettings, ListenerSettings
from sekisho.mail.reply import Reply
from support.logins import DictAuthenticator

TARO, HANAKO = "taro@example.jp", "hanako@example.jp"
PASSWORDS = {TARO: "correct horse battery", HANAKO: "正しい馬"}
TOKENS = {"vF9dft4qmTc2Nvb3RlckBhbHRhdmlzdGEuY29tCg==": TARO}
OK = Reply(250, "0.0", "Ok")


class Running:
    """A listener in a thread of its own. `sessions` has the session of every message."""

    def __init__(self, listener, loop, port, sessions, hold):
        self.listener, self.port, self.sessions = listener, port, sessions
        self.go_on, self._loop = hold, loop

    def call(self, function):
        """Run something in the listener's loop."""

        async def called():
            return function()

        return asyncio.run_coroutine_threadsafe(called(), self._loop).result(10)


@contextmanager
def running(files, authenticator=None, tls="starttls", **more):
    sessions, hold = queue.SimpleQueue(), threading.Event()
    hold.set()
    ready, ended = queue.SimpleQueue(), asyncio.Event()

    async def receive(session, _envelope, _data):
        sessions.put(session)
        await asyncio.to_thread(hold.wait, 10)
        return OK

    async def serve():
        listener = SmtpListener(
            ListenerSettings(
                "submission",
                "127.0.0.1:0",
                role="submission",
                tls=tls,
                certificate=str(files[0]),
                private_key=str(files[1]),
                **more,
            ),
            LimitSettings(),
            "mx.example",
            receive,
            authenticator=authenticator or DictAuthenticator(PASSWORDS, TOKENS),
        )
        loop = asyncio.get_running_loop()
        server = await loop.create_server(listener.protocol_factory, "127.0.0.1", 0)
        ready.put(Running(listener, loop, server.sockets[0].getsockname()[1], sessions, hold))
        await ended.wait()
        server.close()
        await asyncio.wait_for(listener.drain(), 10)
        assert (listener.usage.connections, listener.usage.memory) == (0, 0)

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        thread = threading.Thread(target=runner.run, args=(serve(),))
        thread.start()
        gate = ready.get(timeout=10)
        try:
            yield gate
        finally:
            hold.set()
            gate.call(ended.set)
            thread.join(10)
