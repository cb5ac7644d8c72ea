"""The format of SMTP dialogs and the two things they run against: the core without I/O, and a live listener."""

import itertools
import operator
import random
import socket
import ssl
from dataclasses import dataclass, field
from ipaddress import ip_network
from pathlib import Path

from support.logins import DictAuthenticator

from sekisho.accept.login import Logins, failure_reply
from sekisho.accept.metrics import NoMetrics
from sekisho.config.settings import LimitSettings, ListenerSettings
from sekisho.mail.account import LoginAttempt, LoginFailure
from sekisho.mail.address import client_address
from sekisho.mail.envelope import Envelope, Tls
from sekisho.mail.reply import Reply
from sekisho.wire.sasl.steps import CheckPassword, CheckProof, GiveKeys
from sekisho.wire.smtp_auth import LoginAsked
from sekisho.wire.smtp_events import Ended, MailReceived, ServerOptions, TlsRequested, XclientApplied
from sekisho.wire.smtp_replies import FOREIGN_CLIENT
from sekisho.wire.smtp_server import SmtpServer
from sekisho.wire.smtp_xclient import XclientAttributes

HOSTNAME = "mx.example"
FOLDER = Path(__file__).parent
_ESCAPES = {"r": b"\r", "n": b"\n", "0": b"\0", "t": b"\t", "\\": b"\\"}
_LISTENER_OPTIONS = {"tls", "require_tls", "networks", "xclient_from", "proxy_protocol_from", "role", "mechanisms"}
_LISTENER_OPTIONS |= {"only", "split"}
PASSWORDS = {"test": "1234", "tim": "tanstaaftanstaaf", "user@example.com": "pencil"}
TOKENS = {"vF9dft4qmTc2Nvb3RlckBhbHRhdmlzdGEuY29tCg==": "user@example.com"}


def accounts():
    """Who may log in. The passwords are those of examples in RFC 4954, RFC 4616 and RFC 7677."""
    passwords = PASSWORDS | dict.fromkeys(("locked", "old", "away"), "secret")
    failures = {"locked": LoginFailure("locked"), "old": LoginFailure("change-password")}
    refused = {"away": LoginFailure("away"), "guessed": LoginFailure("throttled", 60.0)}
    return DictAuthenticator(passwords, TOKENS, failures, refused)


def unescape(text):
    """Bytes of a C or data line."""
    out, rest = b"", text
    while "\\" in rest:
        plain, _, rest = rest.partition("\\")
        out += plain.encode()
        if rest[0] == "x":
            out, rest = out + bytes.fromhex(rest[1:3]), rest[3:]
        else:
            out, rest = out + _ESCAPES[rest[0]], rest[1:]
    return out + rest.encode()


def parse_reply(text):
    """`550 5.7.1 No` as a Reply."""
    code, enhanced, words = text.split(" ", 2)
    return Reply(int(code), enhanced.partition(".")[2], words)


@dataclass
class Dialog:
    """A parsed file: settings, and steps of (letter, text)."""

    name: str
    options: dict = field(default_factory=dict)
    steps: list = field(default_factory=list)
    answers: list = field(default_factory=list)

    @property
    def limits(self):
        fields = {f: type(getattr(LimitSettings(), f)) for f in LimitSettings.__struct_fields__}
        return LimitSettings(**{k: fields[k](v) for k, v in self.options.items() if k in fields})

    @property
    def listener(self):
        """The listener settings that differ."""
        shown = {k: v for k, v in self.options.items() if k in _LISTENER_OPTIONS - {"only", "split"}}
        for key in ("networks", "xclient_from", "proxy_protocol_from", "mechanisms"):
            if key in shown:
                shown[key] = tuple(shown[key].split(","))
        if "require_tls" in shown:
            shown["require_tls"] = shown["require_tls"] == "true"
        return shown


