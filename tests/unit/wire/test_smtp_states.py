"""The table of states is whole: each state has an answer to each verb."""

from sekisho.mail.reply import Reply
from sekisho.wire.smtp_replies import ALWAYS_THE_SAME
from sekisho.wire.smtp_server import SmtpServer
from sekisho.wire.smtp_states import IN_TRANSACTION, TABLE, State


def test_every_state_answers_every_verb():
    verbs = {verb for row in TABLE.values() for verb in row}
    assert all(set(row) == verbs for row in TABLE.values())
    assert set(TABLE) == set(State)


def test_every_move_has_a_handler():
    moves = {verb for row in TABLE.values() for verb, move in row.items() if not isinstance(move, Reply)}
    assert moves - {"BDAT"} - set(ALWAYS_THE_SAME) == set(SmtpServer._HANDLERS)


def test_refusals_are_permanent():
    assert all(move.permanent for row in TABLE.values() for move in row.values() if isinstance(move, Reply))


def test_mail_begins_only_between_transactions():
    """RFC 5321 4.1.4: MAIL is refused while a transaction is open."""
    assert [state for state in State if isinstance(TABLE[state]["MAIL"], State)] == [State.READY]
    assert all(isinstance(TABLE[state]["MAIL"], Reply) for state in IN_TRANSACTION)


def test_only_quit_after_a_554_greeting():
    """RFC 5321 3.1: 503 to everything but QUIT."""
    row = TABLE[State.REFUSED]
    assert [verb for verb, move in row.items() if not isinstance(move, Reply)] == ["QUIT"]
    assert {move.code for move in row.values() if isinstance(move, Reply)} == {503}
