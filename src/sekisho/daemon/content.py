"""The content model put together: the shipped model, what reads mail for it, and what tenants have taught."""

from __future__ import annotations

from collections.abc import Mapping

from sekisho.config.locations import Problem
from sekisho.config.settings import NoticeSettings, TenantSettings
from sekisho.config.shipped import shipped
from sekisho.daemon.learning import TenantLayers, shipped_model
from sekisho.inspect.content.concepts import Concepts
from sekisho.inspect.content.inspector import Content
from sekisho.inspect.content.reading import Reader
from sekisho.inspect.links.inspector import Links
from sekisho.learn.model import ModelError
from sekisho.mail.ports import Inspector


def model_problems() -> list[Problem]:
    """What is wrong with the files of the content model that come with this version; normally nothing."""
    file = str(shipped("models/content.model"))
    try:
        return [] if shipped_model() is not None else [Problem(file, 0, "", "is missing; it comes with Sekisho")]
    except (ModelError, OSError) as error:
        return [Problem(file, 0, "", str(error))]


def content_reader(links: Links) -> Reader:
    """What reads mail for the content model, with the lists of this version. Raises OSError, ValueError."""
    return Reader(links, Concepts.load(shipped("lists/concepts.toml")))


def content_inspectors(
    links: Links, layers: TenantLayers, tenants: Mapping[str, TenantSettings]
) -> tuple[Inspector, ...]:
    """The inspector "content". Explanations are in the language of a tenant's notices."""
    model = shipped_model()
    if model is None:
        return ()
    languages = {name: (tenant.notice or NoticeSettings()).language for name, tenant in tenants.items()}
    return (Content(model, content_reader(links), layers, languages),)
