"""`sekisho first-message`: send a sample through a running gateway, and show where it went."""

from __future__ import annotations

import argparse
import email.policy
import io
import secrets
import smtplib
import zipfile
from base64 import b64encode
from datetime import UTC, datetime
from email.message import EmailMessage
from email.utils import format_datetime, make_msgid
from pathlib import Path
from typing import Any

from sekisho.cli.terms import CommandError, command, configuration_of, print_json
from sekisho.config.load import Configuration, host_and_port

_SECONDS = 30.0


def _looks_like_a_key() -> str:
    """Chance in the armour of a private key: no key, but what a detector of keys has to find."""
    chance = b64encode(secrets.token_bytes(144)).decode()
    lines = [chance[at : at + 64] for at in range(0, len(chance), 64)]
    return "\n".join(("-----BEGIN PRIVATE KEY-----", *lines, "-----END PRIVATE KEY-----"))


def _test_virus() -> bytes:
    """The test file that every virus scanner reports (eicar.org), in a ZIP in a ZIP; here in two pieces."""
    content = (r"X5O!P%@AP[4\PZX54(P^)7CC)7}$EICAR-STANDARD-" + "ANTIVIRUS-TEST-FILE!$H+H*").encode()
    for name in ("eicar.com", "inner.zip"):
        stream = io.BytesIO()
        with zipfile.ZipFile(stream, "w") as archive:
            archive.writestr(name, content)
        content = stream.getvalue()
    return content


SAMPLES: dict[str, tuple[str, str]] = {
    "plain": (
        "a harmless message: delivered",
        "これは Sekisho の最初の一通です。\nThe first message through Sekisho.\n",
    ),
    "secret": (
        "a private key in the text: held for approval",
        f"Here is the key for the server.\n\n{_looks_like_a_key()}\n",
    ),
    "virus": (
        "the virus scanners' test file in a ZIP in a ZIP: held in quarantine",
        "Please see the attached file.\n",
    ),
    "numbers": ("one Japanese individual number: delivered, with a finding", "個人番号は 1234 5678 9018 です。\n"),
}


def add_to(commands: Any) -> None:
    """Add `first-message`."""
    summary = "Send a sample message through the running gateway, and show where it went"
    parser = command(
        commands, "first-message", run, summary, "sekisho first-message --sample secret", prints_data=True
    )
    parser.add_argument("--sample", choices=sorted(SAMPLES), default="plain", help="default: plain")
    parser.add_argument("--to", metavar="ADDR", default="taro@example.net", help="default: taro@example.net")


def run(given: argparse.Namespace) -> int:
    """Send one sample. Returns 1 if it was refused."""
    configuration = configuration_of(given)
    code, text = send_sample(configuration.settings.listener[0].address, given.sample, given.to)
    if given.json:
        print_json({"code": code, "reply": text})
    else:
        print(accepted_text(configuration, (code, text)))
    return 0 if code < 400 else 1


def send_sample(address: str, name: str, to: str = "taro@example.net") -> tuple[int, str]:
    """Send a sample over SMTP. Returns the reply to the data. Raises CommandError where nobody answers."""
    host, port = host_and_port(address)
    sender = "hanako@example.com"
    message = _sample(name, sender, to)
    try:
        with smtplib.SMTP(_reachable(host), port, timeout=_SECONDS) as client:
            client.ehlo_or_helo_if_needed()
            client.mail(sender)
            client.rcpt(to)
            code, text = client.data(message)
    except (OSError, smtplib.SMTPException) as error:
        raise CommandError(f"{address}: {error} (is the gateway running? `make run` starts it)", 3) from error
    return code, text.decode("utf-8", "replace")


def accepted_text(configuration: Configuration, reply: tuple[int, str]) -> str:
    """The reply, and where the message is now, in words."""
    code, text = reply
    said = f"The gateway answered: {code} {text}"
    if code >= 400:
        return f"{said}\nIt was refused: your mail server would keep it, or tell its sender."
    hops = configuration.settings.tenant[configuration.settings.listener[0].tenant].next_hop
    if hops:
        return f"{said}\nIf policy let it go it is at the next hop; otherwise `sekisho hold list` shows it."
    sent = configuration.state_dir / "sent" / "new"
    files = sorted(sent.glob("*"), key=lambda file: file.stat().st_mtime) if sent.is_dir() else []
    if files and "Maildir" in text:
        return f"{said}\nIt was delivered: {_shown(files[-1])}"
    return f"{said}\nIt is held: `sekisho hold list` shows it."


def _sample(name: str, sender: str, to: str) -> bytes:
    message = EmailMessage(policy=email.policy.SMTP)
    message["From"] = f"Hanako <{sender}>"
    message["To"] = to
    message["Subject"] = f"Sekisho sample: {name}"
    message["Date"] = format_datetime(datetime.now(UTC))
    message["Message-ID"] = make_msgid(domain="example.com")
    message.set_content(SAMPLES[name][1], cte="base64")
    if name == "virus":
        message.add_attachment(_test_virus(), maintype="application", subtype="zip", filename="outer.zip")
    return message.as_bytes()


def _reachable(host: str) -> str:
    """An address to connect to for one that is listened on."""
    return {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104 - compared, not bound


def _shown(path: Path) -> str:
    """Relative where that is shorter."""
    try:
        return str(path.relative_to(Path.cwd()))
    except ValueError:
        return str(path)
