"""argon2id and the keys of SCRAM, by the vectors of their standards."""

import asyncio
import base64
import hashlib
import hmac
import threading

import pytest
from msgspec.structs import replace

from sekisho.accounts.passwords import hashing
from sekisho.accounts.passwords.hashing import (
    Hasher,
    Kept,
    encoded,
    kept,
    outdated,
    readable,
    scram_keys,
    unknown_scram_keys,
    verify,
)
from sekisho.accounts.passwords.preparation import PreparationError
from sekisho.config.account_settings import PasswordHashSettings
from sekisho.mail.account import ScramKeys

CHEAP = PasswordHashSettings(memory_kib=1024, passes=1, scram_iterations=4096)
DEAR = replace(CHEAP, memory_kib=2048)

# The test vectors of the reference implementation (phc-winner-argon2, src/test.c), Argon2id v=19, "somesalt".
VECTORS = [
    ("password", "$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc"),
    ("password", "$argon2id$v=19$m=256,t=2,p=1$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4"),
]


@pytest.mark.parametrize(("password", "stored"), VECTORS)
def test_reference_vectors(password, stored):
    assert verify(stored, password)
    assert not verify(stored, "Password")
    assert readable(stored)


def test_what_is_made_is_argon2id_with_the_settings_and_a_new_salt():
    one, other = encoded("pencil", CHEAP), encoded("pencil", CHEAP)
    assert one.startswith("$argon2id$v=19$m=1024,t=1,p=1$")
    assert one != other
    assert verify(one, "pencil")


def test_defaults_are_what_owasp_asks_for():
    """OWASP Password Storage: m=47104 (46 MiB), t=1, p=1, or more; PBKDF2 with SHA-256 600,000."""
    default = PasswordHashSettings()
    assert default.memory_kib >= 47_104
    assert default.passes >= 1
    assert default.scram_iterations >= 600_000


def test_forms_of_one_password_are_one():
    stored = encoded("cafe\u0301 au lait", CHEAP)
    assert verify(stored, "caf\u00e9 au lait")
    assert not verify(stored, "cafe au lait")


@pytest.mark.parametrize(
    "stored",
    [
        "",
        "x",
        "$argon2i$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$wWKIMhR9lyDFvRz9YTZweHKfbftvj+qf+YFY4NeBbtA",
        "$argon2id$v=19$m=99999999,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAphXArZWb2GRPPc",
        "$argon2id$v=19$m=65536,t=9999,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAphXArZWb2GRPPc",
        "$argon2id$v=19$m=65536,t=2$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAphXArZWb2GRPPc",
        "$argon2id$" + "x" * 100_000,
        "$argon2id$v=19$m=é,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAphXArZWb2GRPPc",
    ],
)
def test_unreadable_hashes_let_nobody_in(stored):
    assert readable(stored) is None
    assert not asyncio.run(Hasher(CHEAP).verify(Kept(stored), "password")).right


def test_scram_sha_256_of_the_standard():
    """RFC 7677 3: the whole exchange of user "user" with password "pencil"."""
    keys = scram_keys("pencil", base64.b64decode("W22ZaJ0SNY7soEsUEjb6gQ=="), 4096)
    message = (
        b"n=user,r=rOprNGfwEbeRWgbNEkqO,"
        b"r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096,"
        b"c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0"
    )
    proof = base64.b64decode("dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=")
    signature = hmac.digest(keys.stored_key, message, "sha256")
    client_key = bytes(a ^ b for a, b in zip(proof, signature, strict=True))
    # RFC 5802 3: what the proof gives away hashes to StoredKey; ServerSignature is HMAC(ServerKey, AuthMessage)
    assert hashlib.sha256(client_key).digest() == keys.stored_key
    server = hmac.digest(keys.server_key, message, "sha256")
    assert base64.b64encode(server) == b"6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4="


def test_scram_takes_the_form_that_clients_prepare():
    salt = bytes(16)
    assert scram_keys("ｐencil", salt, 4096) == scram_keys("pencil", salt, 4096)
    assert scram_keys("pencil", salt, 0) is None


def test_both_are_made_of_one_password():
    made = kept("pencil case 17", CHEAP)
    assert verify(made.encoded, "pencil case 17")
    assert made.scram == scram_keys("pencil case 17", made.scram.salt, 4096)
    assert kept("pencil case 17", CHEAP).scram.salt != made.scram.salt
    assert "argon2" not in repr(made)


def test_unknown_logins_have_keys_that_stay():
    key = bytes(32)
    one = unknown_scram_keys(key, "default", "taro", 4096)
    assert one == unknown_scram_keys(key, "default", "taro", 4096)
    assert one.salt != unknown_scram_keys(key, "default", "jiro", 4096).salt
    assert one.salt != unknown_scram_keys(key, "other", "taro", 4096).salt
    assert one.salt != unknown_scram_keys(bytes(31) + b"x", "default", "taro", 4096).salt
    # nothing tells them from real ones
    real = kept("pencil", CHEAP).scram
    assert [len(x) for x in (one.salt, one.stored_key, one.server_key)] == [
        len(x) for x in (real.salt, real.stored_key, real.server_key)
    ]


