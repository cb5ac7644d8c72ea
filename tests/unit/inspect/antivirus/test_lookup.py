"""What a message's attachments become; each engine a small server in the same loop."""

import asyncio

import pytest
from support.attached import mail, transaction
from support.engines import Engine, FakeClamd

from sekisho.config.settings import AntivirusSettings
from sekisho.inspect.antivirus.lookup import Antivirus
from sekisho.mail.finding import Severity
from sekisho.mail.opened import File


def answer(content):
    return b"stream: Bad FOUND" if content.startswith(b"bad") else b"stream: OK"


def settings(address, **more):
    return AntivirusSettings(**{"name": "clam", "address": address, "timeout_seconds": 5.0} | more)


def with_engine(go, engine=None, **more):
    """Run `go(antivirus, engine)`."""

    async def run():
        async with engine or FakeClamd(answer) as server:
            antivirus = Antivirus(settings(server.address, **more))
            try:
                return await go(antivirus, server)
            finally:
                antivirus.close()

    return asyncio.run(run())


def seen(findings):
    return [(f.rule, f.severity, f.part, f.where, f.path, f.count, f.explanation) for f in findings]


def looked_up(*attachments, engine=None, settings=None, **more):
    """Findings of one message, and what the engine was given."""

    async def go(antivirus, server):
        return await antivirus.look_up(transaction(*attachments, **more)), server.scanned

    return with_engine(go, engine, **(settings or {}))


BAD = ("malware/clamav", Severity.CRITICAL)
NOT = ("inspection.failed/antivirus", Severity.HIGH)


def test_each_attachment_is_scanned_and_named():
    findings, scanned = looked_up(("good.bin", b"good"), ("bad.exe", b"bad one"), ("悪.exe", b"bad two"))
    assert sorted(scanned) == [b"bad one", b"bad two", b"good"]
    assert seen(findings) == [
        (*BAD, "3", "attachment", "bad.exe", 1, "clam: Bad"),
        (*BAD, "4", "attachment", "悪.exe", 1, "clam: Bad"),
    ]


@pytest.mark.parametrize(
    "raw",
    [
        mail(),
        mail(html="<p>bad</p>"),
        b"Subject: x\r\n\r\nbad\r\n",
        b"Subject: x\r\n\r\n",
        b"Content-Type: application/octet-stream\r\n\r\n",
    ],
)
def test_a_message_without_attachments_asks_nobody(raw):
    """Not even for the version: there is no engine at this address."""
    assert asyncio.run(Antivirus(settings("127.0.0.1:9")).look_up(transaction(raw=raw))) == ()


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        (b"Content-Type: application/pdf\r\nContent-Transfer-Encoding: base64\r\n\r\naGVsbG8=\r\n", [b"hello"]),
        (b"Content-Type: text/plain; name=a.txt\r\n\r\nhello", [b"hello"]),
        (b"Content-Type: text/html\r\nContent-Disposition: attachment\r\n\r\nhello", [b"hello"]),
        (b"Content-Type: multipart/mixed\r\n\r\nhello", [b"hello"]),
        (
            b"Content-Type: message/rfc822\r\n\r\nContent-Type: image/png\r\n\r\nhello",
            [b"hello"],
        ),
    ],
)
def test_what_is_an_attachment(raw, expected):
    findings, scanned = looked_up(raw=raw)
    assert (list(findings), [content.rstrip() for content in scanned]) == ([], expected)


def test_what_came_out_by_password_is_scanned_too():
    inner = [
        File("2", "a.zip", "zip", 3, ""),
        File("2", "a.zip/list.xlsx", "xlsx", 3, "", content=b"bad inside"),
        File("2", "a.zip/empty", "text", 0, ""),
    ]
    findings, scanned = looked_up(("a.zip", b"PK"), opened=inner)
    assert sorted(scanned) == [b"PK", b"bad inside"]
    assert seen(findings) == [(*BAD, "2", "attachment", "a.zip/list.xlsx", 1, "clam: Bad")]


@pytest.mark.parametrize("size", [300, 400_000])
def test_large_messages_are_the_same(size):
    """Above 262 144 octets the content is decoded in a thread."""
    content = b"bad" + bytes(size)
    findings, scanned = looked_up(("a", content))
    assert scanned == [content]
    assert [f.rule for f in findings] == ["malware/clamav"]


def test_what_is_over_max_bytes_is_not_sent():
    findings, scanned = looked_up(("small", b"x" * 10), ("big", b"x" * 11), settings={"max_bytes": 10})
    assert scanned == [b"x" * 10]
    assert seen(findings) == [(*NOT, "3", "attachment", "big", 1, "clam: larger than max_bytes (11 of 10 octets)")]


def test_what_is_over_the_engines_own_limit():
    engine = FakeClamd(lambda content: b"INSTREAM size limit exceeded. ERROR")
    findings, _ = looked_up(("big", b"x"), engine=engine)
    why = "clam: larger than the engine takes (StreamMaxLength in clamd.conf)"
    assert seen(findings) == [(*NOT, "2", "attachment", "big", 1, why)]


def test_replies_octet_by_octet():
    findings, _ = looked_up(("a", b"bad"), ("b", b"good"), engine=FakeClamd(answer, pieces=True))
    assert [(f.rule, f.path) for f in findings] == [("malware/clamav", "a")]


def test_an_engine_that_says_nothing():
    """Both attachments in one finding; the runner's deadline would have said "body"."""
    engine = FakeClamd(lambda content: None)
    findings, _ = looked_up(("a", b"1"), ("b", b"2"), engine=engine, settings={"timeout_seconds": 0.2})
    assert seen(findings) == [(*NOT, "2", "attachment", "a", 2, "clam: no answer within 0.2 s")]


