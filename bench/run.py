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
import messages
import report
from measure import Plan, plan, proof, round_of
from peers import Aiosmtpd, Bench, Peer, Postfix, PostfixOpendkim, Sekisho
from process import CLIENT_CORE, SERVER_CORE, Group, adopt_orphans
from rspamd import PostfixRspamd, PostfixRspamdLean

KINDS: dict[str, type[Peer]] = {
    kind.name: kind for kind in (Sekisho, Aiosmtpd, Postfix, PostfixOpendkim, PostfixRspamd, PostfixRspamdLean)
}
DEFAULT = "sekisho,aiosmtpd,postfix,postfix+rspamd"
HERE = Path(__file__).resolve().parent
FAILURES = (RuntimeError, OSError, TimeoutError, subprocess.SubprocessError, ValueError)


def arguments() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="200 messages and one round, unless said otherwise")
    parser.add_argument("--peers", default=DEFAULT, help=f"any of {','.join(KINDS)}, or all (default {DEFAULT})")
    parser.add_argument("--messages", type=int, help="messages in the mixed set (2000)")
    parser.add_argument("--rounds", type=int, help="rounds over all peers (3)")
    parser.add_argument("--connections", type=int, default=20, help="connections of the load generator (20)")
    parser.add_argument("--corpus", type=Path, help="real mail instead of generated: directory or tar of .eml files")
    parser.add_argument(
        "--directory", type=Path, help="where queues and stores are kept (/dev/shm: no disk in the way)"
    )
    parser.add_argument("--json", type=Path, help="also write the results here")
    args = parser.parse_args()
    args.messages = args.messages or (200 if args.quick else 2000)
    args.rounds = args.rounds or (1 if args.quick else 3)
    args.names = list(KINDS) if args.peers == "all" else args.peers.split(",")
    unknown = [name for name in args.names if name not in KINDS]
    if unknown or args.messages < 1 or args.rounds < 1 or args.connections < 1:
        parser.error(f"unknown peers: {', '.join(unknown)}" if unknown else "numbers must be positive")
    return args


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


def versions(names: list[str]) -> dict[str, str]:
    """Debian's version of each package in use."""
    wanted = sorted({package for name in names for package in KINDS[name].packages})
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


class Bencher:
    """One run of `make bench`."""

    def __init__(self, args: argparse.Namespace, directory: Path) -> None:
        self.args = args
        self.directory = directory
        self.bench = Bench(directory)
        self.public_key = self.bench.make_key()
        self.client = Group("client", CLIENT_CORE, directory)
        self.skipped: dict[str, str] = {}
        self.proofs: dict[str, dict[str, Any]] = {}
        self.found: dict[str, list[dict[str, Any]]] = {}
        self.facts: dict[str, Any] = {}

    def run(self) -> dict[str, Any]:
        """Prepare, prove, measure; the whole result."""
        peers = self.available()
        about = machine(self.directory)
        plan_ = self.prepare()
        peers = [peer for peer in peers if self.proven(peer, plan_)]
        for number in range(self.args.rounds):
            for peer in peers:
                self.one(peer, plan_, number)
        about |= {"load_after": os.getloadavg()[0], "versions": versions([peer.name for peer in peers])}
        return {
            "at": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
            "machine": about,
            "set": self.facts,
            "rounds": self.args.rounds,
            "connections": self.args.connections,
            "skipped": self.skipped,
            "proofs": self.proofs,
            "peers": self.found,
        }

    def available(self) -> list[Peer]:
        """The peers that can run here; the reasons of the others are kept for the report."""
        # smtp-source and smtp-sink are in Postfix's package: without it nothing can be measured.
        if why := install.packages(["postfix"]):
            raise SystemExit(f"smtp-source and smtp-sink (Debian's package postfix): {why}")
        peers = []
        for name in self.args.names:
            peer = KINDS[name](self.bench)
            if why := peer.available():
                self.skip(name, why)
            else:
                peers.append(peer)
        return peers

    def skip(self, name: str, why: str) -> None:
        """Go on without this peer."""
        say(f"{name}: left out: {why}")
        self.skipped[name] = why

    def prepare(self) -> Plan:
        """Write the message set, start the name server."""
        say(f"writing {self.args.messages} messages")
        set_file = self.directory / "set.bin"
        corpus = self.args.corpus
        mails = messages.from_corpus(corpus, self.args.messages) if corpus else messages.generate(self.args.messages)
        self.facts = messages.write(mails, set_file) | {"source": "corpus" if corpus else "generated"}
        self.client.start([sys.executable, str(HERE / "nxdomain.py"), str(self.bench.dns_port)])
        return plan(set_file, int(self.facts["messages"]), self.args.connections)

    def proven(self, peer: Peer, plan_: Plan) -> bool:
        """Whether the peer does what it is measured for."""
        say(f"{peer.name}: checking")
        try:
            done = proof(peer, self.bench, plan_, self.client, self.public_key)
        except FAILURES as error:
            self.skip(peer.name, f"{type(error).__name__}: {error}; it said: {peer.say()}")
            return False
        self.proofs[peer.name] = done
        if done["accepted"] == 0 or done["arrived"] < done["accepted"]:
            self.skip(peer.name, f"{done['arrived']} of {done['sent']} messages arrived; {done['errors']}")
        elif peer.signs and done["verified"] < done["arrived"]:
            self.skip(peer.name, f"{done['verified']} of {done['arrived']} signatures verify")
        else:
            return True
        return False

    def one(self, peer: Peer, plan_: Plan, number: int) -> None:
        """One peer, one round."""
        if peer.name in self.skipped:
            return
        say(f"round {number + 1} of {self.args.rounds}: {peer.name}")
        try:
            found = round_of(peer, self.bench, plan_, self.client)
        except FAILURES as error:
            self.skip(peer.name, f"{type(error).__name__}: {error}; it said: {peer.say()}")
            return
        self.found.setdefault(peer.name, []).append(found)
        mixed = found["mixed"]
        say(f"  {mixed['messages_per_second']:.1f} msg/s, {mixed['cpu_ms_per_message']:.2f} ms CPU a message")


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
    return 0 if result["peers"] else 1


if __name__ == "__main__":
    sys.exit(main())
