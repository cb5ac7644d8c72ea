"""Every problem of a configuration at once, each with its line and key."""

from pathlib import Path

import pytest
from support.certificates import self_signed

from sekisho.config import load as module
from sekisho.config.load import EngineAddress, engine_address, find_file, host_and_port, load, name_server
from sekisho.config.settings import AntivirusSettings


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("127.0.0.1:25", ("127.0.0.1", 25)),
        ("[::1]:2525", ("::1", 2525)),
        ("mx.example.com", ("mx.example.com", 25)),
        ("[2001:db8::1]", ("2001:db8::1", 25)),
    ],
)
def test_host_and_port(text, expected):
    assert host_and_port(text, 25) == expected


@pytest.mark.parametrize("text", ["", ":25", "host:", "host:0", "host:65536", "host:x", "::1:25", "host:\u0662"])
def test_bad_host_and_port(text):
    with pytest.raises(ValueError, match=r"expected"):
        host_and_port(text)


def problems(tmp_path, text):
    file = tmp_path / "sekisho.toml"
    file.write_text(text)
    configuration, found = load(file)
    assert (configuration is None) == bool(found)
    return [(problem.line, problem.key) for problem in found]


def test_no_file_is_the_defaults():
    configuration, found = load(None)
    assert found == []
    assert configuration.settings.listener[0].address == "127.0.0.1:2525"


def test_paths_start_at_the_files_folder(tmp_path):
    (tmp_path / "sekisho.toml").write_text('[gateway]\nstate_dir = "state"\n')
    configuration, _ = load(tmp_path / "sekisho.toml")
    assert configuration.state_dir == tmp_path / "state"


