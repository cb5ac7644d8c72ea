import re
from pathlib import Path
from typing import get_args

import pytest
from msgspec import structs

from sekisho.config.account_settings import IdentitySettings, LockSettings
from sekisho.config.settings import TenantSettings
from sekisho.config.shipped import shipped
from sekisho.decide.entry import FromEntry, RuleEntry, ThenEntry, ToEntry, WhenEntry
from sekisho.decide.load import load_policy
from sekisho.decide.policy import decide_on
from sekisho.mail.finding import Finding, Severity
from sekisho.mail.reply import ACCOUNT_LOCKED
from sekisho.mail.verdict import Modification

GOOD = '[[rule]]\nname = "good"\nto = { external = true }\nthen = { disposition = "deliver" }\n'


def shown(problems):
    return [f"{Path(p.file).name}:{p.line}: {p.key}: {p.text}" for p in problems]


def test_every_error_of_every_file_at_once_with_file_line_and_key(load):
    compiled, problems = load(
        """
[[rule]]
name = "one"
form = {}
when = { finding = "dlp/*", severty = "high" }
then = { disposition = "hold" }

[[rule]]
name = "one"
to = { external = "yes", first_contact = true }
then = { disposition = "deliver", notice = "sender" }
""",
        "[[rule]\n",
        '[[rules]]\nname = "x"\n',
    )
    assert compiled is None
    assert shown(problems) == [
        'own.toml:4: rule[0].form: unknown key (did you mean "from"?)',
        'own.toml:5: rule[0].when.severty: unknown key (did you mean "severity"?)',
        "own.toml:6: rule[0].then.hold: is missing: say quarantine, approval or delay",
        'own.toml:9: rule[1].name: "one" is already the name of the rule in line 2',
        "own.toml:10: rule[1].to.external: expected true or false, got a string",
        "own.toml:10: rule[1].to.first_contact: not available yet",
        'own.toml:11: rule[1].then.notice: unknown key (did you mean "notify"?)',
        "parent.toml:1: : Expected ']]' at the end of an array declaration (column 7)",
        'builtin.toml:1: rules: unknown key (did you mean "rule"?)',
    ]


@pytest.mark.parametrize("text", ["rule = 1", 'rule = ["x"]', 'rule = { name = "x" }', '[rule]\nname = "x"'])
def test_rules_that_are_no_tables(load, text):
    compiled, problems = load(text)
    assert compiled is None
    assert shown(problems) == ["own.toml:1: rule: must be tables: [[rule]]"]


def test_a_file_that_is_not_there(tmp_path):
    tenants = {"t": TenantSettings(policy=("none.toml",), builtin_policy=False)}
    compiled, (problem,) = load_policy("t", tenants, tmp_path, tmp_path / "builtin.toml")
    assert compiled is None
    assert str(problem) == f"{tmp_path / 'none.toml'}: cannot be read: No such file or directory"


def test_an_empty_file_is_a_policy(load):
    compiled, problems = load("")
    assert problems == []
    assert [r.name for r in compiled.rules] == ["inspection-failed", "default"]


def test_the_same_name_in_two_files_is_no_error(policy):
    assert [r.name for r in policy(GOOD, GOOD, GOOD).rules][:3] == ["good", "good", "good"]


def test_a_tenant_or_its_parent_may_leave_the_built_in_policy_out(tmp_path):
    (tmp_path / "builtin.toml").write_text(GOOD)
    tenants = {
        "with": TenantSettings(),
        "without": TenantSettings(builtin_policy=False),
        "below": TenantSettings(parent="without"),
    }
    for name, expected in (("with", True), ("without", False), ("below", False)):
        compiled, problems = load_policy(name, tenants, tmp_path, tmp_path / "builtin.toml")
        assert problems == []
        assert ("good" in [r.name for r in compiled.rules]) is expected


def test_tenants_that_are_not_there_or_their_own_ancestors(tmp_path):
    tenants = {"a": TenantSettings(parent="b"), "b": TenantSettings(parent="a"), "c": TenantSettings(parent="x")}
    (tmp_path / "builtin.toml").write_text("")
    for name, text in (
        ("a", 'tenant.b.parent: tenant "a" is its own ancestor'),
        ("c", 'tenant.c.parent: tenant "x" is not in the settings'),
        ("z", 'tenant.z: tenant "z" is not in the settings'),
    ):
        compiled, problems = load_policy(name, tenants, tmp_path, tmp_path / "builtin.toml")
        assert compiled is None
        assert [str(p) for p in problems] == [text]


def test_a_tenant_may_only_watch_probable_abuse_and_its_children_with_it(tmp_path, message):
    tenants = {
        "plain": TenantSettings(),
        "watching": TenantSettings(probable_abuse="monitor"),
        "child": TenantSettings(parent="watching"),
        "strict-child": TenantSettings(parent="watching", probable_abuse="approval"),
    }
    probable = message(Finding("bec/content", Severity.HIGH, 0.8))
    certain = message(Finding("bec/content", Severity.HIGH, 0.97))
    for name, rule in (
        ("plain", "probable-abuse"),
        ("watching", "default"),
        ("child", "default"),
        ("strict-child", "probable-abuse"),
    ):
        compiled, problems = load_policy(name, tenants, tmp_path, shipped("policy/default.toml"))
        assert problems == []
        assert decide_on(compiled, probable)[0].policy_rule == rule
        assert decide_on(compiled, certain)[0].policy_rule == "certain-abuse"
        assert decide_on(compiled, certain)[0].incident == "account-abuse"


