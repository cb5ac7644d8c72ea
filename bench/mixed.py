"""The part about mail as a company sends it: the mixed set, one connection alone, and fixed sizes."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import messages
from measure import Plan, plan, proof, round_of
from peers import Aiosmtpd, Bench, Peer, Postfix, PostfixOpendkim, Sekisho
from process import Group
from rspamd import PostfixRspamd, PostfixRspamdLean

KINDS: dict[str, type[Peer]] = {
    kind.name: kind for kind in (Sekisho, Aiosmtpd, Postfix, PostfixOpendkim, PostfixRspamd, PostfixRspamdLean)
}


class MixedPart:
    """What `run.py` asks of a part: to prepare, to prove, one round of one peer."""

    name = "mixed"
    kinds = KINDS
    default = ("sekisho", "aiosmtpd", "postfix", "postfix+rspamd")

    def __init__(self, bench: Bench, client: Group, count: int, connections: int, corpus: Path | None) -> None:
        self.bench = bench
        self.client = client
        self.count = count
        self.connections = connections
        self.corpus = corpus
        self.plan: Plan

    def prepare(self) -> dict[str, Any]:
        """Write the message set; what a reader should know about it."""
        file, corpus = self.bench.directory / "set.bin", self.corpus
        if corpus:
            facts = messages.write(messages.from_corpus(corpus, self.count), file) | {"source": "corpus"}
            self.plan = plan(file, int(facts["messages"]), self.connections)
            return facts
        facts = messages.write(messages.generate(self.count), file) | {"source": "generated"}
        without = self.bench.directory / "text.bin"
        text = (mail for mail in messages.generate(self.count) if mail.kind != "attachment")
        facts["text"] = messages.write(text, without)
        self.plan = replace(
            plan(file, int(facts["messages"]), self.connections),
            text=plan(without, int(facts["text"]["messages"]), self.connections),
        )
        return facts

    def new_round(self, _number: int) -> None:
        """Every round sends the same messages."""

    def proof(self, peer: Peer) -> dict[str, Any]:
        """Messages that arrive, signatures that verify."""
        return proof(peer, self.bench, self.plan, self.client, self.bench.public_key)

    @staticmethod
    def complaint(peer: Peer, proof: dict[str, Any]) -> str:
        """Why the peer is not to be measured, or ""."""
        if proof["accepted"] == 0 or proof["arrived"] < proof["accepted"]:
            return f"{proof['arrived']} of {proof['sent']} messages arrived; {proof['errors']}"
        if peer.signs and proof["verified"] < proof["arrived"]:
            return f"{proof['verified']} of {proof['arrived']} signatures verify"
        return ""

    def round(self, peer: Peer) -> dict[str, Any]:
        """Everything once."""
        return round_of(peer, self.bench, self.plan, self.client)

    @staticmethod
    def summary(found: dict[str, Any]) -> str:
        """One line while it runs."""
        run = found["mixed"]
        return f"{run['messages_per_second']:.1f} msg/s, {run['cpu_ms_per_message']:.2f} ms CPU a message"
