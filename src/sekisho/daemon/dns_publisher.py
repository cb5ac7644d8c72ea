"""Puts records of DKIM keys into the DNS and takes them out: dynamic update (RFC 2136) with TSIG (RFC 8945)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Literal

import dns.asyncquery
import dns.exception
import dns.message
import dns.name
import dns.rcode
import dns.rdata
import dns.rdataclass
import dns.rdatatype
import dns.tsig
import dns.update

from sekisho.config.signing_checks import secret_in, server_of
from sekisho.config.signing_settings import DnsUpdateSettings
from sekisho.mail.signing_key import SigningKey
from sekisho.mailauth.key_making import record_strings

Published = Literal["done", "there"]


class PublishError(Exception):
    """An update was not made; the text says why."""


class DnsPublisher:
    """For a tenant's zones. `path` makes the settings' paths absolute."""

    def __init__(self, updates: Sequence[DnsUpdateSettings], path: Callable[[str], Path]) -> None:
        self._updates = sorted(updates, key=lambda update: -update.zone.count("."))
        self._path = path

    def serves(self, key: SigningKey) -> bool:
        """Whether a key's record is in one of the zones."""
        return self._zone(key) is not None

    async def publish(self, key: SigningKey) -> Published:
        """Add a key's record; "there" where its name has a TXT record already, which stays. Raises PublishError.

        Source: RFC 2136 2.4.3, 2.5.1.
        """
        zone = self._must(key)
        update = self._update(zone)
        name = dns.name.from_text(key.record_name)
        update.absent(name, dns.rdatatype.TXT)
        update.add(name, zone.ttl, _rdata(key))
        code = await self._sent(zone, update)
        if code == dns.rcode.YXRRSET:
            return "there"
        return _done(code, zone)

    async def withdraw(self, key: SigningKey) -> Published:
        """Take out a key's record, and nothing else that stands under its name. Raises PublishError.

        Source: RFC 2136 2.5.4.
        """
        zone = self._must(key)
        update = self._update(zone)
        update.delete(dns.name.from_text(key.record_name), _rdata(key))
        return _done(await self._sent(zone, update), zone)

    def _zone(self, key: SigningKey) -> DnsUpdateSettings | None:
        return next((z for z in self._updates if f".{key.record_name}".endswith(f".{z.zone}")), None)

    def _must(self, key: SigningKey) -> DnsUpdateSettings:
        zone = self._zone(key)
        if zone is None:
            raise PublishError(f"no zone for {key.record_name}")
        return zone

    def _update(self, zone: DnsUpdateSettings) -> dns.update.UpdateMessage:
        try:
            secret = secret_in(zone, self._path)
        except (OSError, ValueError) as error:
            raise PublishError(f"the secret of {zone.key_name} cannot be read: {error}") from error
        key = dns.tsig.Key(zone.key_name, secret, zone.algorithm)
        return dns.update.UpdateMessage(zone.zone, keyring=key)

    @staticmethod
    async def _sent(zone: DnsUpdateSettings, update: dns.update.UpdateMessage) -> dns.rcode.Rcode:
        host, port = server_of(zone)
        try:
            answer = await dns.asyncquery.tcp(update, host, zone.timeout_seconds, port)
        except (dns.exception.DNSException, OSError, EOFError) as error:
            raise PublishError(f"{zone.server}: {str(error) or type(error).__name__}") from error
        if not answer.had_tsig:
            raise PublishError(f"{zone.server}: an answer without a signature ({dns.rcode.to_text(answer.rcode())})")
        return answer.rcode()


def _rdata(key: SigningKey) -> dns.rdata.Rdata:
    text = " ".join(f'"{part}"' for part in record_strings(key))
    return dns.rdata.from_text(dns.rdataclass.IN, dns.rdatatype.TXT, text)


def _done(code: dns.rcode.Rcode, zone: DnsUpdateSettings) -> Published:
    if code != dns.rcode.NOERROR:
        raise PublishError(f"{zone.server}: {dns.rcode.to_text(code)}")
    return "done"
