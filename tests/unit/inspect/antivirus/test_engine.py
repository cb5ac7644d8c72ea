import asyncio

import pytest
from support.engines import Engine

from sekisho.config.load import EngineAddress
from sekisho.inspect.antivirus.engine import EngineAwayError, EngineStream


class Scripted(Engine):
    def __init__(self, serve):
        super().__init__()
        self.serve = serve


def with_stream(serve, go):
    async def run():
        async with Scripted(serve) as server:
            stream = await EngineStream.open(EngineAddress(host="127.0.0.1", port=server.port))
            try:
                return await go(stream)
            finally:
                stream.close()

    return asyncio.run(run())


def line(data, kept=None):
    """A `receive` that takes what comes up to a line end."""
    kept = bytearray() if kept is None else kept
    kept += data
    return bytes(kept) if kept.endswith(b"\n") else None


def test_question_and_answer_in_pieces():
    async def serve(reader, writer):
        assert await reader.readexactly(6) == b"abcdef"
        for octet in b"yes\n":
            writer.write(bytes([octet]))
            await writer.drain()
        await reader.read()

    async def go(stream):
        kept = bytearray()
        answer = await stream.ask([b"abc", memoryview(b"def")], lambda data: line(data, kept))
        return answer, stream.usable

    assert with_stream(serve, go) == (b"yes\n", True)


def test_an_answer_before_everything_was_sent():
    """The engine reads no more; without reading at the same time, both would wait for ever."""

    async def serve(reader, writer):
        await reader.readexactly(10)
        writer.write(b"no\n")
        await writer.drain()
        await asyncio.Event().wait()

    async def go(stream):
        return await stream.ask((bytes(1_000_000) for _ in range(100)), line), stream.usable

    assert with_stream(serve, go) == (b"no\n", False)


def test_an_engine_that_answers_a_lot_while_it_is_sent_a_lot():
    """Both directions full: each side reads only while the other does."""
    size = 20_000_000

    async def serve(reader, writer):
        left = size
        while left:
            data = await reader.read(min(65_536, left))
            left -= len(data)
            writer.write(data)
            await writer.drain()
        await reader.read()

    async def go(stream):
        count = 0

        def receive(data):
            nonlocal count
            count += len(data)
            return "all" if count == size else None

        return await stream.ask((bytes(100_000) for _ in range(size // 100_000)), receive), stream.usable

    assert with_stream(serve, go) == ("all", True)


@pytest.mark.parametrize("said", [b"", b"half an ans"])
def test_the_connection_ends_without_an_answer(said):
    async def serve(reader, writer):
        await reader.readexactly(1)
        writer.write(said)

    async def go(stream):
        with pytest.raises(EngineAwayError) as caught:
            await stream.ask([b"x"], line)
        return caught.value.reached, stream.usable

    assert with_stream(serve, go) == (True, False)


def test_the_reason_is_read_after_the_engine_has_closed():
    """As clamd does it when a stream is too long."""

    async def serve(reader, writer):
        await reader.readexactly(1_000)
        writer.write(b"too long\n")
        await writer.drain()
        writer.write_eof()
        await asyncio.Event().wait()

    async def go(stream):
        kept = bytearray()
        answer = await stream.ask([bytes(1_000)] * 10, lambda data: line(data, kept))
        await asyncio.sleep(0)
        return answer

    assert with_stream(serve, go) == b"too long\n"


@pytest.mark.parametrize(
    "address", [EngineAddress(socket="/nonexistent/socket"), EngineAddress(host="127.0.0.1", port=9)]
)
def test_nobody_there(address):
    with pytest.raises(EngineAwayError, match="no connection: ") as caught:
        asyncio.run(EngineStream.open(address))
    assert not caught.value.reached
