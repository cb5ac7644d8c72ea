"""TOML files into frozen structs, strictly, and every error at once with its file, line and key."""

from __future__ import annotations

import re
import tomllib
from difflib import get_close_matches
from types import NoneType, UnionType
from typing import TYPE_CHECKING, Annotated, Any, Literal, TypeVar, Union, cast, get_args, get_origin

import msgspec
from msgspec.structs import FieldInfo, fields

from sekisho.config.locations import Locations, Problem, joined, locate

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["Locations", "Problem", "decode", "read_toml"]

T = TypeVar("T")

_BAD: Any = object()  # a value that has its problem already
_ARRAYS = (tuple, list, frozenset, set)
_AT_LINE = re.compile(r" \(at line (\d+), column (\d+)\)$")
_WORDS = {
    "int": "a whole number",
    "float": "a number",
    "str": "a string",
    "bool": "true or false",
    "array": "an array",
    "object": "a table",
    "null": "nothing",
}


def read_toml(path: Path) -> tuple[dict[str, Any] | None, Locations, list[Problem]]:
    """Read a TOML file in UTF-8 and note where its keys stand. Never raises: what is wrong is in the problems."""
    file = str(path)
    nowhere = Locations(file)
    try:
        text = path.read_bytes().decode("utf-8").replace("\r\n", "\n")
        return tomllib.loads(text), locate(file, text), []
    except OSError as error:
        return None, nowhere, [Problem(file, 0, "", f"cannot be read: {error.strerror or error}")]
    except UnicodeDecodeError as error:
        line = error.object[: error.start].count(b"\n") + 1
        return None, nowhere, [Problem(file, line, "", "is not UTF-8")]
    except tomllib.TOMLDecodeError as error:
        return None, nowhere, [_syntax_problem(file, text, str(error))]
    except RecursionError:
        return None, nowhere, [Problem(file, 0, "", "is nested too deeply")]


def decode(data: object, type_: type[T], locations: Locations, problems: list[Problem], prefix: str = "") -> T | None:
    """Turn what `read_toml` read, or a part of it that stands at the key `prefix`, into `type_`.

    Walks structs, tuples, dicts, unions and literals; appends one problem for each error and returns None where
    there was one. Unknown keys are errors whether or not the struct forbids them.
    """
    value = _Reader(locations, problems).value(data, type_, prefix)
    return None if value is _BAD else cast("T", value)


def _syntax_problem(file: str, text: str, message: str) -> Problem:
    place = _AT_LINE.search(message)
    if place:
        return Problem(file, int(place[1]), "", f"{message[: place.start()]} (column {place[2]})")
    line = text.rstrip("\n").count("\n") + 1
    return Problem(file, line, "", message)


