"""`sekisho dlp fingerprint`: the documents whose text must not leave: register, list, remove them, try a message."""

from __future__ import annotations

import argparse
import asyncio
import signal
import sys
from collections import Counter
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from sekisho.cli.check import add_overrides, offline_checking, transaction_of
from sekisho.cli.terms import (
    CommandError,
    command,
    configuration_of,
    noun,
    print_json,
    rfc3339,
    table,
)
from sekisho.config.load import lines_in
from sekisho.config.tenants import inherited
from sekisho.inspect.fingerprints.index import Document, IndexDamagedError
from sekisho.inspect.fingerprints.inspector import explanation, severity, tells
from sekisho.inspect.fingerprints.library import (
    ADVICE,
    FILE,
    PURPOSE,
    Register,
    TooShortError,
    registrable,
)
from sekisho.inspect.fingerprints.match import Match
from sekisho.inspect.fingerprints.writing import IndexFullError
from sekisho.mail.opened import Attachment, JobConfiguration, Opened, OpenLimits, OpenRequest
from sekisho.sandbox import Sandbox, SandboxError, SandboxLimits
from sekisho.store.keys import Keys
from sekisho.store.tenant_files import tenant_folder

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from types import FrameType

    from sekisho.config.load import Configuration
    from sekisho.mail.finding import Finding
    from sekisho.mail.transaction import Transaction

_JOB = "sekisho.parse.unpack.job:prepare"
_MOSTLY_COMMON = 0.7
_STOPPED = 130  # as shells say it of what Ctrl-C has ended
_UNSEEN = frozenset(f"attachment/{what}" for what in ("corrupt", "encrypted", "over-limit", "unreadable"))


class _NotTakenError(Exception):
    """A file that cannot be registered, and why."""


def add_to(verbs: Any) -> None:
    """Add `fingerprint add`, `list`, `remove` and `test` below `dlp`."""
    inner = noun(verbs, "fingerprint", "Documents whose text must not leave")
    add_ = command(
        inner,
        "add",
        add,
        "Register documents; one of the same name is replaced",
        'sekisho dlp fingerprint add plan.docx --name "Plan 2027"',
        prints_data=True,
    )
    add_.add_argument(
        "file", type=Path, nargs="+", help="a document of any kind that attachments may be, or a folder"
    )
    add_.add_argument("--name", default="", help="what findings call it (default: the file's name)")
    add_.add_argument(
        "--public", action="store_true", help="text that everybody may have: what stands in it never counts"
    )
    list_parser = command(
        inner, "list", list_, "The registered documents", "sekisho dlp fingerprint list", prints_data=True
    )
    remove_ = command(inner, "remove", remove, "Remove documents", 'sekisho dlp fingerprint remove "Plan 2027"')
    remove_.add_argument("document", nargs="+", help="its name or id")
    for parser in (add_, list_parser, remove_):
        parser.add_argument("--tenant", metavar="NAME", default="default", help="whose (default: default)")
    test_ = command(
        inner,
        "test",
        test,
        "Which documents a message has parts of",
        "sekisho dlp fingerprint test mail.eml",
        prints_data=True,
    )
    test_.add_argument("file", type=Path, help="a message")
    add_overrides(test_)


def add(given: argparse.Namespace) -> int:
    """Register files. Returns 3 if one cannot be read, 1 if one cannot be registered or was not read whole.

    The others are. After Ctrl-C, those that were said to be (status 130).
    """
    configuration = configuration_of(given)
    register = _register(configuration, given.tenant, create=True)
    files = list(_files(given.file))
    if not files:
        raise CommandError(f"no files in {', '.join(map(str, given.file))}", 3)
    if given.name and len(files) != 1:
        raise CommandError("--name is for one file")
    names = {files[0]: given.name} if given.name else _names(files)
    reader = _Reader(configuration)
    worst = 0
    with _failures(register), _asked_to_stop() as stop, register.changing(), asyncio.Runner() as runner:
        try:
            words = _passwords(configuration, given.tenant)
            for file, name in names.items():
                if stop():
                    print(f"sekisho: stopped before {file}", file=sys.stderr)
                    worst = _STOPPED
                    break
                worst = max(worst, _added(given, register, runner, reader, (file, name, words)))
        finally:
            runner.run(reader.close())
    _say_common(register, set(names.values()))
    return worst


def list_(given: argparse.Namespace) -> int:
    """Print the documents, in the order in which they were registered."""
    register = _register(configuration_of(given), given.tenant)
    with _failures(register):
        register.read()
    if given.json:
        for document in register.documents:
            print_json(_as_json(document))
    elif register.documents:
        heads = ("id", "registered", "letters", "pieces", "own", "name")
        print(table(map(_cells, register.documents), heads))
    else:
        print("no documents")
    return 0


