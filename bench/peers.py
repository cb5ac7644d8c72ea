"""What is measured: each peer writes its own configuration below the run's directory, starts, and names its port.

Every one listens on 127.0.0.1, relays everything to the sink's port, and runs with one worker where that is a choice.
"""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import install
from messages import DOMAIN
from process import SERVER_CORE, Group, free_port, wait_port

ROOT = Path(__file__).resolve().parent.parent
SELECTOR = "bench"


class Bench:
    """What the peers share: the directory, the sink's port, the name server's port, the DKIM key."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.sink_port = free_port()
        self.dns_port = free_port()
        self.key = directory / "dkim.pem"
        self.public_key = self._make_key()

    def _make_key(self) -> bytes:
        """Make the RSA-2048 key that every signing peer uses; return the public key as DER."""
        from cryptography.hazmat.primitives import serialization as form  # noqa: PLC0415 - keeps --help fast
        from cryptography.hazmat.primitives.asymmetric import rsa  # noqa: PLC0415

        key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        self.key.write_bytes(
            key.private_bytes(form.Encoding.PEM, form.PrivateFormat.TraditionalOpenSSL, form.NoEncryption())
        )
        self.key.chmod(0o644)  # the daemons run as users of their own
        return key.public_key().public_bytes(form.Encoding.DER, form.PublicFormat.SubjectPublicKeyInfo)


class Peer:
    """One program or combination of programs under test."""

    name = ""
    packages: tuple[str, ...] = ()
    signs = False
    needs_root = False
    scans = False  # whether it is sent files instead of messages

    def __init__(self, bench: Bench) -> None:
        self.bench = bench
        self.directory = bench.directory / self.name
        self.port = free_port()
        self.group: Group | None = None

    def available(self) -> str:
        """Install what is missing; "" when the peer can run, else why not."""
        if self.needs_root and os.geteuid() != 0:
            return "needs root"
        return install.packages(list(self.packages)) if self.packages else ""

    def start(self) -> Group:
        """Start every process, wait until the port answers and start-up work is over."""
        self.directory.mkdir(exist_ok=True)
        self.directory.chmod(0o755)
        self.group = Group(self.name, SERVER_CORE, self.directory)
        try:
            self.launch(self.group)
            self.group.settle()
        except BaseException:
            self.stop()
            raise
        return self.group

    def launch(self, group: Group) -> None:
        """Write the configuration and start the processes in `group`."""
        raise NotImplementedError

    def stop(self) -> None:
        """Stop every process of the peer."""
        if self.group:
            self.group.stop()
            self.group = None

    def say(self) -> str:
        """The last lines of the peer's own output, for the message when it fails."""
        files = [*self.directory.glob("*.out"), *self.directory.glob("*.log")]
        lines = [line for file in files for line in file.read_text(errors="replace").splitlines()[-3:]]
        return " | ".join(lines)[-600:]


class Sekisho(Peer):
    """The gateway of this project with its built-in rules and policy, one worker, signing."""

    name = "sekisho"
    signs = True
    command = ROOT / ".venv" / "bin" / "sekisho"
    more = ""  # further sections of the configuration

    def available(self) -> str:
        """It comes from `make install`."""
        return "" if self.command.exists() else f"{self.command.relative_to(ROOT)} is not there: run `make install`"

    def launch(self, group: Group) -> None:
        """Start `sekisho serve`."""
        text = f"""
[gateway]
hostname = "gw.{DOMAIN}"
state_dir = "{self.directory}/state"
workers = 1
http_address = "127.0.0.1:{free_port()}"

[[listener]]
name = "relay"
address = "127.0.0.1:{self.port}"

[record]
log = "{self.directory}/audit.log"

[tenant.default]
builtin_limits = false
domains = ["{DOMAIN}"]

[[tenant.default.next_hop]]
hosts = ["127.0.0.1:{self.bench.sink_port}"]
tls = "off"

# Its own notices to senders: they are counted in processor time, and not as messages that arrived.
[[tenant.default.next_hop]]
domains = ["{DOMAIN}"]
maildir = "{self.directory}/notices"

[[tenant.default.dkim]]
domain = "{DOMAIN}"
selector = "{SELECTOR}"
private_key = "{self.bench.key}"
"""
        config = self.directory / "sekisho.toml"
        config.write_text(text + self.more)
        child = group.start([str(self.command), "serve", "--config", str(config)])
        wait_port(self.port, alive=child)


class Aiosmtpd(Peer):
    """aiosmtpd in, aiosmtplib out, on uvloop: it relays and does not look, nor sign."""

    name = "aiosmtpd"
    python: Path | None = None

    def available(self) -> str:
        """It needs a venv of its own."""
        self.python, why = install.python_relay()
        return why

    def launch(self, group: Group) -> None:
        """Start the relay in that venv."""
        script = Path(__file__).with_name("relay_aiosmtpd.py")
        child = group.start([str(self.python), str(script), str(self.port), str(self.bench.sink_port)])
        wait_port(self.port, alive=child)


