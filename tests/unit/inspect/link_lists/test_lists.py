import os
from pathlib import Path

import pytest
from support.linked import linked

from sekisho.config.settings import LinkListSettings
from sekisho.config.shipped import shipped
from sekisho.inspect.link_lists.lists import ListedLinks, load_link_lists
from sekisho.inspect.links.lists import load_lists
from sekisho.inspect.links.url import normalise
from sekisho.inspect.rules import load_rules
from sekisho.mail.finding import Finding, Severity

WORDS = load_lists(shipped("lists"))
UPDATED = 1_795_000_000.0  # 2026-11-18T11:06:40Z
FEED = "# sekisho-feed: 1\n# updated: 2026-11-18T11:06:40Z\n# expires-days: 7\n"


@pytest.fixture(name="load")
def _load(tmp_path):
    """Lists from texts by name; names that begin with "allow" are of that category."""

    def load(clock=lambda: UPDATED, match="url", **texts):
        settings = []
        for name, text in texts.items():
            (tmp_path / name).write_text(text)
            category = "allow" if name.startswith("allow") else "block"
            settings.append(LinkListSettings(name, name, category, match))
        return load_link_lists(settings, tmp_path.joinpath, WORDS, clock)

    return load


def name_of(lists, url):
    listed = lists.find(normalise(url))
    return listed.name if listed else None


def test_three_kinds(load):
    lists, problems = load(a="bad.example.com\nfiles.example.net/u/1/\nhttps://www.example.org/x.php\n")
    assert problems == []
    assert len(lists) == 3
    hits = [
        "http://bad.example.com/", "https://a.b.bad.example.com:8443/z", "http://files.example.net/u/1",
        "https://files.example.net/u/1/2/3.zip?q", "https://cdn.files.example.net/u/1/2", "http://www.example.org/x.php?victim=1",
    ]  # fmt: skip
    misses = [
        "http://example.com/", "http://notbad.example.com/", "http://files.example.net/u/12", "http://files.example.net/",
        "http://www.example.org/", "http://www.example.org/x.phps", "http://example.org/x.php",
        "mailto:a@bad.example.com",
    ]  # fmt: skip
    assert [url for url in hits if name_of(lists, url) is None] == []
    assert [url for url in misses if name_of(lists, url) is not None] == []


def test_allow_wins(load):
    lists, _ = load(a="example.com\n", allow="www.example.com\n")
    assert name_of(lists, "http://example.com/") == "a"
    assert name_of(lists, "http://www.example.com/x") is None
    assert lists.allowed(normalise("http://www.example.com/x"))
    assert not lists.allowed(normalise("http://example.com/"))


def test_the_first_list_is_named(load):
    lists, _ = load(a="example.com\n", b="example.com\nexample.net\n")
    assert name_of(lists, "http://example.com/") == "a"
    assert name_of(lists, "http://example.net/") == "b"


def test_a_suffix_in_a_list_is_not_all_below_it(load):
    lists, _ = load(a="jp\nco.jp\ncom\n")
    assert name_of(lists, "http://example.co.jp/") is None


def test_a_feed_expires_and_what_is_behind_it_counts(load):
    now = [UPDATED]
    text = FEED + "host\tbad.example.com\tphishing\t2026-11-17\nhost\tother.example.com\tphishing\t\n"
    lists, problems = load(lambda: now[0], feed=text, later="bad.example.com\n")
    assert problems == []
    assert name_of(lists, "http://bad.example.com/") == "feed"
    now[0] += 7 * 86400 - 1
    assert name_of(lists, "http://other.example.com/") == "feed"
    now[0] += 1
    assert name_of(lists, "http://other.example.com/") is None
    assert name_of(lists, "http://bad.example.com/") == "later"
    assert [state.expired(now[0]) for state in lists.states] == [True, False]


def test_problems_name_file_and_line(load, tmp_path):
    lists, problems = load(feed=FEED + "host\tbad.example.com\tphishing\t\nhost\tx\n")
    assert [(p.file, p.line) for p in problems] == [(str(tmp_path / "feed"), 5)]
    assert name_of(lists, "http://bad.example.com/") == "feed"


def test_broken_lines_of_others_are_counted(load):
    lists, problems = load(a="bad.example.com\ngood.example.com\n???\n")
    assert problems == []
    assert [(state.entries, state.unreadable) for state in lists.states] == [(2, 1)]


def test_what_is_no_list_is_a_problem(load):
    _, problems = load(a="<html>\n<head><title>503</title>\n<body>\nService unavailable\nexample.com\n</html>\n")
    assert len(problems) == 1
    assert "most lines" in problems[0].text


def test_a_file_that_cannot_be_read(tmp_path):
    settings = [LinkListSettings("a", "missing"), LinkListSettings("b", ".")]
    lists, problems = load_link_lists(settings, tmp_path.joinpath, WORDS)
    assert [Path(p.file).name for p in problems] == ["missing", tmp_path.name]
    assert len(lists) == 0


