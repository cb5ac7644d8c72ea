import pytest

from sekisho.decide.match import Count
from sekisho.decide.policy import decide_on

THEN = 'then = { disposition = "reject" }\n'


@pytest.fixture
def matches(policy):
    """matches(conditions, facts) -> whether a rule with these conditions, as TOML, decides."""

    def _matches(conditions, facts, **kwargs):
        compiled = policy(f'[[rule]]\nname = "r"\n{conditions}\n{THEN}', **kwargs)
        return {v.policy_rule for v in decide_on(compiled, facts)} == {"r"}

    return _matches


@pytest.mark.parametrize(
    ("condition", "fits", "does_not"),
    [
        ('account = "TARO"', {"account": "taro"}, {"account": None}),
        ('account = ["jiro", "ta*"]', {"account": "Taro"}, {"account": "hanako"}),
        ('account = "*"', {"account": "x"}, {"account": None}),
        ('address = "TARO@corp.example"', {"sender": "Taro@Corp.example"}, {"sender": "x.taro@corp.example"}),
        ('address = "<>"', {"sender": None}, {"sender": "taro@corp.example"}),
        ('address = "no-reply+*@*"', {"sender": "no-reply+7@a.example"}, {"sender": "no-reply@a.example"}),
        ('domain = "corp.example"', {"sender": "x@CORP.example"}, {"sender": "x@a.corp.example"}),
        ('domain = ".corp.example"', {"sender": "x@a.b.corp.example"}, {"sender": "x@corp.example"}),
        ('domain = "corp.example"', {"sender": "x@corp.example."}, {"sender": None}),
        ('domain = "例え.example"', {"sender": "x@xn--r8jz45g.example"}, {"sender": "x@例.example"}),
        ('domain = "xn--r8jz45g.example"', {"sender": "x@例え.example"}, {"sender": "x@xn--r8jz45.example"}),
        ('listener = "relay"', {"listener": "relay"}, {"listener": "Relay2"}),
        ('client_network = "192.0.2.0/24"', {"client_ip": "192.0.2.255"}, {"client_ip": "192.0.3.0"}),
        ('client_network = "192.0.2.1"', {"client_ip": "::ffff:192.0.2.1"}, {"client_ip": "unknown"}),
        ('client_network = "2001:db8::/32"', {"client_ip": "2001:db8::1"}, {"client_ip": "192.0.2.1"}),
        ('account = "taro", listener = "a"', {"account": "taro", "listener": "a"}, {"account": "taro"}),
    ],
)
def test_from(matches, message, condition, fits, does_not):
    assert matches(f"from = {{ {condition} }}", message(**fits))
    assert not matches(f"from = {{ {condition} }}", message(**does_not))


@pytest.mark.parametrize(
    ("facts", "member"),
    [
        ({"sender": "ceo@corp.example"}, True),
        ({"sender": "x@board.example"}, True),
        ({"sender": "x@a.board2.example"}, True),
        ({"sender": "x@board2.example"}, False),
        ({"account": "Chair"}, True),
        ({"account": "x@board.example"}, True),
        ({"sender": None}, False),
        ({"sender": "chair@corp.example"}, False),
    ],
)
def test_from_group_is_the_reverse_path_or_the_login(matches, message, facts, member):
    groups = {"board": ("CEO@corp.example", "board.example", ".board2.example", "chair")}
    assert matches('from = { group = "board" }', message(**facts), groups=groups) is member


@pytest.mark.parametrize(
    ("condition", "fits", "does_not"),
    [
        ("external = true", "x@out.example", "x@corp.example"),
        ("external = true", "x@notcorp.example", "x@A.corp.example"),
        ("external = false", "x@CORP.EXAMPLE", "x@corp.example.out.example"),
        ("external = true", "postmaster", "x@corp.example"),
        ("external = true", "", "x@corp.example"),
        ('domain = ["a.example", ".b.example"]', "x@c.b.example", "x@b.example"),
        ('address = "*@a.example"', "X@A.example", "x@b.example"),
        ('group = "rivals"', "x@rival.example", "x@other.example"),
        ('external = true, group = "rivals"', "x@rival.example", "x@corp.example"),
    ],
)
def test_to(matches, message, condition, fits, does_not):
    groups = {"rivals": ("rival.example", "corp.example")}
    assert matches(f"to = {{ {condition} }}", message(to=(fits,)), groups=groups)
    assert not matches(f"to = {{ {condition} }}", message(to=(does_not,)), groups=groups)


