import asyncio
import threading

import pytest
from msgspec.structs import replace
from support.attached import transaction

from sekisho.gateway import Checks
from sekisho.inspect.located import Values
from sekisho.mail.finding import Finding, Severity
from sekisho.mail.message import Text
from sekisho.mail.opened import File, Opened


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
