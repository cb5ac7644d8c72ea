from datetime import UTC

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sekisho.mail.envelope import Envelope, Recipient, Session
from sekisho.mail.finding import Finding, Severity
from sekisho.mail.verdict import DropPart
from sekisho.store.audit import DomainSets, audit_row, clean, decode, encode, micros, moment, recorded, split_address


def row_of(record):
    return audit_row(record, lambda subject: f"hash of {subject}", DomainSets())


def read_back(row):
    at, message_id, size, subject_hash, document = (row.values[i] for i in (1, 3, 4, 5, 9))
    return recorded((row.values[0], at, message_id, size, subject_hash, document, row.domain_set[1]))


def test_everything_that_replay_needs_comes_back(make_audit):
    record = make_audit(rules=("dlp/jp/my-number", "link/shortened"))
    found = read_back(row_of(record))
    transaction = record.transaction
    assert found.session == transaction.session
    assert found.envelope == transaction.envelope
    assert found.at == transaction.received_at
    assert found.internal_domains == transaction.internal_domains
    assert found.findings == record.findings
    assert found.verdicts == record.verdicts
    assert found.reply == record.outcome.reply
    assert found.deliveries == record.outcome.deliveries
    assert found.timings_ms == record.timings_ms
    assert found.message_id == "<m1@example.jp>"
    assert found.subject_hash == "hash of Quarterly figures"
    assert (found.tenant, found.disposition, found.policy_rule) == ("default", 0, "rule-1")


def test_verdicts_point_to_findings_by_place_also_when_equal_ones_were_made_anew(make_audit):
    from msgspec.structs import replace  # noqa: PLC0415

    record = make_audit(rules=("a/1", "b/2"))
    verdict = replace(record.verdicts[0], findings=(Finding("b/2", Severity.HIGH), Finding("c/3", Severity.LOW)))
    found = read_back(row_of(replace(record, verdicts=(verdict,))))
    assert found.verdicts[0].findings == (record.findings[1],)


def test_text_put_in_by_policy_stays_out(make_audit):
    from msgspec.structs import replace  # noqa: PLC0415

    record = make_audit()
    verdict = replace(record.verdicts[0], modifications=(DropPart("2", "removed salaries.xlsx"),))
    document = row_of(replace(record, verdicts=(verdict,))).values[9]
    assert "salaries" not in document
    assert "drop_part" in document


def test_paths_to_inner_files_come_back(make_audit):
    odd = Finding("attachment/macro", Severity.HIGH, path="見積.zip/list 41****11.docm/macro")
    found = read_back(row_of(make_audit(findings=(odd,))))
    assert found.findings == (odd,)
    assert found.verdicts[0].findings == (odd,)


def test_a_refusal_before_any_verdict(make_audit):
    from msgspec.structs import replace  # noqa: PLC0415

    found = read_back(row_of(replace(make_audit(), verdicts=(), findings=())))
    assert found.verdicts == ()
    assert (found.disposition, found.policy_rule) == (0, "")


@pytest.mark.parametrize(
    ("address", "split"),
    [
        ("Taro@Example.JP", ("example.jp", "taro")),
        ('"a@b"@example.jp.', ("example.jp", '"a@b"')),
        ("", ("", "")),
        ("postmaster", ("", "postmaster")),
        ("鈴木@例え.jp", ("例え.jp", "鈴木")),
    ],
)
def test_split_address(address, split):
    assert split_address(address) == split


def test_the_null_reverse_path_and_repeated_recipients(make_audit):
    row = row_of(make_audit(mail_from=None, rcpt_to=("a@x.jp", "A@X.jp")))
    assert set(row.addresses) == {("", "", "from", "t1"), ("x.jp", "a", "to", "t1")}


def test_sets_of_domains_are_named_by_content_and_forgotten_in_time():
    sets = DomainSets()
    first = sets.name(frozenset({"b.jp", "a.jp"}))
    assert first[1] == '["a.jp","b.jp"]'
    assert sets.name(frozenset({"a.jp", "b.jp"})) == first != sets.name(frozenset({"a.jp"}))
    for number in range(3000):
        sets.name(frozenset({str(number)}))
    assert len(sets._known) <= 1001
    assert sets.name(frozenset({"a.jp", "b.jp"})) == first


@given(st.datetimes(timezones=st.just(UTC)))
def test_times_come_back_exactly(at):
    assert moment(micros(at)) == at
    assert micros(at) - micros(at.replace(microsecond=0)) == at.microsecond


# Octets that were no UTF-8 travel as lone surrogates (PEP 383).
_ANY_TEXT = st.text(st.characters(categories=None, exclude_categories=()), max_size=50) | st.binary(max_size=30).map(
    lambda octets: octets.decode("utf-8", "surrogateescape")
)


@given(_ANY_TEXT)
def test_any_text_comes_back(text):
    envelope = Envelope(text, (Recipient(text),))
    assert decode(encode(envelope), Envelope) == envelope


@given(_ANY_TEXT)
def test_cleaned_text_is_utf_8_without_nul(text):
    cleaned = clean(text)
    assert "\0" not in cleaned
    assert cleaned.encode() or not text


@pytest.mark.parametrize("document", [b"", b"{", b"[]", b'{"id": 1}', b"\xff"])
def test_decode_raises_value_error(document):
    with pytest.raises(ValueError):
        decode(document, Session)