def load(path):
    """Read a dialog. Raises ValueError for a line that is none."""
    dialog, times = Dialog(path.stem), 1
    for number, line in enumerate(path.read_text("utf-8").split("\n"), 1):
        if not line.strip() or line.startswith("#"):
            continue
        letter, mark, text = line[0], line[1:2], line[3:]
        if letter not in "OSCTEAP" or mark not in ":|" or (mark == "|" and letter != "C"):
            raise ValueError(f"{path.name}:{number}: {line!r}")
        if letter == "O":
            key, _, value = text.partition("=")
            if key not in _LISTENER_OPTIONS and key not in LimitSettings.__struct_fields__:
                raise ValueError(f"{path.name}:{number}: no setting {key}")
            dialog.options[key] = value
        elif letter == "A":
            dialog.answers.append(parse_reply(text))
        elif letter == "P":
            times = int(text)
        elif letter == "C":
            dialog.steps.append(("C", (unescape(text) + (b"\r\n" if mark == ":" else b"")) * times))
            times = 1
        else:
            dialog.steps.append((letter, text))
    return dialog


def all_dialogs():
    """Every dialog of the folder, by name."""
    return [load(path) for path in sorted(FOLDER.glob("*.dialog"))]


class CoreTarget:
    """The core with the smallest possible shell. `cut` turns bytes into pieces."""

    checks_mail = True

    def __init__(self, dialog, cut=lambda data: [data]):
        settings = dialog.listener
        submission = settings.get("role") == "submission"
        self.accounts = accounts()
        listener = ListenerSettings("test", "127.0.0.1:0", **settings)
        self.options = ServerOptions(
            hostname=HOSTNAME,
            limits=dialog.limits,
            starttls=settings.get("tls") == "starttls",
            require_tls=settings.get("require_tls", submission),
            xclient="xclient_from" in settings,
            mechanisms=Logins(self.accounts, NoMetrics()).allowed(listener),
            require_auth=submission,
        )
        self.server = SmtpServer(self.options)
        self.networks = settings.get("networks", ("0.0.0.0/0",) if submission else ("127.0.0.0/8",))
        self.answers = list(dialog.answers)
        self.said = XclientAttributes()
        self.client_ip = "127.0.0.1"
        self.output, self.mails, self.ended, self.cut = b"", [], False, cut
        if settings.get("tls") == "implicit":
            self.server.start_tls(Tls("TLSv1.3", "test"))
        self._welcome()
        self._collect()

    def _log_in(self, asked):
        """What `accept.login` does, without waiting."""
        question, attempt = asked.question, LoginAttempt(None, asked.mechanism, asked.question.login)
        if isinstance(question, CheckProof):
            found = self.accounts.proof_now(attempt, proved=question.proved)
        elif (refused := self.accounts.admit_now(attempt)) is not None:
            found = refused
        elif isinstance(question, GiveKeys):
            found = self.accounts.keys_now(attempt)
        elif isinstance(question, CheckPassword):
            found = self.accounts.password_now(attempt, question.password)
        else:
            found = self.accounts.token_now(attempt, question.token)
        return failure_reply(found, question) if isinstance(found, LoginFailure) else found

    def _welcome(self):
        inside = any(client_address(self.client_ip) in ip_network(n) for n in self.networks)
        self.server.greet() if inside or self.said.login else self.server.refuse_connection(FOREIGN_CLIENT)

    def send(self, data):
        for piece in self.cut(data):
            self.server.receive_data(piece)
            self._collect()

    def _collect(self):
        while True:
            event = self.server.next_event()
            self.output += self.server.data_to_send()
            if event is None and not self.server.output_full:
                return
            if isinstance(event, MailReceived):
                self.mails.append((self._session(), event.envelope, event.data))
                event = self.server.answer(self.answers.pop(0) if self.answers else Reply(250, "0.0", "Ok"))
                self.output += self.server.data_to_send()
            if isinstance(event, LoginAsked):
                event = self.server.answer_login(self._log_in(event))
                self.output += self.server.data_to_send()
            if isinstance(event, XclientApplied):
                self.said = event.attributes.over(self.said)
                self.client_ip = event.attributes.addr or self.client_ip
                self._welcome()
            if isinstance(event, Ended):
                self.ended = True
                return
            if isinstance(event, TlsRequested):
                return

    def _session(self):
        said, server = self.said, self.server
        return {
            "client_ip": self.client_ip,
            "helo": said.helo or server.helo,
            "account": said.login or (server.auth.login.account.login if server.auth.login else ""),
            "esmtp": str(said.proto == "ESMTP" if said.proto else server.esmtp).lower(),
            "tls": "yes" if server.tls else "no",
        }

    def line(self):
        line, found, self.output = self.output.partition(b"\r\n")
        return line.decode() if found else None

    def closed(self):
        return self.ended and not self.output

    def handshake(self):
        self.server.start_tls(Tls("TLSv1.3", "test"))

    def mail(self):
        return self.mails.pop(0) if self.mails else None

    def close(self):
        pass


