"""When a password has to be changed."""

from datetime import UTC, datetime, timedelta
from itertools import permutations

import pytest

from sekisho.accounts.passwords.state import PasswordState, changed, must_change, proves_owner

NOW = datetime(2026, 11, 25, 9, 0, tzinfo=UTC)
LATER = NOW + timedelta(days=1)


def test_age_is_no_reason():
    """NIST SP 800-63B-4 3.1.1.2: no periodic change."""
    assert not PasswordState(NOW - timedelta(days=10_000)).must_change


def test_after_a_compromise():
    state = must_change(PasswordState(NOW), "compromised", LATER)
    assert (state.must_change, state.why, state.since, state.set_at) == (True, "compromised", LATER, NOW)
    assert not proves_owner(state)
    assert not changed(LATER, by_owner=True).must_change


def test_what_an_administrator_sets_is_changed_by_its_owner():
    state = changed(NOW, by_owner=False)
    assert (state.must_change, state.why) == (True, "given")
    assert proves_owner(state)


@pytest.mark.parametrize("order", list(permutations(["weak", "shared", "given", "breached", "compromised"])))
def test_the_worst_reason_stays(order):
    state = PasswordState(NOW)
    for why in order:
        state = must_change(state, why, LATER)
    assert state.why == "compromised"


def test_the_first_time_stays():
    state = must_change(PasswordState(NOW), "weak", NOW)
    assert must_change(state, "weak", LATER).since == NOW
