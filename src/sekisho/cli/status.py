"""`sekisho status`: how listeners, workers, store, next hops and kept messages are."""

from __future__ import annotations

import argparse
import asyncio
import socket
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from sekisho.cli.terms import command, configuration_of, print_json, rfc3339
from sekisho.config.load import Configuration, host_and_port
from sekisho.config.settings import ListenerSettings
from sekisho.daemon.compose import open_store
from sekisho.mail.kept import StoreAwayError
from sekisho.store.sqlite import Heartbeat, SqliteStore

_FRESH_SECONDS = 20.0
_CONNECT_SECONDS = 3.0


def add_to(commands: Any) -> None:
    """Add `status`."""
    summary = "Health of listeners, store, next hops, workers and kept messages"
    command(commands, "status", run, summary, "sekisho status --json", prints_data=True)


def run(given: argparse.Namespace) -> int:
    """Print how everything is. Returns 1 if anything is wrong."""
    configuration = configuration_of(given)
    state: dict[str, Any] = {"listeners": _listeners(configuration), "store": "", "processes": [], "next_hops": []}
    state |= {"antivirus": [], "opening": [], "link_lists": [], "dns_lists": [], "registered": [], "learning": []}
    state["kept"] = {}
    try:
        store = open_store(configuration)
        try:
            _from_store(store, state)
        finally:
            store.close()
    except StoreAwayError as error:
        state["store"] = str(error)
    wrong = list(_wrong(state))
    state["wrong"] = wrong
    if given.json:
        print_json(state)
    else:
        print(_as_text(state))
    return 1 if wrong else 0


def _listeners(configuration: Configuration) -> list[dict[str, str]]:
    return [
        {"name": listener.name, "address": listener.address, "state": _answer(listener)}
        for listener in configuration.settings.listener
    ]


def _answer(listener: ListenerSettings) -> str:
    """Whether somebody answers there. A connection alone shows little: the socket outlives the workers."""
    host, port = host_and_port(listener.address)
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104 - compared, not bound
    greets_first = listener.tls != "implicit" and not listener.proxy_protocol_from
    try:
        with socket.create_connection((host, port), _CONNECT_SECONDS) as connection:
            answered = not greets_first or connection.recv(1)
    except OSError as error:
        return f"down: {error.strerror or error}"
    return "up" if answered else "down: no greeting"


def _from_store(store: SqliteStore, state: dict[str, Any]) -> None:
    now = datetime.now(UTC)
    hops: dict[str, dict[str, Any]] = {}
    for beat in _current(store.heartbeats()):
        state["processes"].append(_process(beat, now))
        if (now - beat.at).total_seconds() <= _FRESH_SECONDS:
            for hop in beat.state.get("next_hops", []):
                known = hops.setdefault(hop["host"], hop)
                if hop["state"] != "up" and known["state"] == "up":
                    hops[hop["host"]] = hop
            _from_checking(beat, state)
    state["next_hops"] = list(hops.values())
    for count in asyncio.run(store.kept_counts()):
        key = f"{count.kind} {count.state}"
        state["kept"][key] = state["kept"].get(key, 0) + count.count


def _from_checking(beat: Heartbeat, state: dict[str, Any]) -> None:
    """The walls around attachments, and virus scanners and lists, each as that worker sees it that sees it worst."""
    if "opening" not in beat.state:
        return
    state["opening"].append({"process": beat.name, "walls": beat.state["opening"]})
    state["registered"] += [one for one in beat.state.get("registered", []) if one not in state["registered"]]
    state["learning"] += [one for one in beat.state.get("learning", []) if one not in state["learning"]]
    for what, good in (("antivirus", "up"), ("dns_lists", "up"), ("link_lists", "entries")):
        for seen in beat.state.get(what, []):
            known = next((one for one in state[what] if one["name"] == seen["name"]), None)
            if known is None:
                state[what].append(seen)
            elif known[good] and not seen[good]:
                known.update(seen)


def _current(beats: list[Heartbeat]) -> list[Heartbeat]:
    """Without the workers of an earlier start that had more of them: their last words stay in the store."""
    workers = next((beat.state.get("workers") for beat in beats if beat.name == "background"), None)
    if workers is None:
        return beats
    names = {"background", *(f"worker-{number + 1}" for number in range(workers))}
    return [beat for beat in beats if beat.name in names]


