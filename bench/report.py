"""The tables: medians over the rounds, each beside its ratio to the reference peer. Never a time alone."""

from __future__ import annotations

from typing import Any

from measure import CLASSES, medians
from report_attached import attached_part, attached_runs
from table import BUSY, Row, ratio, spread, table

REFERENCE = "postfix+rspamd"
TARGET = 5.0  # times the reference's messages per second of processor time
OTHERS = 0.05  # share of the server core that other processes may use before the report says so


def reference_of(peers: dict[str, list[dict[str, Any]]]) -> str:
    """Postfix with rspamd where it was measured, else the first that was."""
    return REFERENCE if REFERENCE in peers else next(iter(peers), "")


def throughput(peers: dict[str, list[dict[str, Any]]], facts: dict[str, Any], kind: str = "mixed") -> str:
    """The mixed set, or its "text": messages per second on one core, processor time, and both as ratios."""
    reference = reference_of(peers)
    rows = []
    for name, runs in peers.items():
        rate, cpu = medians(runs, kind, "messages_per_second"), medians(runs, kind, "cpu_ms_per_message")
        other = peers[reference]
        client = medians(runs, kind, "client_core")
        rows.append(
            [
                name,
                f"{rate:.1f}",
                ratio(rate, medians(other, kind, "messages_per_second")),
                spread(runs, kind, "messages_per_second"),
                f"{cpu:.2f}",
                ratio(medians(other, kind, "cpu_ms_per_message"), cpu),
                spread(runs, kind, "cpu_ms_per_message"),
                f"{medians(runs, kind, 'server_core') * 100:.0f}%",
                f"{client * 100:.0f}%" + ("!" if client > BUSY else ""),
                f"{sum(run[kind]['errors'] for run in runs)}",
                f"{sum(run[kind]['accepted'] - run[kind]['arrived'] for run in runs)}",
            ]
        )
    head = ["peer", "msg/s", "ratio", "rounds", "CPU ms/msg", "per CPU s", "rounds"]
    head += ["server core", "client core", "errors", "not passed on"]
    what = {"mixed": "Mixed set", "text": "Without attachments"}[kind]
    title = f"{what}: {facts['messages']} messages, median {facts['median_bytes']} octets; ratios to {reference}"
    return table(title, head, rows)


def latency(peers: dict[str, list[dict[str, Any]]]) -> str:
    """Time from MAIL FROM to the final reply: all connections at once, and one alone."""
    reference = reference_of(peers)
    head, rows = ["peer"], []
    for kind in ("mixed", "alone"):
        head += [f"{kind} p50 ms", "ratio", f"{kind} p99 ms", "ratio"]
    for name, runs in peers.items():
        row = [name]
        for kind in ("mixed", "alone"):
            for key in ("p50_ms", "p99_ms"):
                value = medians(runs, kind, key)
                row += [f"{value:.1f}", ratio(value, medians(peers[reference], kind, key))]
        rows.append(row)
    title = "Time to the final reply (a queueing peer answers before it delivers); under load, and on one connection"
    return table(title, head, rows)


def by_size(peers: dict[str, list[dict[str, Any]]], kind: str) -> str:
    """Median time to reply of the mixed set's messages by their size."""
    reference = reference_of(peers)
    first = next(iter(peers.values()))[0][kind]["by_size"]
    used = [str(high) for high in CLASSES if first[str(high)]["messages"]]
    names = dict(zip(map(str, CLASSES), ("< 4 kB", "4-16 kB", "16-64 kB", "64-512 kB", "> 512 kB"), strict=True))
    head, rows = ["peer"], []
    for size in used:
        head += [f"{names[size]} ({first[size]['messages']})", "ratio"]
    for name, runs in peers.items():
        row = [name]
        for size in used:
            value = medians(runs, kind, "by_size", size, "p50_ms")
            row += [f"{value:.1f}", ratio(value, medians(peers[reference], kind, "by_size", size, "p50_ms"))]
        rows.append(row)
    return table("Time to the final reply by size, one connection: p50 in ms (number of messages)", head, rows)


def fixed_sizes(peers: dict[str, list[dict[str, Any]]]) -> str:
    """smtp-source to smtp-sink: messages per second and processor time, by size."""
    reference = reference_of(peers)
    sizes = list(next(iter(peers.values()))[0]["fixed"])
    head, rows = ["peer"], []
    for size in sizes:
        head += [f"{int(size) // 1000} kB msg/s", "ratio", "CPU ms", "per CPU s"]
    for name, runs in peers.items():
        row = [name]
        for size in sizes:
            rate = medians(runs, "fixed", size, "messages_per_second")
            cpu = medians(runs, "fixed", size, "cpu_ms_per_message")
            other = peers[reference]
            client = medians(runs, "fixed", size, "client_core")
            row += [
                f"{rate:.1f}" + ("!" if client > BUSY else ""),
                ratio(rate, medians(other, "fixed", size, "messages_per_second")),
                f"{cpu:.2f}",
                ratio(medians(other, "fixed", size, "cpu_ms_per_message"), cpu),
            ]
        rows.append(row)
    return table("smtp-source -> peer -> smtp-sink, one size at a time", head, rows)


