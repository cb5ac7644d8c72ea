"""What must hold for every policy and every message. Each test quotes the clause it checks."""

from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs

from sekisho.config.settings import TenantSettings
from sekisho.decide.entry import FromEntry, PolicyFile, RuleEntry, ThenEntry, ToEntry, WhenEntry
from sekisho.decide.explain import explain
from sekisho.decide.load import load_policy
from sekisho.decide.match import Count, Facts, FindingTest, FromAddress, ToTest, When
from sekisho.decide.names import Domains, Globs
from sekisho.decide.policy import Policy, Search, decide_on
from sekisho.decide.replay import RecordedMessage, replay
from sekisho.decide.rule import FAILED, Outcome, Rule, strictness
from sekisho.mail.envelope import Envelope, Recipient, Session
from sekisho.mail.finding import Finding, Severity
from sekisho.mail.transaction import Transaction
from sekisho.mail.verdict import AddHeader, Disposition, Hold, strictest

INSIDE = frozenset({"corp.example"})
IDS = ("dlp/secret/jwt", "dlp/jp/my-number", "spam/content", "inspection.failed/av", "inspection.failed/zip")
GLOBS = ("*", "dlp/*", "dlp/secret/*", "spam/content", "inspection.failed/*", "inspection.failed/av")
DOMAINS = ("corp.example", "out.example", "rival.example")

severities = st.sampled_from(Severity)
findings = st.lists(
    st.builds(
        Finding,
        st.sampled_from(IDS),
        severities,
        st.sampled_from((0.2, 0.8, 1.0)),
        st.integers(1, 5),
        where=st.sampled_from(("body", "attachment")),
    ),
    max_size=4,
).map(tuple)
addresses = st.builds("{}@{}".format, st.sampled_from("ab"), st.sampled_from(DOMAINS))
facts = st.builds(
    lambda sender, to, found: Facts(
        Session("s", "192.0.2.1"), Envelope(sender, tuple(map(Recipient, to))), found, INSIDE
    ),
    st.none() | addresses,
    st.lists(addresses, min_size=1, max_size=4),
    findings,
)

counts = st.none() | st.builds(Count, st.sampled_from((">", ">=", "<", "=")), st.integers(1, 3))
tests = st.builds(
    FindingTest,
    st.sampled_from(GLOBS).map(lambda glob: (glob,)),
    severities,
    st.sampled_from((0.0, 0.5, 0.9)),
    st.sampled_from(((), ("attachment",))),
    counts,
)
some_tests = st.lists(tests, max_size=2).map(tuple)
outcomes = st.one_of(
    st.just(Outcome()),
    st.just(Outcome(modifications=(AddHeader("X", "1"),), notify=("sender",))),
    st.sampled_from(("delay", "approval", "quarantine")).map(lambda k: Outcome(Disposition.HOLD, Hold(k))),
    st.sampled_from((Disposition.DEFER, Disposition.REJECT)).map(Outcome),
)


@st.composite
def rules(draw):
    """A list of rules r0, r1 … of levels 0 and up, as the loader would make them."""
    made = []
    for i in range(draw(st.integers(0, 6))):
        final = draw(st.integers(0, 3)) > 0
        monitor = draw(st.integers(0, 3)) == 0
        then = draw(outcomes) if final else Outcome(modifications=(AddHeader(f"X-{i}", "1"),))
        strict = then.disposition is not Disposition.DELIVER
        made.append(
            Rule(
                f"r{i}",
                then,
                draw(st.just(()) | addresses.map(lambda a: (FromAddress(Globs.of([a])),))),
                draw(
                    st.none()
                    | st.builds(
                        ToTest,
                        st.sampled_from((None, True, False)),
                        st.none() | st.sampled_from(DOMAINS).map(lambda d: Domains.of([d])),
                        count=counts,
                    )
                ),
                draw(st.none() | st.builds(When, some_tests, some_tests, some_tests)),
                monitor=monitor,
                final=final,
                split=final and draw(st.booleans()),
                floor=final and not monitor and strict and draw(st.booleans()),
                level=i // 2,
            )
        )
    return tuple(made)


def policy(made):
    return Policy.of("t", made)


def by_recipient(verdicts):
    return {r: v for v in verdicts for r in v.recipients}


def own(made, it):
    """What each recipient would get if nobody's verdict bound another's, before they are settled."""
    search = Search.of(policy(made), it)
    drafts = {party.address: search.decision(party).draft() for party in it.parties}
    return {r: structs.replace(d.decided, would_have=tuple(d.would_have)) for r, d in drafts.items()}


@given(rules(), facts)
def test_each_recipient_gets_one_verdict(made, it):
    """A verdict belongs to a recipient."""
    told = [r for v in decide_on(policy(made), it) for r in v.recipients]
    assert sorted(told) == sorted(it.envelope.rcpt_to)