def test_a_file_that_is_not_there(tmp_path):
    configuration, (problem,) = load(tmp_path / "none.toml")
    assert configuration is None
    assert "none.toml" in str(problem)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("[gateway]\nworkers = -1\n", (2, "gateway.workers")),
        ("[limits]\nconnections = 0\n", (2, "limits.connections")),
        ('[gateway]\nhttp_address = "x"\n', (2, "gateway.http_address")),
        ('[[listener]]\nname = "a"\naddress = "nowhere"\n', (3, "listener[0].address")),
        (
            '[[listener]]\nname = "a"\naddress = "[::1]:25"\nnetworks = ["10.0.0.1/8"]\n',
            (4, "listener[0].networks[0]"),
        ),
        ('[[listener]]\nname = "a"\naddress = "[::1]:25"\ntls = "starttls"\n', (1, "listener[0].certificate")),
        ('[[listener]]\nname = "a"\naddress = "[::1]:25"\nrequire_tls = true\n', (4, "listener[0].require_tls")),
        ('[[listener]]\nname = "a"\naddress = "[::1]:25"\ntenant = "x"\n', (4, "listener[0].tenant")),
        ('[tenant.default]\nparent = "nobody"\n', (2, "tenant.default.parent")),
        ('[tenant.default]\nparent = "default"\n', (2, "tenant.default.parent")),
        ('[tenant.default]\ndomains = ["Example.com"]\n', (2, "tenant.default.domains[0]")),
        ("[tenant.default.learning]\nmost_shift = 5\n", (2, "tenant.default.learning.most_shift")),
        ("[tenant.default.learning]\nmost_share = 1.5\n", (2, "tenant.default.learning.most_share")),
        ("[tenant.default.learning]\nhalf_life_days = 0\n", (2, "tenant.default.learning.half_life_days")),
        ('[tenant.default]\npolicy = ["none.toml"]\n', (2, "tenant.default.policy[0]")),
        ("[[tenant.default.next_hop]]\nidle_seconds = 1\n", (1, "tenant.default.next_hop[0]")),
        ('[[tenant.default.next_hop]]\nhosts = ["a:b"]\n', (2, "tenant.default.next_hop[0].hosts[0]")),
        ('[[tenant.default.next_hop]]\nhosts = ["a"]\nca_file = "none"\n', (3, "tenant.default.next_hop[0].ca_file")),
        ('[[tenant.default.next_hop]]\nhosts = ["a"]\nusername = "u"\n', (3, "tenant.default.next_hop[0].username")),
        ('[[tenant.default.next_hop]]\nhosts = ["a"]\nmaildir = "m"\n', (1, "tenant.default.next_hop[0]")),
        (
            '[[tenant.default.next_hop]]\nhosts = ["a", "b:0"]\npassword_file = "none"\n',
            (2, "tenant.default.next_hop[0].hosts[1]"),
        ),
        (
            '[[tenant.default.next_hop]]\nhosts = ["a"]\npassword_file = "none"\n',
            (3, "tenant.default.next_hop[0].password_file"),
        ),
        (
            '[[tenant.default.next_hop]]\nhosts = ["a"]\nusername = "u"\ntls = "opportunistic"\n',
            (4, "tenant.default.next_hop[0].tls"),
        ),
        ('[tenant.default]\ndomains = ["a@example.com"]\n', (2, "tenant.default.domains[0]")),
        ('[tenant.default]\ndomains = ["example.com", "."]\n', (2, "tenant.default.domains[1]")),
        ('[tenant.default]\nclient_networks = ["10.0.0.0/33"]\n', (2, "tenant.default.client_networks[0]")),
        (
            '[[listener]]\nname = "a"\naddress = "[::1]:25"\nxclient_from = ["x"]\n',
            (4, "listener[0].xclient_from[0]"),
        ),
        (
            '[[listener]]\nname = "a"\naddress = "[::1]:25"\nproxy_protocol_from = [\n  "10.0.0.0/8",\n  "x"]\n',
            (6, "listener[0].proxy_protocol_from[1]"),
        ),
        (
            '[[listener]]\nname = "a"\naddress = "[::1]:25"\ntls = "implicit"\ncertificate = "none.pem"\n',
            (5, "listener[0].certificate"),
        ),
        (
            '[[listener]]\nname = "a"\naddress = "[::1]:25"\n[[listener]]\nname = "a"\naddress = "[::1]:26"\n',
            (5, "listener[1].name"),
        ),
        (
            '[[listener]]\nname = "a"\naddress = "[::1]:25"\n[[listener]]\nname = "b"\naddress = "[::1]:25"\n',
            (6, "listener[1].address"),
        ),
        ("listener = []\n", (1, "listener")),
        ("[limits]\ncommand_seconds = -0.5\n", (2, "limits.command_seconds")),
        ("[inspect]\nthread_above_bytes = 0\n", (2, "inspect.thread_above_bytes")),
        ("[hold]\nretry_seconds = 0\n", (2, "hold.retry_seconds")),
        ("[limits]\ncommand_seconds = nan\n", (2, "limits.command_seconds")),
        ("[gateway]\ndrain_seconds = inf\n", (2, "gateway.drain_seconds")),
        (
            '[[tenant.default.next_hop]]\nhosts = ["a"]\nconnections = 0\n',
            (3, "tenant.default.next_hop[0].connections"),
        ),
        (
            '[[tenant.default.next_hop]]\nhosts = ["a"]\nconnect_seconds = -1\n',
            (3, "tenant.default.next_hop[0].connect_seconds"),
        ),
        ("[record]\nretention_days = -1\n", (2, "record.retention_days")),
        ('[tenant.a]\nparent = "b"\n[tenant.b]\nparent = "a"\n[tenant.default]\n', (2, "tenant.a.parent")),
        ('[tenant.a]\nparent = "b"\n[tenant.b]\nparent = "a"\n[tenant.default]\n', (4, "tenant.b.parent")),
    ],
)
def test_each_check_names_line_and_key(tmp_path, text, expected):
    found = problems(tmp_path, text)
    assert expected in found


def test_all_at_once(tmp_path):
    found = problems(
        tmp_path,
        '[gateway]\nworkers = -1\n[limits]\nconnections = 0\n[tenant.default]\nparent = "x"\ndomains = ["A"]\n',
    )
    assert [key for _, key in found] == [
        "gateway.workers",
        "limits.connections",
        "tenant.default.parent",
        "tenant.default.domains[0]",
    ]


