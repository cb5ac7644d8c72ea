"""The inspectors of false senders and of what is said in a company's name, put together from tenants' settings."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from sekisho.config.load import Configuration
from sekisho.config.locations import Problem
from sekisho.config.settings import TenantSettings
from sekisho.inspect.content.impersonation import Impersonation
from sekisho.inspect.content.own_name import OwnName
from sekisho.inspect.content.people import People, PeopleError, read_people
from sekisho.inspect.content.reflected import Reflected
from sekisho.inspect.content.tenant_names import Names
from sekisho.inspect.content.threads import Threads
from sekisho.inspect.links.lists import Lists
from sekisho.mail.ports import Inspector


def names_of(
    configuration: Configuration, tenants: Mapping[str, TenantSettings]
) -> tuple[Mapping[str, Names], list[Problem]]:
    """What each tenant calls its own, by tenant; a directory of people is read once for all that name it."""
    problems: list[Problem] = []
    read: dict[str, People] = {}
    for file in {tenant.people_file for tenant in tenants.values() if tenant.people_file}:
        read[file] = _people(configuration, file, problems)
    names = {
        name: Names.of(
            people=read.get(tenant.people_file, People()),
            companies=tenant.company_names,
            partners=tenant.partners,
            warners=tenant.warning_sources,
        )
        for name, tenant in tenants.items()
    }
    return names, problems


def sender_inspectors(
    lists: Lists, names: Mapping[str, Names], allowed_link_hosts: Iterable[str]
) -> tuple[Inspector, ...]:
    """For `Checks`."""
    return (
        Impersonation(lists, names),
        Threads(lists, names),
        OwnName(lists, names, allowed_link_hosts),
        Reflected(lists, names),
    )


def _people(configuration: Configuration, file: str, problems: list[Problem]) -> People:
    """The directory in a file; that it cannot be read is a problem said elsewhere."""
    path = configuration.path(file)
    try:
        return read_people(path.read_text("utf-8").splitlines())
    except PeopleError as error:
        problems.append(Problem(str(path), error.line, "", str(error)))
    except (OSError, ValueError):
        pass
    return People()
