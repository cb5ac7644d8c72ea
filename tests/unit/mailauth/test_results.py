import pytest
from hypothesis import given
from hypothesis import strategies as st

from sekisho.mailauth.results import (
    AuthenticationResults,
    MethodResult,
    ResultsError,
    forged,
    merged_results,
    parse_results,
    write_results,
)


def test_the_examples_of_rfc_8601_appendix_b():
    assert parse_results(" example.org 1; none") == AuthenticationResults("example.org")
    found = parse_results(
        " example.com;\r\n dkim=pass (good signature) header.d=example.com header.i=@mail-router.example.net;\r\n"
        "  spf=fail smtp.mailfrom=a@example.net"
    )
    assert found.results[0].properties == (
        ("header", "d", "example.com"),
        ("header", "i", "@mail-router.example.net"),
    )
    assert (found.results[1].result, found.results[1].value("smtp", "mailfrom")) == ("fail", "a@example.net")
    # B.7: comments nearly everywhere
    found = parse_results(
        " foo.example.net (foobar) 1 (baz);\r\n    dkim (Because I like it) / 1 (One yay) = (wait for it) fail\r\n"
        "      policy (A dot can go here) . (like that) expired\r\n    (this surprised me)"
        " = (as I wasn't expecting it)"
        " 1362471462"
    )
    assert found == AuthenticationResults(
        "foo.example.net", (MethodResult("dkim", "fail", "", (("policy", "expired", "1362471462"),)),)
    )


@pytest.mark.parametrize(
    "value",
    [
        "",
        ";",
        "a.example",
        "a.example 2; none",
        "a (; none",
        'a "; none',
        "a; x",
        "a; b=c; =",
        "a; none; dkim=pass",
        "x" * 200_000,
        "a" + ";b=c" * 300,
    ],
)
def test_what_is_not_one(value):
    assert isinstance(parse_results(value), ResultsError)


TEXT = st.text(
    st.characters(codec="utf-8", exclude_categories=("C", "Z")) | st.sampled_from(' ";\\()='), min_size=1, max_size=12
)
WORD = st.sampled_from(["dkim", "spf", "x-test", "arc"])
METHOD = st.builds(
    MethodResult,
    WORD,
    st.sampled_from(["pass", "fail"]),
    TEXT,
    st.lists(st.tuples(WORD, WORD, TEXT), max_size=3).map(tuple),
)


@given(st.builds(AuthenticationResults, st.just("mx.example.jp"), st.lists(METHOD, max_size=4).map(tuple)))
def test_what_is_written_is_read_again(results):
    """RFC 8601 2.2: the values come back as they were, however odd."""
    assert parse_results(write_results(results)) == results


@given(st.text(max_size=200))
def test_any_text_has_an_answer(value):
    parse_results(value)
    forged([value], ["example.jp"])
    merged_results([value], "example.jp")


def test_forged():
    # RFC 8601 5
    values = [
        " gw.example.jp; spf=pass",
        " GW.Example.JP (x); dkim=pass",
        ' "gw.example.jp"; dkim=pass',
        " (gw) other.example; none",
        " unreadable (",
        " notgw.example.jp; spf=pass",
        ' (") gw.example.jp; dkim=pass (")',
        " sub.gw.example.jp/7; spf=pass",
    ]
    assert forged(values, ["gw.example.jp"]) == (0, 1, 2, 4, 6, 7)
