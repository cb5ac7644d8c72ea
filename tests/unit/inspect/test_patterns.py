import threading
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from stdnum.jp.in_ import calc_check_digit

from sekisho.config.shipped import shipped
from sekisho.inspect import patterns as patterns_module
from sekisho.inspect.patterns import Patterns
from sekisho.inspect.rules import Rules, load_rules
from sekisho.mail.envelope import Envelope, Recipient, Session
from sekisho.mail.finding import Severity
from sekisho.mail.message import Text
from sekisho.mail.transaction import Transaction
from sekisho.parse import parse

RULE = """
id = "dlp/{name}"
title = {{ en = "Test", ja = "試験" }}
severity = "low"
why = {{ en = "Why.", ja = "理由。" }}
{body}
[[positive]]
text = "-"
[[negative]]
text = "-"
"""


@pytest.fixture
def engine(tmp_path):
    def make(*bodies):
        for i, body in enumerate(bodies):
            (tmp_path / f"{i}.toml").write_text(RULE.format(name=f"r{i}", body=body))
        rules, problems = load_rules([tmp_path])
        assert [str(p) for p in problems] == []
        return Patterns(rules, b"key")

    return make


def body(text, part="1"):
    return Text(text, "body", part)


def test_a_match_has_its_span_count_excerpt_and_place(engine):
    finding = engine("pattern = '[0-9]{12}'").search([Text("漢字 123456789018 x", "attachment", "1.2", "a.csv")])[0]
    assert finding.rule == "dlp/r0"
    assert finding.severity is Severity.LOW
    assert finding.confidence == 1.0
    assert (finding.count, finding.part, finding.where, finding.path) == (1, "1.2", "attachment", "a.csv")
    assert finding.span == (3, 15)
    assert finding.excerpt == "12********18"


def test_a_rule_looks_only_where_it_says(engine):
    search = engine("pattern = 'x1'\nwhere = ['subject']").search
    assert search([body("x1"), Text("x1", "filename", "1"), Text("x1", "header")]) == ()
    assert [f.where for f in search([Text("x1", "subject")])] == ["subject"]


def test_findings_are_one_for_each_part_and_place(engine):
    texts = [Text("x1", "subject"), body("x1 x2", "1.1"), body("x3", "1.2"), body("x4", "1.2")]
    found = engine("pattern = 'x[0-9]'").search(texts)
    assert [(f.where, f.part, f.count) for f in found] == [("subject", "", 1), ("body", "1.1", 2), ("body", "1.2", 2)]


def test_the_same_value_counts_once_whatever_its_separators(engine):
    found = engine("pattern = '[0-9]{4}[ -]?[0-9]{4}'\nby_count = { 2 = 'high' }").search(
        [body("1234-5678 12345678, 1234 5678")]
    )
    assert (found[0].count, found[0].severity) == (1, Severity.LOW)
    found = engine("pattern = '[0-9]{4}[ -]?[0-9]{4}'\nby_count = { 2 = 'high' }").search(
        [body("1234-5678, 1234-5679")]
    )
    assert (found[0].count, found[0].severity) == (2, Severity.HIGH)


@pytest.mark.parametrize("text", ["0123456789", "12345678-9", "x12345678", "12345678é"])
def test_what_stands_beside_a_forbidden_character_is_no_match(engine, text):
    assert engine("pattern = '[0-9]{8}'\nnot_beside = '[0-9a-zé-]'").search([body(text)]) == ()


def test_the_two_sides_may_differ(engine):
    search = engine("pattern = '[0-9]{4}'\nnot_beside = { before = 'No[.]', after = '%' }").search
    assert search([body("No.1234")]) == ()
    assert search([body("1234%")]) == ()
    assert len(search([body("%1234No.")])) == 1


def test_a_match_right_behind_a_look_alike_is_found(engine):
    search = engine("pattern = '[0-9]{4}(?: [0-9]{4}){2}'\nvalidator = 'jp_my_number'").search
    assert search([body("2024 1234 5678 9018")])[0].span == (5, 19)


def test_long_runs_of_forbidden_characters_hide_nothing(engine):
    search = engine("pattern = '[0-9]{8}'\nnot_beside = '[0-9]'").search
    assert [f.span for f in search([body("1" * 50_000 + " 12345678 " + "2" * 50_000)])] == [(50_001, 50_009)]


def test_the_validator_drops_matches(engine):
    search = engine("pattern = '[0-9]{12}'\nvalidator = 'jp_my_number'").search
    assert search([body("123456789012")]) == ()
    assert search([body("123456789018")])[0].explanation == "1 of 1 candidates pass jp_my_number"


CONTEXT = "pattern = '[0-9]{7}'\ncontext = { words = ['Pass'], window = 10, headings = true }\n"


def test_context_within_the_window_makes_it_surer(engine):
    search = engine(CONTEXT + "confidence = { alone = 0.2, in_context = 0.9 }").search
    assert search([body("pAsS: 1234567")])[0].confidence == 0.9
    assert search([body("pass" + " " * 20 + "1234567")])[0].confidence == 0.2
    assert search([body("1234567 is the pass")])[0].explanation == ""
    assert search([body("1234567 = pass")])[0].explanation == 'near "Pass"'


