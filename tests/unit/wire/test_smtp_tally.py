"""Counts against limits."""

from sekisho.config.settings import LimitSettings
from sekisho.wire.smtp_tally import Tally

LIMITS = LimitSettings(commands_per_connection=2, messages_per_connection=1, errors_per_connection=0)


def test_one_too_many():
    tally = Tally()
    assert [tally.command(LIMITS) is None for _ in range(3)] == [True, True, False]
    assert [tally.mail(LIMITS) is None for _ in range(2)] == [True, False]
    assert str(tally.error(LIMITS)) == "421 4.7.0 Over 0 errors (errors_per_connection), closing"
    assert (tally.commands, tally.mails, tally.errors) == (3, 2, 1)
