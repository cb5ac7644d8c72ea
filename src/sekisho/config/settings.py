"""Every setting, with its default. `docs/reference/settings.md` lists them; a test keeps the two together."""

from __future__ import annotations

from typing import Literal

from msgspec import Struct, field

from sekisho.config.account_settings import (
    AccountSourceSettings,
    AuthGuardSettings,
    BehaviourSettings,
    ClusterSettings,
    IdentitySettings,
    LockSettings,
    PasswordHashSettings,
    PasswordSettings,
    SendingLimitSettings,
)
from sekisho.config.flood_settings import FloodSettings, TenantFloodSettings
from sekisho.config.signing_settings import DnsUpdateSettings, SigningSettings

TlsMode = Literal["off", "starttls", "implicit"]
SaslMechanism = Literal["SCRAM-SHA-256-PLUS", "SCRAM-SHA-256", "OAUTHBEARER", "XOAUTH2", "PLAIN", "LOGIN"]
NextHopTls = Literal["off", "opportunistic", "verified"]


class GatewaySettings(Struct, frozen=True, forbid_unknown_fields=True):
    """The process tree. `hostname` "" takes the machine's name; `workers` 0 takes one for each core.

    `state_dir` holds everything that is kept; `user` is whom to become after the ports are bound ("" stays).
    """

    hostname: str = ""
    state_dir: str = "var"
    workers: int = 0
    drain_seconds: float = 30.0
    user: str = ""
    http_address: str = "127.0.0.1:8025"


class ListenerSettings(Struct, frozen=True, forbid_unknown_fields=True):
    """One address that accepts mail. `address` is "host:port" or "[v6]:port".

    `role` "relay" is for mail servers, "submission" for people's mail programs, who log in (RFC 6409) with one of the
    `mechanisms` (() is any that the accounts can do). `networks` may connect; others get 554. `proxy_protocol_from`
    must speak PROXY protocol first, nobody else may; `xclient_from` may use XCLIENT. `tenant` is the one for clients
    that no tenant's `client_networks` claims.
    `account_from` says whose mail a relay takes it for where nobody logs in: the reverse-path's, that of
    `account_header` from upstreams in `account_header_from`, the client's (by network in `account_clients`, else its
    address), or only what XCLIENT says.
    """

    name: str
    address: str
    role: Literal["relay", "submission"] = "relay"
    networks: tuple[str, ...] | None = None
    tls: TlsMode = "off"
    require_tls: bool | None = None
    mechanisms: tuple[SaslMechanism, ...] = ()
    certificate: str = ""
    private_key: str = ""
    proxy_protocol_from: tuple[str, ...] = ()
    xclient_from: tuple[str, ...] = ()
    tenant: str = "default"
    account_from: Literal["sender", "header", "client", "xclient"] = "sender"
    account_header: str = "X-Authenticated-User"
    account_header_from: tuple[str, ...] = ()
    account_clients: dict[str, str] = field(default_factory=dict)

    @property
    def clients(self) -> tuple[str, ...]:
        """The networks that may connect: where none are named loopback, for a submission listener all."""
        if self.networks is not None:
            return self.networks
        return ("0.0.0.0/0", "::/0") if self.role == "submission" else ("127.0.0.0/8", "::1/128")

    @property
    def needs_tls(self) -> bool:
        """Whether nothing is done in clear text: where it is not said, for submission (RFC 8314 3)."""
        return self.role == "submission" if self.require_tls is None else self.require_tls


class LimitSettings(Struct, frozen=True, forbid_unknown_fields=True):
    """What one client, one connection and one message may take. Sizes in octets, times in seconds."""

    connections: int = 2000
    connections_per_ip: int = 100
    commands_per_connection: int = 10000
    errors_per_connection: int = 20
    messages_per_connection: int = 1000
    recipients_per_message: int = 1000
    command_line_bytes: int = 2048
    text_line_bytes: int = 1_000_000
    header_bytes: int = 262_144
    message_bytes: int = 52_428_800
    memory_bytes: int = 536_870_912
    greeting_seconds: float = 30.0
    command_seconds: float = 300.0
    data_seconds: float = 600.0
    tls_handshake_seconds: float = 30.0
    minimum_bytes_per_second: int = 100
    minimum_rate_grace_seconds: float = 60.0