def remove(given: argparse.Namespace) -> int:
    """Remove documents. Returns 1 if one is not there."""
    register = _register(configuration_of(given), given.tenant)
    missing = 0
    with _failures(register), register.changing() if register.path.exists() else nullcontext():
        for wanted in given.document:
            document = register.remove(wanted)
            missing += document is None
            print(f"{document.name}: removed" if document else f"{wanted}: no such document")
    return 1 if missing else 0


def test(given: argparse.Namespace) -> int:
    """Look at one message as the gateway does. Returns 1 if it would be reported, or was not seen whole."""
    checking = offline_checking(given)
    inspector = checking.registered.documents
    if inspector.documents.of(given.tenant) is None:
        raise CommandError(f"{given.tenant} has no documents; `sekisho dlp fingerprint add` registers them", 3)
    transaction = transaction_of(given, checking.checks, _read(given.file))

    async def opened() -> Transaction:
        try:
            return await checking.checks.opener.open(transaction)
        finally:
            await checking.close()

    transaction = asyncio.run(opened())
    found = inspector.matches(transaction)
    unseen = list(filter(_leaves_out, transaction.opened.findings))
    for match in found:
        _print_match(given, match)
    for finding in unseen:
        if given.json:
            print_json(finding.to_json())
        else:
            print(f"{finding.path or finding.part}: not seen whole: {finding.rule}, {finding.explanation}")
    if not found and not unseen and not given.json:
        print("nothing of a registered document")
    return 1 if unseen or any(map(tells, found)) else 0


@contextmanager
def _asked_to_stop() -> Iterator[Callable[[], bool]]:
    """Tells whether Ctrl-C was pressed. The first lets what is under way come to its end, the second does not."""
    asked: list[bool] = []

    def ask(number: int, frame: FrameType | None) -> None:
        if asked:
            signal.default_int_handler(number, frame)
        asked.append(True)

    before = signal.signal(signal.SIGINT, ask)
    try:
        yield lambda: bool(asked)
    finally:
        signal.signal(signal.SIGINT, before)


@contextmanager
def _failures(register: Register) -> Iterator[None]:
    """Turns what can go wrong with the file into a CommandError."""
    try:
        yield
    except IndexDamagedError as error:
        raise CommandError(f"{register.path}: {error}; {ADVICE}", 3) from error
    except IndexFullError as error:
        raise CommandError(f"{register.path}: {error}", 3) from error
    except OSError as error:
        raise CommandError(f"{error.filename or register.path}: {error.strerror or error}", 3) from error


def _added(
    given: argparse.Namespace,
    register: Register,
    runner: asyncio.Runner,
    reader: _Reader,
    wanted: tuple[Path, str, tuple[str, ...]],
) -> int:
    """Register one file and say so: 0, or what the command shall return."""
    file, name, words = wanted
    known = any(document.name == name for document in register.documents)
    try:
        content = _read(file)
        opened = runner.run(reader.opened(file, content, words))
        document = register.add(name, content, _texts(opened), public=given.public)
    except (_NotTakenError, TooShortError, CommandError) as error:
        print(f"sekisho: not registered: {error}", file=sys.stderr)
        return error.exit_status if isinstance(error, CommandError) else 1
    left_out = list(_left_out(opened))
    if given.json:
        print_json(_as_json(document) | {"file": str(file), "replaced": known, "whole": not left_out})
    else:
        print(f"{name}: {'replaced' if known else 'registered'}, {document.letters:,} letters")
    for why in left_out:
        print(f"sekisho: {file}: registered, but not all of it: {why}", file=sys.stderr)
    return 1 if left_out else 0


class _Reader:
    """Opens files as attachments are opened, without looking for what is dangerous in them."""

    def __init__(self, configuration: Configuration) -> None:
        settings = configuration.settings.attachments
        walls = SandboxLimits(
            memory_bytes=settings.memory_bytes, cpu_seconds=settings.cpu_seconds, wall_seconds=settings.wall_seconds
        )
        self._sandbox = Sandbox(_JOB, msgspec.msgpack.encode(JobConfiguration(ocr=settings.ocr)), walls, 1)
        named = {name: getattr(settings, name) for name in OpenLimits.__struct_fields__}
        self._limits = msgspec.convert(named, OpenLimits)

    async def opened(self, file: Path, content: bytes, words: tuple[str, ...]) -> Opened:
        """What is in a file. Raises _NotTakenError."""
        attachment = Attachment("1", file.name, "application/octet-stream", content)
        request = OpenRequest((attachment,), words, self._limits)
        try:
            return msgspec.msgpack.decode(await self._sandbox.run(msgspec.msgpack.encode(request)), type=Opened)
        except (SandboxError, msgspec.DecodeError) as error:
            raise _NotTakenError(f"{file}: cannot be opened: {error}") from error

    async def close(self) -> None:
        """End the process."""
        await self._sandbox.close()


