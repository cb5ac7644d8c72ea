import asyncio
import contextlib
import hashlib
import os
import random
import resource
import select
import signal
import stat
import struct
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest
import uvloop

from sekisho.sandbox import Sandbox, SandboxError, SandboxLimits

JOB = "support.sandbox_jobs:prepare"
SMALL = SandboxLimits(memory_bytes=200_000_000, cpu_seconds=1, wall_seconds=60.0, answer_bytes=1_000_000)
TESTS = Path(__file__).parents[2]


@pytest.fixture(params=[asyncio.new_event_loop, uvloop.new_event_loop], ids=["asyncio", "uvloop"])
def loop(request):
    with asyncio.Runner(loop_factory=request.param) as runner:
        yield runner


@contextlib.asynccontextmanager
async def sandbox(limits=SMALL, processes=2, job=JOB, configuration=b"the configuration"):
    it = Sandbox(job, configuration, limits, processes)
    try:
        yield it
    finally:
        await it.close(seconds=0)


async def refused(it, request):
    with pytest.raises(SandboxError) as caught:
        await it.run(request)
    return caught.value


def one(loop, request, limits=SMALL):
    """The error that a request ends with; the next job works."""

    async def run():
        async with sandbox(limits, processes=1) as it:
            error = await refused(it, request)
            assert await it.run(b"echo next") == b"next"
        return error

    return loop.run(run())


def children(pid):
    found = []
    for file in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            state, parent = file.read_text().rpartition(")")[2].split()[:2]
            if int(parent) == pid and state != "Z":
                found.append(int(file.parent.name))
    return found


async def child_of(pid):
    while not children(pid):
        await asyncio.sleep(0)
    return children(pid)[0]


def wait_until_gone(pid, seconds=20):
    """True once no such process runs; uses the kernel's notice, not time."""
    try:
        descriptor = os.pidfd_open(pid)
    except ProcessLookupError:
        return True
    poll = select.poll()
    poll.register(descriptor, select.POLLIN)
    gone = bool(poll.poll(seconds * 1000))
    os.close(descriptor)
    return gone


def open_descriptors(pid="self"):
    return len(list(Path(f"/proc/{pid}/fd").iterdir()))


def exists(pid):
    """Also as a zombie."""
    return Path(f"/proc/{pid}").exists()


def test_round_trip(loop):
    async def run():
        async with sandbox() as it:
            await it.start()
            assert await it.run(b"echo \x00\xff a") == b"\x00\xff a"
            assert await it.run(b"echo ") == b""
            assert await it.run(b"configuration") == b"the configuration"

    loop.run(run())


def test_starts_at_the_first_run(loop):
    async def run():
        async with sandbox() as it:
            assert it.confinement == ()
            assert await it.run(b"echo a") == b"a"
            assert "rlimits" in it.confinement

    loop.run(run())


def test_starting_is_no_wall_time(loop):
    """Nor is a job handed to a process that is not warm."""

    async def run():
        async with sandbox(SandboxLimits(wall_seconds=0.3), job="support.sandbox_jobs:prepare_for_long") as it:
            assert await asyncio.gather(it.run(b"echo a"), it.run(b"echo b")) == [b"a", b"b"]

    loop.run(run())


def test_fifty_at_once(loop):
    async def run():
        async with sandbox(processes=2) as it:
            await it.start()
            seen = []

            async def watch():
                while True:
                    seen.append(len(children(it._link.pid)))
                    await asyncio.sleep(0.001)

            watching = asyncio.create_task(watch())
            answers = await asyncio.gather(*(it.run(b"echo %d" % number) for number in range(50)))
            watching.cancel()
            assert answers == [b"%d" % number for number in range(50)]
            assert max(seen, default=0) <= 2

    loop.run(run())


def test_those_that_wait_go_in_order(loop):
    async def run():
        async with sandbox(processes=1) as it:
            times = await asyncio.gather(*(it.run(b"clock") for _ in range(10)))
            assert [float(at) for at in times] == sorted(float(at) for at in times)

    loop.run(run())