def test_what_was_found_in_time_is_told_with_what_was_not():
    engine = FakeClamd(lambda content: answer(content) if content.startswith(b"bad") else None)
    findings, _ = looked_up(("a", b"slow"), ("b", b"bad"), engine=engine, settings={"timeout_seconds": 0.3})
    assert [(f.rule, f.path) for f in findings] == [("malware/clamav", "b"), ("inspection.failed/antivirus", "a")]


@pytest.mark.parametrize(
    ("reply", "why"),
    [
        (b"stream: Can't allocate memory ERROR", "clam: the engine says: Can't allocate memory"),
        (b"stream: perhaps", "clam: not a result of a scan: 'stream: perhaps'"),
        (b"", "clam: the engine closed the connection"),
    ],
)
def test_an_engine_that_is_ill(reply, why):
    findings, _ = looked_up(("a", b"x"), engine=FakeClamd(lambda content: reply))
    assert seen(findings) == [(*NOT, "2", "attachment", "a", 1, why)]


def test_something_else_listens_there():
    class Smtp(Engine):
        async def serve(self, reader, writer):
            writer.write(b"220 mail.example.com ESMTP\r\n" * 400)
            await reader.read()

        address = property(lambda self: f"127.0.0.1:{self.port}")

    findings, _ = looked_up(("a", b"x"), engine=Smtp())
    assert seen(findings) == [(*NOT, "2", "attachment", "a", 1, "clam: a reply without an end")]


def test_nobody_listens(tmp_path):
    antivirus = Antivirus(settings(f"unix:{tmp_path}/none", timeout_seconds=0.1))
    findings = asyncio.run(antivirus.look_up(transaction(("a", b"x"))))
    assert [(f.rule, f.where, f.path) for f in findings] == [("inspection.failed/antivirus", "attachment", "a")]
    assert not antivirus.health.up


def test_a_thousand_attachments_are_few_findings():
    findings, scanned = looked_up(*((f"{n}", b"bad %d" % n) for n in range(300)))
    assert len(scanned) == 300
    assert len(findings) == 50


def test_the_gravest_come_first():
    def by_content(content):
        return b"stream: PUA.%s FOUND" % content if content != b"z" else b"stream: Real FOUND"

    names = [*(f"{n}" for n in range(60)), "z"]
    findings, _ = looked_up(*((n, n.encode()) for n in names), engine=FakeClamd(by_content))
    assert (findings[0].rule, findings[0].path, len(findings)) == ("malware/clamav", "z", 50)


# --- the same content, again ---


def test_the_same_content_is_scanned_once():
    async def go(antivirus, engine):
        first = [await antivirus.look_up(transaction(("a", b"bad"), ("b", b"good"))) for _ in range(5)]
        assert [[f.path for f in findings] for findings in first] == [["a"]] * 5
        again = await antivirus.look_up(transaction(("other name", b"bad")))
        assert [f.path for f in again] == ["other name"]
        return sorted(engine.scanned)

    assert with_engine(go) == [b"bad", b"good"]


def test_those_who_come_while_it_is_scanned_join():
    go_on = asyncio.Event()

    async def slowly(content):
        await go_on.wait()
        return b"stream: Bad FOUND"

    async def go(antivirus, engine):
        tasks = [asyncio.create_task(antivirus.look_up(transaction(("a", b"same")))) for _ in range(200)]
        while not engine.scanned:
            await asyncio.sleep(0)
        go_on.set()
        assert [[f.rule for f in await task] for task in tasks] == [["malware/clamav"]] * 200
        return engine.scanned

    assert with_engine(go, FakeClamd(slowly)) == [b"same"]


def test_who_asked_first_may_give_up_without_harm_to_the_others():
    go_on = asyncio.Event()

    async def slowly(content):
        await go_on.wait()
        return b"stream: Bad FOUND"

    async def go(antivirus, engine):
        first = asyncio.create_task(antivirus.look_up(transaction(("a", b"same"))))
        while not engine.scanned:
            await asyncio.sleep(0)
        second = asyncio.create_task(antivirus.look_up(transaction(("b", b"same"))))
        await asyncio.sleep(0)
        first.cancel()
        with pytest.raises(asyncio.CancelledError):
            await first
        go_on.set()
        return [f.path for f in await second], engine.scanned

    assert with_engine(go, FakeClamd(slowly)) == (["b"], [b"same"])


def test_failures_are_not_kept():
    replies = [b"stream: Can't open file or directory ERROR", b"stream: OK"]

    async def go(antivirus, engine):
        return [len(await antivirus.look_up(transaction(("a", b"x")))) for _ in range(3)], len(engine.scanned)

    assert with_engine(go, FakeClamd(lambda content: replies.pop(0))) == ([1, 0, 0], 2)


@pytest.mark.parametrize("more", [{"cache_seconds": 0.0}, {"cache_entries": 0}])
def test_nothing_is_kept_where_that_is_asked_for(more):
    async def go(antivirus, engine):
        for _ in range(3):
            await antivirus.look_up(transaction(("a", b"x")))
        return len(engine.scanned)

    assert with_engine(go, **more) == 3


def test_new_signatures_make_old_results_void():
    async def go(antivirus, engine):
        await antivirus.look_up(transaction(("a", b"x")))
        await antivirus.look_up(transaction(("a", b"x")))
        engine.version = b"ClamAV 9/2"
        assert (await antivirus.check()).version == "ClamAV 9/2"
        await antivirus.look_up(transaction(("a", b"x")))
        return len(engine.scanned)

    assert with_engine(go) == 2


def test_the_same_name_and_size_is_not_the_same_content():
    async def go(antivirus, engine):
        return [len(await antivirus.look_up(transaction(("a", content)))) for content in (b"good", b"bad!")]

    assert with_engine(go) == [0, 1]
