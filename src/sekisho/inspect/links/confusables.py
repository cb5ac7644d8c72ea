# ruff: noqa: RUF001 - look-alike characters are the subject
"""Characters that look like others: a skeleton to compare names by, and labels that mix scripts to deceive.

The idea is Unicode's (UTS 39 4 and 5); the table is our own and holds what looks alike in the fonts of mail programs
and may stand in a host name. Japanese names in kanji and kana, with Latin letters among them, are ordinary.
"""

from __future__ import annotations

import unicodedata
from functools import lru_cache

# Each word is a character and what it is taken for.
_CYRILLIC = (
    "аa вb еe ԁd һh іi јj ӏl кk ԛq мm нh оo рp ԗp сc тt ѵv ԝw уy хx ѕs ьb ґr ѓr єe ѡw ԍg үy ұy ꙇi қk ңh ҳx ҫc ѳo "
)
_GREEK = "αa βb γy εe ηn ιi κk νv οo ρp τt υu χx ωw ϲc ϳj σo "
_ARMENIAN = "աw եt ցg օo ոn սu հh քp զq գq յj լl ռn "
_OTHER = (
    "ıi ȷj ɑa ɡg ɩi ɪi ʏy ʟl ɴn ʀr ʙb ɢg ʜh ᴀa ᴄc ᴅd ᴇe ᴊj ᴋk ᴍm ᴏo ᴘp ᴛt ᴜu ᴠv ᴡw ᴢz ꜱs ꜰf łl øo đd ħh "
    "ŧt ƅb ɓb ƙk ɗd ƒf ƭt ɨi ʉu ɵo ƴy ƶz ȥz ɾr ɛe ɜe ʋu ᴦr ⲟo ⲣp ⲥc ⲭx ߀o ०o ০o ๐o ໐o ๏o აa ჿy ɯw ɣy ǀl "
    "ᶃg ȣ8 ỿy ᶌy ßss æae œoe þp "
)
# One kana or kanji for another that differs by a stroke nobody sees in an address line.
_JAPANESE = (
    "一ー ―ー 丨ー 二ニ 口ロ 力カ 夕タ 卜ト 工エ 八ハ へヘ べベ ぺペ 千チ 才オ 三ミ 了ア "
    "又ヌ 人入 末未 土士 日曰 干チ 于チ ソン シツ 丿ノ 乃ノ りリ 囗ロ 厶ム "
)
_ALIKE = {word[0]: word[1:] for word in f"{_CYRILLIC}{_GREEK}{_ARMENIAN}{_OTHER}{_JAPANESE}".split()}
_TABLE = str.maketrans(_ALIKE)
# What stands for "/" or "." between Latin letters, so that the host seems to end there.
_STROKES = frozenset("ノ丿丶ヽゝ〳〵⁄∕╱⧸⼃㇒ㆍ・ꓸ܁܂٠。｡")
_JAPANESE_SCRIPTS = frozenset(("LATIN", "CJK", "HIRAGANA", "KATAKANA"))
_EAST_ASIAN = (_JAPANESE_SCRIPTS, frozenset(("LATIN", "CJK", "HANGUL")), frozenset(("LATIN", "CJK", "BOPOMOFO")))
_LATIN_LIKE = frozenset(
    (
        *("CYRILLIC", "GREEK", "ARMENIAN", "COPTIC", "CHEROKEE", "LISU"),
        *("CANADIAN", "TIFINAGH", "OLD", "RUNIC", "CARIAN", "LYCIAN"),
    )
)
# In ASCII alone. "l" stands for "1", "i" and "l", "o" for "0"; two letters that run together for the one they seem.
_ASCII = str.maketrans(
    {"0": "o", "1": "l", "i": "l", "|": "l", "5": "s", "3": "e", "4": "a", "8": "b", "9": "g", "6": "b", "2": "z"}
)
_PAIRS = (("rn", "m"), ("vv", "w"))


@lru_cache(maxsize=4096)
def skeleton(text: str) -> str:
    """A text with every character replaced by the Latin (or plainer Japanese) one it looks like; accents go.

    Two texts that look alike have the same skeleton. Digits and letters of ASCII stay as they are.
    """
    if text.isascii():
        return text
    plain = unicodedata.normalize("NFKD", unicodedata.normalize("NFKC", text).lower().translate(_TABLE))
    kept = "".join(c for c in plain if not unicodedata.combining(c) or c in "\u3099\u309a")
    return unicodedata.normalize("NFKC", kept).translate(_TABLE)


def blurred(text: str) -> str:
    """The skeleton as a hasty reader sees it: digits as letters ("0" "o"), "rn" as "m", "vv" as "w"."""
    plain = skeleton(text)
    for pair, one in _PAIRS:
        if pair in plain:
            plain = plain.replace(pair, one)
    return plain.translate(_ASCII)


@lru_cache(maxsize=4096)
def deceit(label: str) -> str:
    """Why a host label (Unicode) is made to be taken for another, in words; "" where it is not.

    A single script is fine, so is any mixture of kanji, kana and Latin, and Latin with one script unlike it.
    """
    if label.isascii():
        return ""
    if _STROKES.intersection(label) and any("a" <= c <= "z" for c in label):
        return "a stroke that is taken for a slash or dot stands in a Latin name"
    scripts = frozenset(filter(None, map(_script, label)))
    if len(scripts) > 1 and not _ordinary(scripts):
        return f"one label mixes {_listed(scripts)} letters"
    if len(label) > 2 and not scripts & _JAPANESE_SCRIPTS and skeleton(label).isascii():
        return f"all its {_listed(scripts)} letters look like Latin ones"
    return ""


def _ordinary(scripts: frozenset[str]) -> bool:
    """Whether names are written in these scripts together (UTS 39 5.2 "moderately restrictive")."""
    if any(scripts <= allowed for allowed in _EAST_ASIAN):
        return True
    return len(scripts) == 2 and "LATIN" in scripts and not scripts & _LATIN_LIKE


def _listed(scripts: frozenset[str]) -> str:
    return " and ".join(s.title() for s in sorted(scripts))


@lru_cache(maxsize=2048)
def _script(character: str) -> str:
    """The script by the first word of the character's name; "" for digits, hyphens and marks of no script."""
    if not character.isalpha() or character in "ー・":
        return ""
    word = unicodedata.name(character, "").partition(" ")[0]
    return {"IDEOGRAPHIC": "CJK", "FULLWIDTH": "LATIN", "HALFWIDTH": "KATAKANA"}.get(word, word)
