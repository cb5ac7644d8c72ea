import pytest

from sekisho.accounts.limits.plan import Counted
from sekisho.accounts.limits.texts import duration, excerpt
from sekisho.config.account_settings import SendingLimitSettings
from sekisho.mail.counting import Charge


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0.2, "a moment"),
        (1, "1 second"),
        (45.4, "45 seconds"),
        (60, "1 minute"),
        (3600, "1 hour"),
        (5400, "90 minutes"),
        (86_400, "1 day"),
        (7_200, "2 hours"),
        (604_800, "7 days"),
        (90_000, "25 hours"),
    ],
)
def test_durations(seconds, text):
    assert duration(seconds) == text


@pytest.mark.parametrize(
    ("limit", "count", "text"),
    [
        (
            {"of": "bytes", "to": "external"},
            2_345_000_000,
            "n: 2.35 GB to external recipients in 1 hour, more than 999 octets",
        ),
        ({"of": "bytes"}, 1_000, "n: 1 kB in 1 hour, more than 999 octets"),
        (
            {"of": "messages", "to": "internal"},
            1000,
            "n: 1000 messages to internal recipients in 1 hour, more than 999",
        ),
        (
            {"of": "new-recipients", "to": "external"},
            1000,
            "n: 1000 external recipients never written to before in 1 hour, more than 999",
        ),
        ({}, 1000, "n: 1000 recipients in 1 hour, more than 999"),
    ],
)
def test_excerpts(limit, count, text):
    assert excerpt(Counted(SendingLimitSettings("n", **limit), "hana", Charge(b"", 3600)), count, 999) == text
