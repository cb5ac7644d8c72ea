"""Attachments are opened once for the same content, remember passwords, and fail into findings."""

import asyncio
import base64
import io
import zipfile
from datetime import UTC, datetime

import pytest
from tests.support import zips

from sekisho.inspect.attachments import Attachments, Results
from sekisho.mail.envelope import Envelope, Recipient, Session
from sekisho.mail.finding import Finding, Severity
from sekisho.mail.kept import StoreAwayError
from sekisho.mail.message import Text
from sekisho.mail.opened import File, Opened, OpenLimits
from sekisho.mail.transaction import Transaction
from sekisho.parse import parse
from sekisho.parse.unpack.job import prepare
from sekisho.sandbox import SandboxError

KEY = (b"k", "a", "application/pdf")


class InProcess:
    """The real job without its walls; `after` is awaited before each answer."""

    def __init__(self, after=None):
        self.job = prepare(b"")
        self.after = after
        self.runs = 0
        self.closed = False

    async def run(self, request):
        self.runs += 1
        if self.after:
            await self.after()
        return self.job(request)

    async def close(self):
        self.closed = True


class Memory:
    def __init__(self):
        self.words = []

    async def remember_words(self, tenant, sender, words, _at):
        self.words.append((tenant, sender, tuple(words)))

    async def recent_words(self, tenant, sender, _now):
        return [word for t, s, words in self.words if (t, s) == (tenant, sender) for word in words]


def zipped(**files):
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        for name, content in files.items():
            archive.writestr(name.replace("_", "."), content)
    return stream.getvalue()


def message(*attachments, body="Hello"):
    lines = [b"From: a@corp.example", b"Content-Type: multipart/mixed; boundary=b", b"", b"--b", b"", body.encode()]
    for name, content in attachments:
        lines += [
            b"--b",
            b"Content-Type: application/octet-stream",
            b"Content-Transfer-Encoding: base64",
            f"Content-Disposition: attachment; filename={name}".encode(),
            b"",
            base64.b64encode(content),
        ]
    return b"\r\n".join([*lines, b"--b--", b""])


def transaction(raw, sender="a@corp.example"):
    envelope = Envelope(sender, (Recipient("b@other.example"),))
    return Transaction("t", Session("s", "127.0.0.1"), envelope, parse(raw), datetime.now(UTC))


class Shared:
    """What processes share; `gate` is awaited before anything is kept."""

    def __init__(self, gate=None):
        self.kept = {}
        self.gate = gate

    async def recall(self, keys, words):
        found = {key: self.kept.get((key, b""), self.kept.get((key, words))) for key in keys}
        return {key: opened for key, opened in found.items() if opened is not None}

    async def keep(self, results):
        if self.gate:
            await self.gate.wait()
        self.kept |= {(key, words): opened for key, words, opened in results}


def opener(confined, memory=None, passwords=None, most=1_000_000, shared=None):
    return Attachments(confined, OpenLimits(), passwords or {}, memory, Results(most), shared=shared)


def test_a_message_without_attachments_starts_no_job():
    confined = InProcess()
    plain = transaction(b"From: a@corp.example\r\n\r\nHello\r\n")
    assert asyncio.run(opener(confined).open(plain)) is plain
    assert confined.runs == 0


def test_files_texts_and_paths():
    raw = message(("outer.zip", zipped(a_txt="秘密の本文です".encode())))
    opened = asyncio.run(opener(InProcess()).open(transaction(raw)))
    assert [(file.part, file.path) for file in opened.opened.files] == [
        ("2", "outer.zip"),
        ("2", "outer.zip/a.txt"),
    ]
    inner = next(text for text in opened.texts if "秘密" in text.text)
    assert (inner.where, inner.part, inner.path) == ("attachment", "2", "outer.zip/a.txt")


def test_the_same_content_is_opened_once_whatever_its_part():
    confined = InProcess()
    content = zipped(a_txt=b"same text")

    async def story():
        attachments = opener(confined)
        one = await attachments.open(transaction(message(("x.zip", content))))
        two = await attachments.open(
            transaction(message(("y.txt", b"first"), ("x.zip", content), ("x.zip", content)))
        )
        return one, two

    one, two = asyncio.run(story())
    assert confined.runs == 2  # the second for y.txt alone
    assert {file.part for file in one.opened.files} == {"2"}
    assert [file.part for file in two.opened.files if file.path == "x.zip/a.txt"] == ["3", "4"]
    assert {text.part for text in two.texts if text.text.strip() == "same text"} == {"3", "4"}


def test_another_name_is_another_question():
    confined = InProcess()

    async def story():
        attachments = opener(confined)
        await attachments.open(transaction(message(("x.zip", zipped(a_txt=b"1")))))
        await attachments.open(transaction(message(("x.pdf", zipped(a_txt=b"1")))))

    asyncio.run(story())
    assert confined.runs == 2


