import errno
import random
import stat
import string
from contextlib import suppress

import pytest

from sekisho.inspect.fingerprints import library
from sekisho.inspect.fingerprints.index import MOST_DOCUMENTS, IndexDamagedError
from sekisho.inspect.fingerprints.library import Fingerprints, Register, TooShortError
from sekisho.inspect.fingerprints.match import matches
from sekisho.inspect.fingerprints.writing import written
from sekisho.mail.message import Text

KEY = bytes(range(32))


def prose(seed, words=400):
    chance = random.Random(seed)
    known = ["".join(chance.choices(string.ascii_lowercase, k=chance.randrange(2, 9))) for _ in range(900)]
    return " ".join(chance.choices(known, k=words))


def register(directory, *texts, tenant="default", **more):
    with Register(directory, KEY, tenant).changing() as changing:
        for number, text in enumerate(texts):
            changing.add(f"d{number}", b"", [text], **more)
        return changing


def found(directory, text, tenant="default"):
    documents, problems = Fingerprints.open(directory, KEY)
    assert problems == []
    registered = documents.of(tenant)
    return {
        m.document.name: round(m.share, 2)
        for m in matches(registered.index, registered.shingler, [Text(text, "body")])
    }


def test_nothing_registered(tmp_path):
    documents, problems = Fingerprints.open(tmp_path / "missing", KEY)
    assert (documents.of("default"), problems, documents.changed()) == (None, [], False)


def test_registered_and_found_by_its_tenant_only(tmp_path):
    register(tmp_path, prose(1), prose(2))
    assert found(tmp_path, prose(2)) == {"d1": 1.0}
    assert Fingerprints.open(tmp_path, KEY)[0].of("other") is None


def test_the_same_document_of_two_tenants_has_nothing_in_common(tmp_path):
    register(tmp_path, prose(1))
    register(tmp_path, prose(1), tenant="a/../b")
    documents = Fingerprints.open(tmp_path, KEY)[0]
    one, other = (documents.of(name).index for name in ("default", "a/../b"))
    assert not set(one.values) & set(other.values)
    assert all(path.is_relative_to(tmp_path) for path in tmp_path.rglob("*"))
    assert len(list(tmp_path.iterdir())) == 2


def test_nobody_else_may_read_it_and_no_word_of_it_is_there(tmp_path):
    path = register(tmp_path, prose(1)).path
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    content = path.read_bytes()
    words = {word.encode() for word in prose(1).split() if len(word) > 4}
    assert words
    assert not [word for word in words if word in content]


def test_a_name_again_is_a_new_version(tmp_path):
    register(tmp_path, prose(1), prose(2))
    with Register(tmp_path, KEY, "default").changing() as changing:
        changing.add("d0", b"", [prose(3)])
    assert found(tmp_path, prose(1)) == {}
    assert found(tmp_path, prose(2)) == {"d1": 1.0}
    assert found(tmp_path, prose(3)) == {"d0": 1.0}


def test_the_same_name_twice_at_once(tmp_path):
    with Register(tmp_path, KEY, "default").changing() as changing:
        changing.add("a", b"", [prose(1)])
        changing.add("a", b"", [prose(2)])
        changing.add("b", b"", [prose(3)])
    assert found(tmp_path, prose(1)) == {}
    assert (found(tmp_path, prose(2)), found(tmp_path, prose(3))) == ({"a": 1.0}, {"b": 1.0})


@pytest.mark.parametrize("at", [1, 2, 3])
def test_a_full_disk_leaves_the_old_version_or_the_new_one_whole(tmp_path, monkeypatch, at):
    register(tmp_path, prose(1), prose(2))
    left = [at]

    def full(*arguments):
        left[0] -= 1
        if not left[0]:
            raise OSError(errno.ENOSPC, "No space left on device")
        return written(*arguments)

    monkeypatch.setattr(library, "written", full)
    with suppress(OSError), Register(tmp_path, KEY, "default").changing() as changing:
        changing.add("d0", b"", [prose(3)])
    old, new = found(tmp_path, prose(1)), found(tmp_path, prose(3))
    assert (old, new) in (({"d0": 1.0}, {}), ({}, {"d0": 1.0}))
    assert found(tmp_path, prose(2)) == {"d1": 1.0}


