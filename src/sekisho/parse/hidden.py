"""Text that HTML carries and a reader does not see: hidden by its style, or as small as nothing. Bounded time."""

from __future__ import annotations

import re

from selectolax.lexbor import LexborHTMLParser

from sekisho.parse.html import Page, is_flat_enough, squeezed, with_breaks

# One cheap look at the source; most mail hides nothing and pays no more than this.
_MAY_HIDE = re.compile(
    r"display\s*+:\s*+none|visibility\s*+:\s*+hidden|mso-hide|opacity\s*+:\s*+0|font-size\s*+:\s*+[01](?![0-9.]*[1-9]?em)"
    r"|max-height\s*+:\s*+0|text-indent\s*+:\s*+-|\shidden\b|\bsize\s*=\s*[\"']?0",
    re.IGNORECASE,
)
# CSS 2.2 (9.2.4, 11.2, 15.7, 16.1): what makes an element's text unseen. Written without blanks.
_HIDES = re.compile(
    r"(?:^|;)(?:display:none|visibility:hidden|mso-hide:all|opacity:0(?:\.0+)?(?:!|;|$)"
    r"|font-size:(?:0(?:\.0+)?|1px)(?:px|pt|em|rem|%)?(?:!|;|$)|max-height:0(?:px|pt)?(?:!|;|$)|text-indent:-[0-9]{3,})"
)
_BLANKS = re.compile(r"\s+")
_MOST_NODES = 5_000
# Of these, two that the text has not are put around what is hidden: to take nodes out of a tree while walking it is
# asking for trouble.
_PRIVATE = tuple(map(chr, range(0xE000, 0xF900)))


def apart(html: str, page: Page) -> tuple[str, str]:
    """The text a reader sees and the text that is hidden from him, of an HTML whose `page` has both together."""
    if not _MAY_HIDE.search(html) or not is_flat_enough(html):
        return page.visible, ""
    tree = LexborHTMLParser(with_breaks(html.replace("\0", "\ufffd")))
    tree.strip_tags(["script", "style", "head", "template", "noframes", "title"])
    body = tree.body or tree.root
    used = set(body.text() if body else "")
    marks = [c for c in _PRIVATE if c not in used][:2]
    if body is None or len(marks) < 2:  # nobody writes with all private characters
        return page.visible, ""
    for node in tree.css("[style], [hidden], font[size='0']")[:_MOST_NODES]:
        if _is_hidden(node.attributes):
            node.insert_before(marks[0])
            node.insert_after(marks[1])
    return _split(body.text(), *marks)


def _split(text: str, opens: str, closes: str) -> tuple[str, str]:
    """What stands outside all marks, and what stands inside."""
    pieces: tuple[list[str], list[str]] = ([], [])
    depth = 0
    for piece in re.split(f"([{opens}{closes}])", text):
        if piece == opens:
            depth += 1
        elif piece == closes:
            depth = max(0, depth - 1)
        else:
            pieces[depth > 0].append(piece)
    return squeezed("".join(pieces[0])), squeezed("\n".join(pieces[1]))


def _is_hidden(attributes: dict[str, str | None]) -> bool:
    if "hidden" in attributes or attributes.get("size") == "0":
        return True
    style = _BLANKS.sub("", (attributes.get("style") or "").lower())
    return _HIDES.search(style) is not None