class Postfix(Peer):
    """Postfix alone: it queues, then delivers; it does not look, nor sign."""

    name = "postfix"
    packages = ("postfix",)
    needs_root = True
    milter = ""

    def launch(self, group: Group) -> None:
        """Start Postfix's master in the foreground, with directories of its own."""
        config = self.directory / "etc"
        config.mkdir(exist_ok=True)
        for name in ("queue", "data"):
            (self.directory / name).mkdir(exist_ok=True)
        subprocess.run(["chown", "postfix", str(self.directory / "data")], check=True)
        (config / "main.cf").write_text(self.main_cf())
        (config / "master.cf").write_text(self.master_cf())
        subprocess.run(["postfix", "-c", str(config), "check"], check=True, capture_output=True)
        child = group.start(["/usr/lib/postfix/sbin/master", "-c", str(config), "-s"])
        wait_port(self.port, alive=child)

    def main_cf(self) -> str:
        """Everything to the sink, 20 deliveries at a time, no look-ups by DNS, no TLS, no limits by client."""
        milters = [f"smtpd_milters = {self.milter}", "milter_default_action = tempfail"] if self.milter else []
        # Without these a milter takes the client for an unknown outsider: outgoing mail comes from known users.
        milters += [f"milter_macro_defaults = auth_authen=u1@{DOMAIN}, auth_type=PLAIN"] if self.milter else []
        lines = [
            "compatibility_level = 3.6",
            f"queue_directory = {self.directory}/queue",
            f"data_directory = {self.directory}/data",
            f"maillog_file = {self.directory}/maillog",
            f"maillog_file_prefixes = {self.directory}",
            f"myhostname = gw.{DOMAIN}",
            "mydestination =",
            "mynetworks = 127.0.0.0/8",
            "inet_interfaces = 127.0.0.1",
            "inet_protocols = ipv4",
            "smtpd_relay_restrictions = permit_mynetworks, reject",
            f"relayhost = [127.0.0.1]:{self.bench.sink_port}",
            "smtp_dns_support_level = disabled",
            "smtp_host_lookup = native",
            "smtpd_peername_lookup = no",
            "smtpd_client_connection_count_limit = 0",
            "default_process_limit = 100",
            "message_size_limit = 52428800",
            "in_flow_delay = 0",
            "initial_destination_concurrency = 20",
            "alias_maps =",
            "local_recipient_maps =",
            "smtp_tls_security_level = none",
            "smtpd_tls_security_level = none",
        ]
        return "\n".join([*lines, *milters, ""])

    def master_cf(self) -> str:
        """The services that relaying takes, none of them in a chroot."""
        services = [f"127.0.0.1:{self.port} inet n - n - - smtpd"]
        for name, wakeup, limit, program in (
            ("pickup", "60", "1", "pickup"),
            ("cleanup", "-", "0", "cleanup"),
            ("qmgr", "300", "1", "qmgr"),
            ("rewrite", "-", "-", "trivial-rewrite"),
            ("bounce", "-", "0", "bounce"),
            ("defer", "-", "0", "bounce"),
            ("trace", "-", "0", "bounce"),
            ("proxymap", "-", "-", "proxymap"),
            ("smtp", "-", "-", "smtp"),
            ("relay", "-", "-", "smtp"),
            ("error", "-", "-", "error"),
            ("retry", "-", "-", "error"),
            ("anvil", "-", "1", "anvil"),
            ("scache", "-", "1", "scache"),
        ):
            private = "n" if name in {"pickup", "cleanup", "qmgr"} else "-"
            services.append(f"{name} unix {private} - n {wakeup} {limit} {program}")
        return "\n".join([*services, "postlog unix-dgram n - n - 1 postlogd", ""])


class PostfixOpendkim(Postfix):
    """Postfix with opendkim as milter: it signs and does not look."""

    name = "postfix+opendkim"
    packages = ("postfix", "opendkim")
    signs = True

    def launch(self, group: Group) -> None:
        """Start opendkim, then Postfix with it as milter."""
        path = self.directory / "opendkim.sock"
        path.unlink(missing_ok=True)
        config = self.directory / "opendkim.conf"
        lines = (
            "Syslog no",
            f"Socket local:{path}",
            "UMask 000",
            "Mode s",
            f"Domain {DOMAIN}",
            f"Selector {SELECTOR}",
            f"KeyFile {self.bench.key}",
            "Canonicalization relaxed/relaxed",
            "InternalHosts 127.0.0.0/8",
            "RequireSafeKeys no",
            "Background no",
        )
        config.write_text("\n".join([*lines, ""]))
        wait_port(path, alive=group.start(["/usr/sbin/opendkim", "-f", "-x", str(config)]))
        self.milter = f"unix:{path}"
        super().launch(group)
