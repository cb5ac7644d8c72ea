"""Jobs for the sandbox that behave, and jobs that do not. A request is a word, a space, and what the word takes."""

import contextlib
import ctypes
import errno
import importlib
import mmap
import os
import resource
import signal
import socket
import struct
import sys
import time
from pathlib import Path

import msgspec

from sekisho.sandbox import landlock

ORDINARY = 54321
HELD = {}


def prepare(configuration):
    """The configuration may take away walls, as another machine might lack them, before they are put up."""
    if b"without seccomp" in configuration:
        sys.modules["pyseccomp"] = None
    if b"without landlock" in configuration:
        landlock.ruleset = lambda: None
    if b"ordinary user" in configuration:
        load_all()  # the interpreter may lie where this user may not look
        os.setresgid(ORDINARY, ORDINARY, ORDINARY)
        os.setresuid(ORDINARY, ORDINARY, ORDINARY)
    HELD["configuration"] = configuration
    HELD["blocker"], HELD["kept open"] = os.pipe()  # something to read for ever from

    def job(request):
        word, _, rest = request.partition(b" ")
        return JOBS[word.decode()](rest)

    return job


def load_all():
    with contextlib.suppress(ImportError, RuntimeError):
        importlib.import_module("sekisho.sandbox.system_calls")


def prepare_badly(configuration):
    raise ValueError("this job cannot be prepared")


def prepare_for_long(configuration):
    until = time.process_time() + 0.5
    while time.process_time() < until:
        pass
    return prepare(configuration)


def prepare_and_end(configuration):
    sys.stderr.write("last words\n")
    sys.stderr.flush()
    os._exit(7)


def prepare_thrice(configuration):
    """Fails as often as the file that the configuration names has room for, then works."""
    with Path(os.fsdecode(configuration)).open("ab") as file:
        file.write(b".")
        file.flush()
        if os.fstat(file.fileno()).st_size < 3:
            raise ValueError("not yet")
    return prepare(b"")


def configuration(_):
    return HELD["configuration"]


def echo(rest):
    return rest


def big(rest):
    return b"x" * int(rest)


def no_bytes(_):
    return 7


def bomb(_):
    return b"x" * 50_000_000_000


def slow_bomb(_):
    held = []
    while True:
        held.append(bytearray(10_000_000))


def native_bomb(_):
    """A library that does not ask whether malloc gave it something."""
    libc = ctypes.CDLL(None)
    libc.malloc.restype = ctypes.c_void_p
    while True:
        at = libc.malloc(ctypes.c_size_t(10_000_000))
        ctypes.memset(at, 1, 10_000_000)


def native_exit(_):
    """A library that gives up on its own, as libarchive does."""
    held = []
    try:
        while True:
            held.append(bytearray(10_000_000))
    except MemoryError:
        os._exit(1)


def spin(_):
    while True:
        pass


def spin_deaf(_):
    """Ignores the soft limit."""
    signal.signal(signal.SIGXCPU, signal.SIG_IGN)
    spin(b"")


def block(_):
    return os.read(HELD["blocker"], 1)


def exit_with(rest):
    os._exit(int(rest))


def fault(_):
    return ctypes.c_char.from_address(8).value


def forever_deep(_):
    return forever_deep(_)


def fail(_):
    raise KeyError("somebody's secret")


def leave(_):
    sys.exit(0)


def says(rest):
    """Writes octets of its own into the answer's pipe, and ends as if all were well."""
    os.write(answer_descriptor(), rest)
    os._exit(0)


def says_and_stays(rest):
    os.write(answer_descriptor(), struct.pack("<cQ", b"A", len(rest)) + rest)
    block(b"")


def answer_descriptor():
    """The highest of them: it arrived last."""
    found = 0
    for number in range(64):
        try:
            os.fstat(number)
            found = number
        except OSError:
            continue
    return found


def environment(_):
    return msgspec.json.encode(sorted(os.environ))


def identity(_):
    return msgspec.json.encode([os.getpid(), os.getppid(), os.getuid(), os.getgid()])


