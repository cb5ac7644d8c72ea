"""One peer, one round: warm up, the mixed set, one connection alone, then smtp-source at fixed sizes."""

from __future__ import annotations

import json
import resource
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

from messages import DOMAIN
from peers import Bench, Peer
from process import CLIENT_CORE, Group, busy
from sink import NoSink, Sink

HERE = Path(__file__).resolve().parent
CLASSES = (4_000, 16_000, 64_000, 512_000, 10**9)  # upper bounds in octets, for the latencies by size
FIXED = {1_000: 1.0, 10_000: 1.0, 100_000: 0.4, 1_000_000: 0.06}  # octets → share of FIXED_COUNT
FIXED_COUNT = 1000
PROOF = 12
PATIENCE = 10.0  # seconds without an arrival after which the rest is not waited for


@dataclass
class Plan:
    """What one round sends: the stored set, how many of it alone on one connection, how many of each fixed size.

    `text` is the part of the set that has no attachment, where that is known.
    """

    set_file: Path
    messages: int
    connections: int
    warm: int
    alone: int
    fixed: dict[int, int]
    text: Plan | None = None


def plan(set_file: Path, messages: int, connections: int) -> Plan:
    """Scale the parts of a round with the number of messages: 2,000 gives 1,000 of 1 kB by smtp-source."""
    scale = min(1.0, messages / 2000)
    fixed = {size: max(20, int(FIXED_COUNT * share * scale)) for size, share in FIXED.items()}
    alone = min(messages, max(40, int(200 * scale)))
    return Plan(set_file, messages, connections, min(messages, 100), alone, fixed)


def _children_cpu() -> float:
    """Seconds used by the children that this process has waited for: smtp-source, when it has just ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def percentile(values: list[float], share: float) -> float:
    """The value that `share` of all are not above; 0 of none."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))] if ordered else 0.0


def load(plan_: Plan, port: int, sink: Sink | NoSink, *, connections: int, count: int) -> dict[str, Any]:
    """Run the load generator on the client's core while the sink is watched; its JSON."""
    output = plan_.set_file.with_name("load.json")
    command = [sys.executable, str(HERE / "load.py"), str(plan_.set_file), str(port), "--output", str(output)]
    return sent_by([*command, "--connections", str(connections), "--count", str(count)], sink, output)


def sent_by(command: list[str], sink: Sink | NoSink, output: Path) -> dict[str, Any]:
    """Run a load generator that writes its JSON to `output`; that JSON. RuntimeError when there is none."""
    said = _send(command, sink)
    if not output.exists():
        raise RuntimeError(f"the load generator failed: {said}")
    result = json.loads(output.read_text())
    output.unlink()
    return result


def _send(command: list[str], sink: Sink | NoSink) -> str:
    """Run a sender on the client's core and watch the sink meanwhile; what it said when it failed, else ""."""
    pinned = ["taskset", "-c", str(CLIENT_CORE), *command]
    with tempfile.TemporaryFile() as said:
        child = subprocess.Popen(pinned, stdout=said, stderr=said, stdin=subprocess.DEVNULL)
        try:
            sink.follow(child)
        finally:
            if child.poll() is None:
                child.kill()
            child.wait()
        said.seek(0)
        return said.read().decode("utf-8", "replace").strip()[-400:] if child.returncode else ""


class Meter:
    """Counts and clocks around one run: use `begin`, send, `end`."""

    def __init__(self, group: Group, sink: Sink | NoSink) -> None:
        self.group = group
        self.sink = sink
        self.begin()

    def begin(self) -> None:
        """Remember the counters as they stand."""
        self.cpu, self.sink_cpu, self.received = self.group.cpu(), self.sink.cpu(), self.sink.count()
        self.busy, self.began = busy(self.group.core), time.monotonic()

    def end(
        self, accepted: int, *, start: float, replied: float, client_cpu: float, patience: float = PATIENCE
    ) -> dict[str, Any]:
        """Wait for the last message to arrive; rates over those that did, until the later of arrival and reply."""
        received, last = self.sink.wait(self.received + accepted, patience)
        arrived, wall = received - self.received, max(last, replied) - start
        others = busy(self.group.core) - self.busy - (self.group.cpu() - self.cpu)
        watched = time.monotonic() - self.began
        cpu, sink_cpu = self.group.cpu() - self.cpu, self.sink.cpu() - self.sink_cpu
        return {
            "accepted": accepted,
            "arrived": arrived,
            "seconds": round(wall, 4),
            "messages_per_second": round(arrived / wall, 2),
            "cpu_ms_per_message": round(cpu * 1000 / max(1, arrived), 4),
            "server_core": round(cpu / wall, 3),
            "others_on_server_core": round(max(0.0, others / watched), 3),
            "client_core": round((client_cpu + sink_cpu) / wall, 3),
        }


