"""A zone in a dict: a RecordResolver over it, and a real name server on a loopback port that serves the same dict.

    ZONE = {
        "example.com": {"TXT": ["v=spf1 mx -all"], "MX": [(10, "mx.example.com")], "A": ["192.0.2.1"]},
        "old.example.com": {"CNAME": ["example.com"]},
        "slow.example.com": "away",                      # nobody answers
        "half.example.com": {"TXT": "refused", "A": ["192.0.2.2"]},
        "lies.example.com": lambda kind: Records(...),   # whatever it says
    }

Names are lower case, without the last dot. A value of a type is a list, or a status of `mail.dns.Records`. TXT are
text or octets, or a tuple of them (the strings of one record); MX (preference, host); TLSA (usage, selector,
matching, data); SOA a host name. A name that is not there does not exist, unless another is below it.
"""

import contextlib
import ipaddress
import socket
import threading

import dnslib
from dnslib.server import BaseResolver, DNSServer

from sekisho.mail.dns import Mx, Records, Tlsa

_MOST_ALIASES = 8
_FAILURES = ("no-data", "no-name", "refused", "away", "bogus", "bad")


class ZoneResolver:
    """A RecordResolver over a zone. `asked` are the questions in order; `secure`: all of it is signed."""

    def __init__(self, zone, ttl=300.0, *, secure=False):
        self.zone = zone
        self.ttl = ttl
        self.secure = secure
        self.asked = []

    async def records(self, name, kind):
        self.asked.append((name, kind))
        return look(self.zone, name, kind, self.ttl, secure=self.secure)


def look(zone, name, kind, ttl=300.0, *, secure=False):
    """What a resolver with this zone answers."""
    name = name.lower().rstrip(".")
    aliases = []
    while True:
        node = zone.get(name)
        if callable(node):
            return node(kind)
        said = node if isinstance(node, str) else None if node is None else node.get(kind)
        if isinstance(said, str):
            return Records(said, (), ttl if said in ("no-data", "no-name") else 0.0, secure, tuple(aliases))
        if said:
            return Records("found", tuple(_value(kind, one) for one in said), ttl, secure, tuple(aliases))
        target = node.get("CNAME") if node else None
        if not target or kind == "CNAME":
            there = node is not None or any(other.endswith(f".{name}") for other in zone)
            return Records("no-data" if there else "no-name", (), ttl, secure, tuple(aliases))
        if len(aliases) >= _MOST_ALIASES:
            return Records("bad")
        name = target[0].lower().rstrip(".")
        aliases.append(name)


def _value(kind, value):
    if kind == "TXT":
        return b"".join(map(_octets, value)) if isinstance(value, tuple) else _octets(value)
    if kind == "MX":
        return Mx(value[0], value[1].lower().rstrip("."))
    if kind == "TLSA":
        return Tlsa(*value)
    if kind in ("A", "AAAA"):
        return str(ipaddress.ip_address(value))
    return str(value).lower().rstrip(".") if kind in ("PTR", "CNAME", "NS", "SOA") else str(value)


def _octets(value):
    return value.encode() if isinstance(value, str) else value


@contextlib.contextmanager
def served(zone, ttl=300, *, secure=False, soa_minimum=60, cut=()):
    """A name server for the zone, over UDP and TCP on one port, in threads of its own: yields a ServedZone.

    Names in `cut` are truncated over UDP. "away" says nothing, "refused" is SERVFAIL, "bogus" SERVFAIL with EDE 6.
    """
    resolver = ServedZone(zone, ttl, secure=secure, soa_minimum=soa_minimum, cut=cut)
    servers, threads = [], []
    try:
        while not servers:
            udp = DNSServer(resolver, address="127.0.0.1", port=0, logger=_Silent())
            port = udp.server.server_address[1]
            try:
                tcp = DNSServer(resolver, address="127.0.0.1", port=port, tcp=True, logger=_Silent())
            except OSError:
                udp.server.server_close()
                continue
            servers = [udp, tcp]
        threads = [threading.Thread(target=server.server.serve_forever, args=(0.01,)) for server in servers]
        for thread in threads:
            thread.start()
        resolver.address = f"127.0.0.1:{port}"
        yield resolver
    finally:
        for server, thread in zip(servers, threads, strict=True):
            server.server.shutdown()
            thread.join()
            server.server.server_close()