def test_big_request_and_answer(loop):
    async def run():
        limits = SandboxLimits(memory_bytes=300_000_000, answer_bytes=30_000_000)
        async with sandbox(limits) as it:
            octets = random.Random(1).randbytes(30_000_000)
            answer = await it.run(b"echo " + octets)
            assert hashlib.sha256(answer).digest() == hashlib.sha256(octets).digest()

    loop.run(run())


def test_loop_goes_on_while_a_big_request_is_written(loop):
    async def run():
        async with sandbox(SandboxLimits(memory_bytes=300_000_000, answer_bytes=30_000_000)) as it:
            await it.start()
            answer = asyncio.ensure_future(it.run(b"echo " + bytes(30_000_000)))
            turns = 0
            while not it._link._jobs:
                turns += 1
                await asyncio.sleep(0)
            assert turns > 20  # 30 MB, a megabyte at a time
            assert len(await answer) == 30_000_000

    loop.run(run())


def test_spawner_that_ends_while_a_request_is_written_is_replaced(loop):
    async def run():
        async with sandbox(SandboxLimits(memory_bytes=300_000_000, answer_bytes=30_000_000)) as it:
            await it.start()
            first, before = it._link, open_descriptors()
            answer = asyncio.ensure_future(it.run(b"echo " + bytes(30_000_000)))
            for _ in range(3):
                await asyncio.sleep(0)
            assert not first._jobs
            first._lose()
            assert len(await answer) == 30_000_000
            assert it._link is not first
            assert open_descriptors() == before

    loop.run(run())


def test_cancelled_while_its_request_is_written(loop):
    async def run():
        async with sandbox(processes=1) as it:
            await it.start()
            before = open_descriptors()
            answer = asyncio.ensure_future(it.run(b"echo " + bytes(30_000_000)))
            for _ in range(3):
                await asyncio.sleep(0)
            answer.cancel()
            with pytest.raises(asyncio.CancelledError):
                await answer
            assert open_descriptors() == before
            assert await it.run(b"echo next") == b"next"  # its slot is free

    loop.run(run())


def test_loop_goes_on_while_a_big_answer_comes(loop):
    async def run():
        async with sandbox(SandboxLimits(answer_bytes=60_000_000)) as it:
            await it.start()
            answer = asyncio.ensure_future(it.run(b"big 60000000"))
            turns = 0
            while not answer.done():
                turns += 1
                await asyncio.sleep(0)
            assert len(await answer) == 60_000_000
            assert turns > 50  # 60 MB come in many pieces

    loop.run(run())


@pytest.mark.parametrize("request_", [b"bomb", b"slow-bomb", b"native-bomb", b"native-exit"])
def test_memory(loop, request_):
    assert one(loop, request_).reason == "memory"


def test_request_counts_as_memory(loop):
    assert one(loop, b"echo " + bytes(300_000_000)).reason == "memory"


@pytest.mark.parametrize("request_", [b"spin", b"spin-deaf"])
def test_processor_time(loop, request_):
    assert one(loop, request_).reason == "cpu"


def test_wall_time(loop):
    error = one(loop, b"block", SandboxLimits(wall_seconds=0.5))
    assert str(error) == "time: no answer within 0.5 s"


def test_waiting_for_a_process_is_no_wall_time(loop):
    async def run():
        async with sandbox(SandboxLimits(wall_seconds=0.5), processes=1) as it:
            await it.start()
            blocked = [asyncio.ensure_future(refused(it, b"block")) for _ in range(2)]
            assert await it.run(b"echo last") == b"last"
            assert [(await error).reason for error in blocked] == ["time", "time"]

    loop.run(run())


def test_answer_size(loop):
    assert one(loop, b"big 1000001").reason == "answer-size"


def test_answer_of_exactly_the_limit(loop):
    async def run():
        async with sandbox() as it:
            assert len(await it.run(b"big 1000000")) == 1_000_000

    loop.run(run())


def test_answer_size_is_not_left_to_the_job(loop):
    header = struct.pack("<cQ", b"A", 1 << 60)
    assert one(loop, b"says " + header).reason == "answer-size"


@pytest.mark.parametrize(
    "said",
    [
        b"",
        b"A",
        b"nonsense, and more than a header",
        struct.pack("<cQ", b"A", 5) + b"four",
        struct.pack("<cQ", b"F", 1 << 40),
        struct.pack("<cQ", b"F", 4) + b"\xff\xff\xff\xff",
        struct.pack("<cQ", b"F", 3) + msgspec.msgpack.encode({"reason": "x"})[:3],
    ],
)
def test_false_answers(loop, said):
    assert one(loop, b"says " + said).reason == "died"


