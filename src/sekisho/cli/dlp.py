"""`sekisho dlp`: the lists whose rows must not leave: make one of a CSV file, see what there is, remove one."""

from __future__ import annotations

import argparse
import os
import re
import sys
import tempfile
import time
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

from sekisho.cli import dlp_documents
from sekisho.cli.terms import (
    CommandError,
    command,
    configuration_of,
    noun,
    print_json,
    rfc3339,
    table,
)
from sekisho.inspect.exact.build import Built, Plan, build
from sekisho.inspect.exact.columns import COLUMN_TYPES, ColumnType
from sekisho.inspect.exact.lists import PURPOSE, SUFFIX
from sekisho.inspect.exact.source import Source, SourceError
from sekisho.inspect.exact.table import Head, ListFileError, Table
from sekisho.store.keys import Keys

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sekisho.config.load import Configuration

_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,63}")


def add_to(commands: Any) -> None:
    """Add `dlp index`, `list` and `remove`, and what is there for documents."""
    verbs = noun(commands, "dlp", "Lists and documents that must not leave")
    _add_index(verbs)
    list_parser = command(verbs, "list", list_, "The lists", "sekisho dlp list", prints_data=True)
    list_parser.add_argument("--tenant", metavar="NAME", help="only this tenant's")
    remove_parser = command(verbs, "remove", remove, "Remove a list", "sekisho dlp remove customers")
    remove_parser.add_argument("name")
    remove_parser.add_argument("--tenant", metavar="NAME", default="default", help="whose (default: default)")
    dlp_documents.add_to(verbs)


def _add_index(verbs: Any) -> None:
    parser = command(
        verbs,
        "index",
        index,
        "Make a list of a CSV or TSV file",
        "sekisho dlp index customers.csv --column 会員番号=number",
        prints_data=True,
    )
    parser.add_argument("file", type=Path)
    parser.add_argument("--name", default="", help="what the list is called (default: the file's name)")
    parser.add_argument("--tenant", metavar="NAME", default="default", help="whose (default: default)")
    parser.add_argument(
        "--column",
        metavar="HEADING=TYPE",
        type=_column,
        action="append",
        default=[],
        help=f"what a column holds where that is not seen: {', '.join(COLUMN_TYPES)}",
    )
    parser.add_argument(
        "--key-columns", metavar="HEADING,…", default="", help="a row counts only with one of these columns"
    )
    parser.add_argument("--rows", type=_positive, default=5, help="with two fields each are a finding (default: 5)")
    parser.add_argument("--fields", type=_at_least_two, default=3, help="of one row are a finding (default: 3)")
    parser.add_argument("--encoding", default="", help="default: UTF-8, or CP932 where it is not that")
    parser.add_argument("--no-headings", action="store_true", help="the first line is a row (column 1, column 2, …)")


def index(given: argparse.Namespace) -> int:
    """Make a list, or make it anew; the running gateway takes it up within seconds."""
    configuration = configuration_of(given)
    name = given.name or given.file.stem.lower()
    directory = _directory(configuration, given.tenant)
    path = _path(directory, name)
    plan = Plan(
        name=name,
        tenant=given.tenant,
        created=rfc3339(datetime.now(UTC)),
        types=dict(given.column),
        key_columns=tuple(filter(None, given.key_columns.split(","))),
        least_rows=given.rows,
        least_fields=given.fields,
    )
    started = time.monotonic()
    try:
        source = Source(given.file, given.encoding, headings=not given.no_headings)
        with _made(path, configuration.state_dir) as stream:
            built = build(source, plan, _key(configuration), stream, _tell)
    except SourceError as error:
        text = str(error)
        raise CommandError(text if text.startswith(str(given.file)) else f"{given.file}: {text}") from error
    except OSError as error:
        raise CommandError(f"{error.filename or path}: {error.strerror or error}", 3) from error
    _print_built(given, built, source, time.monotonic() - started)
    return 0


def list_(given: argparse.Namespace) -> int:
    """Print what there is. Returns 1 if a list cannot be used."""
    configuration = configuration_of(given)
    key = _key(configuration)
    heads, wrong = [], []
    for path in sorted(_root(configuration).glob(f"{given.tenant or '*'}/*{SUFFIX}")):
        try:
            heads.append(Table.open(path, key).head)
        except (ListFileError, OSError, ValueError) as error:
            wrong.append(f"{path}: {error}")
    if given.json:
        for head in heads:
            print_json(_as_json(head))
    elif heads:
        print(table(map(_cells, heads), ("name", "tenant", "rows", "made", "columns")))
    else:
        print("no lists")
    for text in wrong:
        print(f"sekisho: {text}", file=sys.stderr)
    return 1 if wrong else 0


