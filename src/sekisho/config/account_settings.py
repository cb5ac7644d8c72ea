"""Settings of accounts."""

from __future__ import annotations

from typing import Literal

from msgspec import Struct, field

CharacterClass = Literal["lower", "upper", "digit", "symbol"]


class PasswordSettings(Struct, frozen=True, forbid_unknown_fields=True):
    """What a tenant's new passwords have to be. NIST SP 800-63B-4 3.1.1.2.

    `least_length` is for a password that is the only factor; lengths count code points. `guesses_power_of_ten` is the
    power of ten of the guesses that an attacker needs at least. `require` demands characters of classes, which NIST
    advises against. `breach_list` is a file of `sekisho password breach-list`, `words` are expected here.
    No password is the same as one of the account's `last_passwords`, nor, unless `allow_shared`, as that of another
    account of the tenant.
    """

    least_length: int = 15
    least_length_with_second_factor: int = 8
    most_length: int = 256
    guesses_power_of_ten: float = 10.0
    guesses_power_of_ten_with_second_factor: float = 7.0
    require: tuple[CharacterClass, ...] = ()
    allow_common: bool = False
    breach_list: str = ""
    words: tuple[str, ...] = ()
    last_passwords: int = 5
    allow_shared: bool = False


class PasswordHashSettings(Struct, frozen=True, forbid_unknown_fields=True):
    """What it costs to verify a password. argon2id (RFC 9106): memory in KiB, passes over it, lanes.

    `at_once` verifications run at the same time in each process. `scram_iterations`: of the keys for SCRAM-SHA-256
    (RFC 7677 4: at least 4096); 0 keeps none.
    """

    memory_kib: int = 47_104
    passes: int = 2
    lanes: int = 1
    at_once: int = 2
    scram_iterations: int = 600_000


class IdentitySettings(Struct, frozen=True, forbid_unknown_fields=True):
    """Who of a tenant may write as whom.

    `enforce`: "enforce" refuses mail of an account under an address that is not its own, "monitor" only records that,
    "off" does not look. `aliases_file` is CSV, a login and its addresses a line. `send_as` names for an address (or
    "@domain") the logins, and groups ("group:NAME"), that may write as if it were theirs, `delegates` those that may
    name it in From while Sender is their own. What stands after `subaddress_separator` in a local part is nobody
    else's address; "" knows no such thing.
    """

    enforce: Literal["off", "monitor", "enforce"] = "enforce"
    aliases_file: str = ""
    send_as: dict[str, tuple[str, ...]] = field(default_factory=dict)
    delegates: dict[str, tuple[str, ...]] = field(default_factory=dict)
    subaddress_separator: str = "+"


class LockSettings(Struct, frozen=True, forbid_unknown_fields=True):
    """When an account is stopped, and how it gets free again.

    `mail` of a locked account waits in quarantine, or is refused. `incidents` account-abuse incidents of policy
    within `incident_minutes` lock an account; 0: none do. With `owner_unlock` the owner may unlock it after a new
    password and the second factor, unless it has been locked `repeat_locks` times in `repeat_days`. `contacts_file`
    says where owners are told whose accounts say nothing of it: a login and an address a line.
    """

    mail: Literal["hold", "refuse"] = "hold"
    incidents: int = 3
    incident_minutes: int = 60
    owner_unlock: bool = True
    repeat_locks: int = 2
    repeat_days: int = 30
    contacts_file: str = ""


class BehaviourSettings(Struct, frozen=True, forbid_unknown_fields=True):
    """What a tenant's accounts are watched for. Probabilities are those that somebody else uses an account.

    At `notify_probability` it is a finding (`account/takeover`), from `lock_probability` on a sure one that locks.
    `habit_half_life_days`: what was usual counts half after so long; `evidence_half_life_hours`: suspicion.
    `country_file` is a database of countries (MaxMind DB format; needs the extra "country").
    """

    enabled: bool = True
    notify_probability: float = 0.5
    lock_probability: float = 0.95
    habit_half_life_days: float = 45.0
    evidence_half_life_hours: float = 20.0
    country_file: str = ""


LimitScope = Literal["account", "tenant", "domain", "listener"]
LimitAmount = Literal["messages", "recipients", "bytes", "new-recipients"]
LimitSide = Literal["any", "external", "internal"]


class SendingLimitSettings(Struct, frozen=True, forbid_unknown_fields=True):
    """How much may be sent in `seconds`: `of` what, `per` whom (the domain is the sender's), `to` which recipients.

    Beyond `soft` people are told, beyond `defer` nothing more goes for the time being, beyond `lock` the account is
    stopped; 0: no such step. `accounts` says for which logins it is ("*" and "?" as in file names; none: all). Of
    those with one name the first that is for the account holds: the tenant's own come before its parent's, and those
    before the built-in ones. New recipients are those that the account did not write to before.
    """

    name: str
    per: LimitScope = "account"
    of: LimitAmount = "recipients"
    to: LimitSide = "any"
    seconds: int = 3600
    soft: int = 0
    defer: int = 0
    lock: int = 0
    accounts: tuple[str, ...] = ()

    @property
    def says_nothing(self) -> bool:
        """Whether it only switches one of the same name off."""
        return not (self.soft or self.defer or self.lock)


_Limit = SendingLimitSettings
# What a person writes stays far below; what sends more is a program, a mailing, or in other hands.
DEFAULT_LIMITS = (
    _Limit("recipients-hour", to="external", soft=300, defer=600, lock=2_000),
    _Limit("recipients-day", to="external", seconds=86_400, soft=1_000, defer=2_000, lock=6_000),
    _Limit("new-recipients-day", of="new-recipients", to="external", seconds=86_400, soft=150, defer=400, lock=1_200),
    _Limit("messages-hour", of="messages", soft=200, defer=500, lock=2_000),
    _Limit("internal-day", to="internal", seconds=86_400, soft=5_000, defer=20_000),
    _Limit("bytes-day", of="bytes", to="external", seconds=86_400, soft=2_000_000_000, defer=5_000_000_000),
    _Limit("company-recipients-hour", per="tenant", to="external", soft=20_000, defer=60_000),
)