class InspectSettings(Struct, frozen=True, forbid_unknown_fields=True):
    """How messages are looked at. `rules` are directories or files added to the built-in rules.

    Of links to `allowed_link_hosts`, and to the names below them, nothing is said.

    Messages over `thread_above_bytes`, with the text of their attachments, are inspected in a thread so that small
    ones do not wait for them.
    """

    rules: tuple[str, ...] = ()
    disabled_rules: tuple[str, ...] = ()
    allowed_link_hosts: tuple[str, ...] = ()
    lookup_deadline_seconds: float = 5.0
    thread_above_bytes: int = 262_144


class AttachmentSettings(Struct, frozen=True, forbid_unknown_fields=True):
    """How attachments are opened: limits for those of one message together, and for the process that opens them.

    `depth` counts containers in containers, `files` what is found inside, `unpacked_bytes` what comes out, `ratio`
    how many times its size an archive may become, `text_chars` the characters looked through, `passwords` the words
    tried at an encrypted one. It stops of its own accord after `seconds` of the processor; it is killed after
    `cpu_seconds` or `wall_seconds`, or beyond `memory_bytes`. `processes` open at once, for each worker. Results are
    kept in `cache_bytes` by each worker, and in `shared_cache_bytes` on the disk for all of them. `yara` and
    `known_hashes` name files or folders; `ocr` reads the text in images (an extra).
    """

    depth: int = 8
    files: int = 2_000
    unpacked_bytes: int = 256_000_000
    ratio: int = 250
    text_chars: int = 8_000_000
    passwords: int = 200
    seconds: float = 8.0
    cpu_seconds: int = 12
    wall_seconds: float = 60.0
    memory_bytes: int = 1_000_000_000
    processes: int = 2
    cache_bytes: int = 64_000_000
    shared_cache_bytes: int = 256_000_000
    yara: tuple[str, ...] = ()
    known_hashes: tuple[str, ...] = ()
    ocr: bool = False


class AntivirusSettings(Struct, frozen=True, forbid_unknown_fields=True):
    """One virus scanner.

    `address`: "unix:/path" or "host:port" of clamd, "icap://host:port/service" of an ICAP server.
    `timeout_seconds` is for all attachments of a message, `connections` for each worker. What is larger than
    `max_bytes` is not sent. Results are kept for `cache_seconds`, at most `cache_entries` of them; 0 keeps none.
    """

    name: str
    address: str
    kind: Literal["clamd", "icap"] = "clamd"
    timeout_seconds: float = 30.0
    max_bytes: int = 26_214_400
    connections: int = 8
    icap_method: Literal["respmod", "reqmod"] = "respmod"
    cache_seconds: float = 900.0
    cache_entries: int = 10_000


class LinkSettings(Struct, frozen=True, forbid_unknown_fields=True):
    """What is asked about links. Nothing is ever asked of a link itself.

    `name_servers` ("ip" or "ip:port", "[v6]:port") answer for the DNS lists ([] takes the system's). A message waits
    at most `dns_timeout_seconds` for them, and new questions are asked for at most `most_links` names of it. A site
    is new for `new_site_days` (0: never) after a tenant first linked to it; before the tenant's memory is
    `learning_days` old nothing is said.
    """

    name_servers: tuple[str, ...] = ()
    dns_timeout_seconds: float = 2.0
    most_links: int = 50
    new_site_days: int = 7
    learning_days: int = 30


class LinkListSettings(Struct, frozen=True, forbid_unknown_fields=True):
    """One list of links in a file. `name` is for findings and status; "allow" wins over "block".

    `match` says how far an entry reaches: to the one page, to its host, or to its registrable domain.
    """

    name: str
    file: str
    category: Literal["block", "allow"] = "block"
    match: Literal["url", "host", "domain"] = "url"


