"""A name server on a loopback port, over UDP and TCP, whose answers a test sets. It counts what it is asked."""

import asyncio
import contextlib

import dns.flags
import dns.message
import dns.rcode
import dns.rdatatype
import dns.rrset


class NameServer:
    """Inside the test's event loop. `zone` maps names ("a.example.") to addresses, an rcode ("REFUSED"), or None.

    None says nothing at all; names that are not there do not exist. `ttl` goes with every record; what is in
    `big` is cut off over UDP, so that the client has to come again over TCP.
    """

    def __init__(self, zone=None, ttl=300, big=()):
        self.zone = dict(zone or {})
        self.ttl = ttl
        self.big = set(big)
        self.asked = []
        self.over_tcp = 0
        self.port = 0
        self.paused = asyncio.Event()
        self.paused.set()
        self._tasks = set()

    @property
    def address(self):
        return f"127.0.0.1:{self.port}"

    async def __aenter__(self):
        loop = asyncio.get_running_loop()
        while True:  # one port for both
            self._server = await asyncio.start_server(self._stream, "127.0.0.1", 0)
            self.port = self._server.sockets[0].getsockname()[1]
            try:
                self._udp, _ = await loop.create_datagram_endpoint(
                    lambda: _Datagrams(self), local_addr=("127.0.0.1", self.port)
                )
            except OSError:
                self._server.close()
            else:
                return self

    async def __aexit__(self, *_):
        self._udp.close()
        self._server.close()
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def names(self):
        """The names that were asked for, without the dot at the end."""
        return [name.rstrip(".") for name in self.asked]

    def datagram(self, data, address):
        task = asyncio.create_task(self._reply(data, address))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _reply(self, data, address):
        if (reply := await self._answer(data, udp=True)) is not None:
            self._udp.sendto(reply, address)

    async def _stream(self, reader, writer):
        task = asyncio.current_task()
        self._tasks.add(task)
        try:
            with contextlib.suppress(OSError, asyncio.IncompleteReadError):
                while True:
                    size = int.from_bytes(await reader.readexactly(2), "big")
                    self.over_tcp += 1
                    reply = await self._answer(await reader.readexactly(size), udp=False)
                    if reply is not None:
                        writer.write(len(reply).to_bytes(2, "big") + reply)
        finally:
            self._tasks.discard(task)
            writer.close()

    async def _answer(self, data, *, udp):
        query = dns.message.from_wire(data)
        question = query.question[0]
        name = question.name.to_text().lower()
        self.asked.append(name)
        await self.paused.wait()
        reply = dns.message.make_response(query)
        said = self.zone.get(name, "NXDOMAIN")
        if callable(said):
            said = said(name)
        if said is None:
            return None
        if isinstance(said, str):
            reply.set_rcode(dns.rcode.from_text(said))
        elif udp and name in self.big:
            reply.flags |= dns.flags.TC
        elif said and question.rdtype == dns.rdatatype.A:
            reply.answer.append(dns.rrset.from_text(question.name, self.ttl, "IN", "A", *said))
        return reply.to_wire()


class _Datagrams(asyncio.DatagramProtocol):
    def __init__(self, server):
        self._server = server

    def datagram_received(self, data, addr):
        self._server.datagram(data, addr)
