"""What tenants have registered: files in a folder for each tenant, opened, and opened anew where they change."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Generic, TypeVar
from urllib.parse import quote, unquote

from sekisho.config.locations import Problem

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

Content = TypeVar("Content")
Stamp = tuple[int, int, int]
_NOBODY = "%"  # the folder of the tenant without a name: no other name is quoted so


def tenant_folder(directory: Path, tenant: str) -> Path:
    """Where a tenant's files are: directly below `directory`, whatever the tenant is called."""
    name = quote(tenant, safe="")
    return directory / ((name if name.strip(".") else name.replace(".", "%2E")) or _NOBODY)


def tenant_of(path: Path) -> str:
    """Whose a file is."""
    name = path.parent.name
    return "" if name == _NOBODY else unquote(name)


class TenantFiles(Generic[Content]):
    """The files as they were when opened. Immutable: after a change they are opened again."""

    def __init__(self, directory: Path, fits: Callable[[str], bool]) -> None:
        """Nothing opened. `fits` tells the files by their names."""
        self._directory = directory
        self._fits = fits
        self._stamps: dict[Path, Stamp] = {}
        self._opened: dict[Path, tuple[Stamp, Content]] = {}

    def again(
        self, opener: Callable[[Path], Content], errors: tuple[type[Exception], ...], *, all_anew: bool = False
    ) -> tuple[TenantFiles[Content], list[Problem]]:
        """Open what is new or has changed, or all. Never raises.

        A file that cannot be opened is a problem, and so is a folder that cannot be listed; what was opened of it
        before stays. `opener` raises OSError or one of `errors`.
        """
        new: TenantFiles[Content] = TenantFiles(self._directory, self._fits)
        new._stamps, problems = _stamps(self._directory, self._fits)
        unlisted = {Path(problem.file) for problem in problems}
        for path, entry in self._opened.items():
            if path in new._stamps or path.parent in unlisted or self._directory in unlisted:
                new._opened[path] = entry
        for path, stamp in new._stamps.items():
            if not all_anew and path in self._opened and self._opened[path][0] == stamp:
                continue
            try:
                new._opened[path] = (stamp, opener(path))
            except OSError as error:
                problems.append(Problem(str(path), 0, "", error.strerror or "cannot be read"))
            except errors as error:
                problems.append(Problem(str(path), 0, "", str(error)))
        return new, problems

    def by_tenant(self) -> Mapping[str, tuple[Content, ...]]:
        """What was opened, by the names of the files."""
        found: dict[str, list[Content]] = {}
        for path, (_, content) in sorted(self._opened.items()):
            found.setdefault(tenant_of(path), []).append(content)
        return {tenant: tuple(contents) for tenant, contents in found.items()}

    def changed(self) -> bool:
        """Whether a file is another than the one last seen, or is new or gone. Microseconds. Never raises."""
        return _stamps(self._directory, self._fits)[0] != self._stamps


def _stamps(directory: Path, fits: Callable[[str], bool]) -> tuple[dict[Path, Stamp], list[Problem]]:
    """Each file with its time, size and number, and the folders that cannot be listed."""
    stamps: dict[Path, Stamp] = {}
    problems: list[Problem] = []
    for folder in _listed(directory, problems):
        if not folder.is_dir():
            continue
        for entry in _listed(Path(folder.path), problems):
            if not fits(entry.name):
                continue
            try:
                status = entry.stat()
            except FileNotFoundError:
                continue  # gone since: the next look will tell
            except OSError as error:
                problems.append(Problem(entry.path, 0, "", error.strerror or "cannot be read"))
            else:
                stamps[Path(entry.path)] = (status.st_mtime_ns, status.st_size, status.st_ino)
    return dict(sorted(stamps.items())), problems


def _listed(folder: Path, problems: list[Problem]) -> list[os.DirEntry[str]]:
    try:
        with os.scandir(folder) as entries:
            return list(entries)
    except FileNotFoundError:
        return []
    except OSError as error:
        problems.append(Problem(str(folder), 0, "", f"cannot be listed: {error.strerror}"))
        return []
