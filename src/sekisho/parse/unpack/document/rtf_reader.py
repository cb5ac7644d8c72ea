"""The reader of Rich Text Format 1.9.1: characters in their charsets, fields, and the octets of objects."""

from __future__ import annotations

import re
from binascii import unhexlify

from sekisho.parse import charsets
from sekisho.parse.unpack.opening import Opening, OverLimitError

_WORD = re.compile(
    rb"\\([A-Za-z]{1,250})(-?\d{1,20})? ?|\\'([0-9A-Fa-f]{2})|\\(.)|([{}])|([^\\{}\r\n]+)|[\r\n\\]", re.DOTALL
)
_DEEPEST = 2000
_LONGEST_WORD = 32  # characters of a control word and of its number, by the specification
_MOST_OBJECTS = 200
_CODE_PAGES = {
    0: "windows-1252", 1: "", 77: "macintosh", 128: "cp932", 129: "cp949", 134: "gb18030", 136: "big5",
    161: "windows-1253", 162: "windows-1254", 163: "windows-1258", 177: "windows-1255", 178: "windows-1256",
    186: "windows-1257", 204: "windows-1251", 222: "cp874", 238: "windows-1250", 254: "cp437", 255: "cp850",
}  # fmt: skip
# Destinations whose text is no text of the document.
_UNREAD = frozenset(
    b"""fonttbl colortbl stylesheet listtable listoverridetable revtbl rsidtbl generator pict objclass
objname themedata colorschememapping latentstyles datastore xmlnstbl filetbl mmathPr panose falt bkmkstart bkmkend
blipuid picprop sp sn pgptbl wgrffmtfilter fontemb datafield oldcprops oldpprops oldsprops oldtprops listname
fchars lchars protusertbl userprops shppict nonshppict nextfile passwordhash defchp defpap pnseclvl""".split()
)
_SHOWN = frozenset((b"shpinst", b"pn", b"pnseclvl", b"ffdeftext", b"ffentrymcr", b"nesttableprops", b"listtext"))
_BREAKS = {
    b"par": "\n", b"line": "\n", b"sect": "\n", b"page": "\n", b"row": "\n", b"tab": "\t", b"cell": "\t",
    b"nestcell": "\t", b"nestrow": "\n", b"emdash": "\u2014", b"endash": "\u2013", b"bullet": "\u2022",
    b"lquote": "\u2018", b"rquote": "\u2019", b"ldblquote": "\u201c", b"rdblquote": "\u201d", b"emspace": " ",
    b"enspace": " ",
}  # fmt: skip
_PLACES = {b"info": "properties", b"header": "header", b"footer": "header", b"annotation": "comments",
           b"footnote": "footnotes", b"fldinst": "field"}  # fmt: skip
_PLACES |= dict.fromkeys((b"headerl", b"headerr", b"headerf", b"footerl", b"footerr", b"footerf"), "header")


class _Group:
    """The state that a group inherits and that its end gives back."""

    __slots__ = ("codec", "place", "skip", "sort", "start", "unicode_skip")

    def __init__(self, codec: str) -> None:
        self.codec = codec
        self.place = ""
        self.skip = False
        self.sort = b""  # the destination: "objdata", "fonttbl", ...
        self.start = 0  # where what this destination collects begins
        self.unicode_skip = 1

    def inner(self) -> _Group:
        """The state of a group inside this one."""
        group = _Group(self.codec)
        group.place, group.skip, group.sort = self.place, self.skip, self.sort
        group.start, group.unicode_skip = self.start, self.unicode_skip
        return group