def _texts(opened: Opened) -> list[str]:
    """What is said in a file. Raises _NotTakenError where a part of it is encrypted."""
    locked = next((file.path for file in opened.files if file.encrypted), None)
    if locked is not None:
        raise _NotTakenError(f"{locked}: encrypted")
    return [text.text for file in opened.files for text in file.texts if registrable(text)]


def _left_out(opened: Opened) -> Iterator[str]:
    """What was not read of a file, and why."""
    said = False
    for finding in filter(_leaves_out, opened.findings):
        said = True
        yield f"{finding.path}: {finding.explanation} ({finding.rule})"
    if opened.cut and not said:
        yield "it is more than `attachments` in the configuration lets through"


def _leaves_out(finding: Finding) -> bool:
    """Whether a finding says that something was not opened or not read to its end."""
    return finding.rule in _UNSEEN or finding.rule.startswith("inspection.failed/")


def _say_common(register: Register, names: set[str]) -> None:
    for document in register.documents:
        pieces = document.end - document.start
        if document.name in names and not document.public and document.common > _MOSTLY_COMMON * pieces:
            share = f"{document.common / pieces:.0%}"
            print(
                f"sekisho: {document.name}: {share} of it is public or stands in many other documents; "
                "that does not count",
                file=sys.stderr,
            )


def _files(given: Sequence[Path]) -> Iterator[Path]:
    """The files, and those in folders."""
    for path in given:
        if path.is_dir():
            yield from sorted(inner for inner in path.rglob("*") if inner.is_file())
        else:
            yield path


def _names(files: Sequence[Path]) -> dict[Path, str]:
    """Each file's own name, or its path where two have the same."""
    times = Counter(file.name for file in files)
    return {file: file.name if times[file.name] == 1 else str(file) for file in files}


def _read(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError as error:
        raise CommandError(f"{file}: {error.strerror or error}", 3) from error


def _register(configuration: Configuration, tenant: str, *, create: bool = False) -> Register:
    """A tenant's documents. `create`: a key is made where there is none yet."""
    if tenant not in configuration.settings.tenant:
        raise CommandError(f"no tenant {tenant!r} in the configuration")
    directory = configuration.state_dir / "dlp"
    if not create and not (tenant_folder(directory, tenant) / FILE).exists():
        return Register(directory, b"", tenant)  # nothing is registered: no key is needed to say so
    return Register(directory, derived_key(configuration, PURPOSE, create=create), tenant)


def derived_key(configuration: Configuration, purpose: str, *, create: bool = True) -> bytes:
    """The key of what is registered. `create`: also where there is no key file yet. Raises CommandError."""
    try:
        return Keys.open(configuration.key_file, create=create).derived(purpose)
    except OSError as error:
        need = "; what is registered cannot be read without it" if isinstance(error, FileNotFoundError) else ""
        raise CommandError(
            f"{error.filename or configuration.key_file}: {error.strerror or error}{need}", 3
        ) from error


def _passwords(configuration: Configuration, tenant: str) -> tuple[str, ...]:
    file = inherited(configuration.settings, tenant).attachment_passwords_file
    return lines_in(configuration.path(file)) if file else ()


def _print_match(given: argparse.Namespace, match: Match) -> None:
    text = match.text
    if given.json:
        print_json(
            {
                "document": match.document.name,
                "id": match.document.id,
                "reported": tells(match),
                "severity": severity(match).word,
                "share": round(match.share, 4),
                "text_share": round(match.text_share, 4),
                "passages": match.passages,
                "longest": match.longest,
                "part": text.part,
                "where": text.where,
                "path": text.path,
                "place": text.place,
            }
        )
        return
    place = text.path or (f"part {text.part}" if text.part else "message")
    word = severity(match).word if tells(match) else "too little to be reported"
    print(f"{place} ({word}): {explanation(match)}")


def _as_json(document: Document) -> dict[str, object]:
    return {
        "id": document.id,
        "name": document.name,
        "added": rfc3339(document.added),
        "public": document.public,
        "letters": document.letters,
        "pieces": document.end - document.start,
        "own": 0 if document.public else document.own,
    }


def _cells(document: Document) -> tuple[str, ...]:
    own = "public" if document.public else f"{document.own:,}"
    pieces = f"{document.end - document.start:,}"
    return document.id, rfc3339(document.added), f"{document.letters:,}", pieces, own, document.name
