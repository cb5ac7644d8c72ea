"""The tables of what is found: each labelled set, all sets by entity, and where we fall short."""

from __future__ import annotations

from typing import TYPE_CHECKING

import dlp_sets
from dlp_score import Found, Score, scores
from msgspec import Struct
from table import table

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from dlp_sets import Labelled, Set

SURE = 0.5  # where both tools are asked for what is more likely than not
HOLDS = 0.75  # the built-in policy counts a finding from here on
TARGET = 0.98
_NONE = ["-"] * 4


class _Anything:
    """Every kind of finding counts."""

    def __contains__(self, _: object) -> bool:
        return True


class _Secrets:
    """Every rule about secrets counts."""

    def __contains__(self, kind: object) -> bool:
        return str(kind).startswith("dlp/secret/")


class Looked(Struct, frozen=True):
    """A labelled set and what each tool found in each of its texts."""

    labelled: Set
    found: dict[str, dict[str, list[Found]]]

    @property
    def peer(self) -> str:
        """The other tool that looked through this set, "" for none."""
        return next((tool for tool in self.found if tool != "sekisho"), "")

    def scores(self, tool: str, least: float = 0.0, *, refused: bool = True) -> dict[str, Score]:
        """By entity; without `refused`, texts with values that python-stdnum calls invalid are left out."""
        texts = [t for t in self.labelled.texts if refused or not t.refused]
        return scores(texts, [self.found[tool][t.text] for t in texts], kinds_of(tool), least)


def kinds_of(tool: str) -> Mapping[str, Collection[str]]:
    """What a tool calls each entity."""
    entities = dlp_sets.ENTITIES
    if tool == "sekisho":
        kinds: dict[str, Collection[str]] = {e.name: {e.rule} for e in entities}
        return kinds | {rule: {rule} for rule in dlp_sets.JAPANESE} | {dlp_sets.SECRET: _Secrets()}
    if tool == "presidio":
        return {e.name: {e.presidio} for e in entities if e.presidio}
    return {dlp_sets.SECRET: _Anything()}


def of_set(looked: Looked) -> str:
    """A set's table: precision, recall, F1, and F1 of what is more likely than not."""
    peer = looked.peer
    columns = {tool: (looked.scores(tool), looked.scores(tool, SURE)) for tool in looked.found}
    head = ["entity", "values", "P", "R", "F1", "F1 sure"]
    if peer:
        head += [f"{peer} P", "R", "F1", "F1 sure"]
    entities = list(columns["sekisho"][0])
    rows = [_row(e, *[(any_.get(e), sure.get(e)) for any_, sure in columns.values()]) for e in entities]
    if len(entities) > 1:
        both = [e for e in entities if not peer or e in columns[peer][0]]
        sums = [(_sum(any_, both), _sum(sure, both)) for any_, sure in columns.values()]
        rows.append(_row("all that both know" if peer else "all", *sums))
    return table(f"{looked.labelled.title} ({len(looked.labelled.distinct)} texts)", head, rows)


def _row(entity: str, own: tuple[Score, Score], *others: tuple[Score | None, Score | None]) -> list[str]:
    row = [entity, str(own[0].right + own[0].missed), *_three(own[0]), number(own[1].f1)]
    for any_, sure in others:
        row += [*_three(any_), number(sure.f1)] if any_ and sure else _NONE
    return row


def summary(all_looked: list[Looked]) -> str:
    """By entity over all sets where a number's name stands near it."""
    sets = [one for one in all_looked if not one.labelled.bare]
    rows = []
    short: list[str] = []
    for entity in dict.fromkeys(t.entity for one in sets for t in one.labelled.texts):
        own, own_valid = _over(sets, "sekisho", entity, SURE), _over(sets, "sekisho", entity, SURE, refused=False)
        peer = _peer_of(sets, entity)
        other = _over(sets, peer, entity) if peer else None
        other_valid = _over(sets, peer, entity, refused=False) if peer else None
        marks = [
            f"below {TARGET}" if (own_valid.f1 or 0) < TARGET else "",
            f"below {peer}" if other_valid and (own_valid.f1 or 0) < (other_valid.f1 or 0) else "",
        ]
        verdict = ", ".join(filter(None, marks))
        if verdict:
            short.append(entity)
        cells = [*_three(other), number(other_valid.f1)] if other and other_valid else _NONE
        total = own.right + own.missed
        rows.append([entity, str(total), *_three(own), number(own_valid.f1), *cells, verdict])
    title = (
        f"All labelled sets together, but for bare numbers: {len(rows) - len(short)} of {len(rows)} reach {TARGET} "
        f"and the peer's\nSekisho from confidence {SURE} on, the peer all it reports; F1 valid: without texts with a "
        "value that python-stdnum calls invalid"
    )
    return table(
        title, ["entity", "values", "P", "R", "F1", "F1 valid", "peer P", "R", "F1", "F1 valid", "short"], rows
    )


def _peer_of(sets: list[Looked], entity: str) -> str:
    return next((one.peer for one in sets if one.peer and entity in kinds_of(one.peer)), "")


def _over(sets: list[Looked], tool: str, entity: str, least: float = 0.0, *, refused: bool = True) -> Score:
    total = Score()
    for one in sets:
        if tool in one.found:
            total += one.scores(tool, least, refused=refused).get(entity, Score())
    return total


def _sum(by_entity: dict[str, Score], entities: list[str]) -> Score:
    total = Score()
    for entity in entities:
        total += by_entity.get(entity, Score())
    return total


def fallen_short(all_looked: list[Looked]) -> str:
    """Each text of the sets with names where we are wrong, secrets and Japanese names apart: they are many."""
    rows = []
    kinds = kinds_of("sekisho")
    for one in all_looked:
        if one.labelled.bare or one.labelled.ours_only:
            continue
        for text in one.labelled.texts:
            if text.entity == dlp_sets.SECRET:
                continue
            score = scores([text], [one.found["sekisho"][text.text]], kinds, 0.0).get(text.entity, Score())
            if score.wrong or score.missed:
                why = "python-stdnum: invalid" if text.refused else ""
                rows.append([text.entity, _around(text), f"-{score.missed} +{score.wrong}", why])
    return table("Where we differ from the labels: missed (-) and wrong (+)", ["entity", "text", "values", ""], rows)


def _around(text: Labelled) -> str:
    start = max(0, text.spans[0][0] - 20) if text.spans else 0
    return text.text[start : start + 70].replace("\n", " ").strip()


def flagged_texts(texts: Sequence[dlp_sets.Written], tools: dict[str, list[list[Found]]]) -> str:
    """How many texts with a secret, and how many without, a tool flags."""
    groups = list(dict.fromkeys(t.group for t in texts))
    head = ["tool", *(f"{group} ({sum(t.group == group for t in texts)})" for group in groups)]
    rows = []
    for tool, found in tools.items():
        kinds = kinds_of(tool)[dlp_sets.SECRET]
        hit = [any(v.kind in kinds and v.score >= HOLDS for v in values) for values in found]
        shares = [
            sum(h for t, h in zip(texts, hit, strict=True) if t.group == group) / sum(t.group == group for t in texts)
            for group in groups
        ]
        rows.append([tool, *(f"{share * 100:.1f}%" for share in shares)])
    return table(f"Texts written for the tests that are flagged, from confidence {HOLDS} on", head, rows)


def _three(score: Score | None) -> list[str]:
    return [number(score.precision), number(score.recall), number(score.f1)] if score else ["-"] * 3


def number(value: float | None) -> str:
    """Three places; - for none."""
    return "-" if value is None else f"{value:.3f}"
