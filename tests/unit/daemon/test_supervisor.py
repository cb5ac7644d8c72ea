"""A tree of tiny processes: replaced when they die, told what the supervisor is told, gone when it is."""

import os
import signal
import subprocess
import sys

import pytest
from support.gateway import wait_for

SCRIPT = """
import os, signal, sys
from sekisho.daemon.supervisor import Supervisor, WATCHED

def child(name):
    def run(pipes):
        heard = {signal.SIGHUP: "reload", signal.SIGUSR1: "reopen"}
        print(name, "starts", os.getpid(), flush=True)
        if "die" in sys.argv[1:]:
            return 7
        os.write(pipes.ready, b".")
        while True:
            import select
            got = signal.sigtimedwait(WATCHED, 0.1)
            if select.select([pipes.life], [], [], 0)[0]:
                os._exit(0)
            if got and got.si_signo == signal.SIGTERM:
                print(name, "drains", flush=True)
                return 0
            if got and got.si_signo in heard:
                print(name, heard[got.si_signo], flush=True)
    return run

good = iter([True, False, True])
status = Supervisor(
    {"one": child("one"), "two": child("two")},
    drain_seconds=5, reload=lambda: next(good), ready=lambda: print("ready", flush=True),
    reaped=lambda pid: print("reaped", pid, flush=True),
).run()
print("status", status, flush=True)
sys.exit(status)
"""


class Tree:
    def __init__(self, folder, *arguments):
        self.output = folder / "output"
        with self.output.open("wb") as output:
            self.process = subprocess.Popen(
                [sys.executable, "-c", SCRIPT, *arguments], stdout=output, stderr=subprocess.DEVNULL
            )

    def lines(self, word=""):
        return [line for line in self.output.read_text().splitlines() if word in line]

    def pid(self, name, number=0):
        starts = wait_for(f"{name} starts", lambda: self.lines(f"{name} starts")[number:])
        return int(starts[0].split()[-1])

    def send(self, number):
        self.process.send_signal(number)


@pytest.fixture
def tree(tmp_path):
    made = Tree(tmp_path)
    wait_for("ready", lambda: made.lines("ready"))
    yield made
    made.process.kill()
    made.process.wait()


def alive(pid):
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def test_a_dead_child_is_replaced(tree):
    first = tree.pid("one")
    os.kill(first, signal.SIGKILL)
    assert tree.pid("one", 1) != first
    assert f"reaped {first}" in tree.lines()


def test_again_and_again(tree):
    for number in range(4):
        os.kill(tree.pid("one", number), signal.SIGKILL)
    tree.pid("one", 4)


def test_reload_is_passed_on_only_when_it_is_good(tree):
    tree.send(signal.SIGHUP)
    wait_for("both reload", lambda: len(tree.lines(" reload")) == 2)
    tree.send(signal.SIGHUP)
    tree.send(signal.SIGUSR1)
    wait_for("both reopen", lambda: len(tree.lines(" reopen")) == 2)
    assert len(tree.lines(" reload")) == 2


def test_stop_drains_every_child(tree):
    tree.send(signal.SIGTERM)
    assert tree.process.wait(20) == 0
    assert sorted(tree.lines("drains")) == ["one drains", "two drains"]


def test_children_do_not_outlive_a_killed_supervisor(tree):
    pids = [tree.pid("one"), tree.pid("two")]
    tree.process.kill()
    tree.process.wait()
    wait_for("they end", lambda: not any(alive(pid) for pid in pids))


def test_a_child_that_cannot_start_ends_it(tmp_path):
    tree = Tree(tmp_path, "die")
    assert tree.process.wait(20) == 3
    assert tree.lines("ready") == []
