"""A tree of tiny processes: replaced when they die, told what the supervisor is told, gone when it is."""

import itertools
import os
import signal
import socket
import subprocess
import sys

import pytest
from support.gateway import wait_for

from sekisho.daemon.supervisor import notify_systemd

SCRIPT = """
import os, select, signal, sys, time
from sekisho.daemon.supervisor import Supervisor, WATCHED

def say(*words):  # one write: the processes share the file
    os.write(1, (" ".join(map(str, words)) + "\\n").encode())

def child(name):
    def run(pipes):
        heard = {signal.SIGHUP: "reload", signal.SIGUSR1: "reopen"}
        say(name, "starts", os.getpid(), time.monotonic())
        if "die" in sys.argv[1:] and name == "two":
            return 7
        if "exit" in sys.argv[1:] and name == "two":
            sys.exit("the interpreter is asked to exit")
        if "slow" in sys.argv[1:]:
            time.sleep(0.5)  # signals wait until it listens
        os.write(pipes.ready, b".")
        while True:
            got = signal.sigtimedwait(WATCHED - {signal.SIGINT}, 0.1)
            if select.select([pipes.life], [], [], 0)[0]:
                os._exit(0)
            if got and got.si_signo == signal.SIGTERM:
                if "stubborn" in sys.argv[1:]:
                    say(name, "will not")
                    continue
                say(name, "drains")
                return 0
            if got and got.si_signo in heard:
                say(name, heard[got.si_signo])
    return run

def broken(*_):
    say("broken")
    raise RuntimeError("a callback fails")

good = iter([True, False, True])
if "stubborn" in sys.argv[1:]:
    import sekisho.daemon.supervisor as module
    module._MARGIN_SECONDS = 0.5
status = Supervisor(
    {"one": child("one"), "two": child("two")},
    drain_seconds=0.5 if "stubborn" in sys.argv[1:] else 5,
    reload=broken if "broken" in sys.argv[1:] else lambda: next(good),
    ready=broken if "broken" in sys.argv[1:] else lambda: say("ready"),
    reaped=broken if "broken" in sys.argv[1:] else lambda pid: say("reaped", pid),
).run()
say("status", status)
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
        return int(starts[0].split()[2])

    def started(self, name):
        """When each process of this name started."""
        return [float(line.split()[3]) for line in self.lines(f"{name} starts")]

    def send(self, number):
        self.process.send_signal(number)


@pytest.fixture
def plant(tmp_path):
    """Start a tree; it is cut down at the end."""
    planted = []

    def start(*arguments):
        planted.append(Tree(tmp_path, *arguments))
        return planted[-1]

    yield start
    for made in planted:
        made.process.kill()  # the children see that, and end
        made.process.wait()


@pytest.fixture
def tree(plant):
    made = plant()
    wait_for("ready", lambda: made.lines("ready"))
    return made


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


def test_one_death_costs_no_pause_and_deaths_in_a_row_cost_more_and_more(tree):
    for number in range(4):
        os.kill(tree.pid("one", number), signal.SIGKILL)
    tree.pid("one", 4)
    started = tree.started("one")
    pauses = [after - before for before, after in itertools.pairwise(started)][1:]
    # after the second, third and fourth death: 0.25 * 2**n seconds, at most 2
    assert pauses[0] >= 1.0
    assert pauses[1] >= 2.0
    assert pauses[2] >= 2.0
    assert len(tree.lines("two starts")) == 1


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


@pytest.mark.parametrize("how", ["die", "exit"])
def test_a_child_that_cannot_start_ends_it(plant, how):
    tree = plant(how)
    assert tree.process.wait(20) == 3
    assert tree.lines("ready") == []
    assert tree.lines("status") == ["status 3"]  # once: no child runs on where the supervisor does
    wait_for("the other one ends", lambda: not alive(tree.pid("one")))


def test_a_stop_while_children_start_is_not_lost(plant):
    tree = plant("slow")
    pids = [tree.pid("one"), tree.pid("two")]
    tree.send(signal.SIGTERM)
    assert tree.process.wait(20) == 3
    assert not any(alive(pid) for pid in pids)


def test_children_that_will_not_end_are_ended(plant):
    tree = plant("stubborn")
    wait_for("ready", lambda: tree.lines("ready"))
    pids = [tree.pid("one"), tree.pid("two")]
    tree.send(signal.SIGTERM)
    assert tree.process.wait(20) == 0
    assert not any(alive(pid) for pid in pids)
    assert sorted(tree.lines("will not")) == ["one will not", "two will not"]


def test_an_interrupt_reaches_the_children_through_the_supervisor(tree):
    """A Ctrl-C goes to the whole process group; the children leave it to their parent."""
    pids = [tree.pid("one"), tree.pid("two")]
    for pid in pids:
        os.kill(pid, signal.SIGINT)
    tree.send(signal.SIGUSR1)
    wait_for("both still work", lambda: len(tree.lines(" reopen")) == 2)
    tree.send(signal.SIGINT)
    assert tree.process.wait(20) == 0
    assert len(tree.lines("drains")) == 2


def test_systemd_is_told(tmp_path, monkeypatch):
    """sd_notify(3): one datagram, to a path or to an abstract name."""
    for address in (str(tmp_path / "notify"), f"@sekisho-test-{os.getpid()}"):
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listener:
            listener.bind(address.replace("@", "\0", 1))
            listener.settimeout(10)
            monkeypatch.setenv("NOTIFY_SOCKET", address)
            notify_systemd("READY=1")
            assert listener.recv(100) == b"READY=1"


def test_nobody_is_told_where_systemd_is_not(tmp_path, monkeypatch):
    monkeypatch.delenv("NOTIFY_SOCKET", raising=False)
    notify_systemd("READY=1")
    monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "none"))
    notify_systemd("READY=1")


def test_whatever_its_callbacks_do_the_supervisor_lives_on(tmp_path):
    tree = Tree(tmp_path, "broken")
    try:
        wait_for("ready is called", lambda: tree.lines("broken"))
        os.kill(tree.pid("one"), signal.SIGKILL)
        tree.pid("one", 1)
        tree.send(signal.SIGHUP)
        wait_for("reload is called", lambda: len(tree.lines("broken")) >= 3)
        os.kill(tree.pid("two"), signal.SIGKILL)
        tree.pid("two", 1)
        assert tree.lines(" reload") == [], "a reload that failed is not passed on"
        tree.send(signal.SIGTERM)
        assert tree.process.wait(20) == 0
    finally:
        tree.process.kill()
        tree.process.wait()
