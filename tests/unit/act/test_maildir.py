"""The Maildir as next hop; read back with the standard library's own reader."""

import asyncio
import mailbox
import resource

import pytest

from sekisho.act.maildir import MaildirRelay
from sekisho.mail.envelope import Envelope, Recipient

DATA = b"Subject: hello\r\n\r\n.body\r\n"
ENVELOPE = Envelope("a@example.com", (Recipient("b@example.net"), Recipient("用户@example.net")))


def send(path, envelope=ENVELOPE, data=DATA):
    return asyncio.run(MaildirRelay(path).send(envelope, data))


def test_a_message_is_one_file_with_its_envelope_on_top(tmp_path):
    result = send(tmp_path / "some" / "where")
    (file,) = (tmp_path / "some" / "where" / "new").iterdir()
    head = "Return-Path: <a@example.com>\r\nX-Envelope-To: b@example.net\r\nX-Envelope-To: 用户@example.net\r\n"
    assert file.read_bytes() == head.encode() + DATA
    assert result.to == str(file)
    assert [str(reply)[:9] for reply in result.replies] == ["250 2.0.0"] * 2


def test_another_reader_finds_it(tmp_path):
    send(tmp_path / "sent")
    (message,) = mailbox.Maildir(tmp_path / "sent", create=False)
    assert (message["Return-Path"], message["Subject"]) == ("<a@example.com>", "hello")


def test_the_null_reverse_path(tmp_path):
    send(tmp_path, Envelope(None, (Recipient("b@example.net"),)))
    (file,) = (tmp_path / "new").iterdir()
    assert file.read_bytes().startswith(b"Return-Path: <>\r\nX-Envelope-To: b@example.net\r\nSubject:")


def test_an_address_cannot_add_a_header(tmp_path):
    send(tmp_path, Envelope("a@x\r\nEvil: 1", (Recipient("b@x\nEvil: 2"), Recipient("c\udcff@x"))))
    (message,) = mailbox.Maildir(tmp_path, create=False)
    assert message["Evil"] is None
    assert message["Subject"] == "hello"


def test_many_at_once_are_as_many_files(tmp_path):
    async def main():
        relays = [MaildirRelay(tmp_path), MaildirRelay(tmp_path)]
        return await asyncio.gather(*(relays[i % 2].send(ENVELOPE, b"%d" % i) for i in range(50)))

    results = asyncio.run(main())
    assert len({result.to for result in results}) == 50
    bodies = {file.read_bytes().rpartition(b"\r\n")[2] for file in (tmp_path / "new").iterdir()}
    assert bodies == {b"%d" % i for i in range(50)}
    assert list((tmp_path / "tmp").iterdir()) == []


def test_a_file_that_cannot_be_completed_is_452_and_leaves_nothing(tmp_path):
    send(tmp_path)
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, hard))
    try:
        result = send(tmp_path, data=b"x" * 1_000_000)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert [str(reply)[:9] for reply in result.replies] == ["452 4.3.1"] * 2
    assert len(list((tmp_path / "new").iterdir())) == 1
    assert list((tmp_path / "tmp").iterdir()) == []


@pytest.mark.parametrize("in_the_way", [".", "new"])
def test_a_maildir_that_cannot_be_written_is_451(tmp_path, in_the_way):
    path = tmp_path / "sent"
    (path / in_the_way).parent.mkdir(exist_ok=True)
    (path / in_the_way).write_text("in the way")
    result = send(path)
    assert [str(reply)[:9] for reply in result.replies] == ["451 4.3.0"] * 2
    assert result.to == str(path)
