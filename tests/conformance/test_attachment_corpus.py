"""Public attachments and MIME torture tests through the gateway's opener, whole: real files in the real sandbox.

What a file's name tells about it is expected; where we find otherwise it is listed, with the reason, in
`attachment_deviations.toml`, and an entry that no longer deviates fails as well. What was found in each file is in
`attachment_expected.toml`, so that no change passes unseen. `python tests/conformance/test_attachment_corpus.py`
writes that file anew, to be read before it is committed, and prints the table for `docs/reference/attachments.md`.
"""

from __future__ import annotations

import asyncio
import fcntl
import hashlib
import os
import re
import sys
import tarfile
import time
import tomllib
from collections import Counter
from functools import cache
from pathlib import Path

import msgspec
import pytest
from msgspec import Struct

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parents[1]))
from support.archive_corpus import FILES, corpus
from support.attached import transaction

from sekisho.config.load import load
from sekisho.daemon.compose import checking_of
from sekisho.mail.finding import Finding, Severity
from sekisho.mail.opened import File
from sekisho.parse.unpack.archive import library
from sekisho.parse.unpack.kinds import PROGRAMS

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
MIME = FILES.parents[1] / "mime" / "mime.tar.xz"
EXPECTED = HERE / "attachment_expected.toml"
DEVIATIONS = tomllib.loads((HERE / "attachment_deviations.toml").read_text())
# Twice the limit of a process: the corpus holds nothing that may be near it on a busy machine.
MOST_SECONDS = 40.0
KILLED = "inspection.failed/unpack"

pytestmark = [
    pytest.mark.corpus,
    pytest.mark.skipif(not FILES.exists() or not MIME.exists(), reason="../shared/data is not there"),
    pytest.mark.timeout(300),  # one of pytest's processes opens the files, the others wait for it
]


class Result(Struct):
    """What the gateway knows of one attachment."""

    files: tuple[File, ...]
    findings: tuple[Finding, ...]
    seconds: float

    @property
    def killed(self) -> bool:
        return not self.files and bool(self.findings)

    @property
    def kinds(self) -> list[str]:
        """The attachment's, then what came out of its wrappers one by one."""
        return [file.kind for file in self.files] or ["killed" if self.findings else "empty"]

    @property
    def rules(self) -> dict[str, Severity]:
        gravest = sorted(self.findings, key=lambda f: f.severity)
        return {finding.rule: finding.severity for finding in gravest}

    @property
    def text(self) -> str:
        return "\n".join(text.text for file in self.files for text in file.texts)

    def line(self) -> str:
        """Kinds without repetitions, then what was found, each with its severity."""
        rules = ", ".join(f"{rule} {severity.word}" for rule, severity in sorted(self.rules.items()))
        return " ".join(dict.fromkeys(self.kinds)) + (f": {rules}" if rules else "")


def mime_files():
    with tarfile.open(MIME) as tar:
        return [(m.name.removeprefix("./"), tar.extractfile(m).read()) for m in tar if m.isfile()]


def attachments():
    with tarfile.open(FILES) as tar:
        return [(m.name.removeprefix("./"), tar.extractfile(m).read()) for m in tar if m.isfile()]


def opened(files, body="See attachment."):
    """Each file as the one attachment of a message, two at a time as in the gateway; results by path."""
    configuration, problems = load(None)
    assert configuration, problems
    return asyncio.run(_opened(configuration, list(files), body))


async def _opened(configuration, files, body):
    checking, problems = checking_of(configuration)
    assert checking, problems
    await checking.sandbox.start()
    results = {}
    waiting = list(reversed(files))

    async def work():
        while waiting:
            path, content = waiting.pop()
            message = transaction((path.rpartition("/")[2], content), body=body)
            started = time.monotonic()
            seen = await checking.checks.opener.open(message)
            results[path] = Result(seen.opened.files, seen.opened.findings, time.monotonic() - started)

    await asyncio.gather(work(), work())
    await checking.close()
    return results