def remove(given: argparse.Namespace) -> int:
    """Remove a list. Raises CommandError where there is none of this name."""
    path = _path(_directory(configuration_of(given), given.tenant), given.name)
    try:
        path.unlink()
    except FileNotFoundError:
        raise CommandError(f"no list {given.name!r} of {given.tenant}; `sekisho dlp list` lists them", 3) from None
    except OSError as error:
        raise CommandError(f"{path}: {error.strerror}", 3) from error
    print(f"{given.name}: removed")
    return 0


def _root(configuration: Configuration) -> Path:
    return configuration.state_dir / "dlp"


def _directory(configuration: Configuration, tenant: str) -> Path:
    if tenant not in configuration.settings.tenant:
        raise CommandError(f"no tenant {tenant!r} in the configuration")
    return _root(configuration) / tenant


def _path(directory: Path, name: str) -> Path:
    if not _NAME.fullmatch(name):
        raise CommandError(f"{name!r} cannot be a list's name: lower-case letters, digits, - and _; give --name")
    return directory / f"{name}{SUFFIX}"


def _key(configuration: Configuration) -> bytes:
    return Keys.open(configuration.key_file).derived(PURPOSE)


@contextmanager
def _made(path: Path, state_dir: Path) -> Iterator[BinaryIO]:
    """A file that gets its name when it is whole and on disk; whose everything else there is, that one's it is."""
    for folder in (path.parent.parent, path.parent):
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        _hand_over(folder, state_dir)
    fd, temporary = tempfile.mkstemp(prefix=".", dir=path.parent)  # mode 0600
    try:
        with os.fdopen(fd, "wb") as stream:
            yield stream
            stream.flush()
            os.fsync(fd)
        _hand_over(Path(temporary), state_dir)
        Path(temporary).replace(path)
    finally:
        with suppress(FileNotFoundError):
            Path(temporary).unlink()
    directory = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(directory)
    finally:
        os.close(directory)


def _hand_over(path: Path, state_dir: Path) -> None:
    """What root makes is for the user that the gateway runs as."""
    owner = state_dir.stat()
    if os.geteuid() == 0 and (path.stat().st_uid, path.stat().st_gid) != (owner.st_uid, owner.st_gid):
        os.chown(path, owner.st_uid, owner.st_gid)


def _tell(rows: int) -> None:
    print(f"{rows:,} rows", file=sys.stderr)


def _print_built(given: argparse.Namespace, built: Built, source: Source, seconds: float) -> None:
    head = built.head
    if given.json:
        unreadable = {name: {"count": count, "line": line} for name, (count, line) in built.unreadable.items()}
        more = {"encoding": source.encoding, "unreadable": unreadable, "elapsed_ms": round(seconds * 1000)}
        print_json(_as_json(head) | more)
        return
    print(f"{head.name}: {head.rows:,} rows of {given.file} ({source.encoding}) in {seconds:.1f} s")
    notes = []
    for column in head.columns:
        count, line = built.unreadable.get(column.name, (0, 0))
        said = [f"{count:,} values cannot be used, the first in line {line}"] if count else []
        said += [f"{column.left_out:,} values left out: too many rows have them"] if column.left_out else []
        notes.append((column.name, column.type, "; ".join(said)))
    print(table(notes, ("column", "type", "")))
    if len(head.columns) < head.least_fields:
        print(f"With {len(head.columns)} columns, only {head.least_rows} rows or more are found.")


def _as_json(head: Head) -> dict[str, object]:
    return {
        "name": head.name,
        "tenant": head.tenant,
        "created": head.created,
        "rows": head.rows,
        "columns": [{"name": c.name, "type": c.type, "left_out": c.left_out} for c in head.columns],
        "key_columns": [head.columns[number].name for number in head.key_columns],
        "least_rows": head.least_rows,
        "least_fields": head.least_fields,
    }


def _cells(head: Head) -> tuple[str, ...]:
    columns = ", ".join(f"{column.name} ({column.type})" for column in head.columns)
    return head.name, head.tenant, f"{head.rows:,}", head.created, columns


def _column(text: str) -> tuple[str, ColumnType]:
    heading, _, kind = text.rpartition("=")
    known = next((word for word in COLUMN_TYPES if word == kind), None)
    if not heading or known is None:
        raise argparse.ArgumentTypeError(f"expected HEADING=TYPE with one of {', '.join(COLUMN_TYPES)}")
    return heading, known


def _positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError("must be 1 or more")
    return number


def _at_least_two(text: str) -> int:
    number = int(text)
    if number < 2:
        raise argparse.ArgumentTypeError("must be 2 or more")
    return number
