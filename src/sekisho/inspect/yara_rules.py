"""YARA-X rule files, compiled by the gateway for the processes that open attachments."""

from __future__ import annotations

import re
from io import BytesIO
from typing import TYPE_CHECKING

import yara_x

from sekisho.config.toml import Problem
from sekisho.mail.finding import Severity

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

_SUFFIXES = (".yar", ".yara")
_FINDING = re.compile(r"(?:malware|attachment)/[a-z0-9]+(?:-[a-z0-9]+)*")


def load_yara(paths: Sequence[Path]) -> tuple[bytes, list[Problem]]:
    """Compile rule files, and every `*.yar` and `*.yara` below directories, each file in a namespace of its own.

    Returns the compiled rules as `JobConfiguration.yara` takes them: b"" where there is no rule, or any problem.
    `include` is refused: a rule file brings all it needs. Never raises.
    """
    problems: list[Problem] = []
    compiler = yara_x.Compiler(includes_enabled=False)
    files = list(_files(paths, problems))
    for path in files:
        problems += _add(compiler, path)
    if problems or not files:
        return b"", problems
    rules = compiler.build()
    problems += [p for rule in rules for p in _metadata_problems(rule)]
    if problems:
        return b"", problems
    compiled = BytesIO()
    rules.serialize_into(compiled)
    return compiled.getvalue(), []


def _files(paths: Sequence[Path], problems: list[Problem]) -> Iterator[Path]:
    seen: set[Path] = set()
    for path in paths:
        if not path.exists():
            problems.append(Problem(str(path), 0, "", "no such file or directory"))
            continue
        below = sorted(p for p in path.rglob("*") if p.suffix in _SUFFIXES) if path.is_dir() else [path]
        for file in below:
            if file.is_file() and file.resolve() not in seen:
                seen.add(file.resolve())
                yield file


def _add(compiler: yara_x.Compiler, path: Path) -> list[Problem]:
    """Add one file; what is wrong with it, all at once."""
    try:
        source = path.read_text("utf-8", "replace")
    except OSError as error:
        return [Problem(str(path), 0, "", error.strerror or "cannot be read")]
    before = len(compiler.errors())
    compiler.new_namespace(str(path))
    try:
        compiler.add_source(source, origin=str(path))
    except yara_x.CompileError:
        return [_problem(str(path), error) for error in compiler.errors()[before:]]
    return []


def _problem(file: str, error: dict[str, object]) -> Problem:
    line = error.get("line")
    labels = error.get("labels")
    detail = str(labels[0].get("text", "")) if isinstance(labels, list) and labels else ""
    text = str(error.get("title", "does not compile"))
    return Problem(file, line if isinstance(line, int) else 0, "", f"{text}: {detail}" if detail else text)


def _metadata_problems(rule: yara_x.Rule) -> Iterator[Problem]:
    """`finding` and `severity` are ours where there is a finding; other people's rules may use the words freely."""
    metadata = dict(rule.metadata)
    if "finding" not in metadata:
        return
    key = f"{rule.identifier}.meta"
    if not _FINDING.fullmatch(str(metadata["finding"])):
        yield Problem(rule.namespace, 0, f"{key}.finding", "expected malware/name or attachment/name in lower case")
    if str(metadata.get("severity", "high")).upper() not in Severity.__members__:
        yield Problem(rule.namespace, 0, f"{key}.severity", "expected low, medium, high or critical")