class DnsListSettings(Struct, frozen=True, forbid_unknown_fields=True):
    """One list in the DNS. `ask` says what is asked about: registrable domains, full host names, or IP addresses.

    What an answer means stands in `codes` by whole address ("127.0.0.2") or in `bits` by the bits of the last octet
    ("2"), one of the two.
    """

    name: str
    zone: str
    ask: Literal["domain", "host", "ip"] = "domain"
    codes: dict[str, str] = field(default_factory=dict)
    bits: dict[str, str] = field(default_factory=dict)


class RecordSettings(Struct, frozen=True, forbid_unknown_fields=True):
    """What is kept about messages. `log` is "stdout", "stderr" or a file; retention 0 keeps for ever.

    `file_names`: how attachments' names stand in audit records and log lines: "masked" keeps them but for the values
    found in them, "endings" keeps what tells their types.
    """

    log: str = "stdout"
    log_level: Literal["debug", "info", "warning", "error"] = "info"
    retention_days: int = 400
    file_names: Literal["masked", "endings"] = "masked"


class HoldSettings(Struct, frozen=True, forbid_unknown_fields=True):
    """What happens to waiting messages.

    `on_expiry`: "reject" tells the sender, "release" sends the message (but never a quarantined one).
    `key_file` holds the keys that encrypt held messages ("" is `state_dir`/keys/hold.key, made on first start).
    A release is retried after `retry_seconds`, doubling up to `retry_max_seconds`, for `retry_give_up_seconds`.
    """

    expire_seconds: int = 30 * 86400
    on_expiry: Literal["reject", "release"] = "reject"
    key_file: str = ""
    retry_seconds: float = 60.0
    retry_max_seconds: float = 3600.0
    retry_give_up_seconds: float = 5 * 86400.0


class NextHopSettings(Struct, frozen=True, forbid_unknown_fields=True):
    """Where mail goes. `domains` empty: every recipient that no other next hop of the tenant names.

    A domain that starts with a dot means all names below it. `hosts` are tried in order ("host:port", port 25 where
    none is given). `tls` "opportunistic" takes STARTTLS where offered, without verifying; "verified" insists on both.
    `implicit_tls` speaks TLS from the first byte. `ca_file` "" is the system's store. The password stands in a file.
    `maildir` instead of `hosts` writes messages there.
    """

    hosts: tuple[str, ...] = ()
    domains: tuple[str, ...] = ()
    maildir: str = ""
    tls: NextHopTls = "opportunistic"
    implicit_tls: bool = False
    ca_file: str = ""
    username: str = ""
    password_file: str = ""
    connections: int = 20
    idle_seconds: float = 30.0
    messages_per_connection: int = 100
    connect_seconds: float = 10.0
    command_seconds: float = 60.0
    data_seconds: float = 300.0
    backoff_seconds: float = 5.0
    backoff_max_seconds: float = 300.0


class DkimSettings(Struct, frozen=True, forbid_unknown_fields=True):
    """One DKIM key: signs mail whose header From is in `domain` or below it. PEM, RSA (2048 and up) or Ed25519."""

    domain: str
    selector: str
    private_key: str


class NoticeSettings(Struct, frozen=True, forbid_unknown_fields=True):
    """Who is told. Addresses; `from_address` "" is postmaster at the gateway's host name; `language` of notices."""

    from_address: str = ""
    administrator: tuple[str, ...] = ()
    reviewer: tuple[str, ...] = ()
    approver: tuple[str, ...] = ()
    language: Literal["en", "ja", "both"] = "both"