class LiveTarget:
    """A listener at `address`. `mail` returns the next message that it received (None: there is none).

    Where `mail` itself is None the E lines are not checked: then `address` may be that of a whole gateway.
    """

    def __init__(self, address, mail=None, *, implicit_tls=False):
        self.socket = socket.create_connection(address, timeout=10)
        self.buffer = b""
        self._mail = mail
        self.checks_mail = mail is not None
        if implicit_tls:
            self.handshake()

    def handshake(self):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        self.socket = context.wrap_socket(self.socket)

    def send(self, data):
        self.socket.sendall(data)

    def line(self):
        while b"\r\n" not in self.buffer:
            try:
                data = self.socket.recv(65536)
            except ConnectionError:
                return None
            if not data:
                return None
            self.buffer += data
        line, _, self.buffer = self.buffer.partition(b"\r\n")
        return line.decode()

    def closed(self):
        return self.line() is None and not self.buffer

    def mail(self):
        return self._mail()

    def close(self):
        self.socket.close()


def run(dialog, target):
    """Run a dialog; AssertionError says where it differs."""
    position, closed = 0, False
    while position < len(dialog.steps):
        letter, text = dialog.steps[position]
        group = same_letter(dialog.steps[position:])
        where = f"{dialog.name}, step {position + 1} {letter}: {text!r}"
        position += len(group)
        if letter == "C":
            target.send(b"".join(group))
        elif letter == "T" and text == "starttls":
            target.handshake()
        elif letter == "E" and target.checks_mail:
            check_mail(group, target.mail(), where)
        elif letter == "S":
            closed = hear(group, target, where)
    if not closed:
        target.send(b"QUIT\r\n")
        hear(["221 2.0.0 Goodbye", "<closed>"], target, f"{dialog.name}: something is left over at the end")
    if target.checks_mail:
        assert target.mail() is None, f"{dialog.name}: a message too many"


def same_letter(steps):
    """The texts of the steps at the front that have one letter."""
    _, group = next(itertools.groupby(steps, key=operator.itemgetter(0)))
    return [text for _, text in group]


def hear(expected, target, where):
    """Compare our replies; True where the connection was to be closed, and is."""
    for text in expected:
        if text == "<closed>":
            assert target.closed(), where
            return True
        line = target.line()
        assert line is not None, f"{where}: nothing heard"
        same = line.startswith(text[:-3]) if text.endswith("...") else line == text
        assert same, f"{where}: heard {line!r}"
    return False


def check_mail(group, mail, where):
    """Compare the E lines of one message with what came out."""
    assert mail is not None, f"{where}: no message came out"
    session, envelope, data = mail
    wanted = [unescape(text[5:]) for text in group if text.startswith("data ")]
    if wanted:
        assert data == b"".join(wanted), f"{where}: data {data!r}"
    for text in group:
        kind, _, rest = text.partition(" ")
        pairs = [word.partition("=")[::2] for word in rest.split(" ")] if kind != "data" else []
        for key, value in pairs:
            seen = envelope_words(envelope) if kind == "mail" else session
            assert seen[key] == value, f"{where}: {key} is {seen[key]!r}"


def envelope_words(envelope: Envelope):
    """An envelope as E lines write it."""
    return {
        "from": f"<{envelope.mail_from or ''}>",
        "to": ",".join(f"<{address}>" for address in envelope.rcpt_to),
        "size": str(envelope.size),
        "body": str(envelope.body),
        "smtputf8": str(envelope.smtputf8).lower(),
        "ret": str(envelope.ret),
        "envid": str(envelope.envid),
        "notify": ",".join(str(r.notify) for r in envelope.recipients),
        "orcpt": ",".join(str(r.orcpt) for r in envelope.recipients),
    }


def bytewise(data):
    """Every byte alone."""
    return [data[i : i + 1] for i in range(len(data))]


def random_cut(seed):
    """Pieces of random length; the seed makes a failure repeatable."""
    chance = random.Random(seed)

    def cut(data):
        pieces, start = [], 0
        while start < len(data):
            size = chance.choice((1, 2, 3, 5, 17, 100, 4096))
            pieces.append(data[start : start + size])
            start += size
        return pieces

    return cut
