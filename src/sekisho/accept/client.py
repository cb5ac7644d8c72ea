"""Who is at the other end of a connection."""

from __future__ import annotations

from sekisho.accept.usage import Usage
from sekisho.config.settings import LimitSettings
from sekisho.mail.envelope import Session
from sekisho.mail.reply import Reply
from sekisho.wire.smtp_server import SmtpServer
from sekisho.wire.smtp_xclient import XclientAttributes


class Client:
    """A client as far as it is known.

    `peer_ip` is the socket's address, `front_ip` the one in a PROXY header (else the socket's), `ip` the one that a
    front end gave with XCLIENT (else `front_ip`). `usage` counts it under `ip`, from `known_as` to `leave`.
    """

    def __init__(self, session_id: str, usage: Usage) -> None:
        self.session_id = session_id
        self.peer_ip = self.front_ip = self.ip = ""
        self.said = XclientAttributes()
        self._usage = usage
        self._counted = False

    @property
    def known(self) -> bool:
        """Whether it was counted in: whether there is a dialog with it."""
        return self._counted

    def known_as(self, front_ip: str, limits: LimitSettings) -> Reply | None:
        """Take the address and count it; 421 where it has too many connections."""
        self.front_ip = self.ip = front_ip
        refusal = self._usage.enter(front_ip, limits)
        self._counted = refusal is None
        return refusal

    def vouched_for(self, attributes: XclientAttributes, limits: LimitSettings) -> Reply | None:
        """Take what a front end says; 421 where the client it names has too many connections."""
        self.said = attributes.over(self.said)
        client_ip = attributes.addr or self.ip
        if client_ip == self.ip:
            return None
        refusal = self._usage.enter(client_ip, limits)
        if refusal is None:
            self._usage.leave(self.ip)
            self.ip = client_ip
        return refusal

    def leave(self) -> None:
        """Count it out, if it was counted in."""
        if self._counted:
            self._usage.leave(self.ip)
        self._counted = False

    def session(self, server: SmtpServer, listener: str, tenant: str) -> Session:
        """The session as inspectors and policy see it. What the front end said outweighs what itself said.

        `tenant` is that of the client's address; who logs in brings his own.
        """
        said, login = self.said, None if self.said.login else server.auth.login
        return Session(
            id=self.session_id,
            client_ip=self.ip,
            helo=said.helo or server.helo,
            esmtp=said.proto == "ESMTP" if said.proto else server.esmtp,
            tls=server.tls,
            account=login.account.login if login else said.login or None,
            listener=listener,
            tenant=login.account.tenant if login else tenant,
            mechanism=login.mechanism if login else "",
        )