@pytest.mark.parametrize(
    ("count", "outside", "holds"),
    [('">2"', 3, True), ('">2"', 2, False), ("2", 2, True), ("2", 1, False), ('"<3"', 2, True), ('"<3"', 3, False)],
)
def test_to_count_counts_the_recipients_that_the_other_keys_fit(matches, message, count, outside, holds):
    to = (*(f"x{i}@out.example" for i in range(outside)), "in@corp.example", "in2@corp.example")
    assert matches(f"to = {{ external = true, count = {count} }}", message(to=to)) is holds


@pytest.mark.parametrize(
    ("operator", "below", "same", "above"),
    [
        (">", False, False, True),
        (">=", False, True, True),
        ("<", True, False, False),
        ("<=", True, True, False),
        ("=", False, True, False),
    ],
)
def test_comparisons(operator, below, same, above):
    assert [Count(operator, 5).holds(n) for n in (4, 5, 6)] == [below, same, above]


@pytest.mark.parametrize(
    ("when", "holds"),
    [
        ('{ finding = "dlp/jp/my-number" }', True),
        ('{ finding = "dlp/*" }', True),
        ('{ finding = "*/my-number" }', True),
        ('{ finding = "dlp/??/my-number" }', True),
        ('{ finding = "dlp/jp" }', False),
        ('{ finding = ["spam/*", "dlp/*"] }', True),
        ('{ finding = "dlp/*", severity = "medium" }', True),
        ('{ finding = "dlp/*", severity = "high" }', False),
        ('{ finding = "dlp/*", confidence = 0.9 }', True),
        ('{ finding = "dlp/*", confidence = 0.91 }', False),
        ('{ finding = "dlp/*", count = 5 }', True),
        ('{ finding = "dlp/*", count = ">5" }', False),
        ('{ finding = "dlp/jp/my-number", count = "=3" }', True),
        ('{ finding = "dlp/*", where = "attachment" }', True),
        ('{ finding = "dlp/*", where = ["header", "subject"] }', False),
        ('{ finding = "dlp/*", where = "attachment", count = 3 }', False),
        ('{ all = [{ finding = "dlp/*" }, { finding = "link/*" }] }', True),
        ('{ all = [{ finding = "dlp/*" }, { finding = "spam/*" }] }', False),
        ('{ any = [{ finding = "dlp/*" }, { finding = "spam/*" }] }', True),
        ('{ any = [{ finding = "malware/*" }, { finding = "spam/*" }] }', False),
        ('{ none = [{ finding = "malware/*" }, { finding = "spam/*" }] }', True),
        ('{ none = [{ finding = "malware/*" }, { finding = "link/*" }] }', False),
        ('{ finding = "dlp/*", none = [{ finding = "link/*", severity = "high" }] }', True),
        ('{ finding = "dlp/*", any = [{ finding = "spam/*" }] }', False),
    ],
)
def test_when(matches, message, seen, when, holds):
    facts = message(
        seen("dlp/jp/my-number", "medium", 0.9, 3),
        seen("dlp/jp/bank-account", "low", 0.5, 2, where="attachment"),
        seen("link/shortened", "low", 0.4),
    )
    assert matches(f"when = {when}", facts) is holds


def test_one_finding_must_be_both_severe_and_sure(matches, message, seen):
    facts = message(seen("dlp/a", "high", 0.1), seen("dlp/b", "low", 1.0))
    assert not matches('when = { finding = "dlp/*", severity = "high", confidence = 0.5 }', facts)


def test_only_none_holds_without_findings(matches, message):
    assert matches('when = { none = [{ finding = "dlp/*" }] }', message())
    assert not matches('when = { finding = "*" }', message())


def test_findings_of_several_tests_are_told_once(policy, message, seen):
    rules = """
[[rule]]
name = "r"
when = { all = [{ finding = "dlp/*" }, { finding = "*" }] }
then = { disposition = "reject" }
"""
    found = (seen("dlp/a"), seen("spam/b"))
    assert decide_on(policy(rules), message(*found))[0].findings == found
