from __future__ import annotations

import io
import random
import tempfile
import zipfile
from io import BytesIO

import pytest
from msoffcrypto.method.ecma376_agile import ECMA376Agile
from support.office import compound, corpus, paragraph, run, word
from support.opened_file import found, opened, opening_of

from sekisho.parse.unpack.office.crypto import warm
from sekisho.parse.unpack.office.ole import open_ole
from sekisho.parse.unpack.opening import EncryptedError

# Over 4096 octets: the library writes smaller ones where no reader of compound files looks for them.
PLAIN = word(paragraph(run("秘密")), media=random.Random(3).randbytes(6000))


def encrypted(password):
    return ECMA376Agile.encrypt(password, BytesIO(PLAIN))


def test_a_password_among_the_words():
    opening = opened(open_ole, encrypted("会議2026"), "a.docx", passwords=("x", "会議2026"))
    (inner,) = opening.children
    assert inner.content == PLAIN
    assert (inner.path, inner.secret) == ("a.docx/a.docx", True)
    assert found(opening) == {"password-in-mail": "medium"}
    assert opening.opened_by_password


def test_no_password():
    opening = opening_of(encrypted("x"), passwords=("y",))
    with pytest.raises(EncryptedError):
        open_ole(opening)
    assert opening.children == []


def test_the_password_that_office_tries():
    opening = opened(open_ole, encrypted("VelvetSweatshop"))
    assert opening.children[0].content == PLAIN
    assert found(opening) == {"default-password": "low"}


@pytest.mark.parametrize("ending", ["doc", "docm", "docx", "ppt", "pptm", "pptx", "xls", "xlsb", "xlsm", "xlsx"])
def test_encrypted_files_of_the_corpus(ending, monkeypatch):
    monkeypatch.setattr(tempfile, "TemporaryFile", lambda *a, **k: pytest.fail("a file was opened"))
    opening = opened(open_ole, corpus(f"encrypted/encrypted.{ending}"), passwords=("encrypted",))
    (inner,) = opening.children
    assert found(opening) == {"password-in-mail": "medium"}
    assert zipfile.is_zipfile(io.BytesIO(inner.content)) or inner.content[:4] == b"\xd0\xcf\x11\xe0"


@pytest.mark.parametrize("ending", ["xls", "xlsb", "xlsm"])
@pytest.mark.parametrize("name", ["dde-test", "autostart"])
def test_default_password_of_the_corpus(name, ending):
    opening = opened(open_ole, corpus(f"encrypted/{name}-encrypt-standardpassword.{ending}"))
    assert found(opening) == {"default-password": "low"}


def test_what_was_opened_is_not_encrypted_any_more():
    opening = opened(open_ole, corpus("encrypted/encrypted.ppt"), passwords=("encrypted",))
    inner = opened(open_ole, opening.children[0].content)
    assert any(text.place.startswith("slide") for text in inner.texts)


def test_rights_management():
    with pytest.raises(EncryptedError, match="rights"):
        opened(open_ole, compound({"EncryptedPackage": b"x" * 5000, "\x06DataSpaces/Version": b"x"}))


def test_too_many_rounds_are_not_tried():
    info = (
        b"\x04\0\x04\0\x40\0\0\0" + b'<encryption><keyEncryptor><p spinCount="9999999"/></keyEncryptor></encryption>'
    )
    with pytest.raises(EncryptedError, match="too long"):
        opened(open_ole, compound({"EncryptedPackage": b"x" * 5000, "EncryptionInfo": info}))


def test_broken_encryption():
    for info in (
        b"",
        b"\x04\0\x04\0\x40\0\0\0<e/>",
        b"\x04\0\x04\0\x40\0\0\0<!DOCTYPE e>",
        b"\x02\0\x02\0" + bytes(40),
    ):
        with pytest.raises(EncryptedError):
            opened(open_ole, compound({"EncryptedPackage": b"x" * 5000, "EncryptionInfo": info or b"\0"}))


def test_time_runs_out():
    opening = opening_of(encrypted("x"), passwords=tuple(f"word{n}" for n in range(200)), seconds=1.0)
    with pytest.raises(EncryptedError, match="no time"):
        open_ole(opening)


def test_warm():
    warm()