def test_answer_in_small_pieces(loop):
    async def run():
        async with sandbox() as it:
            assert await it.run(b"in-small-pieces " + bytes(range(256)) * 8) == bytes(range(256)) * 8
            assert await it.run(b"in-small-pieces ") == b""

    loop.run(run())


def test_process_that_stays_after_its_answer_is_ended(loop):
    async def run():
        async with sandbox(processes=1) as it:
            assert await it.run(b"says-and-stays a") == b"a"
            assert await it.run(b"echo next") == b"next"

    loop.run(run())


@pytest.mark.parametrize(
    ("request_", "detail"),
    [
        (b"exit 3", "exit status 3"),
        (b"exit 0", "exit status 0"),
        (b"fault", "signal SIGSEGV"),
        (b"execute", "signal SIGSYS"),
        (b"trace", "signal SIGSYS"),
        (b"leave", "SystemExit in "),
        (b"deep", "RecursionError in "),
        (b"no-bytes", "the job returned int, not bytes"),
        (b"unknown", "KeyError in "),
    ],
)
def test_died(loop, request_, detail):
    error = one(loop, request_)
    assert error.reason == "died"
    assert error.detail.startswith(detail)


def test_an_exceptions_text_stays_inside(loop):
    error = one(loop, b"fail")
    assert error.detail.startswith("KeyError in ")
    assert "fail (sandbox_jobs.py:" in error.detail
    assert "secret" not in str(error)


def test_descriptors_of_a_job(loop):
    async def run():
        async with sandbox() as it:
            kinds = msgspec.json.decode(await it.run(b"descriptors"))
            # /dev/null three times; the pipe that the job's own preparation made; the request; the answer
            assert kinds.pop("0") == kinds.pop("1") == kinds.pop("2") == stat.S_IFCHR
            assert sorted(kinds.values()) == [stat.S_IFIFO, stat.S_IFIFO, stat.S_IFIFO, stat.S_IFREG]

    loop.run(run())


def environment_of(pid):
    return Path(f"/proc/{pid}/environ").read_bytes()


def open_files_of(pid):
    found = set()
    for link in Path(f"/proc/{pid}/fd").iterdir():
        with contextlib.suppress(FileNotFoundError):  # the one that lists them
            found.add(str(link.readlink()))
    return found


def test_environment_is_empty(loop, monkeypatch):
    monkeypatch.setenv("SEKISHO_SECRET", "key")

    async def run():
        async with sandbox() as it:
            names = set(msgspec.json.decode(await it.run(b"environment")))
            assert names <= {"LC_ALL", "LD_LIBRARY_PATH"}
            assert b"SEKISHO_SECRET" not in environment_of(it._link.pid)

    loop.run(run())


def test_gateways_descriptors_are_not_inherited(loop, tmp_path):
    async def run():
        async with sandbox() as it:
            await it.start()
            assert str(tmp_path / "store") in open_files_of("self")
            assert str(tmp_path / "store") not in open_files_of(it._link.pid)

    with (tmp_path / "store").open("wb") as file:
        os.set_inheritable(file.fileno(), True)  # noqa: FBT003 - its only form
        loop.run(run())


