import os
import socket
import subprocess
import sys

from sekisho.sandbox.limits import SandboxLimits
from sekisho.sandbox.messages import Ended, Failed, Job, Kill, Ready, Setup, decode_to_gateway, encode


def spawner():
    """A real one, and its control socket."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    command = [sys.executable, "-I", "-m", "sekisho.sandbox.spawner", str(theirs.fileno())]
    with theirs:
        process = subprocess.Popen(command, pass_fds=(theirs.fileno(),), cwd="/")
    ours.settimeout(30)
    return process, ours


def set_up(control, job="support.sandbox_jobs:prepare", gateway_pid=None):
    path = tuple(place for place in sys.path if os.path.isabs(place))  # noqa: PTH117 - text is what sys.path holds
    configuration = os.memfd_create("configuration")
    setup = Setup(job, path, SandboxLimits(), gateway_pid or os.getpid())
    socket.send_fds(control, [encode(setup)], [configuration])
    os.close(configuration)


def said(control):
    return decode_to_gateway(control.recv(65_536))


def test_ends_with_its_socket():
    process, control = spawner()
    set_up(control)
    assert isinstance(said(control), Ready)
    control.close()
    assert process.wait(30) == 0


def test_ends_without_a_word():
    process, control = spawner()
    control.close()
    assert process.wait(30) == 0


def test_says_why_it_cannot_work():
    process, control = spawner()
    set_up(control, job="support.sandbox_jobs:prepare_badly")
    message = said(control)
    assert isinstance(message, Failed)
    assert "ValueError: this job cannot be prepared" in message.why
    assert process.wait(30) == 1
    control.close()


def test_does_not_work_for_another_parent():
    process, control = spawner()
    set_up(control, gateway_pid=1)
    assert "ProcessLookupError" in said(control).why
    assert process.wait(30) == 1
    control.close()


def test_job_without_its_descriptors():
    process, control = spawner()
    set_up(control)
    said(control)
    control.send(encode(Job(5)))
    assert said(control) == Ended(5, 0, 0.0, 0, "its descriptors did not arrive")
    with open(os.devnull, "rb") as one:  # noqa: PTH123 - a descriptor is what is wanted
        socket.send_fds(control, [encode(Job(6))], [one.fileno()])
    assert said(control) == Ended(6, 0, 0.0, 0, "its descriptors did not arrive")
    control.send(encode(Kill(5)))  # nobody of that name: no harm
    control.close()
    assert process.wait(30) == 0
