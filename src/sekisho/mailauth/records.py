"""Records of the DNS, asked of recursive name servers and remembered as long as they may be."""

from __future__ import annotations

import asyncio
import re
import time
from ipaddress import ip_address
from typing import TYPE_CHECKING, Any

import dns.edns
import dns.exception
import dns.flags
import dns.message
import dns.name
import dns.rcode
import dns.rdatatype
import dns.resolver

from sekisho.mail.dns import Mx, Records, RecordStatus, RecordType, Tlsa
from sekisho.mailauth.record_cache import RecordCache

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dns.rrset import RRset

_LONGEST_NAME = 253  # RFC 1035 2.3.4
_LONGEST_LABEL = 63
_PAYLOAD = 1232  # octets over UDP that no path cuts up
_ROUNDS = 2
_LEAST_SECONDS = 0.05  # for one try
_MOST_VALUES = 500
_MOST_ALIASES = 16
_MOST_SECONDS = 86_400.0
_MOST_NEGATIVE_SECONDS = 10_800.0  # RFC 2308 5: one to three hours
_NEGATIVE_SECONDS = 60.0  # where the name server sends no SOA record
_FAILED_SECONDS = 5.0  # RFC 2308 7: at most five minutes
_SERVER = re.compile(r"\[?([0-9A-Fa-f.:]+?)\]?(?::([0-9]{1,5}))?")
_BOGUS = frozenset((5, 6, 7, 8, 9, 10, 11, 12))  # RFC 8914 4.6 to 4.13: DNSSEC


