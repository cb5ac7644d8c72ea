"""Codes by time against the vectors of RFC 6238, and how often one may be given."""

import hashlib
from datetime import UTC, datetime, timedelta

import pytest
from msgspec.structs import replace

from sekisho.accounts.totp import SECRET_OCTETS, checked, enrolment_uri, new_factor
from sekisho.store.accounts import SecondFactor

# RFC 6238 appendix B, SHA-1: eight digits there; the six of ours are the last ones (RFC 4226 5.3: modulo 10^digits).
VECTORS = [
    (59, "94287082"),
    (1111111109, "07081804"),
    (1111111111, "14050471"),
    (1234567890, "89005924"),
    (2000000000, "69279037"),
    (20000000000, "65353130"),
]
FACTOR = SecondFactor(b"12345678901234567890", confirmed=True)
AT, CODE = datetime.fromtimestamp(1111111109, UTC), "081804"


def digest(text):
    return hashlib.sha256(text.encode()).digest()[:16]


def give(factor, code, at=AT):
    return checked(factor, code, at, digest)


@pytest.mark.parametrize(("seconds", "digits"), VECTORS)
def test_vectors(seconds, digits):
    after, good = give(FACTOR, digits[-6:], datetime.fromtimestamp(seconds, UTC))
    assert good
    assert after.last_step == seconds // 30
    assert not give(after, digits[-6:], datetime.fromtimestamp(seconds, UTC))[1]


@pytest.mark.parametrize(("steps", "good"), [(-2, False), (-1, True), (0, True), (1, True), (2, False)])
def test_one_step_to_either_side(steps, good):
    assert give(FACTOR, CODE, AT + timedelta(seconds=30 * steps))[1] is good


def test_no_code_that_is_older_than_one_that_was_used():
    after, good = give(FACTOR, "050471", datetime.fromtimestamp(1111111111, UTC))
    assert good
    assert not give(after, CODE, datetime.fromtimestamp(1111111111, UTC))[1]


@pytest.mark.parametrize("code", ["", "81804", "0818040", "０８１８０４", "\0", "x" * 10_000, "-81804", "\udce9"])
def test_what_is_no_code(code):
    after, good = give(FACTOR, code)
    assert (good, after.failures) == (False, 1)


def test_blanks_do_not_matter():
    assert give(FACTOR, " 081 804 ")[1]


def guesses(factor, hours):
    """How many wrong codes are looked at within so many hours of trying every second; the factor then."""
    looked, at, step = 0, AT, timedelta(minutes=1)
    while at < AT + timedelta(hours=hours):
        after, good = checked(factor, "000000", at, digest)
        assert not good
        looked += after != factor
        factor, at = after, at + step
    return looked, factor


def test_who_guesses_gets_few_tries():
    """NIST SP 800-63B-4 3.2.2: no more than 100 failures in a row."""
    looked, factor = guesses(FACTOR, 24 * 21)
    assert looked <= 100
    later = factor.failed_at + timedelta(hours=6)
    code = "287082"
    assert not checked(factor, code, later - timedelta(seconds=1), digest)[1]


def test_the_pause_ends_and_a_good_code_forgets_failures():
    factor = replace(FACTOR, failures=5, failed_at=AT - timedelta(minutes=5))
    assert not give(replace(factor, failed_at=AT - timedelta(minutes=4)), CODE)[1]
    after, good = give(factor, CODE)
    assert (good, after.failures, after.failed_at) == (True, 0, None)


def test_recovery_codes_are_good_once_and_only_after_the_first_code():
    factor, codes = new_factor(digest)
    assert len(factor.secret) == SECRET_OCTETS  # RFC 4226 4 R6: 160 bits
    assert len(set(codes)) == len(factor.recovery) == 10
    assert not give(factor, codes[0])[1]
    confirmed = replace(factor, confirmed=True)
    after, good = give(confirmed, codes[0].upper())
    assert good
    assert len(after.recovery) == 9
    assert not give(after, codes[0])[1]
    assert give(after, codes[1].replace("-", ""))[1]


def test_the_uri_is_for_a_device_and_the_secret_in_no_repr():
    assert enrolment_uri(FACTOR, "hana@acme.example") == (
        "otpauth://totp/Sekisho:hana%40acme.example?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ&issuer=Sekisho"
    )
    assert "GEZD" not in repr(FACTOR)
    assert "1234" not in repr(FACTOR)