def test_headings_are_context(engine):
    search = engine(CONTEXT + "confidence = { alone = 0.2, in_context = 0.9 }").search
    far = "x" * 50 + "\n"
    assert [f.confidence for f in search([Text("pass", "subject"), body(far + "1234567")])] == [0.9]
    assert [f.confidence for f in search([Text(far + "1234567", "attachment", "1", "pass-list.csv")])] == [0.9]
    assert [f.confidence for f in search([Text(far + "1234567", "attachment", "1", "passes.csv")])] == [0.2]
    assert [f.confidence for f in search([Text("name,pass\n" + far + "1234567", "attachment", "1")])] == [0.9]
    assert [f.confidence for f in search([Text("name,pass\n" + far + "1234567", "body", "1")])] == [0.2]


def test_without_context_nothing_is_said_where_alone_is_zero(engine):
    search = engine(CONTEXT + "confidence = { alone = 0.0, in_context = 0.9 }").search
    assert search([body("1234567")]) == ()
    assert search([body("pass" + " " * 20 + "1234567")]) == ()
    assert len(search([body("pass 1234567")])) == 1


MY_NUMBERS = [
    n + calc_check_digit(n) for n in ("12345678901", "23456789012", "34567890123", "45678901234", "56789012345")
]


def test_many_numbers_that_all_pass_are_surer_than_one_and_few_of_many_less(engine):
    sure = "confidence = { alone = 0.4, in_bulk = 0.8 }"
    search = engine(f"pattern = '[0-9]{{12}}'\nvalidator = 'jp_my_number'\n{sure}").search
    assert search([body(MY_NUMBERS[0])])[0].confidence == 0.4
    assert search([body(" ".join(MY_NUMBERS))])[0].confidence == 0.8
    wrong = [n[:-1] + str((int(n[-1]) + 1) % 10) for n in MY_NUMBERS]
    assert search([body(" ".join([MY_NUMBERS[0], *wrong[:4]]))])[0].confidence == pytest.approx(0.4 / 5)


def test_normalisation_is_for_the_rules_that_want_it(engine):
    search = engine("pattern = '[0-9]{4}-[0-9]'\nnormalise = ['width', 'dashes']", "pattern = '[0-9]{4}'").search
    found = search([body("番号１２３４－５")])
    assert [(f.rule, f.span, f.excerpt) for f in found] == [("dlp/r0", (2, 8), "****-*")]


def test_case_is_ignored_where_asked(engine):
    search = engine("pattern = 'abcé'\nnormalise = ['case']", "pattern = 'abc'").search
    assert [f.rule for f in search([body("ABCÉ")])] == ["dlp/r0"]


def test_the_first_group_is_the_value(engine):
    found = engine("pattern = 'pw=([a-z]+)'\nredact = 'all'").search([body("my pw=secret!")])
    assert (found[0].span, found[0].excerpt) == ((6, 12), "******")


def test_the_hash_recognises_the_value_and_needs_the_key(engine):
    rules = "pattern = '[0-9]{4}[ -]?[0-9]{4}'"
    one = engine(rules)
    first, second = (one.search([body(t)])[0].keyed_hash for t in ("1234-5678", "so 12345678"))
    assert first == second
    assert len(first) == 32
    assert one.search([body("1234-5679")])[0].keyed_hash != first
    assert (
        Patterns(Rules({r.id: r for r in [one._patterns[0].rule]}), b"other").search([body("12345678")])[0].keyed_hash
        != first
    )


def test_spans_count_characters_not_bytes(engine):
    found = engine("pattern = '[0-9]{4}'").search([body("漢\U0001f600\udce9 1234 漢 5678")])
    assert (found[0].span, found[0].count) == ((4, 8), 2)


def test_counting_stops_and_says_so(engine):
    text = " ".join(f"{n:06}" for n in range(3000))
    found = engine("pattern = '[0-9]{6}'").search([body(text)])
    assert found[0].count == 1000
    assert found[0].explanation == "counting stopped at 1000"


LOOK_ALIKES = "123456789012 " * 200


def test_too_many_candidates_are_a_failed_inspection(engine, monkeypatch):
    monkeypatch.setattr("sekisho.inspect.matches.MOST_CANDIDATES", 100)
    found = engine("pattern = '[0-9]{12}'\nvalidator = 'jp_my_number'\nby_count = { 5 = 'medium' }")
    assert [f.rule for f in found.search([body(LOOK_ALIKES)])] == ["inspection.failed/patterns"]
    assert "dlp/r0" in found.search([body(LOOK_ALIKES)])[0].explanation


def test_too_many_candidates_of_what_is_never_grave_are_no_failure(engine, monkeypatch):
    monkeypatch.setattr("sekisho.inspect.matches.MOST_CANDIDATES", 100)
    assert engine("pattern = '[0-9]{12}'\nvalidator = 'jp_my_number'").search([body(LOOK_ALIKES)]) == ()


