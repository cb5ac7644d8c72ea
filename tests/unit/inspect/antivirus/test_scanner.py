"""An engine that comes and goes."""

import asyncio
import logging
from datetime import UTC, datetime
from functools import partial

import pytest
from support.engines import FakeClamd

from sekisho.config.load import EngineAddress
from sekisho.inspect.antivirus.clamd import ClamdConnection
from sekisho.inspect.antivirus.engine import EngineAwayError, EngineError
from sekisho.inspect.antivirus.pool import Pool
from sekisho.inspect.antivirus.scanner import Scanner


def scanner_of(server, seconds=5.0):
    address = EngineAddress(host="127.0.0.1", port=server.port)
    return Scanner("clam", Pool(partial(ClamdConnection.open, address), 4), seconds)


def with_scanner(go, engine=None, seconds=5.0):
    async def run():
        async with engine or FakeClamd() as server:
            scanner = scanner_of(server, seconds)
            try:
                return await go(scanner, server)
            finally:
                scanner.close()

    return asyncio.run(run())


def test_health_before_during_and_after(caplog):
    caplog.set_level(logging.INFO)

    async def go(scanner, server):
        before = scanner.health
        assert (before.name, before.up, before.version, before.error) == ("clam", False, "", "")
        up = await scanner.check()
        assert (up.up, up.version, up.error) == (True, "ClamAV 9/1", "")
        assert before.since <= up.since <= datetime.now(UTC)
        assert (await scanner.check()).since == up.since
        await server.stop()
        down = await scanner.check()
        assert (down.up, down.version) == (False, "ClamAV 9/1")
        assert down.error.startswith("no connection: ")
        assert down.since > up.since
        await server.start()
        again = await scanner.check()
        assert (again.up, again.error) == (True, "")
        assert again.since > down.since

    with_scanner(go)
    said = [record.getMessage() for record in caplog.records if "antivirus clam" in record.getMessage()]
    assert [message.rpartition(":")[0].partition(":")[0] for message in said] == [
        "antivirus clam answers",
        "antivirus clam",
        "antivirus clam answers",
    ]


def test_the_version_is_asked_once_for_all():
    async def go(scanner, server):
        versions = await asyncio.gather(*(scanner.version() for _ in range(100)))
        assert set(versions) == {"ClamAV 9/1"}
        await scanner.version()
        return server.connections, server.versions

    # Once when the connection is made, once as the question.
    assert with_scanner(go) == (1, 2)


def test_a_scan_waits_for_an_engine_that_is_restarted():
    async def go(scanner, server):
        await scanner.scan(b"one")
        await server.stop()
        waiting = asyncio.create_task(scanner.scan(b"two"))
        while scanner.health.up:
            await asyncio.sleep(0)
        assert not waiting.done()
        await server.start()
        assert (await waiting).threat is None
        return server.scanned, scanner.health.up

    assert with_scanner(go) == ([b"one", b"two"], True)


@pytest.mark.timeout(60)
def test_an_engine_that_has_been_away_for_long_is_not_waited_for():
    """A thousand waits of a tenth of a second would be over the test's own time."""

    async def go(scanner, server):
        await server.stop()
        for _ in range(2):
            with pytest.raises(EngineError):
                await scanner.scan(b"x")
        for _ in range(1000):
            with pytest.raises(EngineAwayError, match="no connection"):
                await scanner.scan(b"x")
        await server.start()
        assert (await scanner.check()).up
        await scanner.scan(b"y")

    with_scanner(go, seconds=0.1)


def test_a_scan_that_was_cut_off_is_made_once_more():
    replies = [b"", b"stream: OK"]

    async def go(scanner, server):
        assert (await scanner.scan(b"x")).threat is None
        return server.scanned

    assert with_scanner(go, FakeClamd(lambda content: replies.pop(0))) == [b"x", b"x"]


def test_content_that_ends_every_connection_is_given_up():
    async def go(scanner, server):
        with pytest.raises(EngineAwayError, match="closed the connection"):
            await scanner.scan(b"x")
        return server.scanned

    assert with_scanner(go, FakeClamd(lambda content: b"")) == [b"x", b"x"]


def test_an_engine_that_hangs_is_seen_to_be_down():
    async def go(scanner, server):
        await scanner.check()
        with pytest.raises(EngineError, match="no answer within"):
            await scanner.scan(b"x")
        server.version = b""
        with pytest.raises(EngineAwayError):
            await scanner.version()
        return scanner.health.up

    assert with_scanner(go, FakeClamd(lambda content: None), seconds=0.1) is False


def test_an_error_about_content_does_not_mean_that_it_is_down():
    async def go(scanner, server):
        await scanner.check()
        with pytest.raises(EngineError, match="Can't allocate memory"):
            await scanner.scan(b"x")
        return scanner.health.up, scanner.health.error

    expected = (True, "the engine says: Can't allocate memory")
    assert with_scanner(go, FakeClamd(lambda content: b"stream: Can't allocate memory ERROR")) == expected
