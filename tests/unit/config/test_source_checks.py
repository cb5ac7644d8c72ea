"""Every mistake in `[[account_source]]` with its line."""

import pytest

from sekisho.config.load import load
from sekisho.config.source_checks import server_place, sound_url

LDAP = """
[[account_source]]
name = "ad"
kind = "ldap"
[account_source.ldap]
servers = ["ldaps://dc1.example.jp", "ldaps://[2001:db8::1]:636"]
base_dn = "dc=example,dc=jp"
"""
IMAP = """
[[account_source]]
name = "mail"
kind = "imap"
domains = ["example.jp"]
[account_source.server]
server = "imap.example.jp:993"
"""
OIDC = """
[[account_source]]
name = "idp"
kind = "oidc"
domains = ["example.jp"]
[account_source.oidc]
issuer = "https://login.example/tenant/v2.0"
audiences = ["sekisho"]
"""


def problems(tmp_path, text):
    file = tmp_path / "sekisho.toml"
    file.write_text(text)
    return load(file)[1]


def one(tmp_path, text):
    (problem,) = problems(tmp_path, text)
    return f"{problem.line} {problem.key}: {problem.text}"


def test_what_is_right(tmp_path):
    assert problems(tmp_path, LDAP + IMAP + OIDC + '[[account_source]]\nname = "here"\nkind = "own"\n') == []


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        ('name = "ad"', 'name = " "', "3 account_source[0].name: must not be empty"),
        ('kind = "ldap"', 'kind = "ldap"\ntenant = "x"', "5 account_source[0].tenant: no tenant 'x'"),
        ('kind = "ldap"', 'kind = "ldap"\ndomains = ["A.jp"]', "5 account_source[0].domains[0]: expected a domain"),
        ('"ldaps://dc1.example.jp"', '"dc1.example.jp"', "6 account_source[0].ldap.servers[0]: expected ldaps://"),
        ('"ldaps://dc1.example.jp"', '"ldaps://a/b"', "6 account_source[0].ldap.servers[0]: expected ldaps://"),
        ('"ldaps://dc1.example.jp"', '"ldaps://a:x"', "6 account_source[0].ldap.servers[0]: expected ldaps://"),
        ("servers = [", "servers = []\n#", "6 account_source[0].ldap.servers: is empty"),
        ('base_dn = "dc=example,dc=jp"', "", "5 account_source[0].ldap.base_dn: is empty"),
        ("base_dn", 'filter = "uid={login}"\nbase_dn', "7 account_source[0].ldap.filter: expected a filter"),
        ("base_dn", 'filter = "(uid=x)"\nbase_dn', "7 account_source[0].ldap.filter: expected a filter"),
        ("base_dn", 'bind_template = "uid=x"\nbase_dn', "7 account_source[0].ldap.bind_template: has no {login}"),
        ("base_dn", 'bind_dn = "cn=x"\nbase_dn', "7 account_source[0].ldap.bind_dn: bind_dn and password_file go"),
        ("base_dn", 'ca_file = "none.pem"\nbase_dn', "7 account_source[0].ldap.ca_file: cannot be used"),
        ("base_dn", "timeout_seconds = inf\nbase_dn", "7 account_source[0].ldap.timeout_seconds: must be above 0"),
        ("base_dn", "connections = 0\nbase_dn", "7 account_source[0].ldap.connections: must be above 0"),
    ],
)
def test_ldap(tmp_path, before, after, expected):
    assert one(tmp_path, LDAP.replace(before, after)).startswith(expected)


def test_ldap_in_clear_on_loopback_alone(tmp_path):
    text = LDAP.replace("ldaps://[2001:db8::1]:636", "ldap://127.0.0.1:389").replace(
        "base_dn", "start_tls = false\nbase_dn"
    )
    assert problems(tmp_path, text) == []
    assert "in clear" in one(tmp_path, text.replace("ldaps://dc1", "ldap://dc1"))


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        ('"imap.example.jp:993"', '"imap.example.jp"', "7 account_source[0].server.server: expected host:port"),
        ('"imap.example.jp:993"', '"imap.example.jp:993/x"', "7 account_source[0].server.server: expected host:port"),
        ("server =", 'tls = "off"\nserver =', "7 account_source[0].server.tls: passwords would go in clear"),
        ("server =", "remember_seconds = -1\nserver =", "7 account_source[0].server.remember_seconds: must be 0 or"),
        ('kind = "imap"', 'kind = "own"', "6 account_source[0].server: is not for kind"),
    ],
)
def test_login_server(tmp_path, before, after, expected):
    assert one(tmp_path, IMAP.replace(before, after)).startswith(expected)


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        ("https://login", "http://login", "7 account_source[0].oidc.issuer: expected an https URL"),
        ('["sekisho"]', "[]", "8 account_source[0].oidc.audiences: is empty"),
        ("issuer", "login_claims = []\nissuer", "7 account_source[0].oidc.login_claims: is empty"),
        (
            "issuer",
            'algorithms = ["HS256"]\nissuer',
            '7 account_source[0].oidc.algorithms[0]: expected one of "RS256"',
        ),
        (
            "issuer",
            'algorithms = ["none"]\nissuer',
            '7 account_source[0].oidc.algorithms[0]: expected one of "RS256"',
        ),
        (
            "issuer",
            'introspection_url = "https://a.example"\nissuer',
            "7 account_source[0].oidc.introspection_url: needs",
        ),
        (
            "issuer",
            'client_secret_file = "none"\nissuer',
            "7 account_source[0].oidc.client_secret_file: cannot be used",
        ),
        ('domains = ["example.jp"]', "", "2 account_source[0].domains: is empty, and so are the tenant's"),
    ],
)
def test_oidc(tmp_path, before, after, expected):
    assert one(tmp_path, OIDC.replace(before, after)).startswith(expected)


def test_tables_and_names(tmp_path):
    missing = '[[account_source]]\nname = "a"\nkind = "smtp"\n'
    assert one(tmp_path, missing) == '1 account_source[0].server: kind = "smtp" needs [account_source.server]'
    assert "used twice" in one(tmp_path, LDAP + LDAP)


@pytest.mark.parametrize(
    ("text", "sound"),
    [
        ("https://a.example/x?y", True),
        ("http://127.0.0.1:8080", True),
        ("http://[::1]/", True),
        ("http://localhost/", True),
        ("http://a.example", False),
        ("https://u:p@a.example", False),
        ("https://", False),
        ("https://a.example/#x", False),
        ("https://a.example:x/", False),
        ("https://a.example/\r\nx", False),
        ("file:///etc/passwd", False),
        ("", False),
    ],
)
def test_urls(text, sound):
    assert sound_url(text) is sound


def test_places():
    assert server_place("[::1]:993") == ("::1", 993)
    for text in ("", "a", "a:x", "a:99999", "u@a:1", "a:1/x"):
        with pytest.raises(ValueError):
            server_place(text)
