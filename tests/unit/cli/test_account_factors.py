"""`sekisho account app-password` and `totp`."""

import io
import time

import pyotp
import pytest

GOOD = "quiet harbour seventeen lamps"
LOGIN = "hana@acme.example"


@pytest.fixture(name="account")
def _account(folder, sekisho, monkeypatch):
    (folder / "sekisho.toml").write_text(
        '[gateway]\nstate_dir = "var"\n[password_hash]\nmemory_kib = 7168\npasses = 1\nscram_iterations = 4096\n'
        '[tenant.default]\ndomains = ["acme.example"]\n'
    )

    def run(*words, given=""):
        monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(given.encode())))
        return sekisho("account", *words)

    assert run("add", LOGIN, given=GOOD).status == 0
    return run


def shown(account):
    return account("show", LOGIN, "--json").objects[0]


def test_app_passwords_come_and_go(account):
    scope = ("--network", "192.0.2.0/24", "--expires", "2099-01-01")
    made = account("app-password", "add", LOGIN, "--name", "copier", *scope)
    assert made.status == 0
    assert "shown this once" in made.out
    (app,) = shown(account)["app_passwords"]
    assert (app["name"], app["networks"], app["expires_at"][:10]) == ("copier", ["192.0.2.0/24"], "2099-01-01")
    assert account("app-password", "remove", LOGIN, "copier").status == 0
    assert account("app-password", "remove", LOGIN, "copier").status == 1
    assert shown(account)["app_passwords"] == []


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--listener", "nowhere"), "no listener 'nowhere'"),
        (("--network", "192.0.2.300"), "--network"),
        (("--network", "::ffff:192.0.2.0/120"), "write it as IPv4"),
        (("--expires", "2001-01-01"), "--expires: is over"),
    ],
)
def test_scopes_that_can_never_be_met(account, words, said):
    done = account("app-password", "add", LOGIN, "--name", "copier", *words)
    assert (done.status, said in done.err) == (2, True), done.err
    assert shown(account)["app_passwords"] == []


def test_a_second_factor_comes_and_goes(account):
    enrolled = account("totp", "enrol", LOGIN, "--json").objects[0]
    assert not shown(account)["second_factor"]
    assert account("totp", "verify", LOGIN, given="000000\n").status == 1
    code = pyotp.parse_uri(enrolled["uri"]).at(int(time.time()))
    assert account("totp", "verify", LOGIN, given=code + "\n").status == 0
    assert account("totp", "verify", LOGIN, given=code + "\n").status == 1
    assert (shown(account)["second_factor"], shown(account)["recovery_codes"]) == (True, 10)
    assert account("totp", "verify", LOGIN, given=enrolled["recovery_codes"][3]).status == 0
    assert shown(account)["recovery_codes"] == 9
    assert account("totp", "remove", LOGIN).status == 0
    assert not shown(account)["second_factor"]
    assert account("totp", "verify", LOGIN, given=code).status == 1
