"""No value that was found stands in a log, the store, a metric, a notice, an audit record or an exception.

The message itself is kept encrypted, and leaves; that is its place. A report of a failed delivery (RFC 3464) returns
the sender's own message to the sender, and is no notice of ours.
"""

import asyncio
import base64
import contextlib
import json
import re
import unicodedata
import urllib.request
from email import message_from_bytes

import pytest
from msgspec.structs import replace
from support.archived import docx, with_attachments, zipped
from support.client import message, send
from support.gateway import RunningGateway, wait_for
from support.sink import Sink

from sekisho.daemon import compose
from sekisho.gateway import Gateway
from sekisho.inspect.samples import filled_in
from sekisho.mail.envelope import Envelope, Recipient, Session
from sekisho.record.metrics import Metrics

CARD, OTHER, NUMBER, IBAN = "4111111111111111", "5555555555554444", "123456789018", "DE89370400440532013000"
PASSWORD = "kT9vLq2xZrW4"
TOKEN = filled_in("{{github-token}}")
VALUES = (CARD, OTHER, NUMBER, IBAN, PASSWORD, TOKEN)
WIDE = "".join(chr(ord(c) + 0xFEE0) for c in CARD)

TEXT = (
    f"カード番号は {WIDE[:4]}－{WIDE[4:8]}－{WIDE[8:12]}－{WIDE[12:]} です。\r\nCard 5555-5555 5555 4444\r\n"
    f"個人番号: 1234 5678 9018\r\nIBAN DE89 3704 0044 0532 0130 00\r\npassword: {PASSWORD}\r\ntoken = {TOKEN}\r\n"
)
SUBJECT = f"card {CARD}"
POLICY = """
[[rule]]
name = "refused"
to = { address = "refused@example.net" }
when = { finding = "dlp/*" }
then = { disposition = "reject", notify = ["sender", "reviewer", "administrator"], log = true }

[[rule]]
name = "told"
to = { address = "told@example.net" }
when = { finding = "dlp/*" }
then = { disposition = "deliver", notify = ["sender", "reviewer", "administrator"], log = true }

[[rule]]
name = "masked"
to = { address = ["masked@example.net", "late@example.net"] }
when = { finding = "dlp/*" }
then = { disposition = "deliver", notify = ["sender", "reviewer"], modifications = [{ type = "redact" }] }
"""


def sections(port):
    return f"""
[record]
log_level = "debug"

[tenant.default]
domains = ["example.com"]
policy = ["policy.toml"]

[[tenant.default.next_hop]]
hosts = ["127.0.0.1:{port}"]

[tenant.default.notice]
reviewer = ["reviewer@example.com"]
approver = ["approver@example.com"]
administrator = ["administrator@example.com"]
"""


@pytest.fixture(scope="module")
def sink():
    with Sink() as running:
        running.behave = lambda verb, argument: "451 4.2.0 later" if argument == "late@example.net" else None
        yield running


@pytest.fixture(scope="module")
def gateway(tmp_path_factory, sink):
    folder = tmp_path_factory.mktemp("gateway")
    (folder / "policy.toml").write_text(POLICY)
    with RunningGateway(folder, sections=sections(sink.port), workers=1) as running:
        yield running


def raw_values(text):
    """Those of the values that stand in a text, however they are spaced."""
    plain = re.sub(r"[\s\-*_.\u2212]+", "", unicodedata.normalize("NFKC", text))
    return [value for value in VALUES if value in plain or value in text]


def in_octets(data):
    """As `raw_values`, for a file of any kind, with values in base64 too."""
    coded = [value for value in VALUES for offset in range(3) if _coded(value, offset) in data]
    return [*raw_values(data.decode("utf-8", "replace")), *raw_values(data.decode("utf-16-le", "replace")), *coded]


