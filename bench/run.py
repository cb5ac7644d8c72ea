"""`make bench`: the gateway beside its peers, on one core, on the same messages, in the same run.

Peers take turns over several rounds (A B C, A B C, ...), so that a machine that becomes slower or busier meets all of
them. docs/reference/bench.md says how to read what this prints.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import platform
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import install
import report
from attached import AttachedPart
from mixed import MixedPart
from peers import Bench, Peer
from process import CLIENT_CORE, SERVER_CORE, Group, adopt_orphans

Part = MixedPart | AttachedPart
PARTS: dict[str, type[Part]] = {part.name: part for part in (MixedPart, AttachedPart)}
HERE = Path(__file__).resolve().parent
FAILURES = (RuntimeError, OSError, TimeoutError, subprocess.SubprocessError, ValueError)


def arguments() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    names = list(dict.fromkeys(name for part in PARTS.values() for name in part.kinds))
    parser.add_argument(
        "--quick", action="store_true", help="200 messages, 5 files, one round, unless said otherwise"
    )
    parser.add_argument("--part", choices=[*PARTS, "all"], default="all", help="what to measure (all)")
    parser.add_argument("--peers", help=f"any of {','.join(names)}, or all; each part takes those it knows")
    parser.add_argument("--messages", type=int, help="messages in the mixed set (2000)")
    parser.add_argument("--files", type=int, help="files of each kind in the part about attachments (20)")
    parser.add_argument("--rounds", type=int, help="rounds over all peers (3)")
    parser.add_argument("--connections", type=int, default=20, help="connections for the mixed set (20)")
    parser.add_argument("--corpus", type=Path, help="real mail instead of generated: directory or tar of .eml files")
    parser.add_argument(
        "--directory", type=Path, help="where queues and stores are kept (/dev/shm: no disk in the way)"
    )
    parser.add_argument("--json", type=Path, help="also write the results here")
    args = parser.parse_args()
    args.messages = args.messages or (200 if args.quick else 2000)
    args.files = args.files or (5 if args.quick else 20)
    args.rounds = args.rounds or (1 if args.quick else 3)
    args.parts = list(PARTS) if args.part == "all" else [args.part]
    unknown = set((args.peers or "all").split(",")) - {"all", *names}
    if unknown or min(args.messages, args.files, args.rounds, args.connections) < 1:
        parser.error(f"unknown peers: {', '.join(unknown)}" if unknown else "numbers must be positive")
    return args


def peers_of(part: Part, wanted: str | None) -> list[str]:
    """The names of the peers that are measured in this part."""
    if wanted is None:
        return list(part.default)
    return [name for name in part.kinds if wanted == "all" or name in wanted.split(",")]


def machine(directory: Path) -> dict[str, Any]:
    """What a reader must know about the machine."""
    cpus = Path("/proc/cpuinfo").read_text().splitlines()
    model = next(
        (line.partition(":")[2].strip() for line in cpus if line.startswith("model name")), platform.machine()
    )
    kind = subprocess.run(["stat", "-f", "-c", "%T", str(directory)], capture_output=True, text=True, check=False)
    return {
        "cpu": model,
        "cores": os.cpu_count(),
        "kernel": platform.release(),
        "python": platform.python_version(),
        "server_core": SERVER_CORE,
        "client_core": CLIENT_CORE,
        "directory_kind": kind.stdout.strip() or "unknown",
        "load_before": os.getloadavg()[0],
        "load_after": 0.0,
        "versions": {},
    }


def versions(peers: list[Peer]) -> dict[str, str]:
    """Debian's version of each package in use."""
    wanted = sorted({package for peer in peers for package in peer.packages})
    found = {}
    for package in wanted:
        command = ["dpkg-query", "-W", "-f", "${Version}", package]
        with contextlib.suppress(OSError):
            found[package] = subprocess.run(command, capture_output=True, text=True, check=False).stdout
    return found


def workplace(wanted: Path | None) -> Path:
    """A new directory that the daemons' own users can reach; in memory where the machine has that."""
    shared = Path("/dev/shm")
    parent = wanted or (shared if shared.is_dir() and os.access(shared, os.W_OK) else Path(tempfile.gettempdir()))
    directory = Path(tempfile.mkdtemp(prefix="bench-", dir=parent))
    directory.chmod(0o755)
    return directory


def say(text: str) -> None:
    """Progress, on standard error: standard output is for the tables."""
    print(text, file=sys.stderr, flush=True)


