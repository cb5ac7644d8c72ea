"""rspamd as milter behind Postfix, the way it is set up for outgoing mail: Redis, Bayes, rate limits, DKIM."""

from __future__ import annotations

import subprocess
import urllib.error
import urllib.request
from pathlib import Path

from messages import DOMAIN, training
from peers import SELECTOR, Postfix
from process import Group, free_port, wait_port

LEARNED = 240  # of each kind; Bayes is silent below 200


class PostfixRspamd(Postfix):
    """Debian's default modules and what an outgoing server adds. Nothing is fetched: its DNS knows no name."""

    name = "postfix+rspamd"
    packages = ("postfix", "rspamd", "redis-server")
    signs = True
    bayes = True
    settings = ""

    def launch(self, group: Group) -> None:
        """Start Redis, rspamd, and Postfix with it as milter; the first time, train Bayes."""
        redis, controller = free_port(), free_port()
        proxy = self.directory / "milter.sock"  # over TCP, Nagle's algorithm costs this protocol 40 ms a message
        self._redis(group, redis)
        self._rspamd(group, redis, proxy, controller)
        if self.bayes and not (self.directory / "learned").exists():
            learn(controller)
            (self.directory / "learned").touch()
        self.milter = f"unix:{proxy}"
        super().launch(group)

    def _redis(self, group: Group, port: int) -> None:
        """Redis without a dump on disk while it runs; it saves once, when it stops, for the next round."""
        data = self.directory / "redis"
        data.mkdir(exist_ok=True)
        config = self.directory / "redis.conf"
        lines = ("bind 127.0.0.1", f"port {port}", f"dir {data}", 'save ""', "appendonly no", "daemonize no")
        config.write_text("\n".join([*lines, "shutdown-on-sigterm save", ""]))
        wait_port(port, alive=group.start(["/usr/bin/redis-server", str(config)]))

    def _rspamd(self, group: Group, redis: int, proxy: Path, controller: int) -> None:
        local = self.directory / "rspamd" / "local.d"
        local.mkdir(parents=True, exist_ok=True)
        for name, text in self.configuration(redis, proxy, controller).items():
            (local / name).write_text(text + "\n")
        places = {"DBDIR": "db", "RUNDIR": "run", "LOGDIR": "log"}
        for place in places.values():
            (self.directory / place).mkdir(exist_ok=True)
            subprocess.run(["chown", "_rspamd:_rspamd", str(self.directory / place)], check=True)
        variables = [f"--var={name}={self.directory / place}" for name, place in places.items()]
        variables.append(f"--var=LOCAL_CONFDIR={local.parent}")
        child = group.start(["/usr/bin/rspamd", "-f", "-u", "_rspamd", "-g", "_rspamd", *variables])
        wait_port(controller, alive=child)
        wait_port(proxy, alive=child)
        group.settle()  # it compiles its expressions first, and keeps them for the next start

    def configuration(self, redis: int, proxy: Path, controller: int) -> dict[str, str]:
        """File in local.d → text."""
        dns = f"127.0.0.1:{self.bench.dns_port}"
        files = {
            "options.inc": f'dns {{ nameserver = ["{dns}"]; timeout = 1s; retransmits = 1; }}',
            "worker-normal.inc": "enabled = false;",
            "worker-controller.inc": f'bind_socket = "127.0.0.1:{controller}"; secure_ip = "127.0.0.1";',
            "worker-proxy.inc": f'bind_socket = "{proxy} mode=0666"; count = 1;\n'
            'upstream "local" { default = yes; self_scan = yes; }',
            "redis.conf": f'servers = "127.0.0.1:{redis}";',
            "dkim_signing.conf": f"use_esld = false; allow_username_mismatch = true; check_pubkey = false;\n"
            f'domain {{ {DOMAIN} {{ path = "{self.bench.key}"; selector = "{SELECTOR}"; }} }}',
            "ratelimit.conf": 'rates { user_out { selector = "user.lower";\n'
            'bucket = { burst = 1000000; rate = "1000000 / 1min"; } } }',
            "actions.conf": "reject = 9999; add_header = 9998; greylist = 9997;",  # everything is delivered
            "logging.inc": f'type = "file"; filename = "{self.directory}/log/rspamd.log"; level = "notice";',
        }
        # These fetch lists or ask services that are not on this machine.
        files |= {f"{module}.conf": "enabled = false;" for module in ("fuzzy_check", "rspamd_update", "asn")}
        files["phishing.conf"] = "openphish_enabled = false; phishtank_enabled = false;"
        if self.settings:
            files["settings.conf"] = self.settings
        return files

    def say(self) -> str:
        """Postfix's last lines, and rspamd's."""
        log = self.directory / "log" / "rspamd.log"
        last = log.read_text(errors="replace").splitlines()[-3:] if log.exists() else []
        return " | ".join([super().say(), *last])


class PostfixRspamdLean(PostfixRspamd):
    """The least that still signs, looks for phishing and limits rates: what a reader may call a fairer opponent."""

    name = "postfix+rspamd-lean"
    bayes = False
    settings = (
        "lean { priority = high; authenticated = yes; apply { symbols_enabled = "
        '["DKIM_SIGNED", "PHISHING", "RATELIMIT_CHECK", "RATELIMIT_UPDATE"]; } }'
    )


def learn(controller: int) -> None:
    """Train Bayes over the controller's HTTP with generated mail of two kinds. RuntimeError when it refuses."""
    for kind in ("ham", "spam"):
        refused = [why for mail in training(kind, LEARNED) if (why := _post(controller, f"learn{kind}", mail))]
        if len(refused) > LEARNED - 200:
            raise RuntimeError(f"rspamd refused to learn {kind}: {refused[0]}")


def _post(controller: int, command: str, mail: bytes) -> str:
    """Post one message to the controller; "" when it was taken."""
    request = urllib.request.Request(f"http://127.0.0.1:{controller}/{command}", data=mail, method="POST")
    try:
        with urllib.request.urlopen(request, timeout=30) as reply:
            reply.read()
    except urllib.error.HTTPError as error:
        return f"{error.code} {error.read()[:200]!r}"
    return ""
