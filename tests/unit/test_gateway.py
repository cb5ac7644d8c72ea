import asyncio
import contextlib
import threading

import pytest
from msgspec.structs import replace
from support.attached import transaction

from sekisho.gateway import Checks, Tenant
from sekisho.inspect.located import Values
from sekisho.mail.finding import Finding, Severity
from sekisho.mail.message import Text
from sekisho.mail.opened import File, Opened
from sekisho.parse import parse


class Opener:
    def __init__(self, *texts):
        self.files = tuple(File("2", "a.zip/b", "text", 1, "", texts=(Text(t, "attachment", "2"),)) for t in texts)

    async def open(self, opened):
        return replace(opened, opened=Opened(self.files))


class Where:
    name = "where"

    def inspect(self, _):
        self.thread = threading.current_thread()
        return ()


@pytest.mark.parametrize(
    ("body", "inside", "in_a_thread"),
    [("x", (), False), ("x" * 10_000, (), True), ("x", ("y",), False), ("x", ("y" * 3_000, "z" * 3_000), True)],
)
def test_what_takes_long_is_inspected_in_a_thread(body, inside, in_a_thread):
    where = Where()
    checks = Checks({}, Opener(*inside), (where,), (), 1.0, 5_000)
    asyncio.run(checks.inspect(transaction(body=body)))
    assert (where.thread is not threading.main_thread()) == in_a_thread


class Points(Where):
    """An inspector that finds something, and is asked where."""

    asked = None

    def inspect(self, _):
        return (Finding("dlp/x", Severity.LOW, part="2", path="a.zip/b"),)

    def locate(self, texts, _ids, _tenant):
        self.asked = threading.current_thread()
        return (Values(),) * len(texts)


@pytest.mark.parametrize(
    ("body", "files", "in_a_thread"), [("x", 1, False), ("x" * 10_000, 1, True), ("x", 500, True)]
)
def test_names_are_looked_through_where_the_message_was(body, files, in_a_thread):
    """Names count too: a small archive may hold very many."""
    points = Points()
    opener = Opener()
    opener.files = tuple(File("2", f"a.zip/number {i}", "text", 1, "") for i in range(files))
    checks = Checks({}, opener, (points,), (), 1.0, 5_000)
    asyncio.run(checks.inspect(transaction(body=body)))
    assert (points.asked is not threading.main_thread()) == in_a_thread
    assert points.asked is not None


@pytest.mark.parametrize(("octets", "in_a_thread"), [(100, False), (10_000, True)])
def test_a_big_message_is_parsed_in_a_thread(monkeypatch, octets, in_a_thread):
    seen = []

    def parsing(data):
        seen.append(threading.current_thread() is not threading.main_thread())
        return parse(data)

    monkeypatch.setattr("sekisho.gateway.parse", parsing)
    checks = Checks({"default": Tenant(None, frozenset())}, Opener(), (), (), 1.0, 5_000)
    given, data = transaction(), b"Subject: x\r\n\r\n" + b"y" * octets
    read = asyncio.run(checks.take(given.session, given.envelope, data))
    assert (read.message.raw, read.session, read.envelope) == (data, given.session, given.envelope)
    assert seen == [in_a_thread]


def test_what_fails_in_the_parsers_thread_is_the_callers(monkeypatch):
    def failing(_):
        raise MemoryError("in a thread")

    monkeypatch.setattr("sekisho.gateway.parse", failing)
    checks = Checks({"default": Tenant(None, frozenset())}, Opener(), (), (), 1.0, 5_000)
    with pytest.raises(MemoryError, match="in a thread"):
        asyncio.run(checks.take(transaction().session, transaction().envelope, b"y" * 10_000))


class Counting:
    """Turns that are taken, small and large ones."""

    def __init__(self):
        self.taken = []

    @contextlib.asynccontextmanager
    async def turn(self, session, envelope, *, large):
        self.taken.append((session.tenant, envelope.mail_from, large))
        yield

    asking = None


@pytest.mark.parametrize(("octets", "large"), [(10, False), (10_000, True)])
def test_work_is_done_in_turns(octets, large):
    turns = Counting()
    checks = Checks({"default": Tenant(None, frozenset())}, Opener(), (Points(),), (), 1.0, 5_000, turns=turns)
    given = transaction()

    async def test():
        read = await checks.take(given.session, given.envelope, b"Subject: x\r\n\r\n" + b"y" * octets)
        await checks.inspect(read)

    asyncio.run(test())
    # parsing, inspecting, and looking for the values that names may show
    assert turns.taken == [(given.session.tenant, given.envelope.mail_from, large)] * 3


@pytest.mark.parametrize(("header", "recipients", "large"), [(10, 1, False), (40_000, 1, True), (10, 1_000, True)])
def test_giant_headers_and_many_recipients_are_large(header, recipients, large):
    turns = Counting()
    checks = Checks({"default": Tenant(None, frozenset())}, Opener(), (), (), 1.0, 262_144, turns=turns)
    given = transaction()
    envelope = replace(given.envelope, recipients=given.envelope.recipients[:1] * recipients)
    data = b"Subject: x\r\nX-Pad: " + b"y" * header + b"\r\n\r\nhello\r\n"
    asyncio.run(checks.take(given.session, envelope, data))
    assert [taken[2] for taken in turns.taken] == [large]