class Reader:
    """Reads one file: `texts` by place, `fields` and `templates` as written, `objects` as decoded octets.

    Bounded by the length of the file; raises OverLimitError when the time is over.
    """

    def __init__(self, opening: Opening) -> None:
        self.opening = opening
        self.group = _Group("windows-1252")
        self.stack: list[_Group] = []
        self.default = "windows-1252"
        self.fonts: dict[int, str] = {}
        self.font = 0
        self.texts: dict[str, list[str]] = {"": []}
        self.pending = bytearray()  # octets of the current charset that are not decoded yet
        self.fields: list[str] = []
        self.templates: list[str] = []
        self.objects: list[bytes] = []
        self.hexadecimal: list[bytes] | None = None
        self.high: int | None = None
        self.to_skip = 0
        self.seen: set[bytes] = set()
        self.overlong = 0
        self.starred = False

    def read(self) -> None:
        """Read the whole file."""
        content = self.opening.content
        at = number = 0
        while token := _WORD.match(content, at):
            at = token.end()
            number += 1
            if number % 2000 == 0:
                self.opening.budget.check_time()
            if token[1] is not None:
                at = self._binary(token, content) if token[1] == b"bin" else at
                self._control(token[1], token[2])
            elif token[3] is not None:
                self._octet(token[3])
            elif token[4] is not None:
                self._symbol(token[4])
            elif token[5] is not None:
                self._bracket(token[5])
            elif token[6] is not None:
                self._plain(token[6])
        self._flush()
        while self.stack:
            self._close()

    def _binary(self, token: re.Match[bytes], content: bytes) -> int:
        r"""Step over \binN octets; in an object they are its content."""
        length = min(int(token[2] or 0), len(content)) if len(token[2] or b"") < 12 else 0
        if self.hexadecimal is not None and length > 0:
            self.hexadecimal.append(content[token.end() : token.end() + length].hex().encode())
        return token.end() + max(length, 0)

    def _control(self, word: bytes, number: bytes | None) -> None:
        self.to_skip = max(0, self.to_skip - 1) if word != b"u" and self.to_skip else self.to_skip
        if len(word) > _LONGEST_WORD or (number is not None and len(number) > _LONGEST_WORD // 2):
            self.overlong += 1
        if self.hexadecimal is not None:
            return  # Word skips control words inside object data too
        self.seen.add(word)
        if (handler := _HANDLERS.get(word)) is not None:
            self.starred = False
            handler(self, _integer(number))
        elif word in _BREAKS:
            self._character(_BREAKS[word])
        elif word in _UNREAD:
            self._destination(word)
            self.group.skip = True
        elif word in _PLACES:
            self._destination(word)
            self.group.place = _PLACES[word]
            self.group.skip = False
        elif self.starred:
            self.group.skip = word not in _SHOWN
        self.starred = False

    def _destination(self, word: bytes) -> None:
        self._flush()
        self.group.sort = word
        self.group.start = len(self.texts.setdefault(_PLACES.get(word, ""), []))

    def _symbol(self, symbol: bytes) -> None:
        if symbol == b"*":
            self.starred = True  # a destination that readers who do not know it skip
            return
        if symbol in b"{}\\":
            self._plain(symbol)
        elif symbol == b"~":
            self._character("\u00a0")
        elif symbol == b"_":
            self._character("-")
        elif symbol in b"\r\n":
            self._character("\n")

    def _bracket(self, bracket: bytes) -> None:
        self.to_skip = 0
        if bracket == b"{":
            self._flush()
            if len(self.stack) >= _DEEPEST:
                raise OverLimitError("groups in RTF")
            self.stack.append(self.group)
            self.group = self.group.inner()
        elif self.stack:
            self._close()

    def _close(self) -> None:
        """End a group; the destination that ends with it hands over what it collected."""
        self._flush()
        ended, self.group = self.group, self.stack.pop()
        if ended.sort == self.group.sort and ended.start == self.group.start:
            return
        if ended.sort == b"objdata" and self.hexadecimal is not None:
            self._object()
        elif ended.sort == b"fldinst":
            pieces = self.texts.setdefault("field", [])
            self.fields.append("".join(pieces[ended.start :]))
            del pieces[ended.start :]
        elif ended.sort == b"template":
            self.templates.append("".join(self.texts.setdefault("template", [])).strip())
            self.texts["template"].clear()

    def _object(self) -> None:
        digits = re.sub(rb"[^0-9A-Fa-f]", b"", b"".join(self.hexadecimal or []))
        self.hexadecimal = None
        if len(digits) > 3 and len(self.objects) < _MOST_OBJECTS:
            self.objects.append(unhexlify(digits[: len(digits) & ~1]))

    def _octet(self, digits: bytes) -> None:
        if self.to_skip:
            self.to_skip -= 1
        elif self.hexadecimal is None and not self.group.skip:
            self.pending += unhexlify(digits)

    def _plain(self, octets: bytes) -> None:
        if self.hexadecimal is not None:
            self.hexadecimal.append(octets)
            return
        if self.to_skip:
            skipped = min(self.to_skip, len(octets))
            self.to_skip -= skipped
            octets = octets[skipped:]
        if not self.group.skip:
            self.pending += octets

    def _character(self, character: str) -> None:
        self._flush()
        if not self.group.skip:
            self.texts.setdefault(self.group.place, []).append(character)

    def _flush(self) -> None:
        """Decode what was collected in the charset that holds so far."""
        if self.pending:
            octets = bytes(self.pending)
            self.pending.clear()
            text = octets.decode("ascii") if octets.isascii() else charsets.decode(octets, self.group.codec)
            self.texts.setdefault(self.group.place, []).append(text)

    # What single control words do.

    def code_page(self, number: int) -> None:
        r"""\ansicpgN."""
        self.default = self.group.codec = f"cp{number}" if charsets.codec_of(f"cp{number}") else "windows-1252"
        if number == 65001:
            self.default = self.group.codec = "utf-8"

    def select_font(self, number: int) -> None:
        r"""\fN: in the font table the font that is described, elsewhere the one that is used."""
        if self.group.sort == b"fonttbl":
            self.font = number
            return
        self._flush()
        self.group.codec = self.fonts.get(number) or self.default

    def font_charset(self, number: int) -> None:
        r"""\fcharsetN."""
        if self.group.sort == b"fonttbl" and len(self.fonts) < 10_000:
            self.fonts[self.font] = _CODE_PAGES.get(number, "")

    def unicode(self, number: int) -> None:
        r"""\uN: a UTF-16 unit, followed by \ucN characters for readers that do not know it."""
        unit = number & 0xFFFF
        self.to_skip = self.group.unicode_skip
        if 0xD800 <= unit < 0xDC00:
            self.high = unit
        elif 0xDC00 <= unit < 0xE000:
            if self.high is not None:
                self._character(chr(0x10000 + ((self.high & 0x3FF) << 10) + (unit & 0x3FF)))
            self.high = None
        else:
            self._character(chr(unit))

    def unicode_skip(self, number: int) -> None:
        r"""\ucN."""
        self.group.unicode_skip = min(max(number, 0), 20)

    def object_data(self, _number: int) -> None:
        r"""\objdata."""
        self._destination(b"objdata")
        self.group.start = -1 - len(self.objects)
        self.hexadecimal = []

    def template(self, _number: int) -> None:
        r"""\template: a file whose macros and styles are loaded with this one."""
        self._destination(b"template")
        self.group.place, self.group.skip = "template", False

    def result(self, _number: int) -> None:
        r"""\fldrslt, \result, \shptxt: shown text, even inside a destination that is not."""
        self._destination(b"fldrslt")
        self.group.place, self.group.skip = "", False


_HANDLERS = {
    b"ansicpg": Reader.code_page, b"f": Reader.select_font, b"fcharset": Reader.font_charset, b"u": Reader.unicode,
    b"uc": Reader.unicode_skip, b"objdata": Reader.object_data, b"template": Reader.template,
    b"fldrslt": Reader.result, b"result": Reader.result,
    b"shptxt": Reader.result,
}  # fmt: skip


def _integer(number: bytes | None) -> int:
    return int(number) if number else 0
