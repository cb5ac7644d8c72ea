from support.attached import transaction

from sekisho.inspect.file_names import name_texts
from sekisho.mail.opened import File


def file(path, part="2"):
    return File(part, path, "docx", 1, "")


def test_names_without_their_ending():
    (text,) = name_texts(transaction(("4012888888881881.xlsx", b"x")))
    assert (text.where, text.text, text.path) == ("filename", "4012888888881881", "4012888888881881.xlsx")
    assert text.part


def test_a_name_without_an_ending_is_there_already():
    assert name_texts(transaction(("README", b"x"))) == ()
    assert name_texts(transaction()) == ()


def test_names_inside_archives():
    opened = (file("a.zip"), file("a.zip/2024/山田 太郎.docx"), file("a.zip/b.zip"), file("a.zip/b.zip/x"))
    *_, inner = name_texts(transaction(("a.zip", b"x"), opened=opened))
    assert (inner.part, inner.path, inner.where) == ("2", "a.zip", "filename")
    assert inner.text.split("\n") == ["2024", "山田 太郎.docx", "山田 太郎", "b.zip", "b", "x"]


def test_bounded():
    opened = [file(f"a.zip/{n}{'x' * 200}") for n in range(2000)]
    assert sum(len(text.text) for text in name_texts(transaction(("a.zip", b"x"), opened=opened))) <= 200_010
