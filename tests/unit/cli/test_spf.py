import pytest
from support.zone import served

ZONE = {
    "example.com": {"TXT": ["v=spf1 include:a.example.com a -all exp=why.example.com"], "A": ["192.0.2.1"]},
    "a.example.com": {"TXT": ["v=spf1 ip4:198.51.100.0/24 ~all"]},
    "why.example.com": {"TXT": ["\x1b[31m%{i}"]},
    "soft.example.com": {"TXT": ["v=spf1 ~all"]},
    "neutral.example.com": {"TXT": ["v=spf1"]},
    "broken.example.com": {"TXT": ["v=spf1 include:worse.example.com inclde:x.example.com -all"]},
    "outer.example.com": {"TXT": ["v=spf1 include:broken.example.com"]},
    "failing.example.com": "refused",
}


@pytest.fixture
def check(sekisho):
    with served(ZONE) as server:
        yield lambda ip, sender, *more: sekisho(
            "spf", "check", "--ip", ip, "--mail-from", sender, "--resolver", server.address, *more
        )


@pytest.mark.parametrize(
    ("ip", "domain", "result", "status"),
    [
        ("198.51.100.1", "example.com", "pass", 0),
        ("203.0.113.1", "example.com", "fail", 1),
        ("203.0.113.1", "soft.example.com", "softfail", 1),
        ("203.0.113.1", "neutral.example.com", "neutral", 0),
        ("203.0.113.1", "none.example.com", "none", 0),
        ("203.0.113.1", "broken.example.com", "permerror", 1),
        ("203.0.113.1", "failing.example.com", "temperror", 3),
    ],
)
def test_results_and_exit_status(check, ip, domain, result, status):
    done = check(ip, f"a@{domain}", "--json")
    assert (done.status, done.objects[0]["result"]) == (status, result)


def test_json(check):
    (found,) = check("::ffff:192.0.2.1", "a@example.com", "--json").objects
    contract = {"result": "pass", "mechanism": "a", "lookups": 2, "void_lookups": 0, "explanation": ""}
    assert found == {**contract, "domain": "example.com", "identity": "mailfrom", "reason": ""}


def test_the_tree_is_drawn(check):
    done = check("192.0.2.1", "a@example.com", "--language", "en")
    assert done.out.splitlines()[-4:] == [
        "├─ include:a.example.com  (1 lookup, no match, softfail)",
        "│  ├─ ip4:198.51.100.0/24  (no match)",
        "│  └─ ~all  (match)",
        "└─ a  (1 lookup, match)",
    ]
    assert "lookups       2 of 10" in done.out


def test_languages(check):
    english = check("203.0.113.1", "a@example.com", "--language", "en").out
    japanese = check("203.0.113.1", "a@example.com", "--language", "ja").out
    both = check("203.0.113.1", "a@example.com").out
    assert "may not" in english
    assert "may not" not in japanese
    assert "禁じています" in japanese
    assert english in both
    assert japanese in both


def test_flaws_of_the_record_and_of_included_ones_have_their_place(check):
    for domain in ("broken", "outer"):
        out = check("203.0.113.1", f"a@{domain}.example.com", "--language", "en").out
        assert "broken.example.com, octet 34: no such mechanism: inclde:x.example.com" in out


def test_the_helo_name_is_checked_too(check):
    assert "HELO          pass: a.example.com" in check(
        "198.51.100.1", "a@example.com", "--helo", "a.example.com", "--language", "en"
    ).out  # fmt: skip


def test_a_null_sender(check):
    done = check("198.51.100.1", "", "--helo", "a.example.com", "--json")
    assert (done.objects[0]["identity"], done.objects[0]["result"]) == ("helo", "pass")


def test_what_others_publish_does_nothing_to_the_terminal(check):
    assert "\x1b" not in check("203.0.113.1", "a@example.com").out


def test_name_servers_of_the_configuration(folder, sekisho):
    with served(ZONE) as server:
        (folder / "sekisho.toml").write_text(f'[links]\nname_servers = ["{server.address}"]\n')
        done = sekisho("spf", "check", "--ip", "192.0.2.1", "--mail-from", "a@example.com", "--json")
    assert done.objects[0]["result"] == "pass"


@pytest.mark.parametrize("arguments", [["--ip", "x", "--mail-from", "a@b.example"],
                                       ["--ip", "192.0.2.1", "--mail-from", "a@b.example", "--resolver", "x:y"],
                                       ["--ip", "192.0.2.1"]])  # fmt: skip
def test_wrong_arguments(sekisho, arguments):
    assert sekisho("spf", "check", *arguments).status == 2
