"""The country of a client's address, by a database that the administrator installs (MaxMind DB format 2.0)."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from ipaddress import ip_address
from pathlib import Path
from typing import Any, Protocol

from msgspec import Struct


class Place(Struct, frozen=True):
    """Where an address is: ISO 3166-1's two letters, "" for unknown, and latitude and longitude in degrees."""

    country: str = ""
    place: tuple[float, float] | None = None


class CountryOf(Protocol):
    """Tells where addresses are. Never raises: what it does not know is `Place()`."""

    def __call__(self, address: str, /) -> Place:
        """Where an address is."""
        ...


class CountryFileError(Exception):
    """The database cannot be used; the text says why, with the file."""


def nowhere(_address: str) -> Place:
    """A `CountryOf` that knows nothing: no database is installed."""
    return Place()


class CountryFile:
    """A `CountryOf` that looks into a file. Raises CountryFileError when it is made; a look-up takes microseconds.

    Countries come from `country` (or `registered_country`), places from `location` where the database has it.
    """

    def __init__(self, file: Path) -> None:
        try:
            library = importlib.import_module("maxminddb")
        except ImportError as error:
            raise CountryFileError(f"{file}: needs the extra \"country\" (pip install 'sekisho[country]')") from error
        try:
            # Read whole: a file that is replaced under way must not be seen half old, half new.
            self._reader: Any = library.open_database(str(file), library.MODE_MEMORY)
        except (OSError, ValueError, library.InvalidDatabaseError) as error:
            raise CountryFileError(f"{file}: {error}") from error
        self._broken: type[Exception] = library.InvalidDatabaseError

    def __call__(self, address: str, /) -> Place:
        """Where an address is."""
        try:
            found = self._reader.get(ip_address(address.partition("%")[0]))
        except (ValueError, KeyError, self._broken):
            return Place()
        return Place(_country(found), _place(found))


def country_of(file: Path | None) -> CountryOf:
    """The database in a file, or one that knows nothing for None. Raises CountryFileError."""
    if file is None:
        return nowhere
    return CountryFile(file)


def _country(found: object) -> str:
    for name in ("country", "registered_country"):
        code = _below(_below(found, name), "iso_code")
        if isinstance(code, str) and len(code) == 2:
            return code.upper()
    return ""


def _place(found: object) -> tuple[float, float] | None:
    location = _below(found, "location")
    latitude, longitude = _below(location, "latitude"), _below(location, "longitude")
    if isinstance(latitude, int | float) and isinstance(longitude, int | float):
        return float(latitude), float(longitude)
    return None


def _below(found: object, name: str) -> object:
    return found.get(name) if isinstance(found, Mapping) else None
