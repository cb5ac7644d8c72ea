"""What DKIM costs beside dkimpy, and bare RSA: `make bench-mailauth`.

One process, processor time; the contenders take turns on the same messages in the same run, and medians of rounds are
given. RSA of 2048 bits, relaxed/relaxed. "cold": the public key is read anew each time, "warm": it is known.
"""

from __future__ import annotations

import argparse
import base64
import statistics
import time
from collections.abc import Callable, Coroutine
from pathlib import Path

import dkim as dkimpy
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from sekisho.mail.dns import Records
from sekisho.mailauth import dkim_key
from sekisho.mailauth.canonical import split_message
from sekisho.mailauth.dkim import DkimKey, signature_fields
from sekisho.mailauth.dkim_result import DkimResult
from sekisho.mailauth.dkim_verify import verify

RESULTS = Path(__file__).resolve().parent / "results"
SIZES = (1_000, 10_000, 100_000, 1_000_000)
HEADER = (
    b"Received: from a.example by b.example; Tue, 24 Nov 2026 10:00:00 +0900\r\n"
    b"From: Taro Yamada <taro@example.jp>\r\nTo: Hanako <hanako@example.com>\r\nSubject: =?utf-8?b?6KuL5rGC5pu4?=\r\n"
    b"Date: Tue, 24 Nov 2026 10:00:00 +0900\r\nMessage-ID: <1@example.jp>\r\nMIME-Version: 1.0\r\n"
    b"Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\n"
)
LINE = "お世話になっております。先日の 見積書 をお送りします。 Please see the attached quotation.\r\n".encode()


class Keys:
    """A resolver that always has the one key."""

    def __init__(self, record: bytes) -> None:
        self.found = Records("found", (record,))

    async def records(self, _name: str, _kind: str) -> Records:
        """The record."""
        return self.found


def message(size: int) -> bytes:
    return HEADER + (LINE * (size // len(LINE) + 1))[: max(0, size - len(HEADER))].rsplit(b"\r\n", 1)[0] + b"\r\n"


def seconds(work: Callable[[], object], least: float) -> float:
    """Processor time of one call, of as many as take `least` seconds."""
    calls, begun = 0, time.process_time()
    while (spent := time.process_time() - begun) < least or not calls:
        work()
        calls += 1
    return spent / calls


def verifying(signed: bytes, keys: Keys, *, cold: bool) -> Callable[[], object]:
    def once() -> None:
        if cold:
            dkim_key.forget()
        (result,) = driven(verify(signed, keys, 1_790_000_000))
        assert result.result == "pass", result

    return once


def driven(coroutine: Coroutine[None, None, tuple[DkimResult, ...]]) -> tuple[DkimResult, ...]:
    """What it returns: with this resolver nobody waits."""
    try:
        coroutine.send(None)
    except StopIteration as end:
        return end.value
    raise AssertionError("it waits")


def contenders(size: int) -> dict[str, Callable[[], object]]:
    private = generate_private_key(65537, 2048)
    key = DkimKey("example.jp", "s1", private)
    der = private.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    record = b"v=DKIM1; k=rsa; p=" + base64.b64encode(der)
    pem = private.private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption())
    plain = message(size)
    signed = signature_fields(split_message(plain), [key], 1_780_000_000) + plain
    names = [b"from", b"to", b"subject", b"date", b"message-id", b"mime-version", b"content-type"]
    bare = private.sign(b"x" * 500, PKCS1v15(), SHA256())
    public = private.public_key()
    keys = Keys(record)
    assert dkimpy.verify(signed, dnsfunc=lambda *_, **__: record)
    return {
        "sign: bare RSA": lambda: private.sign(b"x" * 500, PKCS1v15(), SHA256()),
        "sign: sekisho": lambda: signature_fields(split_message(plain), [key], 1_780_000_000),
        "sign: dkimpy": lambda: dkimpy.sign(
            plain, b"s1", b"example.jp", pem, canonicalize=(b"relaxed", b"relaxed"), include_headers=names
        ),
        "verify: bare RSA": lambda: public.verify(bare, b"x" * 500, PKCS1v15(), SHA256()),
        "verify: sekisho, warm": verifying(signed, keys, cold=False),
        "verify: sekisho, cold": verifying(signed, keys, cold=True),
        "verify: dkimpy": lambda: dkimpy.verify(signed, dnsfunc=lambda *_, **__: record),
    }


def measured(size: int, rounds: int, least: float) -> dict[str, float]:
    """The median of the seconds of each."""
    works = contenders(size)
    taken: dict[str, list[float]] = {name: [] for name in works}
    for _ in range(rounds):
        for name, work in works.items():
            taken[name].append(seconds(work, least))
    return {name: statistics.median(found) for name, found in taken.items()}


def report(size: int, found: dict[str, float]) -> list[str]:
    lines = [f"\n{size:,} octets", "| | a second | us | to bare RSA | of dkimpy's speed |", "|---|--:|--:|--:|--:|"]
    for name, taken in found.items():
        verb = name.partition(":")[0]
        bare, peer = taken / found[f"{verb}: bare RSA"], found[f"{verb}: dkimpy"] / taken
        lines.append(f"| {name} | {1 / taken:,.0f} | {taken * 1e6:,.0f} | {bare:.2f} | {peer:.1f} |")
    return lines


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--seconds", type=float, default=0.15, help="of each measurement")
    args = parser.parse_args()
    lines = ["# DKIM, RSA-2048, one core"]
    for size in SIZES:
        lines += report(size, measured(size, args.rounds, args.seconds))
    text = "\n".join(lines) + "\n"
    print(text)
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / "mailauth.txt").write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
