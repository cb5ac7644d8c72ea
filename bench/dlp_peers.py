"""Presidio and detect-secrets for the DLP benchmark: a venv of their own, and what they answer."""

from __future__ import annotations

import hashlib
import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dlp_score import Found
from msgspec import Struct

if TYPE_CHECKING:
    from collections.abc import Sequence

BENCH = Path(__file__).resolve().parent
VENV = BENCH / "results" / "venv-dlp"
LOCKED = BENCH / "dlp-requirements.txt"
PRESIDIO, PRESIDIO_ALL, DETECT_SECRETS = PEERS = ("presidio", "presidio-all", "detect-secrets")


class Answer(Struct, frozen=True):
    """What a peer found in each text, its processor seconds, and its version."""

    found: list[list[Found]]
    seconds: float
    version: str


def installed(peers: list[str]) -> tuple[list[str], str]:
    """The peers that can run, and why the others cannot. Makes their venv when absent or out of date."""
    if not peers:
        return [], ""
    digest = hashlib.sha256(LOCKED.read_bytes() + sys.version.encode()).hexdigest()
    stamp = VENV / "requirements.sha256"
    if stamp.exists() and stamp.read_text() == digest:
        return peers, ""
    print("making a venv for Presidio and detect-secrets", flush=True)
    shutil.rmtree(VENV, ignore_errors=True)
    pip = [str(VENV / "bin/python"), "-m", "pip", "install", "-q", "--no-deps", "--require-hashes"]
    for step in ([sys.executable, "-m", "venv", str(VENV)], [*pip, "-r", str(LOCKED)]):
        done = subprocess.run(step, capture_output=True, text=True, check=False)
        if done.returncode:
            return [], f"{', '.join(peers)}: {(done.stderr.strip().splitlines() or ['no message'])[-1]}"
    stamp.write_text(digest)
    return peers, ""


def ask(peer: str, texts: Sequence[str]) -> Answer:
    """What a peer finds in these texts."""
    command = [str(VENV / "bin/python"), str(BENCH / "dlp_peer.py"), peer]
    done = subprocess.run(command, input=json.dumps(list(texts)), capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"{peer} failed:\n{done.stderr}")
    answer: dict[str, Any] = json.loads(done.stdout)
    found = [[Found(*value) for value in values] for values in answer["found"]]
    return Answer(found, answer["seconds"], answer["version"])
