"""What watches accounts' habits in a worker, put together from tenants' settings."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from pathlib import Path

from sekisho.accounts.behaviour.country import CountryFileError, CountryOf, country_of, nowhere
from sekisho.accounts.behaviour.seeing import Seeing
from sekisho.accounts.behaviour.watch import ProfileMemory, Watch
from sekisho.config.account_settings import BehaviourSettings
from sekisho.config.settings import TenantSettings
from sekisho.mail.ports import Directory

log = logging.getLogger(__name__)


def watch_of(
    memory: ProfileMemory,
    key: bytes,
    tenants: Mapping[str, TenantSettings],
    path: Callable[[str], Path],
    directory: Directory,
) -> Watch:
    """One watch for all tenants, each with the database of countries that it names; `key` keys the hashes.

    A database that can no longer be read is logged, and its tenants are watched without it.
    """
    settings = {name: tenant.behaviour or BehaviourSettings() for name, tenant in tenants.items()}
    countries = {file: _countries(file, path) for file in {of.country_file for of in settings.values()}}
    seeing = {name: Seeing(key, countries[of.country_file]) for name, of in settings.items()}
    return Watch(memory, seeing, settings, directory)


def _countries(file: str, path: Callable[[str], Path]) -> CountryOf:
    try:
        return country_of(path(file) if file else None)
    except CountryFileError as error:
        log.warning("accounts are watched without countries: %s", error)
        return nowhere
