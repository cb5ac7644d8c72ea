"""The plain Python relay that is measured beside the gateway: aiosmtpd in, aiosmtplib out, nothing in between.

python relay_aiosmtpd.py PORT NEXT_HOP_PORT (in the venv of requirements.txt)
"""

from __future__ import annotations

import asyncio
import sys

import aiosmtplib
import uvloop
from aiosmtpd.smtp import SMTP, Envelope, Session

MESSAGE_SIZE = 52_428_800


class Relay:
    """Hands each message to the next hop over a kept connection; its reply becomes ours."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.idle: list[aiosmtplib.SMTP] = []

    async def handle_DATA(self, _server: SMTP, _session: Session, envelope: Envelope) -> str:  # noqa: N802 - aiosmtpd
        """What aiosmtpd calls with the whole message."""
        client = self.idle.pop() if self.idle else await self.connect()
        content = envelope.original_content
        assert isinstance(content, bytes)
        try:
            await client.sendmail(envelope.mail_from or "", envelope.rcpt_tos, content)
        except aiosmtplib.SMTPException as error:
            client.close()
            return f"451 4.4.1 next hop: {error}"
        self.idle.append(client)
        return "250 2.0.0 OK"

    async def connect(self) -> aiosmtplib.SMTP:
        """A new connection to the next hop."""
        where = {"hostname": "127.0.0.1", "port": self.port, "local_hostname": "gw.example"}
        client = aiosmtplib.SMTP(**where, use_tls=False, start_tls=False)
        await client.connect()
        return client


async def main() -> None:
    """Serve until stopped."""
    port, next_hop = int(sys.argv[1]), int(sys.argv[2])
    handler, loop = Relay(next_hop), asyncio.get_running_loop()

    def protocol() -> SMTP:
        return SMTP(handler, hostname="gw.example", data_size_limit=MESSAGE_SIZE, loop=loop)

    server = await loop.create_server(protocol, "127.0.0.1", port, backlog=512)
    await server.serve_forever()


if __name__ == "__main__":
    uvloop.run(main())
