import pytest
from msgspec.structs import replace
from support.attached import transaction
from support.redacted import CARD, mail, more_than_are_counted

from sekisho.inspect import patterns as engine
from sekisho.mail.finding import Finding, Severity, inspection_failed
from sekisho.mail.opened import File, Opened
from sekisho.redaction.shown import shown_subject, without_values


def test_names_of_files_are_masked_where_they_are_shown(patterns):
    seen = transaction(raw=mail(f"card {CARD}"))
    found = Finding("attachment/x", Severity.LOW, path="card 4111111111111111.zip/card 4111-1111-1111-1111")
    plain = Finding("attachment/x", Severity.LOW, path="a.zip/b")
    card = Finding("dlp/card", Severity.LOW)
    shown = without_values(seen, (found, plain, card), [patterns])
    assert [f.path for f in shown] == ["card 41************11.zip/card 41**-****-****-**11", "a.zip/b", ""]
    assert without_values(seen, (found,), [patterns]) == (found,)  # nobody says that it is one


def test_the_subject_is_masked_where_it_is_shown(patterns):
    seen = transaction(raw=mail(subject=f"card {CARD}"))
    assert shown_subject(seen, patterns.inspect(seen), [patterns]) == "card 41** **** **** **11"
    assert shown_subject(seen, (), [patterns]) is None


def paths(seen, findings, patterns):
    """The paths of findings as they are shown."""
    return [f.path for f in without_values(seen, findings, [patterns])]


def attached(*inside, name="a.zip", subject="y"):
    """A message with an attachment and files in it."""
    made = mail("x", subject=subject, name="PK").replace(b'filename="name"', f'filename="{name}"'.encode())
    files = tuple(File("2", f"{name}/{path}", "script", 1, "0") for path in inside)
    seen = transaction(raw=made)
    assert seen.message.parts[-1].filename == name
    return replace(seen, opened=Opened(files))


def odd(*files, part="2"):
    return tuple(Finding("attachment/x", Severity.LOW, part=part, where="attachment", path=path) for path in files)


def shown(patterns, seen, *files):
    """The paths of what is odd about these files, as they are shown beside what is found in the message."""
    found = patterns.inspect(seen)
    return [f.path for f in without_values(seen, (*found, *odd(*files)), [patterns])[len(found) :]]


def test_names_beyond_the_bound_show_their_kind_only(patterns):
    files = [f"{i:04d} {'x' * 240} card {CARD}.js" for i in range(2000)]
    seen = transaction(raw=mail(f"card {CARD}"))
    found = (*odd(*(f"a.zip/{name}" for name in files)), *patterns.inspect(seen))
    after = paths(seen, found, patterns)
    assert not any(CARD in path for path in after)
    assert after[0] == f"a.zip/0000 {'x' * 240} card 41** **** **** **11.js"
    assert after[1999] == "a.zip/*.js"


@pytest.mark.parametrize("name", ["report.4111111111111111", "card.4111 1111 1111 1111"])
def test_a_number_that_looks_like_an_ending(patterns, name):
    assert shown(patterns, attached(name=name), name) == [
        name.replace("4111 1111 1111 1111", "41** **** **** **11").replace("4111111111111111", "41************11")
    ]


def test_the_subject_says_what_a_name_is(patterns):
    name = "AB1234567.pdf"
    assert shown(patterns, attached(name=name, subject="passport"), name) == ["A********.pdf"]
    assert shown(patterns, attached(name=name), name) == [name]


def test_names_beside_it_say_what_a_name_is(patterns):
    seen = attached("passport no.js", "AB1234567.js")
    assert [f.rule for f in patterns.inspect(seen)] == ["dlp/passport"]
    assert shown(patterns, seen, "a.zip/passport no.js", "a.zip/AB1234567.js") == [
        "a.zip/passport no.js",
        "a.zip/A********.js",
    ]


def test_a_name_beside_it_need_not_be_in_any_finding(patterns):
    seen = attached("passport no.js", "AB1234567.js")
    assert shown(patterns, seen, "a.zip/AB1234567.js") == ["a.zip/A********.js"]


