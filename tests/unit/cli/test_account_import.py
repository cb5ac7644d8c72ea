"""`sekisho account import`: all accounts of a file or none, and what is said of each."""

import pytest

GOOD, OTHER = "quiet harbour seventeen lamps", "brown teapot under winter moon"
SSHA = "{SSHA}xObBRNs3aIdE+tW5zm2/81Y2PdSilwEA"  # made by doveadm


@pytest.fixture(name="imported")
def _imported(folder, sekisho):
    """imported("login,…", "row", …) -> how it ended."""
    (folder / "sekisho.toml").write_text(
        '[gateway]\nstate_dir = "var"\n[password_hash]\nmemory_kib = 7168\npasses = 1\nscram_iterations = 4096\n'
        '[tenant.default]\ndomains = ["acme.example"]\n'
    )

    def run(*lines, more=("--json",)):
        file = folder / "accounts.csv"
        file.write_bytes("\n".join(lines).encode("utf-8", "surrogateescape"))
        done = sekisho("account", "import", file, *more)
        for secret in (GOOD, OTHER, SSHA, "s3cret"):
            assert secret not in done.out + done.err
        return done

    return run


@pytest.fixture(name="accounts")
def _accounts(sekisho):
    return lambda: {one["login"]: one for one in sekisho("account", "list", "--json").objects}


HEAD = "login,password,hash,name,addresses,contact,language"


def test_good_weak_shared_and_hashed(imported, accounts):
    done = imported(
        HEAD,
        f"Hana@Acme.example,{GOOD},,山田,info@acme.example;sales@acme.example,,ja",
        "weak@acme.example,s3cret,,,,,",
        f"one@acme.example,{OTHER},,,,,",
        f"two@acme.example,,{{PLAIN}}{OTHER},,,,",
        f"old@acme.example,,{SSHA},,,,",
        "none@acme.example,,,,,,",
    )
    assert done.status == 1
    codes = {one["login"]: one["codes"] for one in done.objects}
    assert codes["hana@acme.example"] == []
    assert "short" in codes["weak@acme.example"]
    assert codes["one@acme.example"] == codes["two@acme.example"] == ["shared"]
    assert codes["old@acme.example"] == ["hash"]
    made = accounts()
    assert {login: one["change_why"] for login, one in made.items() if one["change_why"]} == {
        "weak@acme.example": "weak",
        "one@acme.example": "shared",
        "two@acme.example": "shared",
    }
    assert made["hana@acme.example"]["addresses"] == ["hana@acme.example", "info@acme.example", "sales@acme.example"]


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        (("name", "x"), ':1: no column "login"'),
        (("login,role", "x,y"), ":1: unknown columns role"),
        (("login,name,login", "x,y,z"), ":1: columns twice: login"),
        ((), ':1: no column "login"'),
        ((HEAD, "ok@acme.example,,,,,,", "x@acme.example,a"), ":3: more or fewer"),
        ((HEAD, "x@acme.example,a,b,c,d,e,ja,g"), ":2: more or fewer"),
        ((HEAD, ",,,,,,"), ":2: no login"),
        ((HEAD, f"x@acme.example,a,{SSHA},,,,"), ":2: both"),
        ((HEAD, "x@acme.example,,{MD5}s3cret,,,,"), ":2: hash: the scheme MD5"),
        ((HEAD, "x@acme.example,,,,,,klingon"), ":2: language"),
        ((HEAD, "x@acme.example,,,\x1b[31mred,,,"), ":2: name"),
        ((HEAD, 'x@acme.example,,,"two\nlines",,,'), ":3: name"),
        ((HEAD, "x@acme.example,,,,\x07@acme.example,,"), ":2: addresses"),
        ((HEAD, "x@acme.example,,,,info,,"), ":2: addresses"),
        ((HEAD, "x@acme.example,,,,,no address,"), ":2: contact"),
        ((HEAD, "x@acme.example,s3cret\x07 and more,,,,,"), ":2: the password cannot be kept"),
        ((HEAD, "x@acme.example,,,,,,", "X@ACME.example,,,,,,"), ":3: login x@acme.example stands in line 2 already"),
        ((HEAD, "é@acme.example,,,,,,", "e\u0301@acme.example,,,,,,"), ":3: login é@acme.example stands in line 2"),
        ((HEAD, "\udcff,,,,,,"), "cannot be read"),
    ],
)
@pytest.mark.parametrize("more", [(), ("--dry-run",)])
def test_what_is_wrong_is_said_with_its_place_and_nothing_made(imported, accounts, lines, said, more):
    done = imported(*lines, more=more)
    assert done.status in (2, 3)
    assert said in done.err, done.err
    assert accounts() == {}


def test_all_or_none(imported, accounts):
    assert imported("login", "there@acme.example").status == 0
    done = imported("login", "new@acme.example", "There@acme.example")
    assert (done.status, "there@acme.example" in done.err) == (1, True)
    assert list(accounts()) == ["there@acme.example"]


def test_a_dry_run_makes_nothing(imported, accounts):
    done = imported("login", "hana@acme.example", more=("--dry-run",))
    assert (done.status, "1 accounts would be made" in done.out) == (0, True)
    assert accounts() == {}
