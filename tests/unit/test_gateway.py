import asyncio
import threading

import pytest
from msgspec.structs import replace
from support.attached import transaction

from sekisho.gateway import Checks
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