def test_the_name_around_it_says_what_a_name_is(patterns):
    seen = attached("AB1234567.js", name="passport.zip")
    assert shown(patterns, seen, "passport.zip/AB1234567.js") == ["passport.zip/A********.js"]


def test_a_name_that_nobody_can_point_into(patterns):
    """A row of a registered list, say: all names of the attachment are hidden but for their kind."""
    seen = attached("taro.js")
    found = Finding("dlp/exact/list", Severity.HIGH, part="2", where="filename", path="Yamada Taro 0312345678.zip")
    files = odd("Yamada Taro 0312345678.zip/taro.js/macro", "Yamada Taro 0312345678.zip/quoted reply")
    assert paths(seen, (found, *files, *odd("b.zip/c", part="3")), patterns) == [
        "*.zip",
        "*.zip/*.js/*",
        "*.zip/quoted reply",
        "b.zip/c",
    ]


def test_a_name_of_a_place_that_is_not_known(patterns):
    """Findings of very many parts share a place."""
    found = Finding("dlp/exact/list", Severity.HIGH, where="filename")
    assert paths(attached(), (found, *odd("taro.zip")), patterns) == ["", "*.zip"]


def test_marks_and_what_is_found_elsewhere_hide_no_name(patterns):
    seen = attached(name="STRICTLY CONFIDENTIAL estimate.pdf")
    (mark,) = patterns.inspect(seen)
    assert (mark.rule, mark.where) == ("dlp/mark/confidential", "filename")
    inside = replace(mark, rule="dlp/exact/list", where="attachment")
    assert paths(seen, (mark, inside), patterns) == [mark.path, mark.path]
    fault = Finding("message/x", Severity.LOW, part="2", where="filename", path="a.pdf")
    assert paths(seen, (fault,), patterns) == ["a.pdf"]


def test_names_that_took_too_long_are_hidden(patterns, monkeypatch):
    seen = attached("b.js")
    card = Finding("dlp/card", Severity.LOW)
    assert paths(seen, (card, *odd("a.zip/b.js")), patterns) == ["", "a.zip/b.js"]
    monkeypatch.setattr(engine, "INSPECT_SECONDS", -1.0)
    assert paths(seen, (card, *odd("a.zip/b.js")), patterns) == ["", "*.zip/*.js"]
    assert shown_subject(seen, (replace(card, where="subject"),), [patterns]) == "*"


class Untouched:
    """A locator that nobody is to ask."""

    name = "untouched"

    def inspect(self, _transaction):
        return ()

    def locate(self, _texts, _ids, _tenant):
        raise AssertionError


def test_without_anything_found_nothing_is_looked_for():
    seen = transaction(raw=mail(f"card {CARD}"))
    assert without_values(seen, (), [Untouched()]) == ()
    plain = Finding("message/x", Severity.LOW)
    quoted = replace(plain, path="quoted reply")
    assert without_values(seen, (plain, quoted), [Untouched()]) == (plain, quoted)
    assert shown_subject(seen, (plain,), [Untouched()]) is None


def test_a_subject_that_nobody_can_point_into(patterns):
    seen = transaction(raw=mail(subject="Yamada Taro 0312345678"))
    assert shown_subject(seen, (Finding("dlp/exact/list", Severity.HIGH, where="subject"),), [patterns]) == "*"
    fault = Finding("message/x", Severity.LOW, where="subject")
    assert shown_subject(seen, (fault,), [patterns]) == "Yamada Taro 0312345678"


def test_of_a_subject_with_more_values_than_are_counted_nothing_is_shown(patterns):
    seen = transaction(raw=f"Subject: {' '.join(more_than_are_counted())}\r\n\r\nx\r\n".encode())
    assert shown_subject(seen, patterns.inspect(seen), [patterns]) == "*"


def test_when_patterns_failed_nothing_is_known_of_names(patterns):
    seen = attached("salaries.js")
    failed = inspection_failed("patterns", "timed out")
    assert paths(seen, (failed, *odd("a.zip/salaries.js/macro")), patterns) == ["", "*.zip/*.js/*"]
    elsewhere = inspection_failed("antivirus", "away")
    assert paths(seen, (elsewhere, *odd("a.zip/salaries.js")), patterns) == ["", "a.zip/salaries.js"]