class AuthGuardSettings(Struct, frozen=True, forbid_unknown_fields=True):
    """What is done about guessing of passwords. Numbers are failed logins, the same wrong password counted once.

    An address has `free_failures` an hour; then its answers come later, up to `most_delay_seconds`, and from
    `address_failures` (of an hour; three times as many a day) it is turned away. A network (/24; /64 and /56 of
    IPv6) has `network_factor` times as many. Each account that logged in from an address in the last day allows it
    one more failure. Failures at one account from `account_networks` networks in an hour are guessing by many: then
    `account_attempts` an hour are let through from places that the account is not known from. `spray_accounts` are
    accounts that failed from one network in an hour, `spray_accounts_tenant` those of a tenant from anywhere. Where
    an account logged in during `known_days`, nobody else's guesses matter, and it has `known_failures` of its own an
    hour. `trusted_networks` (a webmail server's) are never turned away for what came from them.
    """

    enabled: bool = True
    free_failures: int = 5
    address_failures: int = 20
    network_factor: int = 5
    most_delay_seconds: float = 30.0
    account_networks: int = 10
    account_attempts: int = 20
    spray_accounts: int = 20
    spray_accounts_tenant: int = 100
    known_days: int = 60
    known_failures: int = 100
    trusted_networks: tuple[str, ...] = ()


class ClusterSettings(Struct, frozen=True, forbid_unknown_fields=True):
    """Several machines as one. `valkey`: the server that counts for all ("redis://host:port/0", "unix:///path").

    `key_file` holds a secret that is the same on all of them, for the names of what is counted; "" takes the key
    file of held messages, which then has to be the same.
    """

    valkey: str = ""
    key_file: str = ""


class LdapSettings(Struct, frozen=True, forbid_unknown_fields=True):
    """Accounts of an LDAP server or Active Directory. RFC 4511, RFC 4513.

    `servers` are tried in order ("ldaps://host", "ldap://host:port"); without ldaps `start_tls` protects passwords,
    and only on loopback may it be off. An entry below `base_dn` is looked for with `filter`, in which {login} stands
    for the login, as `bind_dn` with the password in `password_file`; then it is bound to. `bind_template` instead of
    a search binds directly ("{login}", "uid={login},ou=people,dc=example,dc=jp"). The account's login is the first of
    `login_attributes` that the entry has, else what was written; its addresses are those of `address_attributes`.
    """

    servers: tuple[str, ...]
    start_tls: bool = True
    ca_file: str = ""
    bind_dn: str = ""
    password_file: str = ""
    base_dn: str = ""
    filter: str = "(|(mail={login})(userPrincipalName={login})(proxyAddresses=smtp:{login})(uid={login}))"
    bind_template: str = ""
    login_attributes: tuple[str, ...] = ("mail", "userPrincipalName")
    address_attributes: tuple[str, ...] = ("mail", "proxyAddresses", "mailAlternateAddress")
    name_attributes: tuple[str, ...] = ("displayName", "cn")
    connections: int = 8
    timeout_seconds: float = 10.0


class LoginServerSettings(Struct, frozen=True, forbid_unknown_fields=True):
    """A mail server at which logins are tried. `server` is "host:port".

    `tls` "off" is for loopback alone. Where `remember_seconds` is above 0, a password that was right counts as right
    for so long without asking again; nothing but a keyed hash of it is in memory.
    """

    server: str
    tls: Literal["implicit", "starttls", "off"] = "implicit"
    ca_file: str = ""
    timeout_seconds: float = 10.0
    connections: int = 20
    remember_seconds: float = 0.0


class OidcSettings(Struct, frozen=True, forbid_unknown_fields=True):
    """Tokens of an OpenID Connect provider. RFC 7519, RFC 9068, RFC 7662.

    A token must be of `issuer`, for one of `audiences`, not over, and have all `scopes`. `login_claims` are looked at
    in order for the account's login. Keys come from the issuer's discovery document, or from `jwks_url`.
    With `introspection_url` a token that is no JWT is shown there, as `client_id` with the secret in its file.
    """

    issuer: str
    audiences: tuple[str, ...]
    scopes: tuple[str, ...] = ()
    login_claims: tuple[str, ...] = ("email",)
    algorithms: tuple[Literal["RS256", "RS384", "RS512", "PS256", "ES256", "ES384", "EdDSA"], ...] = (
        "RS256",
        "ES256",
        "EdDSA",
    )
    skew_seconds: int = 60
    jwks_url: str = ""
    introspection_url: str = ""
    client_id: str = ""
    client_secret_file: str = ""
    ca_file: str = ""
    timeout_seconds: float = 10.0
    keys_seconds: int = 3600


class AccountSourceSettings(Struct, frozen=True, forbid_unknown_fields=True):
    """Where logins are checked. Sources are asked in order; the first that knows the account decides.

    Its accounts are of `tenant`. It is asked about logins in `domains` only (() takes the tenant's own; where the
    tenant has none either, about any login): no password is shown to another company's server. `kind` "own" are
    the accounts kept here, of all tenants; others have a table of their own name ("imap" and "smtp": `server`).
    """

    name: str
    kind: Literal["own", "ldap", "imap", "smtp", "oidc"]
    tenant: str = "default"
    domains: tuple[str, ...] = ()
    ldap: LdapSettings | None = None
    server: LoginServerSettings | None = None
    oidc: OidcSettings | None = None