IN_CONTEXT = """pattern = '[0-9]{12}'
validator = 'jp_my_number'
context = { words = ['mine', 'マイ'], window = 20 }
by_count = { 5 = 'medium' }
"""


@pytest.mark.parametrize("confidence", ["{ alone = 0.0, in_context = 0.9 }", "{ alone = 0.3, in_context = 0.9 }"])
def test_behind_thousands_of_look_alikes_a_number_in_context_is_found(engine, monkeypatch, confidence):
    monkeypatch.setattr("sekisho.inspect.matches.PATIENCE", 100)
    engine = engine(IN_CONTEXT + "confidence = " + confidence)
    found = engine.search([body(LOOK_ALIKES * 5 + "マイ 123456789018")])
    assert [(f.count, f.confidence) for f in found] == [(1, 0.9)]
    assert engine.search([body(LOOK_ALIKES * 5 + "x" * 30 + "mine")]) == ()


def test_numbers_far_from_the_word_count_once_one_of_them_is_near_it(engine):
    engine = engine(IN_CONTEXT + "confidence = { alone = 0.0, in_context = 0.9 }")
    far = "".join(f"{n}{'x' * 30}\n" for n in MY_NUMBERS)
    assert engine.search([body("mine" + "x" * 30 + far)]) == ()
    found = engine.search([body(far + "mine 123456789018" + "x" * 30 + far)])
    assert [(f.count, f.span) for f in found] == [(5, (0, 12))]


def test_a_context_word_is_a_word_of_its_own(engine):
    context = "context = { words = ['aba', 'salary'], acronyms = ['SIN'], window = 20 }\n"
    search = engine("pattern = '[0-9]{7}'\n" + context + "confidence = { alone = 0.0, in_context = 0.9 }").search
    for text in ("database 1234567", "abandon 1234567", "BUSINESS 1234567", "sin 1234567", "SINS 1234567"):
        assert search([body(text)]) == (), text
    for text in ("ABA 1234567", "SIN: 1234567", "monthly_salary 1234567", "Salaryman 1234567", "İ SIN 1234567"):
        assert len(search([body(text)])) == 1, text


def test_too_much_time_is_a_failed_inspection(engine, monkeypatch):
    monkeypatch.setattr(patterns_module, "INSPECT_SECONDS", -1.0)
    found = engine("pattern = 'x1'").search([body("x1")])
    assert [(f.rule, f.explanation) for f in found] == [("inspection.failed/patterns", "took too long")]


def test_very_many_parts_share_findings(engine):
    found = engine("pattern = 'x[0-9]+'").search([body(f"x{n}", str(n)) for n in range(2000)])
    assert len(found) == 501
    assert sum(f.count for f in found) == 500 + 1000


def test_a_whole_message(engine):
    raw = b"Subject: =?utf-8?b?44Od?= x1\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n\xe3\x83\x9d x2\r\n"
    envelope = Envelope("a@example.jp", (Recipient("b@example.com"),))
    transaction = Transaction("t", Session("s", "192.0.2.1"), envelope, parse(raw), datetime.now(UTC))
    found = engine("pattern = 'x[0-9]'").inspect(transaction)
    assert [(f.where, f.span) for f in found] == [("subject", (2, 4)), ("body", (2, 4))]


@pytest.fixture(scope="module")
def builtin():
    rules, _ = load_rules([shipped("rules")])
    return Patterns(rules, b"key")


PIECES = st.sampled_from(
    [
        "123456789018",
        "マイナンバー",
        "password: ",
        "aB3dE5gH7",
        "4012888888881881",
        " ",
        "\n",
        "社外秘",
        "【",
        "１",
        "-",
    ]
)


@settings(max_examples=60)
@given(st.lists(st.lists(PIECES | st.text(max_size=4), max_size=8).map("".join), max_size=4))
def test_the_prefilter_changes_nothing_but_the_time(builtin, texts):
    class Everywhere:
        words = ()
        places = type("Anything", (), {"__contains__": lambda *_: True})()

    looked = [Text(t, w, str(i)) for i, t in enumerate(texts) for w in ("body", "subject")]
    quick = builtin.search(looked)
    everything = dict.fromkeys(range(len(builtin._patterns)), Everywhere)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(patterns_module, "_LARGE", 10)
        assert builtin.search(looked) == quick
        patch.setattr(builtin, "_occurring", lambda _: everything)
        assert builtin.search(looked) == quick


def test_no_raw_value_is_in_a_finding(builtin):
    values = ["123456789018", "4012888888881881", "aB3dE5gH7zz"]
    text = f"マイナンバー {values[0]} card {values[1]}\nuser x password: {values[2]}"
    found = builtin.search([body(text)])
    assert {f.rule for f in found} >= {"dlp/jp/my-number", "dlp/card", "dlp/secret/password"}
    assert not [f for f in found for v in values if v in str(f.to_json())]


def test_threads_share_an_engine(builtin):
    text = body("マイナンバー 1234-5678-9018 " + "a b " * 20_000)
    expected = builtin.search([text])
    results = []
    threads = [threading.Thread(target=lambda: results.append(builtin.search([text]))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert results == [expected] * 8
