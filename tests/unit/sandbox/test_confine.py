import asyncio
import os
import tempfile
from pathlib import Path

import msgspec
import pytest
from support.sandbox_jobs import FORBIDDEN, ORDINARY

from sekisho.sandbox import Sandbox, SandboxError, SandboxLimits

root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user")
USERS = pytest.mark.parametrize(
    "user",
    [
        pytest.param(b"", id="as it is"),
        pytest.param(b"ordinary user", id="ordinary", marks=root),
    ],
)


@pytest.fixture
def place():
    """A path where every user might make a file."""
    with tempfile.TemporaryDirectory() as directory:
        Path(directory).chmod(0o777)
        yield Path(directory) / "made"


def asked(configuration, *requests, limits=None):
    """The walls, and what each request came to."""

    async def run():
        limits_ = limits or SandboxLimits(memory_bytes=300_000_000, cpu_seconds=2, wall_seconds=60.0)
        it = Sandbox("support.sandbox_jobs:prepare", configuration, limits_, 1)
        await it.start()
        walls = it.confinement
        answers = []
        for request in requests:
            try:
                answers.append(msgspec.json.decode(await it.run(request)))
            except SandboxError as error:
                answers.append(str(error))
        await it.close()
        return walls, *answers

    return asyncio.run(run())


@USERS
def test_all_that_is_forbidden(user, place):
    walls, results = asked(user, b"forbidden " + bytes(place))
    if "seccomp" not in walls:
        pytest.skip("no libseccomp here")
    assert results == dict.fromkeys(FORBIDDEN, "EPERM") | {
        "write request": "EFBIG",  # by the limit on files; it is sealed, too
        "own limits": "ValueError: not allowed to raise maximum limit",
    }
    assert {"rlimits", "no new descriptors", "no new processes"} <= set(walls)


def test_taken_over_process_is_ended():
    walls, executing, tracing = asked(b"", b"execute", b"trace")
    if "seccomp" not in walls:
        pytest.skip("no libseccomp here")
    assert executing.startswith("died: signal SIGSYS")
    assert tracing.startswith("died: signal SIGSYS")


@USERS
def test_without_libseccomp(user, place):
    walls, results, again = asked(b"without seccomp " + user, b"forbidden " + bytes(place), b'echo "works"')
    assert "seccomp" not in walls
    assert {"rlimits", "no new descriptors"} <= set(walls)
    no_descriptor = ("socket", "unix socket", "open to read", "open to write", "memory file", "pipe", "list")
    assert {results[name] for name in no_descriptor} == {"EMFILE"}
    assert results["dup"] == "EINVAL"  # fcntl(2), for a number beyond the limit
    assert results["write request"] == "EFBIG"
    assert results["own limits"] == "ValueError: not allowed to raise maximum limit"
    assert again == "works"
    if "no new processes" in walls:
        assert results["fork"] == "EAGAIN"
    if "landlock" in walls:
        assert results["mkdir"] == "EACCES"
        assert not place.exists()


@root
def test_landlock_keeps_signals_inside(place):
    """As an ordinary user, the spawner belongs to the same user as the job."""
    walls, results = asked(b"without seccomp, ordinary user", b"forbidden " + bytes(place))
    if "landlock" not in walls:
        pytest.skip("no Landlock here")
    assert results["probe parent"] in ("EPERM", "done")  # signals: since Linux 6.12
    walls, results = asked(b"without seccomp, without landlock, ordinary user", b"forbidden " + bytes(place))
    assert "landlock" not in walls
    assert results["probe parent"] == results["mkdir"] == "done"  # so it was Landlock
    assert place.is_dir()


def test_the_least():
    """Limits alone, as in a container that forbids the rest."""
    walls, results = asked(b"without seccomp, without landlock", b'echo {"as": "ever"}')
    assert not {"seccomp", "landlock"} & set(walls)
    assert {"rlimits", "no new descriptors"} <= set(walls)
    assert results == {"as": "ever"}


@root
def test_root_becomes_nobody():
    walls, (pid, parent, user, group) = asked(b"", b"identity")
    assert (user, group) == (65534, 65534)
    assert pid != parent != os.getpid()
    assert "unprivileged user" in walls


@root
def test_ordinary_user_stays_who_he_is():
    walls, (_, _, user, group) = asked(b"ordinary user", b"identity")
    assert (user, group) == (ORDINARY, ORDINARY)
    assert "unprivileged user" not in walls


def test_limits_in_force():
    megabyte = 1_000_000
    given = SandboxLimits(memory_bytes=100 * megabyte, cpu_seconds=3)
    _, small = asked(b"", b"limits", limits=given)
    _, big = asked(b"", b"limits", limits=SandboxLimits(memory_bytes=300 * megabyte, cpu_seconds=3))
    assert small["cpu"] == [3, 4]
    assert small["files"] == small["descriptors"] == small["core"] == [0, 0]
    assert abs(big["memory"][0] - small["memory"][0] - 200 * megabyte) < 10 * megabyte
