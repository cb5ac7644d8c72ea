"""`sekisho account`, as an operator runs it."""

import io

import pytest

GOOD, OTHER = "quiet harbour seventeen lamps", "brown teapot under winter moon"
LOGIN = "hana@acme.example"
CONFIG = """
[gateway]
state_dir = "var"

[password_hash]
memory_kib = 7168
passes = 1
scram_iterations = 4096

[tenant.default]
domains = ["acme.example"]

[tenant.beta]
"""


@pytest.fixture(name="account")
def _account(folder, sekisho, monkeypatch):
    """account(*words, given="…") -> how the command ended."""
    (folder / "sekisho.toml").write_text(CONFIG)

    def run(*words, given=""):
        monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(given.encode("utf-8", "surrogateescape"))))
        done = sekisho("account", *words)
        assert GOOD not in done.out + done.err
        return done

    return run


def shown(account, login=LOGIN, *more):
    (found,) = account("show", login, "--json", *more).objects
    return found


def test_made_changed_disabled_removed(account):
    assert account("add", " HANA@Acme.Example ", "--name", "山田 花子", given=GOOD + "\n").status == 0
    found = shown(account)
    assert (found["login"], found["addresses"], found["change_why"]) == (LOGIN, [LOGIN], "given")
    assert account("change", LOGIN, "--address", "Info@acme.example", "--disable").status == 0
    found = shown(account)
    assert (found["addresses"], found["disabled"], found["name"]) == ([LOGIN, "info@acme.example"], True, "山田 花子")
    assert account("change", LOGIN, "--enable").status == 0
    assert "password to be changed (given)" in account("list").out
    assert account("passwd", LOGIN, "--by-owner", given=OTHER).status == 0
    assert shown(account)["change_why"] == ""
    assert account("remove", LOGIN).status == 0
    assert account("show", LOGIN).status == 1
    assert account("list", "--json").objects == []


@pytest.mark.parametrize(
    ("words", "given", "status", "said"),
    [
        (("add", LOGIN), OTHER, 1, "there already"),
        (("add", "taro@acme.example"), "", 2, "--no-password"),
        (("add", "taro@acme.example"), "short\n", 1, "not good enough"),
        (("add", "taro@acme.example"), "\udcff", 2, "UTF-8"),
        (("add", "taro@acme.example", "--tenant", "gamma"), OTHER, 2, "no tenant 'gamma'"),
        (("add", "\x07"), OTHER, 2, "is no login"),
        (("change", LOGIN, "--enable", "--disable"), "", 2, "exclude"),
        (("passwd", "nobody"), OTHER, 1, "no account nobody"),
        (("passwd", LOGIN), "", 1, "not good enough"),
        (("passwd", LOGIN, "--tenant", "beta"), OTHER, 1, "no account"),
        (("change", LOGIN, "--tenant", "beta", "--disable"), "", 1, "no account"),
        (("remove", LOGIN, "--tenant", "beta"), "", 1, "no account"),
        (("show", LOGIN, "--tenant", "beta"), "", 1, "no account"),
        (("app-password", "add", LOGIN, "--tenant", "beta", "--name", "x"), "", 1, "no account"),
        (("totp", "enrol", LOGIN, "--tenant", "beta"), "", 1, "no account"),
    ],
)
def test_errors(account, words, given, status, said):
    assert account("add", LOGIN, given=GOOD).status == 0
    done = account(*words, given=given)
    assert (done.status, said in done.err) == (status, True), done.err
    assert (shown(account)["disabled"], shown(account)["change_why"]) == (False, "given")


def test_without_a_password(account):
    assert account("add", "copier@acme.example", "--no-password").status == 0
    assert shown(account, "copier@acme.example")["password_set_at"] is None


def test_nothing_secret_is_shown(account):
    account("add", LOGIN, given=GOOD)
    app = account("app-password", "add", LOGIN, "--name", "copier", "--json").objects[0]["password"]
    enrolled = account("totp", "enrol", LOGIN, "--json").objects[0]
    secret = enrolled["uri"].split("secret=")[1].split("&")[0]
    told = account("show", LOGIN).out + account("show", LOGIN, "--json").out + account("list", "--json").out
    for word in (app, app.replace("-", ""), secret, enrolled["recovery_codes"][0], "argon2"):
        assert word not in told