class Measured:
    """One part of a run: its peers, what was proven of them, and what was found in each round."""

    def __init__(self, part: Part, bench: Bench) -> None:
        self.part = part
        self.bench = bench
        self.skipped: dict[str, str] = {}
        self.proofs: dict[str, dict[str, Any]] = {}
        self.found: dict[str, list[dict[str, Any]]] = {}
        self.peers: list[Peer] = []

    def run(self, names: list[str], rounds: int) -> dict[str, Any]:
        """Prepare, prove, measure in turns; the whole result of this part."""
        peers = [peer for name in names if (peer := self.available(name))]
        say(f"{self.part.name}: writing what is to be sent")
        facts = self.part.prepare()
        self.peers = [peer for peer in peers if self.proven(peer)]
        for number in range(rounds):
            self.part.new_round(number)
            for peer in self.peers:
                say(f"{self.part.name}, round {number + 1} of {rounds}: {peer.name}")
                self.one(peer)
        return {"set": facts, "skipped": self.skipped, "proofs": self.proofs, "peers": self.found}

    def available(self, name: str) -> Peer | None:
        """The peer, when it can run here; the reason is kept for the report when not."""
        peer = self.part.kinds[name](self.bench)
        if why := peer.available():
            self.skip(name, why)
        return None if why else peer

    def skip(self, name: str, why: str) -> None:
        """Go on without this peer."""
        say(f"{name}: left out: {why}")
        self.skipped[name] = why

    def proven(self, peer: Peer) -> bool:
        """Whether the peer does what it is measured for."""
        say(f"{self.part.name}: checking {peer.name}")
        try:
            done = self.part.proof(peer)
        except FAILURES as error:
            self.skip(peer.name, f"{type(error).__name__}: {error}; it said: {peer.say()}")
            return False
        self.proofs[peer.name] = done
        if why := self.part.complaint(peer, done):
            self.skip(peer.name, why)
        return not why

    def one(self, peer: Peer) -> None:
        """One peer, one round."""
        if peer.name in self.skipped:
            return
        try:
            found = self.part.round(peer)
        except FAILURES as error:
            self.skip(peer.name, f"{type(error).__name__}: {error}; it said: {peer.say()}")
            return
        self.found.setdefault(peer.name, []).append(found)
        say(f"  {self.part.summary(found)}")


class Bencher:
    """One run of `make bench`."""

    def __init__(self, args: argparse.Namespace, directory: Path) -> None:
        self.args = args
        self.directory = directory
        self.bench = Bench(directory)
        self.client = Group("client", CLIENT_CORE, directory)

    def parts(self) -> list[Part]:
        """The parts that were asked for."""
        args = self.args
        parts: list[Part] = []
        if MixedPart.name in args.parts:
            parts.append(MixedPart(self.bench, self.client, args.messages, args.connections, args.corpus))
        if AttachedPart.name in args.parts:
            parts.append(AttachedPart(self.bench, self.client, args.files))
        return parts

    def run(self) -> dict[str, Any]:
        """All parts, one after the other; the whole result."""
        # smtp-source and smtp-sink are in Postfix's package: without it nothing can be measured.
        if why := install.packages(["postfix"]):
            raise SystemExit(f"smtp-source and smtp-sink (Debian's package postfix): {why}")
        about, results, peers = machine(self.directory), {}, []
        self.client.start([sys.executable, str(HERE / "nxdomain.py"), str(self.bench.dns_port)])
        for part in self.parts():
            measured = Measured(part, self.bench)
            results[part.name] = measured.run(peers_of(part, self.args.peers), self.args.rounds)
            peers += measured.peers
        about |= {"load_after": os.getloadavg()[0], "versions": versions(peers)}
        return {
            "at": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
            "machine": about,
            "rounds": self.args.rounds,
            "connections": self.args.connections,
            "parts": results,
        }


def _terminated(_number: int, _frame: object) -> None:
    raise SystemExit(143)


def main() -> int:
    """Run and report; 1 when nothing could be measured."""
    args = arguments()
    adopt_orphans()
    signal.signal(signal.SIGTERM, _terminated)  # so that `finally` stops the servers
    os.sched_setaffinity(0, {CLIENT_CORE})
    directory = workplace(args.directory)
    bencher = Bencher(args, directory)
    try:
        result = bencher.run()
    finally:
        bencher.client.stop()
        shutil.rmtree(directory, ignore_errors=True)
    install.RESULTS.mkdir(exist_ok=True)
    stamp = result["at"].replace(":", "")
    for file in filter(None, (install.RESULTS / f"{stamp}.json", args.json)):
        file.write_text(json.dumps(result, indent=1) + "\n")
    text = report.render(result)
    (install.RESULTS / f"{stamp}.txt").write_text(text + "\n")
    print(text)
    return 0 if any(part["peers"] for part in result["parts"].values()) else 1


if __name__ == "__main__":
    sys.exit(main())