def test_the_text_names_the_file_the_line_and_the_key(tmp_path):
    file = tmp_path / "sekisho.toml"
    file.write_text("\n[limits]\nmesage_bytes = 5\n")
    _, (problem,) = load(file)
    assert str(problem).startswith(f"{file}:3: limits.mesage_bytes: ")
    assert "message_bytes" in problem.text  # what was meant


@pytest.mark.parametrize(
    "text",
    [
        "[gateway]\nworkers = 0\ndrain_seconds = 0\n",
        "[record]\nretention_days = 0\n",
        "[limits]\nminimum_bytes_per_second = 0\n",
        '[tenant.default]\ndomains = ["example.com", ".example.com", "xn--wgv71a.example"]\n',
        '[[tenant.default.next_hop]]\nhosts = ["a", "b:2525", "[::1]:25", "[2001:db8::1]"]\n',
        '[[tenant.default.next_hop]]\nmaildir = "m"\nidle_seconds = 0\nbackoff_seconds = 0\n',
        '[tenant.default]\nnext_hop = [{ hosts = ["a"], domains = ["x.example"] }, { hosts = ["a"] }]\n',
        '[[listener]]\nname = "a"\naddress = "0.0.0.0:25"\nnetworks = ["10.0.0.0/8", "2001:db8::/32", "192.0.2.1"]\n',
    ],
)
def test_what_is_allowed(tmp_path, text):
    assert problems(tmp_path, text) == []


def test_files_are_looked_for_where_the_configuration_lies(tmp_path, monkeypatch):
    certificate, key = self_signed(tmp_path, "gate.example.com")
    (tmp_path / "policy.toml").write_text("")
    (tmp_path / "password").write_text("secret")
    monkeypatch.chdir("/")
    text = f"""
[[listener]]
name = "a"
address = "[::1]:25"
tls = "starttls"
certificate = "{certificate.name}"
private_key = "{key.name}"
[tenant.default]
policy = ["policy.toml"]
[[tenant.default.next_hop]]
hosts = ["a"]
tls = "verified"
ca_file = "{certificate.name}"
username = "u"
password_file = "password"
"""
    assert problems(tmp_path, text) == []
    key.write_text("no key")
    assert problems(tmp_path, text) == [(6, "listener[0].certificate")]


def test_a_key_that_belongs_to_another_certificate(tmp_path):
    certificate, _ = self_signed(tmp_path, "gate.example.com")
    (tmp_path / "other").mkdir()
    _, other = self_signed(tmp_path / "other", "gate.example.com")
    text = f'[[listener]]\nname = "a"\naddress = "[::1]:25"\ntls = "starttls"\ncertificate = "{certificate}"\n'
    assert problems(tmp_path, f'{text}private_key = "{other}"\n') == [(5, "listener[0].certificate")]


