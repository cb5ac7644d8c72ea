from typing import Annotated, Literal

import pytest
from msgspec import Meta, Struct, field

from sekisho.config.settings import Settings
from sekisho.config.toml import Problem, decode, read_toml


class Inner(Struct, frozen=True):
    name: str
    level: Literal["low", "high"] = "low"
    from_: str = field(name="from", default="")


class Outer(Struct, frozen=True):
    size: int = 0
    ratio: float = 0.0
    on: bool = False
    inner: Inner | None = None
    rule: tuple[Inner, ...] = ()
    groups: dict[str, tuple[str, ...]] = field(default_factory=dict)
    tenants: dict[str, Inner] = field(default_factory=dict)
    words: str | tuple[str, ...] = ""
    pair: tuple[int, int] = (0, 0)
    port: Annotated[int, Meta(ge=1, le=65535)] = 25
    by_count: dict[int, str] = field(default_factory=dict)
    either: Inner | str = ""


class Checked(Struct, frozen=True):
    low: int
    high: int

    def __post_init__(self):
        if self.low > self.high:
            raise ValueError("low is above high")


def load(tmp_path, text, type_=Outer):
    path = tmp_path / "x.toml"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    data, locations, problems = read_toml(path)
    value = None if data is None else decode(data, type_, locations, problems)
    return value, problems


def test_every_kind_of_value_is_read(tmp_path):
    text = """
    size = 3
    ratio = 2
    on = true
    words = ["a", "b"]
    pair = [1, 2]
    by_count = { 10 = "high" }
    either = "text"
    inner = { name = "n", from = "f" }
    groups.a = ["x"]
    [[rule]]
    name = "r1"
    [[rule]]
    name = "r2"
    level = "high"
    [tenants."example.jp"]
    name = "t"
    """
    value, problems = load(tmp_path, text)
    assert problems == []
    assert value == Outer(
        size=3,
        ratio=2.0,
        on=True,
        inner=Inner("n", from_="f"),
        rule=(Inner("r1"), Inner("r2", "high")),
        groups={"a": ("x",)},
        tenants={"example.jp": Inner("t")},
        words=("a", "b"),
        pair=(1, 2),
        by_count={10: "high"},
        either="text",
    )


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("\nsise = 1", '2: sise: unknown key (did you mean "size"?)'),
        ("size = '1'", "1: size: expected a whole number, got a string"),
        ("on = 1", "1: on: expected true or false, got a whole number"),
        ("size = true", "1: size: expected a whole number, got true or false"),
        ("inner = 5", "1: inner: expected a table, got a whole number"),
        ("[rule]\nname = 'x'", "1: rule: expected an array of tables, got a table"),
        ("[[rule]]\nname = 'x'\n[[rule]]\n", "3: rule[1].name: is missing (expected a string)"),
        (
            "[[rule]]\nname = 'x'\nlevel = 'hihg'",
            '3: rule[0].level: expected one of "low", "high", got "hihg" (did you mean "high"?)',
        ),
        ("[groups]\na = 'x'", "2: groups.a: expected an array, got a string"),
        ("[groups]\na = [\n 'x',\n 5]", "4: groups.a[1]: expected a string, got a whole number"),
        ('[tenants."a.b"]\nname = 1', '2: tenants."a.b".name: expected a string, got a whole number'),
        ("words = 1", "1: words: expected a string or an array, got a whole number"),
        ("pair = [1]", "1: pair: expected 2 values, got 1"),
        ("port = 0", "1: port: expected a whole number >= 1"),
        ("[by_count]\nten = 'high'", "2: by_count.ten: the key: expected a whole number, got a string"),
        ("either = { nam = 'x' }", "1: either.nam: unknown key"),
    ],
)
def test_an_error_names_line_key_and_what_was_expected(tmp_path, text, expected):
    value, problems = load(tmp_path, text)
    assert value is None
    assert any(str(p).startswith(f"{tmp_path}/x.toml:{expected}") for p in problems), [str(p) for p in problems]


def test_all_errors_come_at_once(tmp_path):
    value, problems = load(tmp_path, "size = 'a'\nratio = 'b'\n[[rule]]\nx = 1\n[[rule]]\nname = 2\n")
    assert value is None
    assert [(p.line, p.key) for p in sorted(problems, key=lambda p: (p.line, p.key))] == [
        (1, "size"),
        (2, "ratio"),
        (3, "rule[0].name"),
        (4, "rule[0].x"),
        (6, "rule[1].name"),
    ]


def test_a_part_is_decoded_under_its_prefix(tmp_path):
    path = tmp_path / "x.toml"
    path.write_text("[[rule]]\nname = 'a'\n[[rule]]\nname = 5\n")
    data, locations, problems = read_toml(path)
    first, second = (decode(d, Inner, locations, problems, f"rule[{i}]") for i, d in enumerate(data["rule"]))
    assert first == Inner("a")
    assert second is None
    assert problems == [Problem(str(path), 4, "rule[1].name", "expected a string, got a whole number")]


def test_what_a_struct_itself_refuses_is_a_problem(tmp_path):
    value, problems = load(tmp_path, "low = 2\nhigh = 1", Checked)
    assert value is None
    assert [p.text for p in problems] == ["low is above high"]


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("a = 1\nb = \n", 2),
        ("a = 1\na = 2", 2),
        ("a = [1,\n2", 2),
        ('a = """\nx\n', 2),
        (b"a = 1\nb = '\xff'\n", 2),
        ("a = " + "[" * 20000, 0),
    ],
)
def test_what_is_not_toml_is_one_problem_with_its_line(tmp_path, text, line):
    value, problems = load(tmp_path, text)
    assert value is None
    assert [p.line for p in problems] == [line]


def test_an_unreadable_file_is_a_problem(tmp_path):
    data, _, problems = read_toml(tmp_path / "absent.toml")
    assert data is None
    assert str(problems[0]).startswith(f"{tmp_path}/absent.toml: cannot be read: ")


def test_the_settings_decode(tmp_path):
    value, problems = load(tmp_path, "[[listener]]\nname = 'a'\naddress = '127.0.0.1:25'\n", Settings)
    assert problems == []
    assert value.listener[0].address == "127.0.0.1:25"