def test_a_pipe_is_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "a")
    lists, problems = load_link_lists([LinkListSettings("a", "a")], tmp_path.joinpath, WORDS)
    assert len(lists) == 0
    assert [problem.text for problem in problems] == ["not a file"]


def test_at_most_a_hundred_problems_of_a_file(load):
    lists, problems = load(feed=FEED + "x\n" * 500)
    assert len(problems) == 100
    assert lists.states[0].unreadable == 500


def test_many_categories_and_days_still_have_their_list(load):
    lines = "".join(f"host\th{n}.example.com\tc{n}\t2026-01-01\n" for n in range(5000))
    lists, problems = load(feed=FEED + lines, after="after.example.net\n")
    assert problems == []
    assert lists.find(normalise("http://h0.example.com/")).category == "c0"
    assert lists.find(normalise("http://h4999.example.com/")).name == "feed"
    assert lists.find(normalise("http://h4999.example.com/")).category == ""
    assert name_of(lists, "http://after.example.net/") == "after"


def test_pages_of_many_people_stay_single_pages(load):
    text = "https://docs.google.com/forms/d/x\nhttps://bit.ly/abc\nhttps://x.weebly.com/a\nhttps://www.bad.example.net/a\n"
    lists, _ = load(a=text, match="domain")
    assert name_of(lists, "https://docs.google.com/forms/d/y") is None
    assert name_of(lists, "https://docs.google.com/forms/d/x") == "a"
    assert name_of(lists, "https://bit.ly/abd") is None
    assert name_of(lists, "https://x.weebly.com/b") == "a"
    assert name_of(lists, "https://y.weebly.com/b") is None
    assert name_of(lists, "https://example.net/") == "a"


def test_changed(load, tmp_path):
    now = [UPDATED]
    lists, _ = load(lambda: now[0], a="bad.example.com\n")
    path = tmp_path / "a"
    assert not lists.changed()
    path.write_text("other.example.com\n")
    os.utime(path, (UPDATED + 100, UPDATED + 100))
    now[0] = UPDATED + 101
    assert not lists.changed(), "it may still be written to"
    now[0] = UPDATED + 102
    assert lists.changed()
    path.unlink()
    assert not lists.changed(), "what was read stays in force"


def test_a_file_that_comes_later_is_a_change(tmp_path):
    settings = [LinkListSettings("a", "a")]
    lists, problems = load_link_lists(settings, tmp_path.joinpath, WORDS, lambda: UPDATED)
    assert problems
    (tmp_path / "a").write_text("bad.example.com\n")
    os.utime(tmp_path / "a", (UPDATED - 5, UPDATED - 5))
    assert lists.changed()


def test_finding(load):
    feed = FEED + "host\tbad.example.com\tphishing\t2026-11-17\n"
    inspector = ListedLinks(load(feed=feed)[0], WORDS)
    message = linked("http://bad.example.com/secret?token=1", "http://bad.example.com/", "http://ok.example.net/")
    assert inspector.inspect(message) == (
        Finding(
            "link/listed",
            Severity.HIGH,
            0.95,
            2,
            where="link",
            excerpt="http://bad.example.com/secret?…",
            explanation='bad.example.com is in the list "feed" (phishing, since 2026-11-17)',
        ),
    )


def test_behind_a_redirector(load):
    inspector = ListedLinks(load(a="bad.example.com\n")[0], WORDS)
    found = inspector.inspect(linked("https://www.google.com/url?q=http%3A%2F%2Fbad.example.com%2F"))
    assert [f.explanation for f in found] == ['behind google.com: bad.example.com is in the list "a"']


def test_new_lists_are_taken_up(load):
    inspector = ListedLinks(load()[0], WORDS)
    message = linked("http://bad.example.com/")
    assert inspector.inspect(message) == ()
    inspector.lists = load(a="bad.example.com\n")[0]
    assert [f.rule for f in inspector.inspect(message)] == ["link/listed"]
    assert not inspector.allowed(normalise("http://bad.example.com/"))
    inspector.lists = load(a="bad.example.com\n", allow="bad.example.com\n")[0]
    assert inspector.allowed(normalise("http://bad.example.com/"))
    assert inspector.inspect(message) == ()


def test_no_links_no_work(load):
    inspector = ListedLinks(load(a="bad.example.com\n")[0], WORDS)
    message = linked("hello")
    assert inspector.inspect(message) == ()
    assert "link-targets" not in message.memo


def test_rules_exist():
    rules, problems = load_rules([shipped("rules")], ())
    assert problems == []
    assert {"link/listed", "link/dns-listed", "link/new-domain"} <= set(rules.by_id)