def test_many_messages_at_once_wait_for_the_one_job():
    async def story():
        gate = asyncio.Event()
        confined = InProcess(gate.wait)
        attachments = opener(confined)
        raw = message(("x.zip", zipped(a_txt=b"1")))
        tasks = [asyncio.create_task(attachments.open(transaction(raw))) for _ in range(20)]
        while not confined.runs:
            await asyncio.sleep(0)
        gate.set()
        results = await asyncio.gather(*tasks)
        return confined.runs, results

    runs, results = asyncio.run(story())
    assert runs == 1
    assert all(len(result.opened.files) == 2 for result in results)


# Both together, then each alone; a process that died gets a second one; what will end the same way is remembered.
@pytest.mark.parametrize(("reason", "runs"), [("memory", 3), ("cpu", 3), ("time", 6), ("died", 12)])
def test_a_killed_job_is_a_finding_for_each_attachment(reason, runs):
    class Dies(InProcess):
        async def run(self, _request):
            self.runs += 1
            raise SandboxError(reason)

    async def story(confined):
        attachments = opener(confined)
        raw = message(("a.zip", zipped(a_txt=b"1")), ("b.zip", zipped(b_txt=b"2")))
        await attachments.open(transaction(raw))
        return await attachments.open(transaction(raw))

    confined = Dies()
    findings = asyncio.run(story(confined)).opened.findings
    assert [(f.rule, f.where, f.part, f.path) for f in findings] == [
        ("inspection.failed/unpack", "attachment", "2", "a.zip"),
        ("inspection.failed/unpack", "attachment", "3", "b.zip"),
    ]
    assert all(reason in f.explanation for f in findings)
    assert confined.runs == runs


def test_words_of_an_earlier_message_are_handed_on():
    memory, seen = Memory(), []

    class Watches(InProcess):
        async def run(self, request):
            seen.append(request)
            return await super().run(request)

    async def story():
        attachments = opener(Watches(), memory, {"default": ("house-word",)})
        await attachments.open(transaction(b"From: a@corp.example\r\n\r\nPassword: Abc-1234\r\n"))
        return await attachments.open(transaction(message(("a.zip", zips.aes({"a.txt": b"1"}, b"Abc-1234")))))

    opened = asyncio.run(story()).opened
    assert memory.words == [("default", "a@corp.example", ("Abc-1234",))]
    assert b"Abc-1234" in seen[-1]
    assert b"house-word" in seen[-1]
    assert [f.rule for f in opened.findings] == ["attachment/password-in-mail"]


def test_words_are_not_gathered_for_what_needs_no_password():
    class Asked(Memory):
        async def recent_words(self, *_):
            raise AssertionError

    confined = InProcess()
    raw = message(("a.zip", zipped(a_txt=b"1")), body="Password: Abc-1234")
    assert len(asyncio.run(opener(confined, Asked()).open(transaction(raw))).opened.files) == 2
    assert confined.runs == 1
    broken = message(("a.zip", zipped(a_txt=b"1" * 2000)[:60]))
    with pytest.raises(AssertionError):
        asyncio.run(opener(InProcess(), Asked()).open(transaction(broken)))


def test_a_store_that_is_away_stops_nothing():
    class Away(Memory):
        async def remember_words(self, *_):
            raise StoreAwayError("disk full")

        async def recent_words(self, *_):
            raise StoreAwayError("disk full")

    raw = message(("a.zip", zipped(a_txt=b"1")), body="Password: Abc-1234")
    opened = asyncio.run(opener(InProcess(), Away()).open(transaction(raw)))
    assert len(opened.opened.files) == 2


def test_closing_waits_for_those_who_are_at_it():
    async def story():
        gate = asyncio.Event()
        confined = InProcess(gate.wait)
        attachments = opener(confined)
        opening = asyncio.create_task(attachments.open(transaction(message(("a.zip", zipped(a_txt=b"1"))))))
        while not confined.runs:
            await asyncio.sleep(0)
        closing = asyncio.create_task(attachments.close())
        for _ in range(5):
            await asyncio.sleep(0)
        before = confined.closed
        gate.set()
        await closing
        return before, confined.closed, len((await opening).opened.files)

    assert asyncio.run(story()) == (False, True, 2)


def result(chars=0, *, encrypted=False, finding=False):
    text = (Text("x" * chars, "attachment", "2", "a"),) if chars else ()
    found = (Finding("attachment/encrypted", Severity.MEDIUM, part="2"),) if finding else ()
    return Opened((File("2", "a", "zip", 1, "0", encrypted=encrypted, texts=text),), found)