def _coded(value, offset):
    """The middle of a value in base64, where it begins `offset` octets into a group."""
    start = -offset % 3
    whole = value.encode()[start : start + (len(value) - start) // 3 * 3]
    return base64.b64encode(whole)


def mail(identity, to):
    """A message with values in every place that is looked at."""
    inner = zipped({f"card {OTHER}.docx": docx(TEXT)})
    link = f'<p>{TEXT}</p><a href="https://pay.example.org/?card={CARD}&token={TOKEN}">pay</a>'
    data = with_attachments(
        identity,
        (f"card {CARD}.zip", inner),
        ("list.csv", f"name,card\r\nA,{CARD}\r\nB,{OTHER}\r\n".encode()),
        ("page.html", link.encode()),
        body=TEXT,
        to=to,
    )
    return data.replace(f"Subject: {identity}".encode(), f"Subject: {SUBJECT}\r\nComments: card {OTHER}".encode())


def test_the_values_are_found_by_this_test():
    assert set(raw_values(TEXT)) == set(VALUES)
    assert set(in_octets(TEXT.encode())) == set(VALUES)
    assert CARD in in_octets(base64.b64encode(f"xx{CARD}".encode()))
    assert raw_values("41** **** **** **11, 55************44") == []


RECIPIENTS = ("held", "refused", "told", "masked", "late")


@pytest.fixture(scope="module")
def everything(gateway, sink):
    """Messages of every fate have passed, and what is said of them is written."""
    for name in RECIPIENTS:
        address = f"{name}@example.net"
        send(gateway.port, mail(name, address), recipients=[address])
        send(gateway.port, message(f"{name}-text", TEXT, to=address), recipients=[address])
    wait_for("a notice of each", lambda: len(notices(sink)) >= 12)
    wait_for("the metrics", lambda: "dlp" in metrics(gateway))
    return gateway


def metrics(gateway):
    with urllib.request.urlopen(f"http://127.0.0.1:{gateway.http_port}/metrics", timeout=10) as answer:
        return answer.read().decode()


def notices(sink):
    own = ("hanako@example.com", "reviewer@example.com", "approver@example.com", "administrator@example.com")
    return [message_from_bytes(data) for to, data in sink.received if set(to) & set(own)]


def test_notices_and_reports(everything, sink):
    for notice in notices(sink):
        whole = "\n".join((*(f"{k}: {v}" for k, v in notice.items()), notice.get_payload(decode=True).decode()))
        assert raw_values(whole) == []


def test_the_log(everything):
    log = everything.log.read_text()
    assert log.count('"event":"message"') == 2 * len(RECIPIENTS)
    assert raw_values(log) == []


def test_metrics(everything):
    assert raw_values(metrics(everything)) == []


def test_audit_records(everything):
    records = everything.json("audit", "search", "--sender", "hanako@example.com")
    assert len(records) == 2 * len(RECIPIENTS)
    assert raw_values(json.dumps(records, ensure_ascii=False)) == []
    paths = {finding["path"] for record in records for finding in record["findings"]}
    inner = f"card {CARD[:2]}{'*' * 12}{CARD[-2:]}.zip/card {OTHER[:2]}{'*' * 12}{OTHER[-2:]}.docx"
    assert inner in paths
    assert inner in everything.log.read_text()


def read_if_there(path):
    """A held message may go while the others are read."""
    with contextlib.suppress(FileNotFoundError):
        return path.read_bytes()
    return None


def test_everything_on_disk(everything):
    files = [path for path in everything.state_dir.rglob("*") if path.is_file()]
    assert any(path.name == "sekisho.db" for path in files)
    held = {path.name: in_octets(octets) for path in files if (octets := read_if_there(path)) is not None}
    assert held == {name: [] for name in held}


def test_what_commands_tell_of_kept_messages(everything):
    for row in everything.held("--state", "all"):
        (shown,) = everything.json("hold", "show", row["id"])
        for own in ("headers", "parts"):  # the message's, decrypted for who decides about it
            shown.pop(own, None)
        assert raw_values(json.dumps(shown, ensure_ascii=False)) == []


def test_check(everything, tmp_path):
    file = tmp_path / "mail.eml"
    file.write_bytes(mail("check", "masked@example.net"))
    for arguments in (("check", str(file)), ("check", "--json", str(file)), ("policy", "explain", str(file))):
        done = everything.run_cli(*arguments)
        assert done.returncode == 1
        assert raw_values(done.stdout + done.stderr) == []


class Raises:
    """An inspector, a look-up and a store that quote the message in their errors."""

    name = "raises"

    def inspect(self, transaction):
        int(transaction.message.subject)

    async def look_up(self, transaction):
        raise LookupError(transaction.message.parts[0].text)

    async def keep(self, _kept, data):
        raise RuntimeError(data.decode())


@pytest.mark.parametrize("fails", ["inspectors", "lookups", "store", "policy"])
def test_exceptions(fails, tmp_path, sink):
    """The real parts in this process, one of them broken."""
    config = tmp_path / "sekisho.toml"
    state = f'[gateway]\nhostname = "gate.example.com"\nstate_dir = "{tmp_path / "var"}"\n'
    (tmp_path / "policy.toml").write_text(POLICY)
    config.write_text(state + sections(sink.port).replace("[record]", f'[record]\nlog = "{tmp_path / "log"}"'))
    prepared, problems = compose.prepared_from(config)
    assert not problems
    reply = asyncio.run(_received(prepared, fails))
    assert reply.code in (250, 451)
    log = (tmp_path / "log").read_text()
    assert '"event":"message"' in log
    assert '"traceback"' in log
    assert raw_values(log) == []
    assert raw_values(str(reply)) == []
    for path in (p for p in (tmp_path / "var").rglob("*") if p.is_file()):
        assert in_octets(path.read_bytes()) == []


async def _received(prepared, fails):
    store = compose.open_store(prepared.configuration)
    recorder, journal = compose.recorder(prepared.configuration, store, Metrics.open(None))
    acting = compose.actions(prepared, store, Metrics.open(None))
    checking = compose.checking(prepared, b"key")
    checks = checking.checks
    if fails in ("inspectors", "lookups"):
        checks = replace(checks, **{fails: (*getattr(checks, fails), Raises())})
    elif fails == "store":
        acting.carry_out._store = Raises()
    else:
        checks = replace(checks, tenants={})
    gateway = Gateway(checks, acting.carry_out, recorder, store.trouble)
    if fails == "policy":
        gateway.checks = _Broken(checking.checks)
    try:
        envelope = Envelope("hanako@example.com", (Recipient("held@example.net"),))
        data = message("raised", TEXT).replace(b"Subject: raised", f"Subject: {SUBJECT}".encode())
        return await gateway.receive(Session("s", "127.0.0.1", tenant="default"), envelope, data)
    finally:
        await checking.close()
        store.close()
        journal.close()


class _Broken:
    """Checks whose decision raises with the message in its error."""

    def __init__(self, checks):
        self.take, self.inspect = checks.take, checks.inspect

    async def settle(self, transaction, _findings):
        raise ValueError(transaction.message.raw.decode())
