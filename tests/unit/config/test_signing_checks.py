"""Settings of keys and dynamic updates."""

import pytest

from sekisho.config.load import load
from sekisho.config.settings import Settings, TenantSettings
from sekisho.config.signing_checks import server_of
from sekisho.config.signing_settings import DnsUpdateSettings, SigningSettings
from sekisho.config.tenants import inherited

UPDATE = {"server": "192.0.2.1", "zone": "example.jp", "key_name": "k.example.jp", "secret_file": "tsig"}


def written(folder, signing="", **update):
    values = "\n".join(f"{name} = {value!r}" for name, value in {**UPDATE, **update}.items())
    file = folder / "sekisho.toml"
    file.write_text(f"[tenant.default.signing]\n{signing}\n[[tenant.default.dns_update]]\n{values}\n")
    (folder / "tsig").write_text("c2VjcmV0IG9mIHRoZSB0ZXN0cyE=\nmore\n")
    return [problem.key for problem in load(file)[1]]


def test_good(tmp_path):
    assert written(tmp_path, "rotate_days = 0") == []


@pytest.mark.parametrize(
    ("signing", "key"),
    [
        ("rotate_days = -1", "rotate_days"), ("rotate_days = nan", "rotate_days"),
        ("overlap_days = 0", "overlap_days"),
        ("late_days = inf", "late_days"), ("rotate_days = 7", "rotate_days"),
    ],
)  # fmt: skip
def test_times(tmp_path, signing, key):
    assert written(tmp_path, signing) == [f"tenant.default.signing.{key}"]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("server", "ns.example.jp"), ("server", "192.0.2.1:0"), ("server", "192.0.2.300"), ("server", ""),
        ("zone", "Example.jp"), ("zone", "a b"), ("zone", "a" * 64), ("key_name", "k."), ("secret_file", "none"),
        ("ttl", 0), ("ttl", 90000), ("timeout_seconds", 0.0),
    ],
)  # fmt: skip
def test_updates(tmp_path, name, value):
    assert written(tmp_path, **{name: value}) == [f"tenant.default.dns_update[0].{name}"]


@pytest.mark.parametrize("secret", ["", "no base64!", "c2hvcnQ=", "秘密"])
def test_secrets(tmp_path, secret):
    written(tmp_path)
    (tmp_path / "tsig").write_text(secret)
    assert [problem.key for problem in load(tmp_path / "sekisho.toml")[1]] == [
        "tenant.default.dns_update[0].secret_file"
    ]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("192.0.2.1", ("192.0.2.1", 53)), ("192.0.2.1:5353", ("192.0.2.1", 5353)),
        ("2001:db8::1", ("2001:db8::1", 53)), ("[2001:db8::1]:5353", ("2001:db8::1", 5353)),
    ],
)  # fmt: skip
def test_servers(text, expected):
    assert server_of(DnsUpdateSettings(text, "z", "k", "f")) == expected


def test_inherited():
    update = DnsUpdateSettings(**UPDATE)
    parent = TenantSettings(signing=SigningSettings(rotate_days=90), dns_update=(update,))
    settings = Settings(tenant={"msp": parent, "child": TenantSettings(parent="msp")})
    child = inherited(settings, "child")
    assert (child.signing.rotate_days, child.dns_update) == (90, (update,))