def secret_in_memory(rest):
    """Whether the spawner holds the octets, which the request has backwards."""
    wanted = rest[::-1]
    return b"yes" if any(wanted in str(value).encode() for value in HELD.values()) else b"no"


def descriptors(_):
    """Which of them are open, and what they are."""
    kinds = {}
    for number in range(64):
        try:
            kinds[str(number)] = os.fstat(number).st_mode & 0o170000
        except OSError:
            continue
    return msgspec.json.encode(kinds)


def map_code(_):
    with mmap.mmap(-1, 4096, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC):
        pass


def raise_limit(_):
    resource.setrlimit(resource.RLIMIT_NOFILE, (100, 100))


def write_request(_):
    """The request is the gateway's; nobody changes it."""
    os.pwrite(answer_descriptor() - 1, b"!", 0)


def in_small_pieces(rest):
    """A true answer, an octet at a time."""
    for octet in struct.pack("<cQ", b"A", len(rest)) + rest:
        os.write(answer_descriptor(), bytes((octet,)))
    os._exit(0)


def limits(_):
    names = {"cpu": "CPU", "files": "FSIZE", "descriptors": "NOFILE", "core": "CORE", "memory": "AS"}
    return msgspec.json.encode(
        {name: resource.getrlimit(getattr(resource, f"RLIMIT_{which}")) for name, which in names.items()}
    )


FORBIDDEN = {
    "socket": lambda: socket.socket(socket.AF_INET, socket.SOCK_STREAM),
    "unix socket": lambda: socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM),
    "open to read": lambda: os.open("/etc/passwd", os.O_RDONLY),
    "open to write": lambda: os.open(HELD["place"], os.O_WRONLY | os.O_CREAT, 0o666),
    "memory file": lambda: os.memfd_create("x"),
    "pipe": os.pipe,
    "dup": lambda: os.dup(0),
    "list": lambda: list(os.scandir("/")),
    "stat": Path("/etc/passwd").stat,
    "unlink": lambda: HELD["place"].unlink(missing_ok=False),
    "mkdir": lambda: HELD["place"].mkdir(exist_ok=False),
    "fork": os.fork,
    "kill parent": lambda: os.kill(os.getppid(), signal.SIGTERM),
    "probe parent": lambda: os.kill(os.getppid(), 0),
    "kill everybody": lambda: os.kill(-1, signal.SIGCONT),
    "limits of parent": lambda: resource.prlimit(os.getppid(), resource.RLIMIT_NOFILE, (0, 0)),
    "own limits": lambda: raise_limit(b""),
    "code": lambda: map_code(b""),
    "write request": lambda: write_request(b""),
    "be root": lambda: os.setresuid(0, 0, 0),
    "nice": lambda: os.nice(-1),
}


def forbidden(place):
    """What each forbidden thing came to: an error's name, or "done". Anyone may use the place."""
    HELD["place"] = Path(os.fsdecode(place))
    results = {}
    for name, act in FORBIDDEN.items():
        try:
            act()
            results[name] = "done"
        except OSError as error:
            results[name] = errno.errorcode[error.errno]
        except ValueError as error:
            results[name] = f"ValueError: {error}"
    return msgspec.json.encode(results)


def execute(_):
    os.execve("/bin/true", ["true"], {})


def trace(_):
    ctypes.CDLL(None).ptrace(16, os.getppid(), 0, 0)


def clock(_):
    return repr(time.monotonic()).encode()


JOBS = {
    "configuration": configuration,
    "echo": echo,
    "big": big,
    "no-bytes": no_bytes,
    "bomb": bomb,
    "slow-bomb": slow_bomb,
    "native-bomb": native_bomb,
    "native-exit": native_exit,
    "spin": spin,
    "spin-deaf": spin_deaf,
    "block": block,
    "exit": exit_with,
    "fault": fault,
    "deep": forever_deep,
    "fail": fail,
    "leave": leave,
    "limits": limits,
    "says": says,
    "in-small-pieces": in_small_pieces,
    "says-and-stays": says_and_stays,
    "environment": environment,
    "identity": identity,
    "descriptors": descriptors,
    "forbidden": forbidden,
    "execute": execute,
    "trace": trace,
    "clock": clock,
}
