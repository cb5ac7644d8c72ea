"""SpamAssassin and rspamd for the content benchmark: local rules and Bayes, started for each training set anew."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import urllib.error
import urllib.request
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import install
from process import CLIENT_CORE, CORES, SERVER_CORE, Group, free_port, wait_port

if TYPE_CHECKING:
    from corpora import Sample

HERE = Path(__file__).resolve().parent
PARALLEL = 2  # messages that are being scored at a time
SECONDS = 120.0  # for one message or one lesson


class Classifier(Protocol):
    """What is compared.

    `probabilities`: scores are meant to be the chance that a message is bad where a share of `prior` is.
    """

    name: str
    probabilities: bool
    prior: float | None

    def available(self) -> str:
        """Make sure that it can run; "" when it can, else why not."""

    def fit(self, samples: Sequence[Sample]) -> None:
        """Forget everything and learn these."""

    def scores(self, samples: Sequence[Sample]) -> list[float]:
        """How bad each message looks, in their order: 0..1 for probabilities, else any scale."""

    def cpu(self) -> float:
        """Processor seconds that scoring has used so far."""

    def stop(self) -> None:
        """End what was started."""


class Server:
    """What both peers share: a directory of their own, one set of processes, counted and stopped by pid."""

    name = ""
    probabilities = False
    prior: float | None = None
    packages: tuple[str, ...] = ()
    user = ""
    core = SERVER_CORE

    def __init__(self) -> None:
        self.directory = Path(tempfile.mkdtemp(prefix=f"content-{self.name}-"))
        self.directory.chmod(0o755)
        self.group: Group | None = None
        self.used = 0.0

    def available(self) -> str:
        """Install what is missing; "" when it can run, else why not."""
        if os.geteuid() != 0:
            return "needs root, to run as a user of its own"
        return install.packages(list(self.packages))

    def own(self, place: str) -> Path:
        """A folder that belongs to the peer's user."""
        folder = self.directory / place
        folder.mkdir(parents=True, exist_ok=True)
        shutil.chown(folder, self.user, self.user)
        return folder

    @contextmanager
    def _counted(self) -> Iterator[None]:
        before = self.group.cpu() if self.group else 0.0
        yield
        self.used += (self.group.cpu() if self.group else 0.0) - before

    def scores(self, samples: Sequence[Sample]) -> list[float]:
        """The sum of the rules' points, Bayes among them."""
        with self._counted(), ThreadPoolExecutor(PARALLEL) as pool:
            return list(pool.map(self.score, (sample.raw for sample in samples)))

    def score(self, raw: bytes) -> float:
        """Points of one message."""
        raise NotImplementedError

    def cpu(self) -> float:
        """Processor seconds that scoring has used so far."""
        return self.used

    def _end(self) -> None:
        if self.group:
            self.group.stop()
            self.group = None

    def stop(self) -> None:
        """End the processes and remove the directory."""
        self._end()
        shutil.rmtree(self.directory, ignore_errors=True)


