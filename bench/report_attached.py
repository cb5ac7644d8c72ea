"""The tables of the part about attachments: a row for each kind of file and peer, ratios within the kind."""

from __future__ import annotations

from typing import Any

from measure import medians
from table import BUSY, Row, ratio, spread, table

REFERENCE = "postfix+rspamd+clamd"
Rounds = dict[str, list[dict[str, Any]]]
HEAD = ["file, peer", "msg/s", "ratio", "CPU ms/msg", "per CPU s", "rounds", "server core", "client core", "errors"]


def attached_runs(found: dict[str, Any]) -> list[dict[str, Any]]:
    """What of a round is long enough to tell who else used the core."""
    return [kind["different"] for kind in found["kinds"].values()]


def attached_part(part: dict[str, Any]) -> list[str]:
    """All tables, and the sentences that they are for."""
    peers = part["peers"]
    if not peers:
        return []
    reference = REFERENCE if REFERENCE in peers else next(iter(peers))
    sizes = ", ".join(f"{kind} {facts['median_file_bytes'] // 1000} kB" for kind, facts in part["set"].items())
    first = next(iter(part["set"].values()))["messages"]["messages"]
    return [
        rates(peers, reference, "different", f"Attachments: {first} messages of each kind, every file new ({sizes})"),
        rates(peers, reference, "again", "Attachments: one file of each kind again and again, seen before"),
        memory(peers, reference),
        verdict(peers),
    ]


def rates(peers: Rounds, reference: str, which: str, title: str) -> str:
    """Messages per second on one core, processor time, and both as ratios to the reference for the same kind."""
    rows = []
    for kind in next(iter(peers.values()))[0]["kinds"]:
        for name, runs in peers.items():
            rows.append(_row(f"{kind}  {name}", runs, peers[reference], ("kinds", kind, which)))
    return table(f"{title}; ratios to {reference}", HEAD, rows)


def _row(label: str, runs: list[dict[str, Any]], other: list[dict[str, Any]], path: tuple[str, ...]) -> Row:
    rate, cpu = medians(runs, *path, "messages_per_second"), medians(runs, *path, "cpu_ms_per_message")
    client = medians(runs, *path, "client_core")
    errors = sum(int(medians([run], *path, "errors")) for run in runs)
    lost = sum(int(medians([run], *path, "accepted") - medians([run], *path, "arrived")) for run in runs)
    return [
        label,
        f"{rate:.1f}",
        ratio(rate, medians(other, *path, "messages_per_second")),
        f"{cpu:.1f}",
        ratio(medians(other, *path, "cpu_ms_per_message"), cpu),
        spread(runs, *path, "cpu_ms_per_message"),
        f"{medians(runs, *path, 'server_core') * 100:.0f}%",
        f"{client * 100:.0f}%" + ("!" if client > BUSY else ""),
        f"{errors + lost}",
    ]


def memory(peers: Rounds, reference: str) -> str:
    """All processes of a peer after all files."""
    rows = []
    for name, runs in peers.items():
        pss = medians(runs, "memory", "pss_mb")
        processes, idle = medians(runs, "memory", "processes"), medians(runs, "idle_memory", "pss_mb")
        share = ratio(pss, medians(peers[reference], "memory", "pss_mb"))
        rows.append([name, f"{processes:.0f}", f"{pss:.0f}", share, f"{idle:.0f}"])
    head = ["peer", "processes", "PSS", "ratio", "PSS after warm-up"]
    return table("Memory of all processes in MB, after the attachments", head, rows)


def verdict(peers: Rounds) -> str:
    """How many times the reference's messages per second of processor time, for each kind."""
    if REFERENCE not in peers:
        return f"No comparison of attachments: it takes {REFERENCE} in the same run."
    lines = []
    for name in (name for name in peers if name.startswith("sekisho")):
        each = []
        for kind in peers[name][0]["kinds"]:
            path = ("kinds", kind, "different", "cpu_ms_per_message")
            each.append(f"{kind} {medians(peers[REFERENCE], *path) / medians(peers[name], *path):.1f}")
        lines.append(f"{name} to {REFERENCE}, times the messages per second of processor time: {', '.join(each)}")
    return "\n".join(lines)
