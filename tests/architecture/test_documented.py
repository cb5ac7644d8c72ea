"""Every setting, command and metric is documented, and nothing that no longer exists is."""

import argparse
import re
from pathlib import Path

import msgspec

from sekisho.cli.main import parser
from sekisho.config.settings import Settings
from sekisho.record.metrics import names

REFERENCE = Path(__file__).parents[2] / "docs" / "reference"

# TOML writes a list of tables as [[listener]] and a table by name as [tenant.NAME].
_TABLES = {"listener": "listener", "tenant": "tenant.NAME"}


def settings(struct=Settings, prefix=""):
    """Each setting as the documentation writes it: `limits.message_bytes`, `tenant.NAME.next_hop.hosts`."""
    for field in msgspec.structs.fields(struct):
        key = prefix + _TABLES.get(field.name, field.name) if not prefix else prefix + field.name
        inner = next((t for t in _types(field.type) if isinstance(t, type) and issubclass(t, msgspec.Struct)), None)
        if inner:
            yield from settings(inner, key + ".")
        else:
            yield key


def _types(annotation):
    yield annotation
    for argument in getattr(annotation, "__args__", ()):
        yield from _types(argument)


def commands(of=None, words=()):
    of = of or parser()
    inner = [action for action in of._actions if isinstance(action, argparse._SubParsersAction)]
    if not inner:
        yield " ".join(words), of
    for action in inner:
        for name, below in action.choices.items():
            yield from commands(below, (*words, name))


def headed(file, pattern):
    return set(re.findall(pattern, (REFERENCE / file).read_text(), re.MULTILINE))


def test_settings():
    assert headed("settings.md", r"^\| `([a-zA-Z_.]+)` \|") == set(settings())


def test_commands():
    assert headed("commands.md", r"^## `sekisho ([a-z -]+)`") == {name for name, _ in commands()}


def test_every_option_is_documented():
    text = (REFERENCE / "commands.md").read_text()
    missing = []
    for name, command in commands():
        section = text.partition(f"## `sekisho {name}`")[2].partition("\n## ")[0]
        for action in command._actions:
            option = next((o for o in action.option_strings if o.startswith("--")), None)
            if option and option not in ("--help", "--config", "--json") and f"`{option}" not in section:
                missing.append(f"{name} {option}")
    assert missing == []


def test_every_command_takes_config_and_has_an_example():
    for name, command in commands():
        assert "--config" in command.format_usage(), name
        assert "Example:\n  sekisho " in (command.epilog or ""), name


def test_metrics():
    assert headed("metrics.md", r"^\| `(sekisho_[a-z_]+)` \|") == set(names())
