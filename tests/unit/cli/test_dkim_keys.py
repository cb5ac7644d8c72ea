"""`sekisho dkim keygen` and the rest of a key's life, against a name server on a loopback port."""

import asyncio
import re

import dns.rdata
import pytest
from support.zone import served

from sekisho.mailauth.dkim_key import key_record

TENANTS = """
[tenant.default]
domains = ["example.jp"]
[tenant.default.signing]
rotate_days = 365
[tenant.other]
"""


@pytest.fixture
def zone():
    """What the name server serves; `check` looks there."""
    return {}


@pytest.fixture
def check(sekisho, zone):
    with served(zone, ttl=0) as server:
        yield lambda *more: sekisho("dkim", "check", "--resolver", server.address, *more)


def publish(zone, made):
    for key in made:
        zone[key["record"]["name"]] = {"TXT": [tuple(key["record"]["strings"])]}


def states(done):
    return {f"{key['selector']}": key["state"] for key in done.objects}


def test_from_keygen_to_retired(sekisho, zone, check, folder):
    (folder / "sekisho.toml").write_text(TENANTS)
    made = sekisho("dkim", "keygen", "example.jp", "--selector", "one", "--json").objects
    assert [(key["selector"], key["algorithm"], key["state"]) for key in made] == [
        ("one-rsa", "rsa", "pending"), ("one-ed25519", "ed25519", "pending"),
    ]  # fmt: skip
    assert check().status == 0
    assert set(states(sekisho("dkim", "keys", "--json")).values()) == {"pending"}
    publish(zone, made)
    done = check("--json")
    assert (done.status, states(done)) == (0, {"one-rsa": "active", "one-ed25519": "active"})
    assert {key["dns"]["seen"] for key in done.objects} == {"ours"}
    publish(zone, sekisho("dkim", "rotate", "example.jp", "--json").objects)
    again = sekisho("dkim", "rotate", "example.jp")
    assert (again.status, "there already" in again.err) == (1, True)
    after = states(check("--json"))
    assert [after.pop(name) for name in ("one-rsa", "one-ed25519")] == ["retiring", "retiring"]
    assert list(after.values()) == ["active", "active"]
    zone.clear()
    done = check()
    assert (done.status, done.out.count(": absent")) == (1, 4)
    assert check().out.count(": absent") == 0  # told once; the table still says it
    assert sekisho("dkim", "remove", "example.jp", "one-rsa").status == 1  # mail may be under way
    assert sekisho("dkim", "remove", "example.jp", "one-rsa", "--yes").status == 0
    assert "one-rsa" not in states(sekisho("dkim", "keys", "example.jp", "--json"))


def test_no_answer(sekisho, zone, check):
    made = sekisho("dkim", "keygen", "example.jp", "--algorithm", "ed25519", "--json").objects
    zone[made[0]["record"]["name"]] = "refused"
    done = check()
    assert (done.status, "unknown: refused" in done.out) == (3, True)


def test_the_record_as_it_is_printed(sekisho):
    out = sekisho(
        "dkim", "keygen", "例え.テスト", "--selector", "m", "--algorithm", "rsa", "--cname-target", "p.example"
    ).out
    line = next(line for line in out.splitlines() if " IN TXT " in line)
    name, _, text = line.partition(" IN TXT ")
    assert name == "m.xn--r8jz45g.xn--zckzah.p.example."
    rdata = dns.rdata.from_text("IN", "TXT", text)
    assert [len(part) for part in rdata.strings] == [255, len(rdata.strings[1])]
    assert key_record(b"".join(rdata.strings)).kind == "rsa"
    assert f"m._domainkey.xn--r8jz45g.xn--zckzah. IN CNAME {name}" in out


def test_what_may_have_been_overlooked(sekisho, folder):
    key = '[[tenant.default.dkim]]\ndomain = "example.net"\nselector = "s"\nprivate_key = "s.pem"\n'
    (folder / "sekisho.toml").write_text(TENANTS + key)
    out = sekisho("dkim", "keygen", "example.net", "--algorithm", "ed25519").out
    assert re.findall("Note: .*", out) == [
        "Note: example.net is not among the domains of tenant default.",
        "Note: the configuration has a key for example.net; these sign only once it is taken out there.",
    ]
    assert "Note" not in sekisho("dkim", "keygen", "mail.example.jp", "--algorithm", "ed25519").out


@pytest.mark.parametrize(
    ("arguments", "status"),
    [
        (("keygen", "a b"), 2), (("keygen", "example.jp", "--tenant", "none"), 2),
        (("keygen", "example.jp", "--selector", "a b"), 2), (("keygen", "example.jp", "--cname-target", "-"), 2),
        (("rotate", "example.jp"), 1), (("retire", "example.jp", "s"), 1), (("remove", "example.jp", "s"), 1),
        (("keys", "example..jp"), 2), (("check", "--resolver", "x"), 2),
    ],
)  # fmt: skip
def test_what_is_wrong(sekisho, arguments, status):
    done = sekisho("dkim", *arguments)
    assert (done.status, "unexpected" in done.err) == (status, False)


def test_a_selector_is_taken_whoever_has_it(sekisho, folder):
    (folder / "sekisho.toml").write_text(TENANTS)
    arguments = ("dkim", "keygen", "example.jp", "--selector", "m", "--algorithm", "ed25519", "--tenant")
    assert (sekisho(*arguments, "default").status, sekisho(*arguments, "other").status) == (0, 2)
    assert sekisho("dkim", "keys", "--tenant", "other", "--json").objects == []


def test_retired_by_hand(sekisho, store, zone, check):
    made = sekisho("dkim", "keygen", "example.jp", "--selector", "m", "--json").objects
    publish(zone, made)
    check()
    refused = sekisho("dkim", "retire", "example.jp", "m-rsa")
    assert (refused.status, "no other RSA key" in refused.err) == (1, True)
    assert states(sekisho("dkim", "retire", "example.jp", "m-ed25519", "--json")) == {"m-ed25519": "retiring"}
    assert states(sekisho("dkim", "retire", "example.jp", "m-rsa", "--yes", "--json")) == {"m-rsa": "retiring"}
    assert sekisho("dkim", "retire", "example.jp", "m-rsa").status == 1
    never = sekisho("dkim", "keygen", "example.jp", "--selector", "n", "--algorithm", "ed25519")
    assert never.status == 0
    assert states(sekisho("dkim", "retire", "example.jp", "n", "--json")) == {"n": "retired"}
    (kept,) = [key for key in asyncio.run(store.signing_keys.of()) if key.selector == "n"]
    assert kept.private == b""
