"""Real mail from ../shared/data, read twice: by us and by another implementation, which must find the same content.

Only messages without findings are compared: where the bytes are ambiguous, readers differ, and that is the finding.
"""

import email
import email.policy
import hashlib
import tarfile
from pathlib import Path

import pytest
from fast_mail_parser import ParseError, parse_email

from sekisho.parse import parse

MAIL = Path(__file__).parents[3] / "shared" / "data" / "mail"
CORPORA = {  # folder: every how manieth message
    "spamassassin_public_corpus": 15,
    "enron_berkeley_raw": 10,
    "usrp_users_ham": 10,
    "ja_phishing_lists": 2,
    "osst_users_deadlist": 6,
    "phishing_pot_2019_2024": 15,
}

pytestmark = [
    pytest.mark.corpus,
    pytest.mark.skipif(not MAIL.exists(), reason="../shared/data/mail is not there"),
    pytest.mark.parametrize("corpus", CORPORA),
]


def sample(corpus):
    with tarfile.open(MAIL / corpus / "mail.tar.xz") as archive:
        mails = (m for m in archive if m.isfile() and not m.name.endswith(".cats"))
        for nth, member in enumerate(mails):
            if nth % CORPORA[corpus] == 0:
                # LF throughout: the Enron files have CRLF in the header and LF in the body, which is a finding
                yield member.name, archive.extractfile(member).read().replace(b"\r\n", b"\n")


def plain(raw):
    """The message without the mbox line in front, which is no part of it."""
    return raw.partition(b"\n")[2] if raw.startswith(b"From ") else raw


def library_leaves(raw):
    for part in email.message_from_bytes(raw, policy=email.policy.compat32).walk():
        if not part.is_multipart() and part.get_content_maintype() != "multipart":
            yield part.get_content_type(), part.get_payload(decode=True)


def our_leaves(message):
    for part in message.parts:
        if not part.is_multipart and (not part.children or part.content_type.startswith("text/")):
            yield part.content_type, part.content


def test_same_leaves_as_the_standard_library(corpus):
    compared = 0
    different = []
    for name, raw in sample(corpus):
        message = parse(raw)
        if message.findings or any(p.content_type == "message/delivery-status" for p in message.parts):
            continue
        compared += 1
        if list(our_leaves(message)) != list(library_leaves(plain(raw))):
            different.append(name)
    assert different == []
    assert compared > 0


def test_same_attachments_and_subjects_as_fast_mail_parser(corpus):
    for name, raw in sample(corpus):
        message = parse(raw)
        if message.findings:
            continue
        try:
            other = parse_email(plain(raw))
        except ParseError:
            continue
        ours = {hashlib.sha256(part.content).hexdigest() for part in message.parts}
        theirs = {hashlib.sha256(attachment.content).hexdigest() for attachment in other.attachments}
        assert theirs <= ours, name
        if "=?" not in other.subject:  # it leaves an encoded word that text follows without a blank
            assert " ".join(message.subject.split()) == " ".join(other.subject.split()), name