class ServedZone(BaseResolver):
    """What the server answers; `asked` are (name, type, protocol), `flags` whether AD was set and EDNS was there."""

    def __init__(self, zone, ttl, *, secure, soa_minimum, cut):
        self.zone = zone
        self.ttl = ttl
        self.secure = secure
        self.soa_minimum = soa_minimum
        self.cut = set(cut)
        self.asked = []
        self.flags = []
        self.address = ""

    def resolve(self, request, handler):
        name = b".".join(request.q.qname.label).decode("latin-1").lower()
        kind = dnslib.QTYPE[request.q.qtype]
        self.asked.append((name, kind, handler.protocol))
        self.flags.append((bool(request.header.ad), any(rr.rtype == dnslib.QTYPE.OPT for rr in request.ar)))
        answer = look(self.zone, name, kind)
        if answer.status == "away":
            raise dnslib.DNSError  # nothing is sent
        reply = request.reply()
        reply.header.ad = int(self.secure)
        if handler.protocol == "udp" and name in self.cut:
            reply.header.tc = 1
        elif answer.status in ("refused", "bogus", "bad"):
            reply.header.rcode = dnslib.RCODE.REFUSED if answer.status == "bad" else dnslib.RCODE.SERVFAIL
            if answer.status == "bogus":
                option = dnslib.EDNSOption(15, (6).to_bytes(2, "big"))
                reply.add_ar(dnslib.EDNS0(opts=[option], udp_len=1232))
        else:
            self._fill(reply, name, kind, answer)
        return reply

    def _fill(self, reply, name, kind, answer):
        owner = name
        for alias in answer.aliases:
            reply.add_answer(dnslib.RR(owner, dnslib.QTYPE.CNAME, ttl=self.ttl, rdata=dnslib.CNAME(alias)))
            owner = alias
        if answer.status == "found":
            for value in answer.values:
                rtype = getattr(dnslib.QTYPE, kind)
                reply.add_answer(dnslib.RR(owner, rtype, ttl=self.ttl, rdata=_rdata(kind, value)))
            return
        if answer.status == "no-name":
            reply.header.rcode = dnslib.RCODE.NXDOMAIN
        times = (1, 3600, 600, 86400, self.soa_minimum)
        reply.add_auth(
            dnslib.RR("example", dnslib.QTYPE.SOA, ttl=3600, rdata=dnslib.SOA("ns.example", "h.example", times))
        )


def _rdata(kind, value):  # noqa: PLR0911 - one a type
    match kind:
        case "A":
            return dnslib.A(value)
        case "AAAA":
            return dnslib.AAAA(value)
        case "TXT":
            return dnslib.TXT([value[i : i + 255] for i in range(0, len(value), 255)] or [b""])
        case "MX":
            return dnslib.MX(value.host or ".", value.preference)
        case "TLSA":
            return dnslib.RD(bytes((value.usage, value.selector, value.matching)) + value.data)
        case "SOA":
            return dnslib.SOA(value, "h.example", (1, 3600, 600, 86400, 60))
        case _:
            return getattr(dnslib, kind)(value)


class _Silent:
    def __getattr__(self, name):
        return lambda *arguments: None


def driven(coroutine):
    """The result of a coroutine that waits for nobody, as those over a ZoneResolver: without an event loop."""
    try:
        coroutine.send(None)
    except StopIteration as end:
        return end.value
    coroutine.close()
    raise AssertionError("it waits")


def free_port():
    """A port of UDP on loopback where nobody listens."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.bind(("127.0.0.1", 0))
        return sock.getsockname()[1]