def _process(beat: Heartbeat, now: datetime) -> dict[str, Any]:
    age = (now - beat.at).total_seconds()
    return {
        "name": beat.name,
        "pid": beat.pid,
        "seen_at": rfc3339(beat.at),
        "state": "up" if age <= _FRESH_SECONDS else f"not heard of for {age:.0f} s",
        "connections": beat.state.get("connections"),
        "trouble": beat.state.get("store_trouble", ""),
        "counters": beat.state.get("counters_trouble", ""),
        "floods": beat.state.get("floods", {}),
    }


def _wrong(state: dict[str, Any]) -> Iterator[str]:
    if state["store"]:
        yield f"store: {state['store']}"
    if not state["processes"]:
        yield "no process has ever reported: the gateway is not running"
    for listener in state["listeners"]:
        if listener["state"] != "up":
            yield f"listener {listener['name']} ({listener['address']}): {listener['state']}"
    for process in state["processes"]:
        if process["state"] != "up":
            yield f"{process['name']}: {process['state']}"
        elif process["trouble"]:
            yield f"{process['name']}: store: {process['trouble']}"
        elif process["counters"]:
            yield f"{process['name']}: limits and guard count for this process alone: {process['counters']}"
        elif process["floods"].get("trouble"):
            yield f"{process['name']}: {process['floods']['trouble']}"
    yield from _wrong_around(state)


def _wrong_around(state: dict[str, Any]) -> Iterator[str]:
    """What is wrong with those that the gateway works with."""
    for hop in state["next_hops"]:
        if hop["state"] != "up":
            yield f"next hop {hop['host']}: {hop['state']}"
    for engine in state["antivirus"]:
        if not engine["up"]:
            yield f"antivirus {engine['name']}: {engine['error'] or 'down'}; messages with attachments are held"
    for opening in state["opening"]:
        if not opening["walls"]:
            yield f"{opening['process']}: attachments cannot be opened; messages with attachments are held"
    yield from _wrong_lists(state)
    for one in state["registered"]:
        if one["kind"] == "problem":
            yield f"registered data: {one['problem']}; what was read before stays in force"


def _wrong_lists(state: dict[str, Any]) -> Iterator[str]:
    for listed in state["dns_lists"]:
        if not listed["up"]:
            yield f"DNS list {listed['name']}: {listed['error'] or 'down'}; nothing is found by it"
    for listed in state["link_lists"]:
        if listed["expired"]:
            yield f"link list {listed['name']}: nobody has renewed it; nothing is found by it"


def _as_text(state: dict[str, Any]) -> str:
    lines = [f"listener   {x['name']:12} {x['address']:22} {x['state']}" for x in state["listeners"]]
    lines += [f"process    {x['name']:12} pid {x['pid']:<18} {x['state']}" for x in state["processes"]]
    lines += [f"next hop   {x['host']:35} {x['state']}" for x in state["next_hops"]]
    lines += [f"antivirus  {x['name']:35} {_engine(x)}" for x in state["antivirus"]]
    lines += [f"DNS list   {x['name']:35} {'up' if x['up'] else 'down'}" for x in state["dns_lists"]]
    lines += [f"link list  {x['name']:35} {x['entries']} entries" for x in state["link_lists"]]
    lines += [f"registered {_registered(x)}" for x in state["registered"] if x["kind"] != "problem"]
    lines += [f"learned    {x['tenant']:35} {x['decisions']} decisions in effect" for x in state["learning"]]
    lines += [f"attachments opened behind: {', '.join(x['walls'])}" for x in state["opening"][:1] if x["walls"]]
    lines += [f"kept       {key:35} {number}" for key, number in state["kept"].items()]
    lines += [f"WRONG      {text}" for text in state["wrong"]] or ["all is well"]
    return "\n".join(lines)


def _registered(of: dict[str, Any]) -> str:
    """A list with its rows, or how many documents a tenant has."""
    if of["kind"] == "list":
        return f"{'list ' + of['name']:24} {of['tenant']:10} {of['rows']:,} rows"
    return f"{'documents':24} {of['tenant']:10} {of['documents']:,}"


def _engine(engine: dict[str, Any]) -> str:
    return f"up, {engine['version']}" if engine["up"] else "down"
