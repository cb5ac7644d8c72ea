"""What the types alone cannot say of limits, guard and cluster; with line and key."""

import pytest

from sekisho.config.account_settings import DEFAULT_LIMITS
from sekisho.config.load import load
from sekisho.config.tenants import inherited


def problems(tmp_path, text):
    file = tmp_path / "sekisho.toml"
    file.write_text("[tenant.default]\n" + text)
    return [(problem.line, problem.key) for problem in load(file)[1]]


LIMIT = '[[tenant.default.limit]]\nname = "a"\n'
PLACE = "tenant.default.limit[0]"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("seconds = 59\n", [(4, f"{PLACE}.seconds")]),
        ("seconds = 2678401\n", [(4, f"{PLACE}.seconds")]),
        ("soft = -1\n", [(4, f"{PLACE}.soft")]),
        ("soft = 5\ndefer = 5\n", [(4, f"{PLACE}.soft")]),
        ("soft = 5\ndefer = 9\nlock = 4\n", [(4, f"{PLACE}.soft")]),
        ('per = "tenant"\nlock = 4\n', [(5, f"{PLACE}.lock")]),
        ('per = "domain"\nof = "new-recipients"\nto = "external"\ndefer = 4\n', [(5, f"{PLACE}.of")]),
        ('of = "new-recipients"\ndefer = 4\n', [(2, f"{PLACE}.to")]),
        ('accounts = ["x*"]\ndefer = 1\n' + LIMIT + "defer = 2\n", []),
        ("defer = 1\n" + LIMIT + 'accounts = ["x*"]\ndefer = 2\n', [(6, "tenant.default.limit[1].name")]),
        ("soft = 5\ndefer = 9\nlock = 10\n", []),
        ("", []),
    ],
)
def test_limits(tmp_path, text, expected):
    assert problems(tmp_path, LIMIT + text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("[auth_guard]\nfree_failures = 20\n", [(3, "auth_guard.free_failures")]),
        ("[auth_guard]\naddress_failures = 0\nfree_failures = 0\n",
         [(3, "auth_guard.address_failures"), (4, "auth_guard.free_failures")]),
        ("[auth_guard]\nmost_delay_seconds = nan\n", [(3, "auth_guard.most_delay_seconds")]),
        ('[auth_guard]\ntrusted_networks = ["192.0.2.1/24"]\n', [(3, "auth_guard.trusted_networks[0]")]),
        ("[auth_guard]\nmost_delay_seconds = 0\n", []),
        ('[cluster]\nvalkey = "127.0.0.1:6379"\n', [(3, "cluster.valkey")]),
        ('[cluster]\nkey_file = "nothing"\n', [(3, "cluster.key_file")]),
        ('[cluster]\nkey_file = "sekisho.toml"\nvalkey = "redis://127.0.0.1:6379/0"\n', []),
    ],
)  # fmt: skip
def test_guard_and_cluster(tmp_path, text, expected):
    assert problems(tmp_path, text) == expected


def test_a_secret_that_is_too_short(tmp_path):
    (tmp_path / "short").write_bytes(b"x" * 31 + b"\n")
    assert problems(tmp_path, '[cluster]\nkey_file = "short"\n') == [(3, "cluster.key_file")]


def test_own_limits_come_before_the_parents_and_the_builtin_ones(tmp_path):
    file = tmp_path / "sekisho.toml"
    limit = '[[tenant.{}.limit]]\nname = "{}"\ndefer = 1\n'
    file.write_text(
        '[tenant.default]\n[tenant.msp]\n[tenant.acme]\nparent = "msp"\n'
        + limit.format("acme", "mine") + limit.format("msp", "theirs")
    )  # fmt: skip
    configuration, found = load(file)
    assert found == []
    assert [x.name for x in inherited(configuration.settings, "acme").limit[:2]] == ["mine", "theirs"]
    assert inherited(configuration.settings, "default").limit == DEFAULT_LIMITS


def test_the_builtin_limits_are_sound(tmp_path):
    from sekisho.config.limit_checks import limit_problems  # noqa: PLC0415
    from sekisho.config.locations import Locations  # noqa: PLC0415

    assert list(limit_problems("limit", DEFAULT_LIMITS, Locations(""))) == []