def test_the_only_one_is_replaced(tmp_path):
    register(tmp_path, prose(1))
    register(tmp_path, prose(2))
    assert (found(tmp_path, prose(1)), found(tmp_path, prose(2))) == ({}, {"d0": 1.0})


def test_removed_by_name_or_id(tmp_path):
    register(tmp_path, prose(1), prose(2), prose(3))
    with Register(tmp_path, KEY, "default").changing() as changing:
        assert changing.remove("d1").name == "d1"
        assert changing.remove(changing.documents[0].id).name == "d0"
        assert changing.remove("d1") is None
    assert [found(tmp_path, prose(n)) for n in (1, 2, 3)] == [{}, {}, {"d2": 1.0}]
    with Register(tmp_path, KEY, "default").changing() as changing:
        changing.remove("d2")
    assert found(tmp_path, prose(3)) == {}


def test_what_many_documents_say_does_not_count(tmp_path):
    footer = prose(99, 100)
    register(tmp_path, *(f"{prose(n)} {footer}" for n in range(MOST_DOCUMENTS + 1)))
    assert found(tmp_path, footer) == {}
    assert found(tmp_path, prose(3)) == {"d3": pytest.approx(1.0, abs=0.08)}
    with Register(tmp_path, KEY, "default").changing() as changing:
        changing.remove("d0")
    assert found(tmp_path, footer) != {}


def test_what_is_public_does_not_count_wherever_it_is_registered(tmp_path):
    register(tmp_path, prose(1) + " " + prose(2))
    with Register(tmp_path, KEY, "default").changing() as changing:
        changing.add("template", b"", [prose(1)], public=True)
    assert found(tmp_path, prose(1)) == {}
    assert found(tmp_path, prose(2)) == {"d0": pytest.approx(1.0, abs=0.08)}


def test_too_short(tmp_path):
    with Register(tmp_path, KEY, "default").changing() as changing, pytest.raises(TooShortError, match="note"):
        changing.add("note", b"", ["Nothing to see here."])
    assert changing.documents == ()


def test_an_error_changes_nothing(tmp_path):
    register(tmp_path, prose(1))
    changing = Register(tmp_path, KEY, "default")
    with pytest.raises(ZeroDivisionError), changing.changing():  # noqa: PT012 - what raises is the test itself
        changing.add("d9", b"", [prose(9)])
        raise ZeroDivisionError
    assert found(tmp_path, prose(9)) == {}


def test_changed(tmp_path):
    before = Fingerprints.open(tmp_path, KEY)[0]
    register(tmp_path, prose(1))
    assert before.changed()
    documents = Fingerprints.open(tmp_path, KEY)[0]
    assert not documents.changed()
    register(tmp_path, prose(1))
    assert documents.changed()


def test_a_file_that_cannot_be_used_is_a_problem_and_the_others_count(tmp_path):
    register(tmp_path, prose(1))
    bad = register(tmp_path, prose(1), tenant="bad").path
    bad.write_bytes(b"rubbish")
    documents, (problem,) = Fingerprints.open(tmp_path, KEY)
    assert problem.file == str(bad)
    assert documents.of("bad") is None
    assert documents.of("default") is not None
    with pytest.raises(IndexDamagedError):
        Register(tmp_path, KEY, "bad").read()


def test_under_another_key_nothing_is_read(tmp_path):
    register(tmp_path, prose(1))
    documents, (problem,) = Fingerprints.open(tmp_path, bytes(32))
    assert documents.of("default") is None
    assert "another key" in str(problem)