@pytest.mark.parametrize(
    ("made", "now", "is_outdated"),
    [
        (CHEAP, CHEAP, False),
        (CHEAP, DEAR, True),
        (DEAR, CHEAP, False),
        (CHEAP, replace(CHEAP, passes=2), True),
        (CHEAP, replace(CHEAP, scram_iterations=5000), True),
        (replace(CHEAP, scram_iterations=5000), CHEAP, False),
        (CHEAP, replace(CHEAP, scram_iterations=0), True),
        (replace(CHEAP, scram_iterations=0), replace(CHEAP, scram_iterations=0), False),
    ],
)
def test_outdated(made, now, is_outdated):
    assert outdated(kept("pencil", made), now) is is_outdated


def test_hashes_from_elsewhere_are_renewed():
    assert outdated(Kept(VECTORS[0][1]), replace(CHEAP, scram_iterations=0))  # a salt of 8 octets


def test_verify_renews_only_for_the_right_password():
    hasher, old = Hasher(DEAR), kept("pencil", CHEAP)
    wrong = asyncio.run(hasher.verify(old, "pen"))
    assert (wrong.right, wrong.renewed) == (False, None)
    right = asyncio.run(hasher.verify(old, "pencil"))
    assert right.right
    assert right.renewed.encoded.startswith("$argon2id$v=19$m=2048,")
    again = asyncio.run(hasher.verify(right.renewed, "pencil"))
    assert (again.right, again.renewed) == (True, None)


@pytest.mark.parametrize("password", ["", "a\0b", "\ud800", "x" * 100_000])
def test_passwords_that_nobody_can_have(password):
    hasher = Hasher(CHEAP)
    assert not asyncio.run(hasher.verify(kept("pencil", CHEAP), password)).right
    assert not asyncio.run(hasher.verify(None, password)).right
    with pytest.raises(PreparationError):
        asyncio.run(hasher.keep(password))


def test_unknown_accounts_cost_the_same_work(monkeypatch):
    """Each verification is one run of argon2id with the same parameters, whoever is asked for, whatever is sent."""
    runs = []
    real = hashing.verify_secret

    def counted(stored, secret, kind):
        runs.append(stored.decode().split("$")[:4])
        return real(stored, secret, kind)

    monkeypatch.setattr(hashing, "verify_secret", counted)
    hasher, known = Hasher(CHEAP), kept("pencil", CHEAP)
    for stored, password in [(known, "pen"), (None, "pen"), (known, "a\0b"), (None, ""), (Kept("broken"), "pen")]:
        assert not asyncio.run(hasher.verify(stored, password)).right
    assert len(runs) == 5
    assert all(run == runs[0] for run in runs)


@pytest.mark.parametrize("at_once", [1, 3])
def test_no_more_at_once_than_the_settings_say(monkeypatch, at_once):
    """The first ones wait for each other: so many get in, and no further one."""
    under_way, most, all_in = [], [], threading.Barrier(at_once)
    real = hashing.verify_secret

    def watched(stored, secret, kind):
        under_way.append(1)
        most.append(len(under_way))
        all_in.wait(30)
        found = real(stored, secret, kind)
        under_way.pop()
        all_in.wait(30)
        return found

    monkeypatch.setattr(hashing, "verify_secret", watched)
    hasher = Hasher(replace(CHEAP, at_once=at_once))
    known = kept("pencil", CHEAP)

    async def many():
        return await asyncio.gather(*(hasher.verify(known, "pencil") for _ in range(at_once * 3)))

    assert all(one.right for one in asyncio.run(many()))
    assert max(most) == at_once


def test_keys_are_the_shared_value():
    assert isinstance(kept("pencil", CHEAP).scram, ScramKeys)


def test_who_hangs_up_leaves_no_place_for_one_more(monkeypatch):
    """A thread cannot be stopped: while it works its memory is taken, whoever waits for it."""
    under_way, most, go = [], [], threading.Event()

    def slow(*_):
        under_way.append(1)
        most.append(len(under_way))
        go.wait(10)
        under_way.pop()
        return False

    monkeypatch.setattr(hashing, "verify_secret", slow)

    async def run():
        hasher = Hasher(replace(CHEAP, at_once=1))
        for _ in range(3):
            asking = asyncio.create_task(hasher.verify(None, "x"))
            for _ in range(20):
                await asyncio.sleep(0)
            asking.cancel()
            with pytest.raises(asyncio.CancelledError):
                await asking
        go.set()
        await hasher.verify(None, "x")

    asyncio.run(run())
    assert max(most) == 1