def test_what_is_used_least_goes_first():
    results = Results(250_000)
    for number in range(3):
        results.put((bytes([number]), "a", ""), b"", result(50_000))
        results.get((b"\0", "a", ""), b"")
    assert results.get((b"\0", "a", ""), b"") is not None
    assert results.get((b"\1", "a", ""), b"") is None
    assert results.get((b"\2", "a", ""), b"") is not None
    assert results.bytes_kept <= 250_000


def test_a_result_larger_than_the_cache_leaves_it_empty():
    results = Results(10_000)
    results.put(KEY, b"", result(50_000))
    assert results.get(KEY, b"") is None
    assert results.bytes_kept == 0


def test_an_encrypted_file_is_tried_again_with_other_words():
    results = Results(1_000_000)
    results.put(KEY, b"words", result(encrypted=True))
    assert results.get(KEY, b"words") is not None
    assert results.get(KEY, b"other words") is None


def test_what_a_password_opened_is_nothing_for_those_who_do_not_know_it():
    """Not kept by its octets: the file inside is empty."""
    content, shared = zips.aes({"a.txt": b""}, b"Abc-1234"), Shared()

    async def story(attachments):
        for body in ("Password: Abc-1234", "Hello"):
            after = await attachments.open(transaction(message(("a.zip", content), body=body)))
            await asyncio.sleep(0)
            yield {finding.rule for finding in after.opened.findings}

    async def rules(attachments):
        return [found async for found in story(attachments)]

    opened, closed = {"attachment/password-in-mail"}, {"attachment/encrypted"}
    assert asyncio.run(rules(opener(InProcess(), shared=shared))) == [opened, closed]
    assert asyncio.run(rules(opener(InProcess(), shared=shared))) == [opened, closed]


def test_words_that_took_too_long_are_no_reason_not_to_open_it_without_them():
    class Slow(InProcess):
        async def run(self, request):
            if b"Abc-1234" in request:
                raise SandboxError("cpu", "too long")
            return await super().run(request)

    async def story():
        attachments = opener(Slow())
        content = zips.aes({"a.txt": b"1"}, b"other")
        await attachments.open(transaction(message(("a.zip", content), body="Password: Abc-1234")))
        return (await attachments.open(transaction(message(("a.zip", content))))).opened

    assert [finding.rule for finding in asyncio.run(story()).findings] == ["attachment/encrypted"]


async def opened_by(confined, shared, raw, most=1_000_000):
    """What a process of its own sees in a message, once it has kept what it found."""
    after = await opener(confined, shared=shared, most=most).open(transaction(raw))
    await asyncio.sleep(0)
    return after.opened


@pytest.mark.parametrize("most", [0, 1_000_000])
def test_what_one_process_has_opened_no_other_opens(most):
    confined, shared = InProcess(), Shared()
    content = zipped(a_txt=b"same text")

    async def story():
        one = await opened_by(confined, shared, message(("x.zip", content)), most)
        two = await opened_by(confined, shared, message(("y.txt", b"other"), ("x.zip", content)), most)
        return one, two, await opened_by(confined, shared, message(("y.txt", b"other")), most)

    one, two, _ = asyncio.run(story())
    assert confined.runs == 2  # the second for y.txt alone
    assert [file.path for file in two.files] == ["y.txt", *(file.path for file in one.files)]
    assert {file.part for file in two.files if file.path.startswith("x.zip")} == {"3"}


def test_a_message_does_not_wait_for_its_results_to_be_kept():
    async def story():
        gate = asyncio.Event()
        shared = Shared(gate)
        await opened_by(InProcess(), shared, message(("x.zip", zipped(a_txt=b"1"))))
        before = len(shared.kept)
        gate.set()
        await asyncio.sleep(0)
        return before, len(shared.kept)

    assert asyncio.run(story()) == (0, 1)


def test_what_could_not_be_opened_is_nothing_to_share():
    class Broken(InProcess):
        async def run(self, _request):
            raise SandboxError("memory", "too much")

    shared = Shared()
    opened = asyncio.run(opened_by(Broken(), shared, message(("x.zip", zipped(a_txt=b"1")))))
    assert [f.rule for f in opened.findings] == ["inspection.failed/unpack"]
    assert shared.kept == {}


def test_messages_that_look_for_shared_results_at_once_open_once():
    class Slow(Shared):
        async def recall(self, keys, words):
            await asyncio.sleep(0)
            return await super().recall(keys, words)

    async def story():
        confined = InProcess(lambda: asyncio.sleep(0))
        attachments = opener(confined, shared=Slow())
        raw = message(("x.zip", zipped(a_txt=b"1")))
        await asyncio.gather(*(attachments.open(transaction(raw)) for _ in range(5)))
        return confined.runs

    assert asyncio.run(story()) == 1
