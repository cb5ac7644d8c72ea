"""The part about attachments: ordinary files of 500 kB, each in a message of its own, the same for every peer."""

from __future__ import annotations

import base64
import hashlib
import json
import random
import statistics
import sys
from pathlib import Path
from typing import Any

from clamd import EICAR, Clamd, PostfixRspamdClamd, SekishoClamd
from documents import KINDS as DOCUMENTS
from documents import File, document, package
from measure import HERE, Meter, Plan, mixed, sent_by
from messages import Mail, message_with, write
from peers import Bench, Peer, Sekisho
from process import Group
from sink import NoSink, Sink

KINDS: dict[str, type[Peer]] = {kind.name: kind for kind in (Sekisho, SekishoClamd, Clamd, PostfixRspamdClamd)}
CONNECTIONS = 8
WARM = 3  # messages of each kind before the clock runs
AGAIN = 4  # times as many messages carry a file that was seen already: they are quick
QUIET = 2.0  # seconds without an arrival after which the infected message counts as stopped


class AttachedPart:
    """What `run.py` asks of a part: to prepare, to prove, one round of one peer."""

    name = "attachments"
    kinds = KINDS
    default = tuple(KINDS)

    def __init__(self, bench: Bench, client: Group, count: int) -> None:
        self.bench = bench
        self.client = client
        self.count = count

    def prepare(self) -> dict[str, Any]:
        """Write the set for the proof; what a reader should know of the sets, from the first round's."""
        self._store("proof", [*(document(kind, "proof") for kind in DOCUMENTS), infected()])
        return self.new_round(0)

    def new_round(self, number: int) -> dict[str, Any]:
        """Write the sets of a round: for each kind different files, and one of them again and again.

        Each round has files of its own: rspamd's Redis remembers those of the round before.
        """
        facts = {}
        for kind in DOCUMENTS:
            facts[kind] = self._store(kind, [document(kind, f"{number}/{each}") for each in range(self.count)])
            self._repeat(kind, f"{kind}-again", self.count * AGAIN)
        self._store("warm", [document(kind, f"{number}/warm/{each}") for each in range(WARM) for kind in DOCUMENTS])
        return facts

    def _path(self, name: str, *, scans: bool) -> Path:
        return self.bench.directory / f"{name}.{'files' if scans else 'mails'}.bin"

    def _store(self, name: str, files: list[File]) -> dict[str, Any]:
        """The files one after the other, and the same as messages; what a reader should know about them."""
        mails = [_mail(name, number, file) for number, file in enumerate(files)]
        facts = write(iter(mails), self._path(name, scans=False))
        index, at = [], 0
        for file in files:
            index.append([at, len(file.content)])
            at += len(file.content)
        path = self._path(name, scans=True)
        path.write_bytes(b"".join(file.content for file in files))
        path.with_suffix(".json").write_text(json.dumps(index))
        sizes = [len(file.content) for file in files]
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
        return {"median_file_bytes": int(statistics.median(sizes)), "files_sha256": digest, "messages": facts}

    def _repeat(self, name: str, again: str, count: int) -> None:
        """The first of a set `count` times, as a set of its own."""
        for scans in (False, True):
            source, target = self._path(name, scans=scans), self._path(again, scans=scans)
            first = json.loads(source.with_suffix(".json").read_text())[0]
            target.unlink(missing_ok=True)
            target.symlink_to(source)
            target.with_suffix(".json").write_text(json.dumps([first] * count))

    def proof(self, peer: Peer) -> dict[str, Any]:
        """One file of each kind must pass, and a test virus in a docx in a ZIP must not."""
        group = peer.start()
        sink = self._sink(peer)
        try:
            meter = Meter(group, sink)
            run = self._send(peer, meter, "proof", len(DOCUMENTS) + 1)
            passed, _ = sink.wait(len(DOCUMENTS) + 1, QUIET)
        finally:
            sink.stop()
            peer.stop()
        return {
            "sent": len(DOCUMENTS) + 1,
            "accepted": run["accepted"],
            "arrived": run["accepted"] if peer.scans else passed,
            "errors": run["first_errors"],
        }

    @staticmethod
    def complaint(_peer: Peer, proof: dict[str, Any]) -> str:
        """Why the peer is not to be measured, or ""."""
        if proof["arrived"] == len(DOCUMENTS):
            return ""
        return f"{proof['arrived']} of {proof['sent']} messages passed instead of {len(DOCUMENTS)}; {proof['errors']}"

    def round(self, peer: Peer) -> dict[str, Any]:
        """Start the peer, send every set, stop it."""
        group = peer.start()
        sink = self._sink(peer)
        try:
            meter = Meter(group, sink)
            self._send(peer, meter, "warm", WARM * len(DOCUMENTS))
            group.settle(10.0)
            found: dict[str, Any] = {"accounting": group.how, "idle_memory": group.memory(), "kinds": {}}
            for kind in DOCUMENTS:
                different = self._send(peer, meter, kind, self.count)
                again = self._send(peer, meter, f"{kind}-again", self.count * AGAIN)
                found["kinds"][kind] = {"different": different, "again": again}
            found["memory"] = group.memory()
        finally:
            sink.stop()
            peer.stop()
        return found

    def _sink(self, peer: Peer) -> Sink | NoSink:
        return NoSink() if peer.scans else Sink(self.client, self.bench.sink_port, self.bench.directory)

    def _send(self, peer: Peer, meter: Meter, name: str, count: int) -> dict[str, Any]:
        path = self._path(name, scans=peer.scans)
        if isinstance(peer, Clamd):
            return scanned(path, peer, meter, count)
        plan = Plan(path, count, CONNECTIONS, 0, 0, {})
        return mixed(plan, peer, meter, connections=CONNECTIONS, count=count)

    @staticmethod
    def summary(found: dict[str, Any]) -> str:
        """One line while it runs."""
        each = (f"{kind} {runs['different']['cpu_ms_per_message']:.0f}" for kind, runs in found["kinds"].items())
        return f"ms CPU a message: {', '.join(each)}"


def scanned(files: Path, peer: Clamd, meter: Meter, count: int) -> dict[str, Any]:
    """The stored files through clamd; the same numbers as for messages, where "arrived" means found clean."""
    meter.begin()
    output = files.with_name("scan.json")
    command = [sys.executable, str(HERE / "scan.py"), str(files), str(peer.socket), "--output", str(output)]
    sent = sent_by([*command, "--connections", str(CONNECTIONS), "--count", str(count)], meter.sink, output)
    good = sum(code == 250 for _, _, code in sent["results"])
    run = meter.end(good, start=sent["start"], replied=sent["end"], client_cpu=sent["cpu"])
    return run | {"errors": sent["error_count"], "first_errors": sent["errors"][:3]}


def infected() -> File:
    """EICAR's test file in a docx in a ZIP."""
    types = '<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"/>'
    inner = package(
        {"[Content_Types].xml": types.encode(), "word/document.xml": b"<d/>", "word/embeddings/1.bin": EICAR}
    )
    return File("outer.zip", "application/zip", package({"inner.docx": inner}))


def _mail(name: str, number: int, file: File) -> Mail:
    rng = random.Random(f"{name}/{number}/body")
    head = (
        f'Content-Type: {file.content_type}; name="{file.name}"',
        "Content-Transfer-Encoding: base64",
        f'Content-Disposition: attachment; filename="{file.name}"',
    )
    return message_with(
        [*(line.encode() for line in head), b"", *base64.encodebytes(file.content).splitlines()], number, rng
    )
