import asyncio
import json

import pytest
from msgspec.structs import replace

from sekisho.mail.kept import StoreAwayError
from sekisho.record.journal import Journal
from sekisho.record.keep import Recorder, message_line
from sekisho.record.metrics import Metrics
from sekisho.store.sqlite import SqliteStore


@pytest.fixture(name="path")
def _path(tmp_path):
    return tmp_path / "sekisho.log"


@pytest.fixture(name="metrics")
def _metrics():
    return Metrics.open()


@pytest.fixture(name="store")
def _store(tmp_path):
    with SqliteStore.open(tmp_path / "state") as store:
        yield store


@pytest.fixture(name="recorder")
def _recorder(store, path, metrics):
    recorder = Recorder(store, Journal(str(path), metrics.journal_failed), metrics)
    yield recorder
    recorder.close()


class Away:
    """A store that is away."""

    def __init__(self, error):
        self.error = error

    async def record(self, _):
        raise self.error

    def subject_hash(self, _):
        return "hash"

    def trouble(self):
        return "away"


def test_store_log_and_metrics_each_have_it_once(recorder, store, path, metrics, make_audit):
    asyncio.run(recorder.record(make_audit()))
    store.close()
    assert [record.id for record in store.recorded()] == ["t1"]
    (line,) = (json.loads(text) for text in path.read_text().splitlines())
    assert line == {
        "event": "message",
        "time": "2026-03-01T12:00:00.123456Z",
        "id": "t1",
        "tenant": "default",
        "listener": "relay",
        "client_ip": "192.0.2.1",
        "account": None,
        "helo": "mail.example.jp",
        "tls": {"version": "TLSv1.3", "cipher": "C"},
        "mail_from": "taro@example.jp",
        "rcpt_to": ["hanako@example.com"],
        "message_id": "<m1@example.jp>",
        "size": len(make_audit().transaction.message.raw),
        "subject_hash": store.subject_hash("project nightingale ACQUISITION"),
        "disposition": "hold",
        "policy_rule": "rule-1",
        "verdicts": [
            {
                "rcpt_to": ["hanako@example.com"],
                "disposition": "hold",
                "policy_rule": "rule-1",
                "hold": "quarantine",
                "incident": "leak",
            }
        ],
        "findings": [
            {
                "rule": "dlp/jp/my-number",
                "severity": "high",
                "confidence": 0.9,
                "count": 2,
                "part": "2",
                "where": "filename",
                "path": "layoffs-2026.txt",
                "excerpt": "****",
            }
        ],
        "would_have": ["rule-9: reject"],
        "reply": "250 2.0.0 OK",
        "deliveries": [{"rcpt_to": ["hanako@example.com"], "outcome": "held", "to": "k1", "reply": None}],
        "timings_ms": {"parse": 0.25, "inspect": 1.235},
    }
    assert b'sekisho_messages_total{disposition="hold",tenant="default"} 1.0' in metrics.render()


def test_nothing_of_the_content_anywhere(recorder, tmp_path, make_audit, secrets):
    recorder.file_names = "endings"
    asyncio.run(recorder.record(make_audit()))
    asyncio.run(recorder._store.heartbeat("after all rows", 1, {}, make_audit().transaction.received_at))
    written = b"".join(path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())
    written += recorder.accept_metrics.render()
    assert written.count(b"hanako@example.com") > 1
    for secret in secrets:
        assert secret in make_audit().transaction.message.raw or secret.islower()
        assert secret not in written, secret


def test_names_of_files_are_kept_in_the_log_and_the_record_and_nowhere_else(
    recorder, store, path, make_audit, secrets
):
    asyncio.run(recorder.record(make_audit()))
    store.close()
    (line,) = (json.loads(text) for text in path.read_text().splitlines())
    (record,) = store.recorded()
    assert [f["path"] for f in line["findings"]] == ["layoffs-2026.txt"] == [f.path for f in record.findings]
    assert b"layoffs" not in recorder.accept_metrics.render()
    for secret in (s for s in secrets if s != b"layoffs"):
        assert secret.decode() not in path.read_text()


def test_names_of_files_are_cut_where_that_is_wanted(recorder, store, path, make_audit):
    recorder.file_names = "endings"
    asyncio.run(recorder.record(make_audit()))
    store.close()
    (line,) = (json.loads(text) for text in path.read_text().splitlines())
    (record,) = store.recorded()
    assert [f["path"] for f in line["findings"]] == ["*.txt"] == [f.path for f in record.findings]
    assert record.verdicts[0].findings == record.findings


def test_a_record_that_cannot_be_written_down_is_counted_and_does_not_raise(recorder, path, metrics, make_audit):
    asyncio.run(recorder.record(replace(make_audit(), findings=None)))
    assert not path.exists() or not path.read_text()
    assert b"sekisho_journal_failures_total 1.0" in metrics.render()
    assert b"sekisho_store_failures_total 1.0" in metrics.render()


def test_no_addresses_in_metrics(recorder, metrics, make_audit):
    asyncio.run(recorder.record(make_audit()))
    assert b"example" not in metrics.render()


@pytest.mark.parametrize("error", [StoreAwayError("gone"), RuntimeError("a bug")])
def test_a_store_that_is_away_keeps_nothing_from_the_log(path, metrics, make_audit, error):
    recorder = Recorder(Away(error), Journal(str(path)), metrics)
    asyncio.run(recorder.record(make_audit()))
    recorder.look()
    recorder.close()
    assert json.loads(path.read_text())["id"] == "t1"
    rendered = metrics.render()
    assert b"sekisho_store_failures_total 1.0" in rendered
    assert b"sekisho_store_trouble 1.0" in rendered


def test_a_log_that_is_full_keeps_nothing_from_the_store(store, metrics, make_audit):
    recorder = Recorder(store, Journal("/dev/full", metrics.journal_failed), metrics)
    asyncio.run(recorder.record(make_audit()))
    recorder.close()
    store.close()
    assert [record.id for record in store.recorded()] == ["t1"]
    assert b"sekisho_journal_failures_total 1.0" in metrics.render()


def test_a_record_that_cannot_be_written_down_raises_nothing(recorder, metrics, make_audit):
    asyncio.run(recorder.record(replace(make_audit(), timings_ms=None)))
    assert b"sekisho_journal_failures_total 1.0" in metrics.render()


def test_addresses_that_are_no_utf_8(recorder, store, path, make_audit):
    asyncio.run(recorder.record(make_audit(mail_from="tar\udcff@example.jp")))
    store.close()
    assert json.loads(path.read_text())["mail_from"] == "tar\\udcff@example.jp"
    (record,) = store.recorded()
    assert record.envelope.mail_from == "tar\udcff@example.jp"


def test_a_refusal_before_any_verdict(make_audit):
    line = message_line(replace(make_audit(), verdicts=()), str)
    assert (line.disposition, line.policy_rule, line.verdicts) == ("", "", [])


def test_reopen(recorder, path, make_audit):
    asyncio.run(recorder.record(make_audit()))
    path.rename(path.with_suffix(".1"))
    recorder.reopen()
    asyncio.run(recorder.record(make_audit("t2")))
    assert json.loads(path.read_text())["id"] == "t2"
