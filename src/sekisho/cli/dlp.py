"""`sekisho dlp`: the lists whose rows must not leave: make one of a CSV file, see what there is, remove one."""

from __future__ import annotations

import argparse
import re
import sys
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sekisho.cli import dlp_documents
from sekisho.cli.dlp_documents import derived_key
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
from sekisho.inspect.exact.lists import PURPOSE, SUFFIX, ExactLists
from sekisho.inspect.exact.source import Source, SourceError
from sekisho.inspect.exact.table import Head
from sekisho.store.files import make_folder, whole_file
from sekisho.store.tenant_files import tenant_folder

if TYPE_CHECKING:
    from collections.abc import Callable

    from sekisho.config.load import Configuration
    from sekisho.config.locations import Problem

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
    parser.add_argument(
        "--rows", type=_number_from(1), default=5, help="with two fields each are a finding (default: 5)"
    )
    parser.add_argument("--fields", type=_number_from(2), default=3, help="of one row are a finding (default: 3)")
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
        key = derived_key(configuration, PURPOSE)
        make_folder(directory)
        with whole_file(path) as stream:
            built = build(source, plan, key, stream, _tell)
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
    folder = _directory(configuration, given.tenant) if given.tenant is not None else None
    lists, problems = _opened(configuration)
    heads = [one.head for one in (lists.of(given.tenant) if folder else lists)]
    if given.json:
        for head in heads:
            print_json(_as_json(head))
    elif heads:
        print(table(map(_cells, heads), ("name", "tenant", "rows", "made", "columns")))
    else:
        print("no lists")
    wrong = [one for one in problems if folder is None or _is_about(Path(one.file), folder)]
    for problem in wrong:
        print(f"sekisho: {problem}", file=sys.stderr)
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
    return tenant_folder(_root(configuration), tenant)


def _opened(configuration: Configuration) -> tuple[ExactLists, list[Problem]]:
    """All lists. Where none was ever made there is no need for a key, and none is made."""
    if not any(_root(configuration).glob(f"*/*{SUFFIX}")):
        return ExactLists.open(_root(configuration), b"")
    return ExactLists.open(_root(configuration), derived_key(configuration, PURPOSE, create=False))


def _is_about(path: Path, folder: Path) -> bool:
    """Whether a problem with a file or folder concerns a tenant."""
    return folder in (path, path.parent) or path == folder.parent


def _path(directory: Path, name: str) -> Path:
    if not _NAME.fullmatch(name):
        raise CommandError(f"{name!r} cannot be a list's name: lower-case letters, digits, - and _; give --name")
    return directory / f"{name}{SUFFIX}"


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
    if head.most_fields < head.least_fields:
        fields = f"{head.most_fields} columns that count"
        print(f"With {fields} (all names of a row are one), only {head.least_rows} rows or more are found.")


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


def _number_from(least: int) -> Callable[[str], int]:
    def read(text: str) -> int:
        if not text.isascii() or not text.isdecimal() or int(text) < least:
            raise argparse.ArgumentTypeError(f"must be a number, {least} or more")
        return int(text)

    return read