def mixed(plan_: Plan, peer: Peer, meter: Meter, *, connections: int, count: int) -> dict[str, Any]:
    """The stored set through `connections` connections: rates, and the latency of each reply by size."""
    meter.begin()
    sent = load(plan_, peer.port, meter.sink, connections=connections, count=count)
    results = sent["results"]
    good = sum(code == 250 for _, _, code in results)
    # A queueing peer has answered before the sink has it: the sink's clock decides, but never before the last reply.
    run = meter.end(good, start=sent["start"], replied=sent["end"], client_cpu=sent["cpu"])
    times = [seconds * 1000 for _, seconds, _ in results]
    run |= {"p50_ms": round(percentile(times, 0.5), 3), "p99_ms": round(percentile(times, 0.99), 3)}
    run |= {"errors": sent["error_count"], "first_errors": sent["errors"][:3], "by_size": {}}
    low = 0
    for high in CLASSES:
        part = [seconds * 1000 for size, seconds, _ in results if low <= size < high]
        run["by_size"][str(high)] = {
            "messages": len(part),
            "p50_ms": round(percentile(part, 0.5), 3),
            "p99_ms": round(percentile(part, 0.99), 3),
        }
        low = high
    return run


def fixed(peer: Peer, meter: Meter, *, size: int, count: int, connections: int) -> dict[str, Any]:
    """smtp-source → peer → smtp-sink, `count` messages of `size` octets."""
    sessions = min(connections, count)
    command = ["/usr/sbin/smtp-source", "-4", "-d", "-s", str(sessions), "-l", str(size), "-m", str(count)]
    command += ["-f", f"u1@{DOMAIN}", "-t", "r1@partner1.example", f"127.0.0.1:{peer.port}"]
    before = _children_cpu()
    meter.begin()
    start = time.monotonic()
    said = _send(command, meter.sink)
    client_cpu = _children_cpu() - before
    run = meter.end(count, start=start, replied=start, client_cpu=client_cpu, patience=3.0 if said else PATIENCE)
    return run | {"errors": int(bool(said)), "first_errors": [said] if said else []}


def round_of(peer: Peer, bench: Bench, plan_: Plan, client: Group) -> dict[str, Any]:
    """Start the peer, measure everything once, stop it. RuntimeError and OSError when it does not work."""
    group = peer.start()
    sink = Sink(client, bench.sink_port, bench.directory)
    try:
        meter = Meter(group, sink)
        mixed(plan_, peer, meter, connections=plan_.connections, count=plan_.warm)
        group.settle(10.0)
        found: dict[str, Any] = {"accounting": group.how, "idle_memory": group.memory()}
        found["mixed"] = mixed(plan_, peer, meter, connections=plan_.connections, count=plan_.messages)
        found["memory"] = group.memory()
        if plan_.text is not None:
            text = plan_.text
            found["text"] = mixed(text, peer, meter, connections=text.connections, count=text.messages)
        found["alone"] = mixed(plan_, peer, meter, connections=1, count=plan_.alone)
        found["fixed"] = {
            str(size): fixed(peer, meter, size=size, count=count, connections=plan_.connections)
            for size, count in plan_.fixed.items()
        }
    finally:
        sink.stop()
        peer.stop()
    return found


def proof(peer: Peer, bench: Bench, plan_: Plan, client: Group, public_key: bytes) -> dict[str, Any]:
    """Before anything is timed: do messages arrive, and does each carry a signature that verifies?"""
    from signature import verified  # noqa: PLC0415 - needs dkimpy, which only this step needs

    peer.start()
    sink = Sink(client, bench.sink_port, bench.directory, dump=True)
    try:
        sent = load(plan_, peer.port, sink, connections=2, count=PROOF)
        good = sum(code == 250 for _, _, code in sent["results"])
        arrived, _ = sink.wait(good, PATIENCE)
    finally:
        sink.stop()
        peer.stop()
    files = sorted(sink.dumped.iterdir())
    signed = sum(verified(file.read_bytes(), public_key) for file in files)
    return {"sent": PROOF, "accepted": good, "arrived": arrived, "verified": signed, "errors": sent["errors"][:3]}


def medians(runs: list[dict[str, Any]], *path: str) -> float:
    """The median over rounds of one number, found by its path in each round; 0 when there is none."""
    values = []
    for run in runs:
        value: Any = run
        for key in path:
            value = value[key]
        values.append(float(value))
    return median(values) if values else 0.0
