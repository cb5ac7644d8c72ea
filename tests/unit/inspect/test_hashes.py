import hashlib
import tracemalloc

from support.attached import transaction

from sekisho.inspect.hashes import HashList, KnownHashes
from sekisho.mail.finding import Severity
from sekisho.mail.opened import File


def value(content):
    return hashlib.sha256(content).digest()


def test_all_forms_of_lines(tmp_path):
    forms = [
        "# comment",
        "",
        value(b"plain").hex(),
        f"{value(b'named').hex()},Trojan.Example",
        f'"{value(b"quoted").hex()}","Emotet, second"',
        f"{value(b'sum').hex()}  name with blanks.exe",
        f"{value(b'binary').hex()} *setup.exe",
        f"  {value(b'upper').hex().upper()} ; 悪意",
    ]
    path = tmp_path / "list.txt"
    path.write_text("\ufeff" + "\r\n".join(forms))
    known, problems = HashList.load([path])
    assert problems == []
    assert len(known) == 6
    found = {
        name: known.name(value(name.encode())) for name in ("plain", "named", "quoted", "sum", "binary", "upper", "x")
    }
    assert found == {
        "plain": "", "named": "Trojan.Example", "quoted": "Emotet, second", "sum": "name with blanks.exe",
        "binary": "setup.exe", "upper": "悪意", "x": None,
    }  # fmt: skip


def test_problems_name_file_and_line_and_the_rest_is_loaded(tmp_path):
    path = tmp_path / "list.csv"
    path.write_text(f"sha256,name\n{value(b'a').hex()},A\n{hashlib.md5(b'a').hexdigest()}\n{'g' * 64}\n{'0' * 65}\n")
    known, problems = HashList.load([path, tmp_path / "missing"])
    assert len(known) == 1
    assert [(p.file, p.line) for p in problems] == [(str(path), n) for n in (1, 3, 4, 5)] + [
        (str(tmp_path / "missing"), 0)
    ]
    assert str(problems[0]) == f"{path}:1: expected 64 hexadecimal digits of a SHA-256"


def test_problems_of_a_file_that_is_no_list_at_all_are_few(tmp_path):
    path = tmp_path / "list.txt"
    path.write_text("rubbish\n" * 5000)
    assert len(HashList.load([path])[1]) == 100


def test_all_files_of_a_folder_are_read(tmp_path):
    for n in range(3):
        (tmp_path / f"{n}.txt").write_text(value(bytes([n])).hex())
    assert len(HashList.load([tmp_path])[0]) == 3


def test_the_first_name_counts():
    known = HashList([(value(b"a"), "first"), (value(b"a"), "second")])
    assert (len(known), known.name(value(b"a"))) == (1, "first")


def test_every_value_is_found_and_no_other():
    known = HashList((value(b"%d" % n), str(n % 7)) for n in range(5000))
    assert all(known.name(value(b"%d" % n)) == str(n % 7) for n in range(5000))
    assert not any(known.name(value(b"x%d" % n)) is not None for n in range(5000))


def test_a_value_costs_little_memory():
    tracemalloc.start()
    known = HashList((value(b"%d" % n), "") for n in range(50_000))
    held, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert len(known) == 50_000
    assert held < 50_000 * 30
    assert most < 50_000 * 45


def test_files_inside_attachments_and_attachments_that_were_not_opened():
    inner = File("2", "a.zip/b.exe", "exe", 1, value(b"inner").hex())
    outer = File("2", "a.zip", "zip", 1, value(b"zip").hex())
    seen = transaction(("a.zip", b"zip"), ("b.exe", b"whole"), ("c.exe", b"other"), opened=(outer, inner))
    known = HashList([(value(b"inner"), "Emotet"), (value(b"whole"), ""), (value(b"unseen"), "")])
    findings = KnownHashes(known).inspect(seen)
    assert [(f.rule, f.severity, f.part, f.path, f.explanation) for f in findings] == [
        ("malware/known-hash", Severity.CRITICAL, "2", "a.zip/b.exe", "listed as Emotet"),
        ("malware/known-hash", Severity.CRITICAL, "3", "b.exe", "listed without a name"),
    ]
    assert {f.where for f in findings} == {"attachment"}


def test_without_a_list_nothing_is_looked_at():
    assert KnownHashes(HashList()).inspect(transaction(("b.exe", b"whole"))) == []
