"""What the benchmark needs on a clean Debian machine: packages through apt, and a small venv for the Python relay."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

BENCH = Path(__file__).resolve().parent
RESULTS = BENCH / "results"
VENV = RESULTS / "venv"
POLICY = Path("/usr/sbin/policy-rc.d")
PACKAGES = {
    "postfix": ("/usr/sbin/postfix", "/usr/sbin/smtp-source", "/usr/sbin/smtp-sink"),
    "rspamd": ("/usr/bin/rspamd",),
    "redis-server": ("/usr/bin/redis-server",),
    "opendkim": ("/usr/sbin/opendkim",),
    "clamav-daemon": ("/usr/sbin/clamd",),
    "spamassassin": ("/usr/bin/sa-learn",),
    "spamd": ("/usr/sbin/spamd",),
}


def missing(packages: list[str]) -> list[str]:
    """The packages of which a program is not on this machine."""
    return [name for name in packages if not all(Path(program).exists() for program in PACKAGES[name])]


def packages(wanted: list[str]) -> str:
    """Install what is missing of `wanted`; no service is started. "" is success, else the reason in one line."""
    todo = missing(wanted)
    if not todo:
        return ""
    if os.geteuid() != 0:
        return f"not installed, and only root can install: {' '.join(todo)}"
    if not shutil.which("apt-get"):
        return f"not installed, and there is no apt-get here: {' '.join(todo)}"
    print(f"installing with apt-get: {' '.join(todo)}", flush=True)
    return _without_services(todo)


def _without_services(todo: list[str]) -> str:
    """Run apt-get while a policy-rc.d forbids every service to start, and put the old state back afterwards."""
    ours = not POLICY.exists()
    if ours:
        POLICY.write_text("#!/bin/sh\nexit 101\n")
        POLICY.chmod(0o755)
    try:
        return _apt(todo)
    finally:
        if ours:
            POLICY.unlink(missing_ok=True)


def _apt(todo: list[str]) -> str:
    env = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
    quiet = {"env": env, "stdout": subprocess.DEVNULL, "stderr": subprocess.PIPE, "text": True}
    lock = "DPkg::Lock::Timeout=600"
    # Postfix asks which kind of site this is; ours is configured elsewhere, so it gets none.
    if "postfix" in todo and shutil.which("debconf-set-selections"):
        answer = "postfix postfix/main_mailer_type select No configuration\n"
        subprocess.run(["debconf-set-selections"], input=answer, check=False, **quiet)
    subprocess.run(["apt-get", "update", "-q", "-o", lock], check=False, **quiet)
    command = ["apt-get", "install", "-y", "-q", "--no-install-recommends", "-o", lock, *todo]
    done = subprocess.run(command, check=False, **quiet)
    if done.returncode:
        last = (done.stderr.strip().splitlines() or ["no message"])[-1]
        return f"apt-get install {' '.join(todo)} failed: {last}"
    return ""


def python_relay() -> tuple[Path | None, str]:
    """The interpreter of the venv with aiosmtpd and aiosmtplib, made when absent; or None and the reason."""
    locked = BENCH / "requirements.txt"
    stamp = VENV / "requirements.sha256"
    digest = hashlib.sha256(locked.read_bytes() + sys.version.encode()).hexdigest()
    python = VENV / "bin" / "python"
    if stamp.exists() and stamp.read_text() == digest:
        return python, ""
    print("making a venv for the aiosmtpd relay", flush=True)
    shutil.rmtree(VENV, ignore_errors=True)
    steps = (
        [sys.executable, "-m", "venv", str(VENV)],
        [str(python), "-m", "pip", "install", "-q", "--no-deps", "--require-hashes", "-r", str(locked)],
    )
    for step in steps:
        done = subprocess.run(step, capture_output=True, text=True, check=False)
        if done.returncode:
            last = (done.stderr.strip().splitlines() or ["no message"])[-1]
            return None, f"{' '.join(step[1:4])} failed: {last}"
    stamp.write_text(digest)
    return python, ""