CATCH_ALL = '[[rule]]\nname = "all"\nthen = { disposition = "deliver" }\n'


def test_a_rule_after_a_catch_all_in_the_same_file_is_an_error(load):
    _, problems = load(CATCH_ALL + GOOD)
    assert shown(problems) == ['own.toml:4: rule[1]: is never reached: "all" in line 1 decides about every message']


@pytest.mark.parametrize("not_one", ['mode = "monitor"', "final = false", "to = { external = true }"])
def test_what_is_no_catch_all(load, not_one):
    assert load(CATCH_ALL + not_one + "\n" + GOOD)[1] == []


def test_a_catch_all_may_stand_before_other_files(load):
    assert load(CATCH_ALL, GOOD, GOOD)[1] == []


def test_a_rule_that_names_failed_inspections_is_reached_after_a_delivering_catch_all_only(load):
    failed = '[[rule]]\nname = "f"\nwhen = { finding = "inspection.failed/*" }\nthen = { disposition = "defer" }\n'
    assert load(CATCH_ALL + failed)[1] == []
    assert len(load(CATCH_ALL.replace("deliver", "reject") + failed)[1]) == 1


def test_a_group_is_found_in_the_tenant_or_its_parents(load):
    rule = GOOD.replace("external = true", 'group = "vip"')
    assert load(rule, "", parent_groups={"vip": ("a.example",)})[1] == []
    assert load(rule, groups={"vip": ()})[1] == []
    _, problems = load(rule, groups={"vips": ()})
    assert shown(problems) == [
        'own.toml:3: rule[0].to.group: neither this tenant nor its parents have a group "vip" (did you mean "vips"?)'
    ]


def test_a_tenant_cannot_change_what_a_group_means_in_its_parents_rules(policy):
    rule = GOOD.replace("external = true", 'group = "vip"')
    groups = {"groups": {"vip": ("own.example",)}, "parent_groups": {"vip": ("msp.example",)}}
    own, parent, *_ = policy(rule, rule, **groups).rules
    assert own.to.groups[0].domains.words == ("own.example",)
    assert parent.to.groups[0].domains.words == ("msp.example",)


REFERENCE = Path(__file__).parents[3] / "docs" / "reference" / "policy.md"
EXAMPLES = re.findall(r"^```toml\n(.*?)^```", REFERENCE.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)


@pytest.mark.parametrize("example", EXAMPLES)
def test_the_references_examples_are_policies(load, example):
    compiled, problems = load(example, groups={"sales": ("sales@corp.example",)})
    assert problems == []
    assert len(compiled.rules) > 2


def test_the_reference_tells_every_key():
    told = set(re.findall(r"^\| `([a-z_]+)` \|", REFERENCE.read_text(encoding="utf-8"), re.MULTILINE))
    keys = {
        field.encode_name
        for struct in (RuleEntry, FromEntry, ToEntry, WhenEntry, ThenEntry)
        for field in structs.fields(struct)
    }
    modifications = {m.__struct_config__.tag for m in get_args(Modification)}
    assert told == keys - {"first_contact"} | modifications


def test_a_tenant_may_only_watch_who_writes_as_whom_or_refuse_locked_accounts(tmp_path, message):
    root = Path(__file__).parents[3]
    tenants = {
        "plain": TenantSettings(),
        "parent": TenantSettings(identity=IdentitySettings(enforce="monitor"), lock=LockSettings(mail="refuse")),
        "below": TenantSettings(parent="parent"),
        "strict": TenantSettings(parent="parent", identity=IdentitySettings()),
    }
    found = Finding("auth/identity-mismatch", Severity.HIGH)
    locked = Finding("account/locked", Severity.CRITICAL)
    forged = Finding("auth/forged-own-domain", Severity.HIGH)
    for name, mismatch, of_locked in (
        ("plain", "reject", "hold"), ("parent", "deliver", "reject"), ("below", "deliver", "reject"),
        ("strict", "reject", "reject"),
    ):  # fmt: skip
        compiled, problems = load_policy(name, tenants, tmp_path, root / "policy" / "default.toml")
        assert problems == []
        verdicts = [decide_on(compiled, message(finding, to=("x@out.example",)))[0] for finding in (found, locked)]
        assert [verdict.disposition.word for verdict in verdicts] == [mismatch, of_locked]
        assert decide_on(compiled, message(forged, to=("x@out.example",)))[0].disposition.word == "reject"
        if of_locked == "reject":
            assert verdicts[1].reply == ACCOUNT_LOCKED
            assert verdicts[1].notify == ()


def test_no_rule_of_a_tenants_own_lets_mail_of_a_locked_account_go(tmp_path, message):
    (tmp_path / "all.toml").write_text('[[rule]]\nname = "all"\nthen = { disposition = "deliver" }\n')
    (tmp_path / "none.toml").write_text('[[rule]]\nname = "none"\nthen = { disposition = "reject" }\n')
    locked = message(Finding("account/locked", Severity.CRITICAL), to=("x@out.example",))
    builtin = Path(__file__).parents[3] / "policy" / "default.toml"
    for file, lock, expected in (
        ("all.toml", "hold", "hold"), ("all.toml", "refuse", "reject"), ("none.toml", "hold", "reject"),
    ):  # fmt: skip
        tenants = {"t": TenantSettings(policy=(file,), lock=LockSettings(mail=lock))}
        compiled, problems = load_policy("t", tenants, tmp_path, builtin)
        assert problems == []
        assert decide_on(compiled, locked)[0].disposition.word == expected