def niceness(pid):
    """The 19th field of proc(5), and how gladly the kernel ends it."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return int(fields[16]), int(Path(f"/proc/{pid}/oom_score_adj").read_text())


def test_gives_way_to_the_gateway(loop):
    async def run():
        async with sandbox() as it:
            await it.start()
            blocked = asyncio.create_task(it.run(b"block"))
            child = await child_of(it._link.pid)
            ours, _ = niceness("self")
            assert niceness(it._link.pid) == (ours, 1000)
            while niceness(child) != (min(ours + 5, 19), 1000):  # it is just confining itself
                await asyncio.sleep(0)
            blocked.cancel()

    loop.run(run())


def test_killed_spawner(loop):
    async def run():
        async with sandbox() as it:
            await it.start()
            first = it._link.pid
            running = asyncio.ensure_future(refused(it, b"block"))
            child = await child_of(first)
            os.kill(first, signal.SIGKILL)
            error = await running
            assert (error.reason, error.detail) == ("died", "the spawner ended")
            assert wait_until_gone(child)
            assert it.confinement == ()
            assert await it.run(b"echo next") == b"next"
            assert it._link.pid != first
            assert not exists(first)  # no zombie

    loop.run(run())


def test_stopped_spawner_is_replaced(loop, monkeypatch):
    monkeypatch.setattr("sekisho.sandbox.link._OBEY_SECONDS", 0.1)

    async def run():
        async with sandbox(SandboxLimits(wall_seconds=0.2), processes=1) as it:
            await it.start()
            first = it._link.pid
            os.kill(first, signal.SIGSTOP)
            assert (await refused(it, b"echo a")).reason == "time"
            assert await it.run(b"echo next") == b"next"
            assert it._link.pid != first

    loop.run(run())


def test_signals_to_the_group_do_not_end_it(loop):
    """A service manager that stops the gateway tells every process; jobs are still needed while it drains."""

    async def run():
        async with sandbox() as it:
            await it.start()
            running = asyncio.ensure_future(it.run(b"big 900000"))
            for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
                os.killpg(it._link.pid, number)
            assert len(await running) == 900_000
            assert await it.run(b"echo next") == b"next"

    loop.run(run())


def test_works_with_signals_blocked(loop):
    """A worker blocks SIGCHLD and SIGINT, and exec hands that on."""

    async def run():
        blocked = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGCHLD, signal.SIGINT})
        try:
            async with sandbox(processes=1) as it:
                assert await it.run(b"echo a") == b"a"
                assert (await refused(it, b"exit 3")).reason == "died"
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, blocked)

    loop.run(run())


def test_cancelled(loop):
    async def run():
        async with sandbox(processes=1) as it:
            await it.start()
            running = asyncio.create_task(it.run(b"block"))
            child = await child_of(it._link.pid)
            waiting = asyncio.create_task(it.run(b"echo never"))
            await asyncio.sleep(0)
            waiting.cancel()
            running.cancel()
            for task in (running, waiting):
                with pytest.raises(asyncio.CancelledError):
                    await task
            assert await it.run(b"echo next") == b"next"  # one process: the slot came free
            assert wait_until_gone(child)
            assert 1 not in it._link._jobs

    loop.run(run())


def test_close_waits_for_jobs_under_way(loop):
    async def run():
        it = Sandbox(JOB, b"", SandboxLimits(), 1)
        await it.start()
        running = asyncio.create_task(it.run(b"big 20000000"))
        await child_of(it._link.pid)
        pid = it._link.pid
        await it.close()
        assert len(await running) == 20_000_000
        assert not exists(pid)

    loop.run(run())


def test_close_kills_what_takes_too_long(loop):
    async def run():
        it = Sandbox(JOB, b"", SandboxLimits(), 1)
        await it.start()
        running = asyncio.create_task(refused(it, b"block"))
        waiting = asyncio.create_task(refused(it, b"echo never"))
        child = await child_of(it._link.pid)
        await it.close(seconds=0.01)
        assert (await running).reason == "died"
        assert (await waiting).reason == "unavailable"
        assert wait_until_gone(child)
        assert (await refused(it, b"echo a")).reason == "unavailable"
        assert it.confinement == ()
        await it.start()
        assert await it.run(b"echo again") == b"again"
        await it.close()

    loop.run(run())


def test_close_without_a_start(loop):
    async def run():
        it = Sandbox(JOB, b"", SandboxLimits(), 1)
        await it.close()
        await it.close()

    loop.run(run())


def test_no_descriptors_and_no_jobs_are_left(loop):
    async def run():
        async with sandbox(processes=2) as it:
            assert await it.run(b"echo warm") == b"warm"
            before = open_descriptors(), open_descriptors(it._link.pid)
            kinds = [b"echo a", b"exit 3", b"big 200000", b"fail", b"big 2000000"]
            requests = [kinds[number % len(kinds)] for number in range(200)]
            results = await asyncio.gather(*(it.run(request) for request in requests), return_exceptions=True)
            assert sum(isinstance(result, bytes) for result in results) == 80
            await it.run(b"echo last")
            assert (open_descriptors(), open_descriptors(it._link.pid)) == before

    before = open_descriptors()
    loop.run(run())
    assert open_descriptors() == before


@pytest.mark.parametrize(
    ("job", "detail"),
    [
        ("support.sandbox_jobs:prepare_badly", "this job cannot be prepared"),
        ("support.sandbox_jobs:prepare_and_end", "last words"),
        ("support.sandbox_jobs:no_such_function", "no_such_function"),
        ("no_such_module:prepare", "No module named 'no_such_module'"),
    ],
)
def test_unavailable(loop, job, detail):
    async def run():
        before = open_descriptors()
        async with sandbox(job=job) as it:
            with pytest.raises(SandboxError) as caught:
                await it.start()
            assert caught.value.reason == "unavailable"
            assert detail in caught.value.detail
            again = await refused(it, b"echo a")
            assert (again.reason, again.detail) == ("unavailable", caught.value.detail)
        assert open_descriptors() == before

    loop.run(run())


def test_no_interpreter(loop, monkeypatch):
    async def run():
        before = open_descriptors()
        async with sandbox() as it:
            with monkeypatch.context() as patched:
                patched.setattr(sys, "executable", "/no/such/interpreter")
                with pytest.raises(SandboxError, match=r"^unavailable: /no/such/interpreter: No such file"):
                    await it.start()
            assert open_descriptors() == before
            await it.start()
            assert await it.run(b"echo a") == b"a"

    loop.run(run())


@pytest.mark.parametrize("spare", [0, 1, 2])
def test_gateway_without_descriptors(loop, spare):
    async def run():
        async with sandbox(processes=1) as it:
            await it.start()
            before = open_descriptors()
            with few_descriptors(spare):
                error = await refused(it, b"echo a")
            assert error.reason == "unavailable"
            assert "Too many open files" in error.detail
            assert open_descriptors() == before
            assert await it.run(b"echo next") == b"next"

    loop.run(run())


@contextlib.contextmanager
def few_descriptors(spare):
    """So many more can be opened."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    free = [os.dup(0) for _ in range(spare)]
    highest = os.dup(0)
    for descriptor in (*free, highest):
        os.close(descriptor)
    resource.setrlimit(resource.RLIMIT_NOFILE, (highest, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def test_a_failed_start_is_not_tried_again_at_once(loop, tmp_path, monkeypatch):
    async def run():
        count = tmp_path / "count"
        async with sandbox(job="support.sandbox_jobs:prepare_thrice", configuration=bytes(count)) as it:
            for _ in range(10):
                assert (await refused(it, b"echo a")).reason == "unavailable"
            assert count.read_bytes() == b"."
            monkeypatch.setattr("sekisho.sandbox.sandbox._PAUSE_SECONDS", 0.0)
            assert (await refused(it, b"echo a")).reason == "unavailable"
            assert await it.run(b"echo a") == b"a"

    loop.run(run())


def test_cancelled_start(loop):
    async def run():
        before = open_descriptors()
        async with sandbox() as it:
            starting = asyncio.create_task(it.start())
            while it._link is None:
                await asyncio.sleep(0)
            pid = it._link.pid
            starting.cancel()
            with pytest.raises(asyncio.CancelledError):
                await starting
            await it._link.reaped()
            assert not exists(pid)
            assert open_descriptors() == before
            assert await it.run(b"echo a") == b"a"

    loop.run(run())


GATEWAY = """
import asyncio, sys
sys.path.insert(0, {tests!r})
from sekisho.sandbox import Sandbox, SandboxLimits
async def main():
    it = Sandbox({job!r}, b"", SandboxLimits(), 1)
    await it.start()
    running = asyncio.create_task(it.run(b"block"))
    print(it._link.pid, flush=True)
    await running
asyncio.run(main())
"""


def test_killed_gateway():
    script = GATEWAY.format(tests=str(TESTS), job=JOB)
    with subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True) as gateway:
        spawner = int(gateway.stdout.readline().split()[0])
        child = asyncio.run(child_of(spawner))
        gateway.kill()
    assert wait_until_gone(spawner)
    assert wait_until_gone(child)