class DnsRecords:
    """Asks recursive name servers: `name_servers` ("192.0.2.1:53", "[2001:db8::1]:53"), or the system's where ().

    A question takes `timeout_seconds` at most, over all servers and tries. Equal questions at one time are asked
    once; `entries` answers are remembered, by their time to live, absence after RFC 2308 5. Implements
    `mail.ports.RecordResolver`; belongs to the event loop that it is first used in.
    """

    def __init__(
        self,
        name_servers: Sequence[str] = (),
        timeout_seconds: float = 5.0,
        entries: int = 10_000,
        most_octets: int = 32_000_000,
    ) -> None:
        self._given = tuple(name_servers)
        self._servers: tuple[tuple[str, int], ...] | None = None
        self._timeout = timeout_seconds
        self._cache = RecordCache(entries, most_octets)
        self._waiting: dict[tuple[str, RecordType], asyncio.Future[Records]] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    async def records(self, name: str, kind: RecordType) -> Records:
        """The records of a name, from memory where they are still valid; `ttl` is what is left of it."""
        asked = name.removesuffix(".").lower()
        wire = _name(asked)
        if wire is None:
            return Records("bad")
        key = (asked, kind)
        if (known := self._cache.get(key, time.monotonic())) is not None:
            return known
        waiting = self._waiting.get(key)
        if waiting is None:
            waiting = self._waiting[key] = asyncio.get_running_loop().create_future()
            task = asyncio.create_task(self._fetch(key, wire, waiting))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        return await asyncio.shield(waiting)

    async def close(self) -> None:
        """Give up what is under way; those who wait for it get "away"."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        for waiting in self._waiting.values():  # of tasks that had not begun
            if not waiting.done():
                waiting.set_result(Records("away"))
        self._waiting.clear()

    async def _fetch(
        self, key: tuple[str, RecordType], name: dns.name.Name, waiting: asyncio.Future[Records]
    ) -> None:
        """Ask, remember, and tell all who wait; also when it is given up."""
        answer = Records("away")
        try:
            answer = await self._ask(name, key[1])
            self._cache.put(key, answer, time.monotonic())
        finally:
            self._waiting.pop(key, None)
            if not waiting.done():
                waiting.set_result(answer)

    async def _ask(self, name: dns.name.Name, kind: RecordType) -> Records:
        """The first answer of a server that would say, else the best excuse there was."""
        until = time.monotonic() + self._timeout
        excuse = Records("away", ttl=0.0)
        servers = self._asked()
        left = len(servers) * _ROUNDS
        for server in servers * _ROUNDS:
            seconds = until - time.monotonic()
            if seconds <= 0:
                break
            answer = await _answer(server, name, kind, max(seconds / left, min(_LEAST_SECONDS, seconds)), seconds)
            left -= 1
            if answer.status not in ("away", "refused", "bad"):
                return answer
            if excuse.status == "away":
                excuse = answer
        return excuse

    def _asked(self) -> tuple[tuple[str, int], ...]:
        if self._servers is None:
            servers = [_server(text) for text in self._given] if self._given else _of_the_system()
            self._servers = tuple(server for server in servers if server)
        return self._servers


def _server(text: str) -> tuple[str, int] | None:
    match = _SERVER.fullmatch(text)
    if match is None:
        return None
    if text.count(":") > 1 and not text.startswith("["):
        return text, 53
    return match[1], int(match[2] or 53)


def _of_the_system() -> list[tuple[str, int]]:
    try:
        return [(str(server), 53) for server in dns.resolver.Resolver().nameservers]
    except (dns.exception.DNSException, OSError):
        return []


def _name(text: str) -> dns.name.Name | None:
    """A name of any ASCII octets; None where there is no such name."""
    labels = text.split(".")
    if not text.isascii() or len(text) > _LONGEST_NAME or not all(0 < len(one) <= _LONGEST_LABEL for one in labels):
        return None
    return dns.name.Name([*(label.encode() for label in labels), b""])


async def _answer(
    server: tuple[str, int], name: dns.name.Name, kind: RecordType, seconds: float, left: float
) -> Records:
    """What one server says within `seconds` over UDP; over TCP, when that is cut off, within all that is `left`."""
    started = time.monotonic()
    query = dns.message.make_query(name, kind, use_edns=0, payload=_PAYLOAD)
    query.flags |= dns.flags.AD  # RFC 6840 5.7: says that the bit is understood, without asking for signatures
    try:
        reply = await asyncio.wait_for(_over_udp(server, query), seconds)
        if reply.flags & dns.flags.TC:  # RFC 7766 5
            reply = await asyncio.wait_for(_over_tcp(server, query), left - (time.monotonic() - started))
    except (TimeoutError, OSError, EOFError):
        return Records("away")
    except (dns.exception.DNSException, ValueError, OverflowError):
        return Records("bad")
    return read_reply(reply, kind)


class _Exchange(asyncio.DatagramProtocol):
    """One question over UDP; `reply` gets the first datagram that answers it, whatever else comes."""

    def __init__(self, query: dns.message.Message) -> None:
        self.reply: asyncio.Future[dns.message.Message] = asyncio.get_running_loop().create_future()
        self._query = query

    def datagram_received(self, data: bytes, addr: tuple[str | Any, int]) -> None:  # noqa: ARG002 - connected
        """A datagram of the server, or of somebody who claims to be it."""
        if not self.reply.done() and (message := _parsed(data, self._query)):
            self.reply.set_result(message)

    def error_received(self, exc: Exception) -> None:
        """Nobody listens there."""
        if not self.reply.done():
            self.reply.set_exception(exc)


async def _over_udp(server: tuple[str, int], query: dns.message.Message) -> dns.message.Message:
    loop = asyncio.get_running_loop()
    transport, exchange = await loop.create_datagram_endpoint(lambda: _Exchange(query), remote_addr=server)
    try:
        transport.sendto(query.to_wire())
        return await exchange.reply
    finally:
        transport.close()


async def _over_tcp(server: tuple[str, int], query: dns.message.Message) -> dns.message.Message:
    reader, writer = await asyncio.open_connection(*server)
    try:
        wire = query.to_wire()
        writer.write(len(wire).to_bytes(2, "big") + wire)
        size = int.from_bytes(await reader.readexactly(2), "big")
        message = _parsed(await reader.readexactly(size), query)
    finally:
        writer.close()
    if message is None:
        raise ValueError("no reply to this question")
    return message


def _parsed(data: bytes, query: dns.message.Message) -> dns.message.Message | None:
    """A reply to the query; records that are malformed are left out of it. None for anything else."""
    try:
        message = dns.message.from_wire(data, ignore_trailing=True, continue_on_error=True)
        return message if query.is_response(message) else None
    except Exception:  # noqa: BLE001 - whatever a name server can make the library raise
        return None


def read_reply(reply: dns.message.Message, kind: RecordType) -> Records:
    """What a reply says of its question. Raises nothing. Source: RFC 1034 4.3.1, RFC 2308 2."""
    secure = bool(reply.flags & dns.flags.AD)
    code = reply.rcode()
    if code not in (dns.rcode.NOERROR, dns.rcode.NXDOMAIN):
        return Records(_refusal(reply), ttl=_FAILED_SECONDS if code == dns.rcode.SERVFAIL else 0.0)
    aliases, found, ttl = _followed(reply, kind)
    if found is None and len(aliases) >= _MOST_ALIASES:
        return Records("bad")
    if found is None and reply.errors:
        return Records("bad")  # what there was is malformed
    if found is None or code == dns.rcode.NXDOMAIN:
        status: RecordStatus = "no-name" if code == dns.rcode.NXDOMAIN else "no-data"
        return Records(status, (), min(ttl, _negative_seconds(reply)), secure, aliases)
    try:
        values = tuple(_value(rdata) for rdata in list(found)[:_MOST_VALUES])
    except (ValueError, TypeError, AttributeError):
        return Records("bad")
    return Records("found", values, min(ttl, float(found.ttl)), secure, aliases)


def _refusal(reply: dns.message.Message) -> RecordStatus:
    told = {option.code for option in reply.options if isinstance(option, dns.edns.EDEOption)}
    return "bogus" if told & _BOGUS else "refused"


def _followed(reply: dns.message.Message, kind: RecordType) -> tuple[tuple[str, ...], RRset | None, float]:
    """The aliases from the question on, the records at their end, and the least time to live of the aliases."""
    wanted = dns.rdatatype.from_text(kind)
    sets = {(one.name, one.rdtype): one for one in reply.answer}
    name = reply.question[0].name if reply.question else dns.name.root
    aliases: list[str] = []
    ttl = _MOST_SECONDS
    while (name, wanted) not in sets and len(aliases) < _MOST_ALIASES:
        alias = sets.get((name, dns.rdatatype.CNAME))
        if alias is None:
            return tuple(aliases), None, ttl
        ttl = min(ttl, float(alias.ttl))
        name = alias[0].target
        aliases.append(_host(name))
    return tuple(aliases), sets.get((name, wanted)), ttl


def _negative_seconds(reply: dns.message.Message) -> float:
    """For how long there is nothing. Source: RFC 2308 5."""
    for one in reply.authority:
        if one.rdtype == dns.rdatatype.SOA:
            return min(float(one.ttl), float(one[0].minimum), _MOST_NEGATIVE_SECONDS)
    return _NEGATIVE_SECONDS


def _value(rdata: Any) -> str | bytes | Mx | Tlsa:
    match rdata.rdtype:
        case dns.rdatatype.TXT:
            return b"".join(rdata.strings)
        case dns.rdatatype.MX:
            return Mx(rdata.preference, _host(rdata.exchange))
        case dns.rdatatype.TLSA:
            return Tlsa(rdata.usage, rdata.selector, rdata.mtype, rdata.cert)
        case dns.rdatatype.A | dns.rdatatype.AAAA:
            return str(ip_address(rdata.address))
        case dns.rdatatype.SOA:
            return _host(rdata.mname)
        case _:
            return _host(rdata.target)


def _host(name: dns.name.Name) -> str:
    return name.to_text(omit_final_dot=True).lower() if name != dns.name.root else ""
