"""`sekisho rules`: the rules that are shipped, a rule of one's own, one that fails its own examples."""

import pytest

RULE = """
id = "dlp/company/project"
title = { en = "Code name", ja = "社外秘の名" }
severity = "high"
pattern = '\\bnightingale\\b'
confidence = { alone = 0.9 }
where = ["body"]
why = { en = "A code name.", ja = "コード名です。" }
[[positive]]
text = "about nightingale"
[[negative]]
text = "about the %s"
"""


@pytest.fixture
def own(folder):
    def write(negative="lark", more=""):
        (folder / "own").mkdir(exist_ok=True)
        (folder / "own" / "project.toml").write_text(RULE % negative + more)
        (folder / "sekisho.toml").write_text('[inspect]\nrules = ["own"]\n')

    return write


def test_list(sekisho, own):
    own()
    done = sekisho("rules", "list", "--json")
    heads = {head["id"]: head for head in done.objects}
    assert done.status == 0
    assert {"dlp/card", "message/two-from", "inspection.failed/patterns"} <= set(heads)
    assert heads["dlp/company/project"]["severity"] == "high"
    assert heads["dlp/company/project"]["title"] == {"en": "Code name", "ja": "社外秘の名"}
    assert len(sekisho("rules", "list").out.splitlines()) == len(heads) + 1


def test_the_shipped_rules_pass_their_own_examples(sekisho):
    done = sekisho("rules", "test", "--json")
    (shown,) = done.objects
    assert (done.status, shown["failures"]) == (0, [])
    assert shown["rules"] > 20


def test_a_rule_that_fails_its_own_example(sekisho, own):
    own(negative="nightingale")
    done = sekisho("rules", "test", "--json")
    (shown,) = done.objects
    assert done.status == 1
    assert len(shown["failures"]) == 1
    assert "dlp/company/project" in shown["failures"][0]
    assert "1 failures" in sekisho("rules", "test").out


def test_a_rule_that_cannot_be_read(sekisho, own):
    own(more="sevreity = 1\n")
    done = sekisho("rules", "list")
    assert (done.status, done.out) == (2, "")
    assert "project.toml:" in done.err


def test_show(sekisho):
    (shown,) = sekisho("rules", "show", "dlp/card", "--json").objects
    assert shown["id"] == "dlp/card"
    assert set(shown["why"]) >= {"en", "ja"}
    text = sekisho("rules", "show", "dlp/card").out
    assert shown["why"]["ja"] in text


def test_show_none(sekisho):
    done = sekisho("rules", "show", "dlp/none")
    assert (done.status, done.out) == (2, "")
    assert "no rule 'dlp/none'" in done.err
