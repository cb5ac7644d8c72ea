import pytest
from support.attached import transaction

from sekisho.parse.source import NotMaskedError
from sekisho.parse.written import Written, written


def seen(source, kind="text/plain"):
    head = f"Content-Type: {kind}; charset=utf-8\r\n\r\n"
    (part,) = transaction(raw=head.encode() + source.encode()).message.parts
    return written(part, source), part


def changed(source, wanted, kind="text/plain"):
    """The source with the visible text `wanted` masked in it."""
    found, _ = seen(source, kind)
    at = found.text.index(wanted)
    masks = found.masks(i for i in range(at, at + len(wanted)) if not found.text[i].isspace())
    return "".join(masks.get(i, c) or "*" for i, c in enumerate(source))


@pytest.mark.parametrize(
    ("source", "kind"),
    [
        ("a\r\nb\n\nc\r\n", "text/plain"),
        ("one \r\ntwo\r\n-- \r\nname \r\n", "text/plain; format=flowed"),
        ("one \r\ntwo\r\n", "text/plain; format=flowed; delsp=yes"),
        ("<p>a &amp; b</p>\r\n<div>c<br>d</div>", "text/html"),
        ("<title>x</title><style>p{}</style><table><tr><td>1</td><td>2</td></tr></table>", "text/html"),
        ("a<!-- b -->c<script>d</script>e", "text/html"),
        ("a&nbsp;&nbsp;b &#x41;&#65; &lt;&euro;&copy &zz;", "text/html"),
        ('<a title="1 > 2" href=x>y</a>', "text/html"),
        ("<pre>a\r\nb</pre>", "text/html"),
    ],
)
def test_what_is_seen_is_what_inspectors_see(source, kind):
    found, part = seen(source, kind)
    assert found.text.split() == part.visible_text.split()


@pytest.mark.parametrize(
    ("source", "wanted", "expected"),
    [
        ("n 1234\r\nx", "1234", "n ****\r\nx"),
        ("a\r\nb\r\n12", "12", "a\r\nb\r\n**"),
    ],
)
def test_plain(source, wanted, expected):
    assert changed(source, wanted) == expected


def test_a_value_over_a_soft_line_break():
    assert changed("n 12 \r\n34\r\n", "12 34", "text/plain; format=flowed") == "n ** \r\n**\r\n"
    assert changed("n 12 \r\n34\r\n", "1234", "text/plain; format=flowed; delsp=yes") == "n ** \r\n**\r\n"


@pytest.mark.parametrize(
    ("source", "wanted", "expected"),
    [
        ("<b>12</b>34", "1234", "<b>**</b>**"),
        ('<a href="?n=1234">1234</a>', "1234", '<a href="?n=1234">****</a>'),
        ("<p title='>1234'>1234", "1234", "<p title='>1234'>****"),
        ("12&nbsp;34", "12 34", "**&nbsp;**"),
        ("1&#50;3&#x34;", "1234", "*&#42;*&#042;"),
        ("1&#50", "12", "*****"),
        ("<style>1234</style><!-- 1234 -->1234", "1234", "<style>1234</style><!-- 1234 -->****"),
        ("<script>1234", "", "<script>1234"),
    ],
)
def test_html(source, wanted, expected):
    assert changed(source, wanted, "text/html") == expected


def test_white_space_is_not_masked():
    found, _ = seen("<p>a</p> <p>b</p>", "text/html")
    with pytest.raises(NotMaskedError):
        found.masks([found.text.index("\n")])


class Looked(str):
    """Text that counts how many of its characters are looked at."""

    __slots__ = ()
    count = 0

    def __getitem__(self, at):
        return Looked(super().__getitem__(at))

    def isspace(self):
        Looked.count += len(self)
        return super().isspace()


def looks(characters):
    """How many characters are looked at to mask all of a run of so many."""
    found = Written("1" * characters)
    found.add(Looked("1" * characters), 0)
    Looked.count = 0
    assert len(found.masks(range(characters))) == characters
    return Looked.count


def test_a_run_twice_as_long_takes_twice_the_looks():
    assert looks(2000) == 2 * looks(1000) > 0


def test_only_what_is_asked_for_has_to_be_no_white_space():
    found, _ = seen("a 12")
    assert found.masks([2, 3]) == {2: "", 3: ""}
    with pytest.raises(NotMaskedError):
        found.masks([1])


@pytest.mark.parametrize(
    "piece", ["<", "<a =", "<a ='", '<a ="', "<!--", "&#", "&#49;", "<script>", " ", "<p>", "</", "1"]
)
def test_no_text_is_too_much(piece):
    """What would be quadratic here ends in the time limit of all tests."""
    source = piece * (400_000 // len(piece)) + ">--></script>1"
    found, _ = seen(source, "text/html")
    text = found.text
    masks = found.masks(i for i, c in enumerate(text) if not c.isspace())
    assert text.endswith("1")
    assert masks[len(source) - 1] == ""
