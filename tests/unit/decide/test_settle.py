from msgspec.structs import replace

from sekisho.decide.settle import Draft, settle, settle_again
from sekisho.mail.envelope import Recipient
from sekisho.mail.verdict import AddHeader, Disposition, Hold, Verdict

RECIPIENTS = tuple(Recipient(a) for a in "abcdef")
A, B = AddHeader("A", "1"), AddHeader("B", "2")


def draft(positions, disposition, rule, *, hold=None, would_have=(), **others):
    verdict = Verdict((), Disposition.of(disposition), rule, hold=Hold(hold) if hold else None, **others)
    return Draft(verdict, positions, dict.fromkeys(would_have))


def settled(*drafts):
    return [d.verdict(RECIPIENTS) for d in settle(drafts)]


def told(*drafts):
    return [("".join(v.recipients), v.policy_rule) for v in settled(*drafts)]


def test_without_split_the_strictest_binds_all_in_the_envelopes_order():
    assert told(draft([0, 3], "deliver", "d"), draft([1], "reject", "r"), draft([2], "hold", "h", hold="delay")) == [
        ("abcd", "r")
    ]


def test_among_holds_quarantine_is_stricter_than_approval_and_approval_than_delay():
    holds = [draft([i], "hold", kind, hold=kind) for i, kind in enumerate(("delay", "quarantine", "approval"))]
    assert told(*holds) == [("abc", "quarantine")]
    assert told(holds[0], holds[2]) == [("ac", "approval")]


def test_a_longer_delay_is_stricter():
    short, long = draft([0], "hold", "short", hold="delay"), draft([1], "hold", "long", hold="delay")
    short = Draft(Verdict((), Disposition.HOLD, "short", hold=Hold("delay", 60)), [0], {})
    long = Draft(Verdict((), Disposition.HOLD, "long", hold=Hold("delay", 3600)), [1], {})
    assert told(short, long) == [("ab", "long")]


def test_the_first_of_equals_sets_the_rule():
    assert told(draft([0], "reject", "one"), draft([1], "reject", "two")) == [("ab", "one")]


def test_split_on_the_strictest_lets_the_others_go_by_their_own():
    assert told(draft([0, 2], "deliver", "d"), draft([1, 3], "reject", "r", split=True)) == [("ac", "d"), ("bd", "r")]


def test_split_on_a_milder_one_changes_nothing():
    assert told(
        draft([0], "deliver", "d"), draft([1], "hold", "h", hold="delay", split=True), draft([2], "defer", "x")
    ) == [("abc", "x")]


def test_what_is_left_after_a_split_is_settled_in_the_same_way():
    drafts = (
        draft([0], "deliver", "d"),
        draft([1], "reject", "r", split=True),
        draft([2], "hold", "h", hold="approval"),
    )
    assert told(*drafts) == [("ac", "h"), ("b", "r")]


def test_deliveries_with_different_changes_stay_apart():
    first, second = settled(draft([0], "deliver", "d", modifications=(A,)), draft([1], "deliver", "d"))
    assert (first.modifications, second.modifications) == ((A,), ())


def test_a_hold_keeps_each_recipients_own_changes_and_adds_its_own():
    first, second = settled(
        draft([0], "deliver", "d", modifications=(A,)),
        draft([1, 2], "hold", "h", hold="approval", modifications=(B,)),
    )
    assert (first.recipients, first.policy_rule, first.modifications) == (("a",), "h", (A, B))
    assert (second.recipients, second.policy_rule, second.modifications) == (("b", "c"), "h", (B,))


def test_notices_log_and_incident_of_the_others_are_not_lost():
    (verdict,) = settled(
        draft(
            [0], "deliver", "d", notify=("administrator", "sender"), log=True, incident="odd", would_have=("m: hold",)
        ),
        draft([1], "reject", "r", notify=("sender",), would_have=("n: defer",)),
    )
    assert verdict.notify == ("sender", "administrator")
    assert (verdict.log, verdict.incident) == (True, "odd")
    assert set(verdict.would_have) == {"m: hold", "n: defer"}


def test_a_verdict_that_became_stricter_binds_the_others_anew():
    def verdict(recipients, disposition, rule, **others):
        made = draft([], disposition, rule, hold="approval" if disposition == "hold" else None, **others)
        return made.decided, recipients

    def again(*pairs):
        verdicts = [replace(decided, recipients=tuple(recipients)) for decided, recipients in pairs]
        return {("".join(v.recipients), v.policy_rule) for v in settle_again(verdicts, RECIPIENTS[:4])}

    delivered, held = verdict("ac", "deliver", "x"), verdict("bd", "hold", "y")
    assert again(delivered, held) == {("abcd", "y")}
    assert again(delivered, verdict("bd", "hold", "y", split=True)) == {("ac", "x"), ("bd", "y")}
    assert again(delivered, verdict("bd", "deliver", "y", modifications=(A,))) == {("ac", "x"), ("bd", "y")}