def test_find_file(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(module, "DEFAULT_FILES", (Path("sekisho.toml"), tmp_path / "etc.toml"))
    assert find_file(None) is None
    (tmp_path / "etc.toml").touch()
    assert find_file(None) == tmp_path / "etc.toml"
    (tmp_path / "sekisho.toml").touch()
    assert find_file(None) == Path("sekisho.toml")
    assert find_file("none.toml") == Path("none.toml")  # asked for: that it is not there is an error later


@pytest.mark.parametrize("data", [b"\xff", b"x = [", b"[" * 100_000, b'a = "\0"'])
def test_what_is_no_configuration_is_one_problem(tmp_path, data):
    (tmp_path / "sekisho.toml").write_bytes(data)
    configuration, found = load(tmp_path / "sekisho.toml")
    assert configuration is None
    assert len(found) == 1


def test_a_directory_is_no_configuration(tmp_path):
    configuration, (problem,) = load(tmp_path)
    assert configuration is None
    assert "cannot be read" in str(problem)


@pytest.mark.parametrize("domains", [("[]", "[]"), ('["a.example", "b.example"]', '["B.example."]')])
def test_two_next_hops_for_the_same_domain(tmp_path, domains):
    text = "".join(f'[[tenant.default.next_hop]]\nhosts = ["a"]\ndomains = {listed}\n' for listed in domains)
    assert problems(tmp_path, text) == [(1, "tenant.default.next_hop")]


@pytest.mark.parametrize(
    ("kind", "address", "expected"),
    [
        ("clamd", "unix:/run/clamav/clamd.ctl", EngineAddress(socket="/run/clamav/clamd.ctl")),
        ("clamd", "127.0.0.1:3311", EngineAddress(host="127.0.0.1", port=3311)),
        ("clamd", "av.example.com", EngineAddress(host="av.example.com", port=3310)),
        ("icap", "icap://av.example.com/avscan", EngineAddress(host="av.example.com", port=1344, service="avscan")),
        ("icap", "icap://[::1]:1345/a?b=c", EngineAddress(host="::1", port=1345, service="a?b=c")),
    ],
)
def test_engine_address(kind, address, expected):
    assert engine_address(AntivirusSettings("a", address, kind)) == expected


@pytest.mark.parametrize(
    ("kind", "address"),
    [
        ("clamd", ""),
        ("clamd", "unix:clamd.ctl"),
        ("clamd", "icap://av.example.com/avscan"),
        ("icap", "av.example.com:1344"),
        ("icap", "icap://av.example.com"),
        ("icap", "icap:///avscan"),
        ("icap", "icap://av.example.com/a b"),
        ("icap", "icap://av.example.com/a\r\nHost: x"),
        ("icap", "icap://av.example.com:x/avscan"),
    ],
)
def test_bad_engine_address(kind, address):
    with pytest.raises(ValueError, match="expected"):
        engine_address(AntivirusSettings("a", address, kind))


def test_antivirus(tmp_path):
    text = """
[[antivirus]]
name = "clam"
address = "unix:clamd.ctl"
[[antivirus]]
name = "clam"
address = "127.0.0.1:3310"
timeout_seconds = 0
cache_seconds = 0
[[antivirus]]
name = " "
address = "127.0.0.1:3310"
max_bytes = -1
"""
    assert sorted(problems(tmp_path, text)) == [
        (4, "antivirus[0].address"),
        (6, "antivirus[1].name"),
        (8, "antivirus[1].timeout_seconds"),
        (11, "antivirus[2].name"),
        (13, "antivirus[2].max_bytes"),
    ]


def test_links(tmp_path):
    (tmp_path / "bad.txt").write_text("bad.example.com\n")
    text = """
[links]
name_servers = ["192.0.2.1", "[2001:db8::1]:5353", "ns.example.com", "192.0.2.1:0"]
dns_timeout_seconds = 0
new_site_days = 0
[[link_list]]
name = "own"
file = "bad.txt"
[[link_list]]
name = "own"
file = "missing.txt"
[[dns_list]]
name = "surbl"
zone = "multi.surbl.org"
bits = { "8" = "phishing", "3" = "?" }
[[dns_list]]
name = ""
zone = "DBL.example."
codes = { "127.0.1.2" = "spam", "192.0.2.1" = "?", "x" = "?" }
[[dns_list]]
name = "none"
zone = "zone.example"
[[dns_list]]
name = "both"
zone = "zone.example"
codes = { "127.0.0.2" = "listed" }
bits = { "2" = "listed" }
"""
    assert sorted(problems(tmp_path, text)) == [
        (3, "links.name_servers[2]"),
        (3, "links.name_servers[3]"),
        (4, "links.dns_timeout_seconds"),
        (10, "link_list[1].name"),
        (11, "link_list[1].file"),
        (15, "dns_list[0].bits"),
        (17, "dns_list[1].name"),
        (18, "dns_list[1].zone"),
        (19, "dns_list[1].codes"),
        (19, "dns_list[1].codes"),
        (20, "dns_list[2]"),
        (23, "dns_list[3]"),
    ]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("192.0.2.1", "192.0.2.1:53"),
        ("192.0.2.1:5353", "192.0.2.1:5353"),
        ("::1", "[::1]:53"),
        ("[::1]", "[::1]:53"),
        ("[2001:db8::1]:5353", "[2001:db8::1]:5353"),
    ],
)
def test_name_server(text, expected):
    assert name_server(text) == expected