@pytest.fixture(scope="module")
def both(tmp_path_factory):
    """The results of both suites. The files are opened once, by whichever of pytest's processes is first."""
    folder = tmp_path_factory.getbasetemp()
    folder = folder.parent if "PYTEST_XDIST_WORKER" in os.environ else folder
    kept = folder / "attachment corpus"
    with (folder / "attachment corpus lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not kept.exists():
            kept.write_bytes(msgspec.msgpack.encode([opened(attachments()), opened(mime_files())]))
    return msgspec.msgpack.decode(kept.read_bytes(), type=list[dict[str, Result]])


@pytest.fixture
def results(both):
    return both[0]


@pytest.fixture
def mime_results(both):
    return both[1]


def differing(got, expected):
    """Lines to read when they are not the same."""
    return [
        f"{path}\n  expected {expected.get(path, 'no such file')}\n  got      {got.get(path, 'no such file')}"
        for path in sorted(got.keys() | expected.keys())
        if got.get(path) != expected.get(path)
    ]


def check_deviations(kind, wrong):
    """`wrong` are the files that are not as their names tell; every one is listed, and none other."""
    listed = {name for entry in DEVIATIONS[kind] for name in entry["files"]}
    names = {path.rpartition("/")[2] for path in wrong}
    if not of_this_libarchive("libarchive_uu"):
        pytest.skip("another libarchive than the list was made with")
    assert {"not listed": sorted(names - listed), "listed, but as told": sorted(listed - names)} == {
        "not listed": [],
        "listed, but as told": [],
    }


def of_this_libarchive(path):
    """Whether what was recorded for a file holds here: archives are read by the system's library."""
    here = library.ffi is not None and str(library.ffi.version_number()) == expected_of()["libarchive"]
    return here or not path.startswith("libarchive_uu")


def is_settled(path):
    """Whether the result does not hang on what happens to be in memory."""
    return path.rpartition("/")[2] not in DEVIATIONS["unsettled"]["files"]


def is_known(path):
    return is_settled(path) and of_this_libarchive(path)


@cache
def expected_of():
    return tomllib.loads(EXPECTED.read_text())


def test_every_file_gives_a_result_in_time(results, mime_results):
    assert len(results) == 542
    assert len(mime_results) == 670
    assert {path: r.seconds for path, r in (results | mime_results).items() if r.seconds > MOST_SECONDS} == {}


def test_what_ends_a_process_is_known_by_name(results, mime_results):
    """libarchive breaks on them or takes all memory it may have: a process dies, and policy hears of it."""
    dead = {path: r for path, r in (results | mime_results).items() if r.killed}
    assert all(set(r.rules) == {KILLED} for r in dead.values())
    if of_this_libarchive("libarchive_uu"):
        assert {path.rpartition("/")[2] for path in dead} == set(DEVIATIONS["killed"]["files"])


def test_no_opener_fails(results, mime_results):
    failed = {p: r.line() for p, r in (results | mime_results).items() if not r.killed and KILLED in r.rules}
    assert failed == {}


def test_as_recorded(results):
    got = {path: result.line() for path, result in results.items() if is_known(path)}
    expected = {path: line for path, line in expected_of()["attachments"].items() if is_known(path)}
    assert differing(got, expected) == []


def test_mime_as_recorded(mime_results):
    """Messages, their parts and expected trees, each as an attachment; those without findings are not listed."""
    got = {path: result.line() for path, result in mime_results.items() if result.rules}
    assert differing(got, expected_of()["mime"]) == []


# What is told by names, and by a second implementation.


def test_uuencoded_content_is_that_of_another_decoder(results):
    others = {f"{path}.uu": hashlib.sha256(content).hexdigest() for path, content in corpus("libarchive_uu")}
    assert len(others) == 408
    for path, result in results.items():
        if path in others and not result.killed:
            assert result.files[1].sha256 == others[path], path


_KINDS = {
    "tar": "tar", "pax": "tar", "7z": "7z", "rar": "rar", "cab": "cab", "lzh": "lha", "cpio": "cpio", "ar": "ar",
    "rpm": "rpm", "xar": "xar", "zip": "zip", "zipx": "zip", "jar": "jar", "xps": "zip", "iso.Z": "compress",
    "tar.Z": "compress", "pax.Z": "compress", "Z": "compress", "tgz": "gzip", "gz": "gzip", "tbz": "bzip2",
    "bz2": "bzip2", "txz": "xz", "tar.lz4": "lz4", "tar.lzo": "lzop", "tar.zst": "zstd", "pdf": "pdf", "odt": "odt",
    "ods": "ods", "odp": "odp", "csv": "csv", "rtf": "rtf", "slk": "slk", "dot": "doc", "pot": "ppt", "pps": "ppt",
    "xla": "xls", "xlt": "xls", "doc": "doc", "xls": "xls", "ppt": "ppt", "xml": "xml",
    "docx": "docx", "docm": "docm", "dotx": "dotx", "dotm": "dotm", "xlsx": "xlsx", "xlsm": "xlsm", "xlsb": "xlsb",
    "xltx": "xltx", "xltm": "xltm", "xlam": "xlam", "pptx": "pptx", "pptm": "pptm", "ppsx": "ppsx", "ppsm": "ppsm",
    "potx": "potx", "potm": "potm",
}  # fmt: skip


def named_kind(path):
    name = path.rpartition("/")[2].removesuffix(".uu")
    *_, before, last = ("", *name.split("."))
    return _KINDS.get(f"{before}.{last}") or _KINDS.get(last)


def test_kinds_are_those_that_the_names_tell(results):
    wrong = set()
    for path, result in results.items():
        wanted = named_kind(path)
        kinds = result.kinds[1 if path.endswith(".uu") else 0 :][:2]
        if wanted and not result.killed and wanted not in kinds[:1] and kinds[:1] != ["encrypted-office"]:
            wrong.add(path)
    check_deviations("kind", wrong)


# How a name begins or ends, and what has to be found.
_NAMED = (
    (r"oletools/encrypted/encrypted|basic/encrypted|writer-password\.pdf", "attachment/encrypted"),
    (r"(zip|7zip|rar|traditional)_encryption|_encrypted|winzip_aes|_aes256", "attachment/encrypted"),
    (r"standardpassword", "attachment/default-password"),
    (r"msodde/dde-test\.|dde-in-excel2003|dde-test-encrypt", "attachment/dde"),
    (r"dde-in-csv", "attachment/csv-formula"),
    (r"excel4", "attachment/xlm-macro"),
    (r"autostart", "attachment/macro-autorun"),
    (r"external_link/|lnk_to_calc", "attachment/remote-object"),
    (r"sample_with_lnk_file", "attachment/shortcut"),
    (r"calc_embedded", "attachment/program"),
    (r"sample_with_vba|oleform", "attachment/macro"),
    (r"issue_251", "attachment/rtf-object"),
    (r"with-attachment\.pdf", "attachment/pdf-embedded-file"),
    (r"\.iso\.Z", "attachment/disk-image"),
    (r"multivolume|multiarchive", "attachment/unreadable"),
)  # fmt: skip


def test_what_the_names_tell_is_found(results):
    wrong = set()
    told = 0
    for path, result in results.items():
        for pattern, rule in _NAMED:
            if re.search(pattern, path) and not result.killed:
                told += 1
                if rule not in result.rules:
                    wrong.add(path)
    assert told > 100
    assert wrong == set()


def test_what_stands_in_embedded_files_is_read(results):
    paths = [path for path in results if "oleobj/embedded-simple-2007" in path]
    assert len(paths) == 29
    missing = [path for path in paths if "simple-text-file.txt" not in " ".join(f.path for f in results[path].files)]
    assert missing == []


def test_harmless_files_have_no_findings(results):
    """Clean documents, and PDFs as programs of every kind write them."""
    harmless = [path for path in results if "harmless" in path or "embedded-simple" in path or path.endswith(".odt")]
    harmless += [p for p in results if p.startswith("pdf_") and not re.search("password|attachment|forms", p)]
    assert len(harmless) > 60
    assert {path: results[path].line() for path in harmless if results[path].rules} == {}


def test_nothing_but_programs_and_attacks_is_held(results):
    """High is what the built-in policy holds: in archives made to test archives only programs and bombs are."""
    high = {
        path: rule
        for path, result in results.items()
        if path.startswith("libarchive") and not PROGRAMS.intersection(result.kinds) and not result.killed
        for rule, severity in result.rules.items()
        if severity >= Severity.HIGH
    }
    check_deviations("high", high)


_BROKEN = (
    "malformed|truncated|invalid|bad_|oob|overflow|underflow|oom|crash|hang|loop|leak|huge|exceeds|overread"
    "|negative|toolong|unsupported|use_after_free|off_by|desync|leftshift|distance|oversize|junk|recursive|too_many"
)


def test_broken_archives_are_told(results):
    """By their names in libarchive's tests, which expect an error at most of them."""
    broken = [path for path in results if path.startswith("libarchive") and re.search(_BROKEN, path)]
    assert len(broken) > 60
    check_deviations("broken_not_told", {path for path in broken if not results[path].rules})


def test_other_archives_are_read_to_their_end(results):
    unread = {"attachment/corrupt", "attachment/over-limit", "attachment/unreadable", "attachment/encrypted"}
    named = f"{_BROKEN}|encrypt|aes|multivolume|multiarchive|splitted|part0|_p[12]|\\.p[12]\\."
    whole = [path for path in results if path.startswith("libarchive") and not re.search(named, path)]
    whole = [path for path in whole if is_settled(path)]
    assert len(whole) > 200
    check_deviations("not_read", {path for path in whole if unread & results[path].rules.keys()})


def test_a_password_in_the_message_opens_the_zips_of_oletools():
    """PROVENANCE: zipped after the custom of that project, with a password."""
    zips = [(path, content) for path, content in attachments() if re.match(r"oletools/.*\.zip$", path)]
    results = opened(zips, body="Password: infected-test\n")
    assert len(results) == 7
    for path, result in results.items():
        assert "attachment/password-in-mail" in result.rules, path
        assert "attachment/encrypted" not in result.rules, path
        assert ("attachment/dde" in result.rules) == ("/dde" in path), path


# Solid RAR 4, of which the library reads the first file only, and a file that says that it is encrypted and is not.
_NOT_OPENED = {
    "test_read_format_rar4_solid_encrypted.rar": "attachment/unreadable",
    "test_read_format_rar4_solid_encrypted_filenames.rar": "attachment/unreadable",
    "test_read_format_rar5_only_crypt_exfld.rar": "attachment/encrypted",
}
_CLOSED = frozenset({"attachment/unreadable", "attachment/encrypted", "attachment/corrupt"})


def test_passwords_in_the_message_open_the_7z_and_rar_of_libarchive():
    """Its tests name the passwords: one for archives of 7-Zip and RAR 3, two for those of RAR 4 and 5."""
    encrypted = [
        (path, content)
        for path, content in attachments()
        if re.search(r"(7zip|rar\d?)_.*(encrypt|crypt_).*\.uu$", path)
    ]
    results = opened(encrypted, body="Passwords: 12345678 password password2\n")
    assert len(results) == 15
    for path, result in results.items():
        name = path.rpartition("/")[2].removesuffix(".uu")
        missing = {rule for rule in result.rules if rule in _CLOSED}
        assert missing == {_NOT_OPENED[name]} if name in _NOT_OPENED else not missing, path
        if name != "test_read_format_rar5_only_crypt_exfld.rar":
            assert "attachment/password-in-mail" in result.rules, path
            assert re.search("This is from a.txt|data of foo.txt|^foo$", result.text, re.MULTILINE), path


def test_messages_of_the_mime_suite_are_inspected_whole():
    """As `sekisho check` does: parser, opener, inspectors and policy; nothing ends in "could not be inspected"."""
    messages = [(path, content) for path, content in mime_files() if path.endswith((".msg", ".eml", ".txt"))]
    assert len(messages) > 250
    configuration, problems = load(None)
    assert configuration, problems

    async def inspect():
        checking, problems = checking_of(configuration)
        assert checking, problems
        for path, content in messages:
            read = transaction(raw=content)
            findings = await checking.checks.inspect(read)
            assert not [f for f in findings if f.rule.startswith("inspection.failed/")], path
            checking.checks.decide(read, findings)
        await checking.close()

    asyncio.run(inspect())


def test_docs_name_every_finding():
    documented = (ROOT / "docs" / "reference" / "attachments.md").read_text()
    for rule in sorted((ROOT / "rules").glob("attachment/*.toml")) + sorted((ROOT / "rules").glob("malware/*.toml")):
        found = tomllib.loads(rule.read_text())
        assert re.search(rf"\| `{found['id']}` \| {found['severity']}\b", documented), found["id"]


def write():
    """The expectations, and the tables of the documentation."""
    results, mime = opened(attachments()), opened(mime_files())
    lines = [
        "# What is found in each file of the corpora. Written by test_attachment_corpus.py; read what has changed.",
        "",
        f'libarchive = "{library.ffi.version_number()}"',
        "",
        "[attachments]",
        *(f"{quoted(path)} = {quoted(result.line())}" for path, result in sorted(results.items())),
        "",
        "[mime]",
        *(f"{quoted(path)} = {quoted(result.line())}" for path, result in sorted(mime.items()) if result.rules),
    ]
    EXPECTED.write_text("\n".join(lines) + "\n")
    for title, files in groups(results, mime).items():
        print(row(title, files))
    print()
    for rule, number in Counter(rule for r in results.values() for rule in r.rules).most_common():
        print(f"| `{rule}` | {number} |")
    print()
    print(", ".join(f"{kind} {n}" for kind, n in Counter(k for r in results.values() for k in r.kinds).most_common()))
    print(max((r.seconds, path) for path, r in (results | mime).items()))


def quoted(text):
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


_GROUPS = (
    ("Office files (oletools)", "oletools/"),
    ("PDF and OpenDocument (py-pdf)", "pdf_"),
    ("7z", "libarchive_uu/.*7zip"),
    ("RAR", "libarchive_uu/.*rar"),
    ("ZIP", "libarchive_uu/.*((?<!g)zip_|_zip|into_fd)"),
    ("tar and compressed tar", r"libarchive_uu/.*(tar|tgz|tbz|tlz|txz|pax)\b|libarchive_uu/.*_pax_"),
    ("LHA, CAB, cpio, rpm, ar, xar", r"libarchive_uu/.*\.(lzh|cab|cpio|rpm|ar|xar)\b"),
    ("ISO images", r"libarchive_uu/.*iso\b"),
    ("other", "."),
)


def groups(results, mime):
    split = {title: [] for title, _ in _GROUPS}
    for path, result in results.items():
        split[next(title for title, pattern in _GROUPS if re.match(pattern, path))].append(result)
    return {
        **split,
        "**all attachments**": list(results.values()),
        "MIME suites, each file attached": list(mime.values()),
    }


def row(title, files):
    def having(*rules):
        return sum(bool(r.rules.keys() & {f"attachment/{rule}" for rule in rules}) for r in files)

    unknown = sum(r.files[-1].kind == "unknown" and len(r.files) <= 2 and not r.rules for r in files if r.files)
    high = sum(any(s >= Severity.HIGH for s in r.rules.values()) for r in files if not r.killed)
    cells = [
        len(files), sum(bool(r.text.strip()) for r in files), having("encrypted"), having("corrupt"),
        having("unreadable"), having("over-limit"), high, unknown, sum(r.killed for r in files),
    ]  # fmt: skip
    return f"| {title} | " + " | ".join(str(cell) for cell in cells) + " |"


if __name__ == "__main__":
    os.nice(5)
    write()