class SpamAssassin(Server):
    """spamd with local tests, Debian's rules and Bayes trained by sa-learn; nothing is asked of the network."""

    name = "spamassassin"
    packages = ("spamassassin", "spamd")
    user = "debian-spamd"

    def __init__(self) -> None:
        super().__init__()
        self.port = 0
        self.known: dict[str, Sample] = {}

    def fit(self, samples: Sequence[Sample]) -> None:
        """Bring its Bayes database to what it would be after these alone, and start spamd on it.

        Training sets overlap: what the last one had more is forgotten, which takes its counts out again.
        """
        self._end()
        site, wanted = self._site(), {sample.group: sample for sample in samples}
        self._learn(site, "--forget", [s.raw for group, s in self.known.items() if group not in wanted])
        new = [sample for group, sample in wanted.items() if group not in self.known]
        self._learn(site, "--ham", [sample.raw for sample in new if sample.label == "ham"])
        self._learn(site, "--spam", [sample.raw for sample in new if sample.label != "ham"])
        self.known = wanted
        for file in (self.directory / "bayes").iterdir():
            shutil.chown(file, self.user, self.user)
        self._launch(site)

    def _site(self) -> Path:
        """Debian's site configuration with a file of ours that keeps it on this machine."""
        site = self.directory / "site"
        if not site.exists():
            shutil.copytree("/etc/spamassassin", site)
        bayes = self.own("bayes") / "bayes"
        (site / "zz-bench.cf").write_text(
            f"use_bayes 1\nbayes_path {bayes}\nbayes_auto_learn 0\nbayes_auto_expire 0\nbayes_learn_to_journal 0\n"
            "dns_available no\nskip_rbl_checks 1\nreport_safe 0\nrequired_score 5\n"
        )
        return site

    def _learn(self, site: Path, kind: str, messages: Sequence[bytes]) -> None:
        if not messages:
            return
        folder = self.directory / "lessons"
        folder.mkdir()
        for number, raw in enumerate(messages):
            (folder / f"{number:06}").write_bytes(raw.replace(b"\r\n", b"\n"))
        command = ["sa-learn", "-L", "--no-sync", f"--siteconfigpath={site}", kind, str(folder)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        shutil.rmtree(folder)
        if done.returncode:
            raise RuntimeError(f"sa-learn failed: {(done.stderr.strip().splitlines() or ['no message'])[-1]}")

    def _launch(self, site: Path) -> None:
        self.port = free_port()
        self.group = Group(self.name, self.core, self.directory)
        command = ["taskset", "-c", ",".join(map(str, CORES))]  # it is the slowest by far: all cores
        command += ["/usr/sbin/spamd", "-L", "-x", "-u", self.user, f"--siteconfigpath={site}", "--max-children=2"]
        command += [f"--port={self.port}", "--listen=127.0.0.1", "--allowed-ips=127.0.0.1", "--syslog=stderr"]
        wait_port(self.port, 120, self.group.start(command))
        self.group.settle()

    def score(self, raw: bytes) -> float:
        """Ask spamd to check one message."""
        head = f"CHECK SPAMC/1.5\r\nContent-length: {len(raw)}\r\n\r\n".encode()
        with socket.create_connection(("127.0.0.1", self.port), SECONDS) as link:
            link.sendall(head + raw)
            link.shutdown(socket.SHUT_WR)
            answer = b"".join(iter(lambda: link.recv(65536), b""))
        for line in answer.decode("utf-8", "replace").splitlines():
            if line.startswith("Spam:"):
                return float(line.partition(";")[2].partition("/")[0])
        raise RuntimeError(f"spamd said {answer[:200]!r}")


class Rspamd(Server):
    """rspamd with Debian's default modules but those that ask the network, and Bayes in a Redis of its own."""

    name = "rspamd"
    packages = ("rspamd", "redis-server")
    user = "_rspamd"
    core = CLIENT_CORE
    # They ask name servers or services, or count what was seen before.
    silent: tuple[str, ...] = (
        *("rbl", "surbl", "spf", "dkim", "dmarc", "arc", "asn", "mx_check", "fuzzy_check", "rspamd_update", "dcc"),
        *("url_redirector", "bimi", "greylist", "ratelimit", "replies", "reputation", "history_redis", "neural"),
    )

    def __init__(self) -> None:
        super().__init__()
        self.scan_port = self.learn_port = 0

    def fit(self, samples: Sequence[Sample]) -> None:
        """Start on an empty Redis and train Bayes over the controller's HTTP."""
        self._end()
        self._launch()
        refused = [why for sample in samples if (why := self._learned(sample))]
        if len(refused) > len(samples) // 10:
            raise RuntimeError(f"rspamd refused {len(refused)} of {len(samples)} lessons: {refused[0]}")

    def _launch(self) -> None:
        redis, dns = free_port(), free_port()
        self.scan_port, self.learn_port = free_port(), free_port()
        self.group = Group(self.name, self.core, self.directory)
        self.group.start([sys.executable, str(HERE / "nxdomain.py"), str(dns)])
        lines = ("bind 127.0.0.1", f"port {redis}", f"dir {self.own('redis')}", 'save ""', "appendonly no", "")
        (self.directory / "redis.conf").write_text("\n".join(lines))
        wait_port(redis, alive=self.group.start(["/usr/bin/redis-server", str(self.directory / "redis.conf")]))
        local = self.directory / "etc" / "local.d"
        local.mkdir(parents=True, exist_ok=True)
        for name, text in self._configuration(redis, dns).items():
            (local / name).write_text(text + "\n")
        variables = [f"--var={name}={self.own(place)}" for name, place in
                     (("DBDIR", "db"), ("RUNDIR", "run"), ("LOGDIR", "log"))]  # fmt: skip
        command = ["/usr/bin/rspamd", "-f", "-u", self.user, "-g", self.user, *variables]
        child = self.group.start([*command, f"--var=LOCAL_CONFDIR={local.parent}"])
        wait_port(self.learn_port, alive=child)
        wait_port(self.scan_port, alive=child)
        self.group.settle()

    def _configuration(self, redis: int, dns: int) -> dict[str, str]:
        """File in local.d → text."""
        files = {
            "options.inc": f'dns {{ nameserver = ["127.0.0.1:{dns}"]; timeout = 1s; retransmits = 1; }}',
            "worker-normal.inc": f'bind_socket = "127.0.0.1:{self.scan_port}"; count = 1;',
            "worker-controller.inc": f'bind_socket = "127.0.0.1:{self.learn_port}"; secure_ip = "127.0.0.1";',
            "worker-proxy.inc": "enabled = false;",
            "redis.conf": f'servers = "127.0.0.1:{redis}";',
            "classifier-bayes.conf": "autolearn = false; min_learns = 200;",
            "phishing.conf": "openphish_enabled = false; phishtank_enabled = false;",
            "logging.inc": f'type = "file"; filename = "{self.directory}/log/rspamd.log"; level = "error";',
        }
        return files | {f"{module}.conf": "enabled = false;" for module in self.silent}

    def _learned(self, sample: Sample) -> str:
        """Teach one message; "" when it was taken."""
        kind = "learnham" if sample.label == "ham" else "learnspam"
        try:
            self._post(self.learn_port, kind, sample.raw)
        except urllib.error.HTTPError as error:
            return f"{error.code} {error.read()[:200]!r}"
        return ""

    def score(self, raw: bytes) -> float:
        """Ask the scanner to check one message."""
        return float(json.loads(self._post(self.scan_port, "checkv2", raw))["score"])

    @staticmethod
    def _post(port: int, command: str, raw: bytes) -> bytes:
        request = urllib.request.Request(f"http://127.0.0.1:{port}/{command}", data=raw, method="POST")
        with urllib.request.urlopen(request, timeout=SECONDS) as reply:
            return bytes(reply.read())


PEERS: dict[str, type[SpamAssassin | Rspamd]] = {"spamassassin": SpamAssassin, "rspamd": Rspamd}
