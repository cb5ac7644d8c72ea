"""How an account stands after what happened to it."""

from datetime import UTC, datetime, timedelta

import pytest

from sekisho.mail.lock import LockEvent, standing

NOW = datetime(2026, 11, 1, 9, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("steps", "state", "since", "before"),
    [
        ("", "open", None, 0),
        ("i", "open", None, 0),
        ("l", "locked", 0, 0),
        ("lr", "unlock-requested", 0, 0),
        ("lu", "open", 0, 0),
        ("lrul", "locked", 3, 1),
        ("lululu", "open", 4, 2),
        ("r", "open", None, 0),
        ("ur", "open", None, 0),
        ("lll", "locked", 2, 2),
    ],
)
def test_standing(steps, state, since, before):
    names = {"i": "incident", "l": "locked", "r": "unlock-requested", "u": "unlocked"}
    events = tuple(
        LockEvent("acme", "hana", names[step], NOW + timedelta(hours=n), "ann") for n, step in enumerate(steps)
    )
    lock = standing("acme", "hana", events)
    assert (lock.state, lock.before, lock.locked) == (state, before, state != "open")
    assert lock.since == (None if since is None else NOW + timedelta(hours=since))
