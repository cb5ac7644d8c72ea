"""What the parser says of a file or a message repeats nothing of it: names and addresses go through `parse.said`.

In every sentence that is put together below `parse`, each value is a call of `said`, or one of those listed here,
which are words or numbers of our own. Whoever writes a new one is told by this test.
"""

import ast
from pathlib import Path

SOURCE = Path(__file__).parents[2] / "src" / "sekisho" / "parse"
TELLS = frozenset(("finding", "_found", "add", "Oddity", "Judged", "_unreadable", "anomalies.append"))
NAMES = frozenset(("why", "says", "shape", "starts", "more", "told"))
# Our own words: kinds of files, causes put together elsewhere, classes of errors, settings' names, counts.
OURS = frozenset((
    "kind", "name", "opening.kind", "payload.kind", "_name(kind)", "_name(opening.kind)", "sort", "shape", "why",
    "trouble", "error", "type(error).__name__", "step.__name__", "starts", "what", "more", "identifier", "title",
    "identity", "extension", "before", "_NO_KEY", "_MOST_PAGES", "MOST_LINKS", "MOST_OCTETS // 1000000", "count",
    "number", "behind", "method", "header[2]", "version", "width", "height", "machine", "len(name)", "len(names)",
    "len(files)", "len(found.entries)", "len(opener.closed)", "len(seen.closed)", "', '.join(says)", "embeds[1]",
    "match[1].decode()", "_BAD_CLASSES[entry.class_id]", "_BAD_CONTROLS[class_id]", "_LOADED_WHEN_OPENED[suffix]",
    "', '.join([*runs, *writes, *hides][:8])", "', '.join(map(said.starter, autorun[:3]))", "codec", "packages",
    "', '.join(missing)", "self.codec",
    "extension if extension in _RUN else kind", "said.target(sender) if '//' in sender else sender",
    "said.target(targets[0]) if targets else 'nothing'",
))  # fmt: skip


def sentences(tree):
    """The f-strings that tell something: arguments of what tells, of errors, and values of the names for reasons."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            called = ast.unparse(node.func)
            if any(called == one or called.endswith(f".{one}") for one in TELLS) or called.endswith("Error"):
                yield from (inner for argument in node.args for inner in strings(argument))
        elif isinstance(node, ast.Assign | ast.AugAssign):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            if any(isinstance(n, ast.Name) and n.id in NAMES for t in targets for n in ast.walk(t)):
                yield from strings(node.value)
        elif isinstance(node, ast.Return) and node.value is not None:
            yield from (s for s in strings(node.value) if starts_in_words(s))


def strings(node):
    return [n for n in ast.walk(node) if isinstance(n, ast.JoinedStr)]


def starts_in_words(string):
    """Whether it is a sentence: a returned path or line begins otherwise."""
    first = string.values[0]
    return isinstance(first, ast.Constant) and first.value[:1].islower() and " " in first.value


def values(string):
    return [value for value in string.values if isinstance(value, ast.FormattedValue)]


def unknown(tree):
    for string in sentences(tree):
        if not any(isinstance(v, ast.Constant) and " " in v.value for v in string.values):
            continue
        for value in values(string):
            text = ast.unparse(value.value)
            if value.conversion != -1 or not (text in OURS or is_said(value.value)):
                yield f"{string.lineno}: {text}"


def is_said(node):
    called = node.func if isinstance(node, ast.Call) else None
    return isinstance(called, ast.Attribute) and isinstance(called.value, ast.Name) and called.value.id == "said"


def test_nothing_a_sender_wrote_is_repeated():
    found = {
        str(path.relative_to(SOURCE)): told
        for path in sorted(SOURCE.rglob("*.py"))
        if path.name != "said.py" and (told := list(unknown(ast.parse(path.read_text(encoding="utf-8")))))
    }
    assert found == {}


def test_a_new_one_is_met():
    new = (
        'opening.finding("a", HIGH, f"leads to {target}")\nwhy = f"opens {name[:9]}"\n'
        'raise CorruptError(f"no {kind!r}")'
        '\nopening.finding("a", HIGH, f"leads to {said.target(target)}")'
    )
    assert sorted(unknown(ast.parse(new))) == ["1: target", "2: name[:9]", "3: kind"]
