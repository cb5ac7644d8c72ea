import tomllib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sekisho.config.locations import Locations, joined, locate

TEXT = '''# a comment = 1
plain = 1
dotted.one = 2  # [not.a.table]
"quoted.key" = 3
'literal "key"' = 4
long = """
not = "a key"
[nor.a.table]
""" # after
raw = \'\'\'
x = 1\'\'\'\'
ends_in_quotes = """a"""""
list = [
  1, # one ]
  { deep = "}", deeper.yet = 2 },
  [ 2,
    3 ],
]
moment = 1979-05-27 07:32:00
after = "last"

[table.sub]
k = 1
[table]
k = 2
[[array]]
k = 1
[array.child]
k = 1
[[array]]
[[array.nested]]
k = 1
[[array.nested]]
k = 2
'''


def test_each_key_has_its_line():
    tomllib.loads(TEXT)
    lines = locate("f", TEXT).lines
    expected = {
        "plain": 2,
        "dotted": 3,
        "dotted.one": 3,
        '"quoted.key"': 4,
        '"literal \\"key\\""': 5,
        "long": 6,
        "raw": 10,
        "ends_in_quotes": 12,
        "list": 13,
        "list[0]": 14,
        "list[1]": 15,
        "list[1].deep": 15,
        "list[1].deeper.yet": 15,
        "list[2]": 16,
        "list[2][0]": 16,
        "list[2][1]": 17,
        "moment": 19,
        "after": 20,
        "table.sub": 22,
        "table.sub.k": 23,
        "table": 24,
        "table.k": 25,
        "array": 26,
        "array[0]": 26,
        "array[0].k": 27,
        "array[0].child": 28,
        "array[0].child.k": 29,
        "array[1]": 30,
        "array[1].nested": 31,
        "array[1].nested[0].k": 32,
        "array[1].nested[1].k": 34,
    }
    assert {k: lines.get(k) for k in expected} == expected
    assert not [k for k in lines if "nor" in k or k.startswith("not")]


def test_an_unknown_key_has_the_line_of_the_table_around_it():
    locations = Locations("f", {"a": 1, "a[0]": 3, 'a[0]."x.y"': 4})
    assert locations.line('a[0]."x.y".z[3].q') == 4
    assert locations.line("a[0].missing") == 3
    assert locations.line("a[7].b") == 1
    assert locations.line("b") == 0


KEYS = st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"]), max_size=6)
SCALARS = st.one_of(st.integers(0, 99), st.text('ab]}#,"\n=[', max_size=5), st.booleans())


def written(value):
    if isinstance(value, dict):
        return "{" + ", ".join(f"{joined('', k)} = {written(v)}" for k, v in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(written(v) for v in value) + "]"
    if isinstance(value, str):
        return '"' + value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n") + '"'
    return str(value).lower()


def paths(value, key):
    yield key
    if isinstance(value, dict):
        for name, inner in value.items():
            yield from paths(inner, joined(key, name))
    if isinstance(value, list):
        for i, inner in enumerate(value):
            yield from paths(inner, f"{key}[{i}]")


VALUES = st.recursive(SCALARS, lambda v: st.lists(v, max_size=3) | st.dictionaries(KEYS, v, max_size=3), max_leaves=8)


@given(st.dictionaries(KEYS, VALUES, max_size=5))
def test_every_key_of_any_table_is_located_on_its_line(table):
    text = "".join(f"{joined('', k)} = {written(v)}\n" for k, v in table.items())
    assert tomllib.loads(text) == table
    expected = {p: n for n, (k, v) in enumerate(table.items(), 1) for p in paths(v, joined("", k))}
    assert locate("f", text).lines == expected


@pytest.mark.parametrize("text", ["", "\n\n", "# only a comment"])
def test_an_empty_file_has_no_keys(text):
    assert locate("f", text).lines == {}
