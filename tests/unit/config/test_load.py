"""Every problem of a configuration at once, each with its line and key."""

import pytest

from sekisho.config.load import host_and_port, load


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
        ('[tenant.default]\npolicy = ["none.toml"]\n', (2, "tenant.default.policy[0]")),
        ("[[tenant.default.next_hop]]\nidle_seconds = 1\n", (1, "tenant.default.next_hop[0]")),
        ('[[tenant.default.next_hop]]\nhosts = ["a:b"]\n', (2, "tenant.default.next_hop[0].hosts[0]")),
        ('[[tenant.default.next_hop]]\nhosts = ["a"]\nca_file = "none"\n', (3, "tenant.default.next_hop[0].ca_file")),
        ('[[tenant.default.next_hop]]\nhosts = ["a"]\nusername = "u"\n', (3, "tenant.default.next_hop[0].username")),
    ],
)
def test_each_check_names_line_and_key(tmp_path, text, expected):
    found = problems(tmp_path, text)
    assert expected[1] in [key for _, key in found]
    line = next(line for line, key in found if key == expected[1])
    assert line == expected[0] or line in (0, 1)


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


def test_two_next_hops_for_the_same_domain(tmp_path):
    hop = '[[tenant.default.next_hop]]\nhosts = ["a"]\n'
    assert "tenant.default.next_hop" in [key for _, key in problems(tmp_path, hop + hop)]
