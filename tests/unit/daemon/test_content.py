"""The content model put together, and what is said where its files are not whole."""

import pytest

from sekisho.config.settings import NoticeSettings, TenantSettings
from sekisho.config.shipped import shipped
from sekisho.daemon import content, learning
from sekisho.daemon.content import content_inspectors, model_problems
from sekisho.daemon.learning import TenantLayers, shipped_model
from sekisho.inspect.links.inspector import Links
from sekisho.inspect.links.lists import load_lists


def test_the_model_that_ships_is_whole():
    assert model_problems() == []


@pytest.mark.parametrize(("octets", "why"), [(None, "is missing"), (b"", "not a model file")])
def test_a_model_that_is_not_whole_is_named(monkeypatch, tmp_path, octets, why):
    file = tmp_path / "content.model"
    if octets is not None:
        file.write_bytes(octets)
    monkeypatch.setattr(learning, "shipped", lambda name: file)
    monkeypatch.setattr(content, "shipped", lambda name: file)
    shipped_model.cache_clear()
    try:
        (problem,) = model_problems()
    finally:
        shipped_model.cache_clear()
    assert str(file) in str(problem)
    assert why in str(problem)


def test_explanations_are_in_the_language_of_the_tenants_notices():
    tenants = {"a": TenantSettings(notice=NoticeSettings(language="ja")), "b": TenantSettings()}
    links = Links(load_lists(shipped("lists")))
    (inspector,) = content_inspectors(links, TenantLayers(None, {}, None), tenants)
    assert inspector._languages == {"a": "ja", "b": "both"}
