"""Writes docs/reference/dlp.md from the rules: `make dlp-page`. A test compares the two."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

from sekisho.inspect.check_digits import Number
from sekisho.inspect.rules import Rule, load_rules
from sekisho.inspect.validators import VALIDATORS

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs" / "reference" / "dlp.md"
RULES = ROOT / "rules" / "dlp"
LONGEST_EXAMPLE = 80

HEAD = """# What is looked for: data that must not leave

Made from the rules in `rules/dlp` by `make dlp-page`; changes here are lost. How a rule is written is in
[rules.md](rules.md), how well they do in [dlp-bench.md](dlp-bench.md), what is done with what is found in
[policy.md](policy.md).

- **example**: a text that the rule must find; `{{…}}` stands for a value that is made when it is tested.
- **check**: what a match must pass to count.
- **context**: words that make a match surer when they stand within so many characters of it; those in *italics* count
  only as they are written. "Headings" are the subject, the file's name and the first line of an attachment.
- **confidence**: how likely it is that a match is what the rule says, 0 to 1: by itself, near a word of the context,
  and as one of five or more of which nine in ten pass the check. 0 is no finding. The built-in policy acts from 0.75
  on.
- **severity**: for one value, and from how many different ones on it is worse.

"""

# How the folders are called, in the order of the page; the other folders are countries.
_FOLDERS = {
    "": "Everywhere",
    "jp": "Japan",
    "secret": "Secrets",
    "mark": "Marks of confidentiality",
    "medical": "Health",
    "exact": "Registered lists",
    "fingerprint": "Registered documents",
}
_COUNTRIES = {
    "at": "Austria", "au": "Australia", "be": "Belgium", "bg": "Bulgaria", "br": "Brazil", "ca": "Canada",
    "ch": "Switzerland", "cn": "China", "cz": "Czechia and Slovakia", "de": "Germany", "dk": "Denmark",
    "ee": "Estonia and Lithuania", "es": "Spain", "fi": "Finland", "fr": "France", "gr": "Greece", "hr": "Croatia",
    "ie": "Ireland", "il": "Israel", "in": "India", "is": "Iceland", "it": "Italy", "kr": "Korea", "mx": "Mexico",
    "nl": "Netherlands", "no": "Norway", "pl": "Poland", "pt": "Portugal", "ro": "Romania", "se": "Sweden",
    "sg": "Singapore", "si": "Slovenia and its neighbours", "th": "Thailand", "tr": "Türkiye", "uk": "United Kingdom",
    "us": "United States", "za": "South Africa",
}  # fmt: skip


def main() -> None:
    PAGE.write_text(page(), encoding="utf-8")


def page() -> str:
    """The whole page. Exits with the mistakes where the rules have any."""
    loaded, problems = load_rules([RULES])
    if loaded is None:
        raise SystemExit("\n".join(map(str, problems)))
    groups: dict[str, list[Rule]] = {}
    for rule in loaded.by_id.values():
        groups.setdefault(_title(rule), []).append(rule)
    order = [*_FOLDERS.values(), *sorted(set(groups) - set(_FOLDERS.values()))]
    sections = [f"## {title}\n\n" + "\n".join(map(_section, groups[title])) for title in order if title in groups]
    count = len(loaded.by_id)
    index = "\n".join(f"- [{title}](#{_anchor(title)}): {len(groups[title])}" for title in order if title in groups)
    return f"{HEAD}{count} rules:\n\n{index}\n\n" + "\n".join(sections)


def _title(rule: Rule) -> str:
    folder = rule.id.split("/")[1] if rule.id.count("/") > 1 else ""
    return _FOLDERS.get(folder) or _COUNTRIES.get(folder) or folder


def _anchor(title: str) -> str:
    return re.sub(r"[^\w-]", "", title.lower().replace(" ", "-"))


def _section(rule: Rule) -> str:
    rows = "".join(f"| {name} | {text} |\n" for name, text in _rows(rule) if text)
    return f"### `{rule.id}`\n\n{rule.title.en} / {rule.title.ja}. {rule.why.en}\n\n| | |\n|---|---|\n{rows}"


def _rows(rule: Rule) -> Iterator[tuple[str, str]]:
    if rule.positive:
        yield "example", _code(rule.positive[0].text)
    if rule.all_patterns:
        yield "where", ", ".join(rule.where)
    yield "check", _check(rule.validator)
    yield "context", _context(rule)
    yield "confidence", _confidence(rule) if rule.all_patterns else ""
    yield "severity", _severity(rule)
    yield "references", " ".join(f"<{link}>" if "://" in link else link for link in rule.references)


def _check(name: str) -> str:
    if not name:
        return ""
    check = VALIDATORS[name]
    said = _digits(check) if isinstance(check, Number) else (check.__doc__ or "").strip().partition("\n")[0]
    return _cell(f"`{name}`: {said}" if said else f"`{name}`")


def _digits(number: Number) -> str:
    lengths = " or ".join(map(str, number.lengths))
    checks = ", ".join(f"a check digit modulo {check.modulus}" for check in number.checks)
    more = (getattr(number.also, "__doc__", None) or "").strip().partition("\n")[0]
    return ". ".join(filter(None, (", ".join(filter(None, (f"{lengths} digits", checks))), more)))


def _context(rule: Rule) -> str:
    context = rule.context
    if context is None:
        return ""
    words = [*map(_word, context.words), *(f"*{_word(word)}*" for word in context.acronyms)]
    headings = " and in headings" if context.headings else ""
    return _cell(f"{', '.join(words)}; within {context.window}{headings}")


def _word(word: str) -> str:
    return word.strip().replace("\n", " ").replace("*", r"\*").replace("_", r"\_")


def _confidence(rule: Rule) -> str:
    sure = rule.sureness
    named = (("alone", sure.alone), ("in context", sure.in_context), ("in bulk", sure.in_bulk))
    return ", ".join(f"{name} {value:g}" for name, value in named if value is not None)


def _severity(rule: Rule) -> str:
    steps = "".join(f", {word} from {least}" for least, word in sorted(rule.by_count.items()))
    least = f"; no finding below {rule.least}" if rule.least > 1 else ""
    return f"{rule.severity}{steps}{least}"


def _code(text: str) -> str:
    line = text.replace("\n", " ⏎ ").replace("\t", " ").replace("`", "'")
    return f"`{_cell(line if len(line) <= LONGEST_EXAMPLE else line[:LONGEST_EXAMPLE] + '…')}`"


def _cell(text: str) -> str:
    return text.replace("|", r"\|")


if __name__ == "__main__":
    main()