class _Reader:
    """Walks data and type side by side; each method returns the converted value or `_BAD`."""

    def __init__(self, locations: Locations, problems: list[Problem]) -> None:
        self.locations = locations
        self.problems = problems

    def bad(self, key: str, text: str) -> Any:
        self.problems.append(self.locations.problem(key, text))
        return _BAD

    def value(self, data: Any, type_: Any, key: str) -> Any:
        origin = get_origin(type_)
        if origin in (Union, UnionType):
            return self.union(data, get_args(type_), key)
        if origin is Literal:
            return self.literal(data, get_args(type_), key)
        if isinstance(type_, type) and issubclass(type_, msgspec.Struct):
            return self.struct(data, type_, key)
        if origin in _ARRAYS:
            return self.array(data, type_, key)
        walk = {Annotated: self.constrained, dict: self.mapping}.get(origin, self.leaf)
        return walk(data, type_, key)

    def leaf(self, data: Any, type_: Any, key: str) -> Any:
        try:
            return msgspec.convert(data, type_)
        except msgspec.ValidationError as error:
            return self.bad(key, _in_words(str(error)))

    def constrained(self, data: Any, type_: Any, key: str) -> Any:
        inner = self.value(data, get_args(type_)[0], key)
        return inner if inner is _BAD else self.leaf(inner, type_, key)

    def literal(self, data: Any, words: tuple[Any, ...], key: str) -> Any:
        if any(data == word and type(data) is type(word) for word in words):
            return data
        known = ", ".join(_shown(word) for word in words)
        return self.bad(key, f"expected one of {known}, got {_shown(data)}{_suggestion(data, words)}")

    def union(self, data: Any, types: tuple[Any, ...], key: str) -> Any:
        """The one type that fits the value's shape; the words of all of them where several might."""
        types = tuple(t for t in types if t is not NoneType)
        fitting = [t for t in types if _fits(data, t)]
        if len(types) == 1 or len(fitting) == 1:
            return self.value(data, (fitting or types)[0], key)
        for type_ in fitting:
            trial: list[Problem] = []
            value = _Reader(self.locations, trial).value(data, type_, key)
            if not trial:
                return value
        expected = " or ".join(dict.fromkeys(_expected(t) for t in fitting or types))
        return self.bad(key, f"expected {expected}, got {_kind(data)}")

    def array(self, data: Any, type_: Any, key: str) -> Any:
        item_types = get_args(type_)
        if not isinstance(data, list):
            return self.bad(key, f"expected {_expected(type_)}, got {_kind(data)}")
        if get_origin(type_) is not tuple or item_types[-1] is Ellipsis:
            item_types = (item_types[0],) * len(data)
        if len(data) != len(item_types):
            return self.bad(key, f"expected {len(item_types)} values, got {len(data)}")
        values = [self.value(d, t, f"{key}[{i}]") for i, (d, t) in enumerate(zip(data, item_types, strict=True))]
        if any(v is _BAD for v in values):
            return _BAD
        return get_origin(type_)(values)

    def mapping(self, data: Any, type_: Any, key: str) -> Any:
        key_type, value_type = get_args(type_)
        if not isinstance(data, dict):
            return self.bad(key, f"expected a table, got {_kind(data)}")
        read: dict[Any, Any] = {}
        complete = True
        for name, value in data.items():
            place = joined(key, name)
            new_name, new_value = self.name(name, key_type, place), self.value(value, value_type, place)
            complete = complete and new_name is not _BAD and new_value is not _BAD
            if complete:
                read[new_name] = new_value
        return read if complete else _BAD

    def name(self, name: str, type_: Any, key: str) -> Any:
        """A key of a table as `type_`: TOML's keys are strings, so that numbers are read from their digits."""
        try:
            return msgspec.convert(name, type_, strict=False)
        except msgspec.ValidationError as error:
            return self.bad(key, f"the key: {_in_words(str(error))}")

    def struct(self, data: Any, type_: type[msgspec.Struct], key: str) -> Any:
        if not isinstance(data, dict):
            return self.bad(key, f"expected a table, got {_kind(data)}")
        known = {f.encode_name: f for f in fields(type_)}
        before = len(self.problems)
        self.unknown_keys(data, known, key)
        self.missing_keys(data, known, key)
        values = {
            f.name: self.value(data[name], f.type, joined(key, name)) for name, f in known.items() if name in data
        }
        if len(self.problems) > before:
            return _BAD
        try:
            return type_(**values)
        except (TypeError, ValueError) as error:  # raised by the struct's own __post_init__
            return self.bad(key, str(error))

    def unknown_keys(self, data: dict[str, Any], known: dict[str, FieldInfo], key: str) -> None:
        unused = [name for name in known if name not in data]
        for name in data:
            if name not in known:
                self.bad(joined(key, name), f"unknown key{_suggestion(name, tuple(unused))}")

    def missing_keys(self, data: dict[str, Any], known: dict[str, FieldInfo], key: str) -> None:
        for name, info in known.items():
            if info.required and name not in data:
                self.bad(joined(key, name), f"is missing (expected {_expected(info.type)})")


def _fits(data: Any, type_: Any) -> bool:
    """Whether a value has the outer shape of a type."""
    origin = get_origin(type_)
    if origin is Annotated:
        return _fits(data, get_args(type_)[0])
    if isinstance(data, dict):
        return origin is dict or (isinstance(type_, type) and issubclass(type_, msgspec.Struct))
    if isinstance(data, list):
        return origin in _ARRAYS
    if origin is Literal:
        return any(type(data) is type(word) for word in get_args(type_))
    return type_ is type(data) or (type_ is float and type(data) is int)


def _expected(type_: Any) -> str:
    """What a type takes, in words."""
    origin = get_origin(type_)
    if origin is Annotated:
        return _expected(get_args(type_)[0])
    if origin in (Union, UnionType):
        return " or ".join(_expected(t) for t in get_args(type_) if t is not NoneType)
    if origin is Literal:
        return "one of " + ", ".join(_shown(word) for word in get_args(type_))
    if origin in _ARRAYS:
        item = get_args(type_)[0]
        tables = isinstance(item, type) and issubclass(item, msgspec.Struct)
        return "an array of tables" if tables else "an array"
    if origin is dict or (isinstance(type_, type) and issubclass(type_, msgspec.Struct)):
        return "a table"
    return _WORDS.get(getattr(type_, "__name__", ""), f"a {getattr(type_, '__name__', type_)}")


def _kind(data: Any) -> str:
    """What a value is, in words."""
    if isinstance(data, dict):
        return "a table"
    if isinstance(data, list):
        return "an array"
    return _WORDS.get(type(data).__name__, f"a {type(data).__name__}")


def _shown(data: Any) -> str:
    if isinstance(data, str):
        return f'"{data}"'
    return _kind(data) if isinstance(data, (dict, list)) else str(data)


def _suggestion(word: Any, known: tuple[Any, ...]) -> str:
    words = [w for w in known if isinstance(w, str)]
    close = get_close_matches(word, words, n=1) if isinstance(word, str) else []
    return f" (did you mean {_shown(close[0])}?)" if close else ""


def _in_words(message: str) -> str:
    """The message of a msgspec error without its code words and its own path."""
    message = message.partition(" - at `$")[0]
    message = re.sub(r"`(\w+)`", lambda m: _WORDS.get(m[1], m[1]), message)
    return message[:1].lower() + message[1:]