class LearningSettings(Struct, frozen=True, forbid_unknown_fields=True):
    """What a tenant's reviewers teach the content models, and the limits of that.

    `most_shift` is in log odds (2: 7 times more or less likely). Nothing changes before `least_decisions` count on a
    side; one sender's messages count for at most `most_per_sender` decisions that they are fine, one reviewer for at
    most `most_share` of a side. A decision counts half after `half_life_days`.
    """

    enabled: bool = True
    most_shift: float = 2.0
    least_decisions: int = 6
    most_per_sender: int = 10
    most_share: float = 0.6
    half_life_days: float = 120.0


class TenantSettings(Struct, frozen=True, forbid_unknown_fields=True):
    """One company. `domains` are its own (".example.jp" includes the names below); mail to them is internal.

    `parent` names the tenant (a managed-service provider) whose policy, next hops, keys and contacts it inherits
    where it has none of its own. `client_networks` claims clients for it. `policy` files come before the built-in
    policy, `limit`s before the built-in ones. `groups` are named lists of addresses and domains for the policy's
    `group`. `partners` are domains of others that nobody should imitate. `attachment_passwords_file` has passwords
    that the company gives its attachments, `dlp_allow_file` values that no rule is to report, one a line.
    `people_file` is the directory of people under whose names nobody else may write, `company_names` are its own; its
    real warnings come from `warning_sources` (addresses), or link to them (hosts). `probable_abuse`: whether what is
    probably abuse waits for approval (so where neither it nor a parent says anything), or is only recorded.
    """

    parent: str = ""
    domains: tuple[str, ...] = ()
    client_networks: tuple[str, ...] = ()
    policy: tuple[str, ...] = ()
    builtin_policy: bool = True
    builtin_limits: bool = True
    groups: dict[str, tuple[str, ...]] = field(default_factory=dict)
    next_hop: tuple[NextHopSettings, ...] = ()
    dkim: tuple[DkimSettings, ...] = ()
    notice: NoticeSettings | None = None
    learning: LearningSettings | None = None
    password: PasswordSettings | None = None
    partners: tuple[str, ...] = ()
    attachment_passwords_file: str = ""
    dlp_allow_file: str = ""
    people_file: str = ""
    company_names: tuple[str, ...] = ()
    warning_sources: tuple[str, ...] = ()
    probable_abuse: Literal["", "approval", "monitor"] = ""
    identity: IdentitySettings | None = None
    lock: LockSettings | None = None
    limit: tuple[SendingLimitSettings, ...] = ()
    behaviour: BehaviourSettings | None = None
    flood: TenantFloodSettings | None = None
    signing: SigningSettings | None = None
    dns_update: tuple[DnsUpdateSettings, ...] = ()


def _first_listener() -> tuple[ListenerSettings, ...]:
    return (ListenerSettings(name="relay", address="127.0.0.1:2525"),)


class Settings(Struct, frozen=True, forbid_unknown_fields=True):
    """The whole configuration."""

    gateway: GatewaySettings = field(default_factory=GatewaySettings)
    listener: tuple[ListenerSettings, ...] = field(default_factory=_first_listener)
    limits: LimitSettings = field(default_factory=LimitSettings)
    inspect: InspectSettings = field(default_factory=InspectSettings)
    antivirus: tuple[AntivirusSettings, ...] = ()
    attachments: AttachmentSettings = field(default_factory=AttachmentSettings)
    links: LinkSettings = field(default_factory=LinkSettings)
    link_list: tuple[LinkListSettings, ...] = ()
    dns_list: tuple[DnsListSettings, ...] = ()
    record: RecordSettings = field(default_factory=RecordSettings)
    hold: HoldSettings = field(default_factory=HoldSettings)
    password_hash: PasswordHashSettings = field(default_factory=PasswordHashSettings)
    account_source: tuple[AccountSourceSettings, ...] = ()
    auth_guard: AuthGuardSettings = field(default_factory=AuthGuardSettings)
    cluster: ClusterSettings = field(default_factory=ClusterSettings)
    flood: FloodSettings = field(default_factory=FloodSettings)
    tenant: dict[str, TenantSettings] = field(default_factory=lambda: {"default": TenantSettings()})