def memory(peers: dict[str, list[dict[str, Any]]]) -> str:
    """All processes of a peer after the mixed set."""
    rows, reference = [], reference_of(peers)
    for name, runs in peers.items():
        pss = medians(runs, "memory", "pss_mb")
        rows.append(
            [
                name,
                f"{medians(runs, 'memory', 'processes'):.0f}",
                f"{medians(runs, 'memory', 'rss_mb'):.0f}",
                f"{pss:.0f}",
                ratio(pss, medians(peers[reference], "memory", "pss_mb")),
                f"{medians(runs, 'idle_memory', 'pss_mb'):.0f}",
            ]
        )
    title = (
        "Memory of all processes in MB, after the mixed set (PSS: shared pages divided among those who share them)"
    )
    return table(title, ["peer", "processes", "RSS", "PSS", "PSS ratio", "PSS after warm-up"], rows)


def proofs(found: dict[str, dict[str, Any]]) -> str:
    """What was checked before anything was timed."""
    rows = [
        [name, *(str(proof[key]) for key in ("sent", "accepted", "arrived")), str(proof["verified"])]
        for name, proof in found.items()
    ]
    return table("Checked before: messages that arrive, DKIM signatures that verify", list(PROOF_HEAD), rows)


PROOF_HEAD = ("peer", "sent", "accepted", "arrived", "DKIM verified")


def verdict(peers: dict[str, list[dict[str, Any]]]) -> str:
    """The sentences that the numbers are for: how many times the other, against the target where there is one."""
    if "sekisho" not in peers or REFERENCE not in peers:
        return f"No comparison with the target: it takes sekisho and {REFERENCE} in the same run."
    kinds = [kind for kind in ("mixed", "text") if kind in peers["sekisho"][0]]
    return "\n".join(_sentence(peers, name, kind) for name in peers if name != "sekisho" for kind in kinds)


def _sentence(peers: dict[str, list[dict[str, Any]]], name: str, kind: str) -> str:
    ours, theirs = peers["sekisho"], peers[name]
    cpu = medians(theirs, kind, "cpu_ms_per_message") / medians(ours, kind, "cpu_ms_per_message")
    rate = medians(ours, kind, "messages_per_second") / medians(theirs, kind, "messages_per_second")
    of = "mixed set" if kind == "mixed" else "without attachments"
    line = f"sekisho to {name}, {of}: {cpu:.1f} times the messages "
    line += f"per second of processor time, {rate:.1f} times by the clock"
    if name == REFERENCE:
        line += f"; target {TARGET:.0f}: {'reached' if min(cpu, rate) >= TARGET else 'NOT reached'}"
    return line


def machine_lines(result: dict[str, Any]) -> Row:
    """What a reader must know about the machine, and what disturbed."""
    machine, parts = result["machine"], result["parts"]
    left_out = {name: why for part in parts.values() for name, why in part["skipped"].items()}
    lines = [
        f"{machine['cpu']}, {machine['cores']} cores, kernel {machine['kernel']}, Python {machine['python']}",
        f"server on core {machine['server_core']}, client and sink on core {machine['client_core']}",
        f"files in {machine['directory_kind']}; {result['rounds']} rounds, peers in turn",
        f"load average before {machine['load_before']:.2f}, after {machine['load_after']:.2f}",
        *(f"{name}: {version}" for name, version in machine["versions"].items()),
        *(f"left out: {name}: {why}" for name, why in left_out.items()),
    ]
    if machine["load_before"] > 0.5:
        lines.append("WARNING: other work was running on this machine when the benchmark began")
    if machine["server_core"] == machine["client_core"]:
        lines.append("WARNING: one core for both sides; only the CPU columns mean anything")
    return lines


def disturbed(part: str, peers: dict[str, list[dict[str, Any]]]) -> Row:
    """A warning for each peer beside which something else used the server's core."""
    lines = []
    for name, runs in peers.items():
        timed = [sub for run in runs for sub in ([run["mixed"]] if "mixed" in run else attached_runs(run))]
        others = max(run["others_on_server_core"] for run in timed)
        if others > OTHERS:
            lines.append(f"WARNING: {part}: other work took up to {others * 100:.0f}% of the server core from {name}")
    return lines


def mixed_part(part: dict[str, Any]) -> Row:
    """The tables of the mixed set and of fixed sizes."""
    peers = part["peers"]
    tables = [proofs(part["proofs"])] if part["proofs"] else []
    if peers:
        tables.append(throughput(peers, part["set"]))
        if "text" in part["set"]:
            tables.append(throughput(peers, part["set"]["text"], "text"))
        tables += [latency(peers), by_size(peers, "alone"), fixed_sizes(peers)]
        tables += [memory(peers), verdict(peers)]
    return tables


def render(result: dict[str, Any]) -> str:
    """The whole report as text."""
    parts = result["parts"]
    lines = [
        *machine_lines(result),
        *(line for name, part in parts.items() for line in disturbed(name, part["peers"])),
    ]
    tables = ["\n".join([*lines, ""])]
    if "mixed" in parts:
        tables += mixed_part(parts["mixed"])
    if "attachments" in parts:
        tables += attached_part(parts["attachments"])
    return "\n".join(tables)