@given(rules(), facts)
def test_the_strictest_rule_wins(made, it):
    """The strictest verdict sets the one SMTP reply for the whole message, unless the rule says split."""
    verdicts = decide_on(policy(made), it)
    alone = own(made, it)
    top = max(strictness(v.disposition, v.hold) for v in alone.values())
    assert max(strictness(v.disposition, v.hold) for v in verdicts) == top
    if not any(rule.split for rule in made):
        assert {strictness(v.disposition, v.hold) for v in verdicts} == {top}
    for recipient, verdict in by_recipient(verdicts).items():
        mine = alone[recipient]
        assert strictness(verdict.disposition, verdict.hold) >= strictness(mine.disposition, mine.hold)


@given(rules(), facts)
def test_monitor_never_changes_the_outcome(made, it):
    """Mode "monitor": recorded as "would have", nothing done."""
    without = [rule for rule in made if not rule.monitor]
    done = [structs.replace(v, would_have=()) for v in decide_on(policy(made), it)]
    assert done == list(decide_on(policy(without), it))


@given(rules(), facts)
def test_a_rule_at_the_end_never_changes_an_earlier_match(made, it):
    """First match wins."""
    last = Rule("last", Outcome(Disposition.REJECT), level=made[-1].level if made else 0)
    before, after = own(made, it), own((*made, last), it)
    for recipient, verdict in before.items():
        if verdict.policy_rule not in ("default", "inspection-failed"):
            assert after[recipient] == verdict


@given(rules(), facts)
def test_a_tenants_rule_is_never_milder_than_the_floor_above_it(made, it):
    """A tenant can only make a rule marked `floor` stricter."""
    parents = tuple(rule for rule in made if rule.level > 0)
    floors = {rule.name for rule in made if rule.floor}
    above, all_of = own(parents, it), own(made, it)
    for recipient, verdict in above.items():
        if verdict.policy_rule in floors:
            got = all_of[recipient]
            assert strictness(got.disposition, got.hold) >= strictness(verdict.disposition, verdict.hold)


@given(rules(), facts)
def test_nothing_fails_silently_open(made, it):
    """An inspection that failed goes unread only where a rule that asks for it by name says so."""
    named = any(rule.names_failed and rule.decides for rule in made)
    if named or not any(f.rule.startswith(FAILED) for f in it.findings):
        return
    for verdict in own(made, it).values():
        assert verdict.disposition is not Disposition.DELIVER
        assert verdict.hold is None or verdict.hold.kind != "delay"


@given(rules(), facts)
def test_the_same_message_and_policy_give_the_same_verdict(made, it):
    """Replay of the same policy changes nothing."""
    compiled = policy(made)
    record = RecordedMessage(
        "1", datetime.now(UTC), it.session, it.envelope, it.findings, decide_on(compiled, it), it.internal_domains
    )
    assert replay(compiled, [record]).changed == 0


@given(rules(), facts)
def test_the_explanation_is_the_decision(made, it):
    """`policy explain` tells the whole story of a verdict."""
    compiled = policy(made)
    transaction = Transaction("1", it.session, it.envelope, None, datetime.now(UTC), it.internal_domains)
    told = explain(compiled, transaction, it.findings)
    verdicts = decide_on(compiled, it)
    assert told.verdicts == verdicts
    assert told.to_json()["policy_rule"] == strictest(verdicts).policy_rule
    alone = own(made, it)
    for story in told.recipients:
        assert story.own_rule == alone[story.recipient].policy_rule
        deciding = [rule for rule in story.rules if rule.effect == "decides"]
        assert [rule.rule for rule in deciding] == [story.own_rule]
        monitored = [rule.rule for rule in story.rules if rule.effect == "monitored"]
        assert monitored == [line.partition(":")[0] for line in alone[story.recipient].would_have]
        assert all(rule.why for rule in story.rules if not rule.matched)


RULE = '[[rule]]\nname = "r"\n'
DELIVER = RULE + 'then = {{ disposition = "deliver" }}\n'
TABLES = {
    "": DELIVER + "{} = 1\n",
    "from": DELIVER + "[rule.from]\n{} = 1\n",
    "to": DELIVER + "[rule.to]\n{} = 1\n",
    "when": DELIVER + '[rule.when]\nfinding = "dlp/*"\n{} = 1\n',
    "when.all": DELIVER + '[[rule.when.all]]\nfinding = "dlp/*"\n{} = 1\n',
    "then": RULE + '[rule.then]\ndisposition = "deliver"\n{} = 1\n',
    "top": "{} = 1\n",
}
STRUCTS = (PolicyFile, RuleEntry, FromEntry, ToEntry, WhenEntry, ThenEntry)
KEYS = {field.encode_name for struct in STRUCTS for field in structs.fields(struct)}


@given(st.sampled_from(sorted(TABLES)), st.from_regex(r"\A[a-z][a-z_]{0,12}\Z").filter(lambda k: k not in KEYS))
def test_unknown_keys_are_always_reported(where, key):
    """Unknown keys are errors."""
    with TemporaryDirectory() as folder:
        file = Path(folder) / "policy.toml"
        text = TABLES[where].format(key)
        file.write_text(text)
        compiled, problems = load_policy(
            "t", {"t": TenantSettings(builtin_policy=False, policy=(str(file),))}, file, file
        )
    assert compiled is None
    (problem,) = problems
    assert problem.key.rpartition(".")[2] == key
    assert problem.text.startswith("unknown key")
    assert (problem.file, problem.line) == (str(file), text.count("\n"))
