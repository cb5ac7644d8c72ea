"""DMARC over any DNS: bounded questions, and what the standard says of every result."""

import asyncio
from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from sekisho.mail.dns import Records
from sekisho.mailauth.dmarc import Identifier, check_dmarc
from sekisho.mailauth.dmarc_discovery import MOST_QUERIES, Discovery, walked_names

LABELS = st.sampled_from(["a", "b", "mail", "example", "com", "co", "jp", "bank"])
NAMES = st.lists(LABELS, min_size=1, max_size=14).map(".".join)
POLICIES = st.sampled_from(
    ["", "p=none", "p=reject", "p=wrong", "p=quarantine; sp=none; np=reject", "p=reject; adkim=s"]
)
TAILS = st.sampled_from(["", "; psd=y", "; psd=n", "; psd=u", "; t=y", "; rua=mailto:a@example.com"])
TEXT = st.tuples(POLICIES, TAILS).map(lambda both: f"v=DMARC1; {both[0]}{both[1]}".encode())
FOUND = st.lists(st.one_of(TEXT, st.binary(max_size=20)), max_size=3).map(
    lambda texts: Records("found", tuple(texts))
)
FAILED = st.sampled_from(["no-name", "no-data", "away", "refused", "bogus", "bad"]).map(Records)
ANSWERS = st.one_of(FOUND, FOUND, FAILED)
RESULTS = st.sampled_from(["pass", "fail", "none", "temperror", "permerror", "softfail"])
IDENTIFIERS = st.builds(Identifier, NAMES, RESULTS)


class Dns:
    """Says to each name one of the answers, to the same one always the same."""

    def __init__(self, answers):
        self.answers = answers
        self.asked = []

    async def records(self, name, kind):
        self.asked.append((name, kind))
        return self.answers[sum(name.encode()) % len(self.answers)]


@given(
    st.lists(NAMES, max_size=2), st.one_of(st.none(), IDENTIFIERS), st.lists(IDENTIFIERS, max_size=8),
    st.lists(ANSWERS, min_size=1, max_size=9), st.sampled_from(["tree-walk", "listed"]),
)  # fmt: skip
@settings(max_examples=600, deadline=None)
def test_a_result_for_every_message(authors, spf, signatures, answers, method):
    dns = Dns(answers)
    got = asyncio.run(check_dmarc(authors, spf, signatures, dns, method))
    assert len(dns.asked) == len(set(dns.asked)) <= MOST_QUERIES + 1
    assert got.result in ("pass", "fail", "none", "temperror", "permerror")
    # RFC 9989 5.3: only a failed message is treated by the policy, and by no more than it asks for.
    order = ("none", "quarantine", "reject")
    assert got.disposition == "none" or got.result == "fail"
    assert order.index(got.disposition) <= order.index(got.policy)
    # RFC 9989 4.4: a pass is that of an aligned identifier that passed itself.
    passed = {one.domain for one in [spf, *signatures] if one and one.result == "pass"}
    assert set(got.dkim) | ({got.spf} if got.spf else set()) <= passed
    assert (got.result == "pass") == bool(got.dkim or got.spf)


@given(NAMES)
@settings(max_examples=300, deadline=None)
def test_walks(name):
    """RFC 9989 4.10: at most eight queries, each name above the one before, down to the last label."""
    names = walked_names(name)
    assert names[0] == name
    assert len(names) <= 8
    assert all(before.endswith("." + after) for before, after in pairwise(names))
    assert "." not in names[-1]


@given(NAMES, st.lists(ANSWERS, min_size=1, max_size=9), st.sampled_from(["tree-walk", "listed"]))
@settings(max_examples=400, deadline=None)
def test_an_organizational_domain_is_the_name_or_above_it(name, answers, method):
    """RFC 9989 4.10.2, and that of the organizational domain is itself where nothing says otherwise."""
    found = asyncio.run(Discovery(Dns(answers), method).discover(name))
    assert found.organizational == name or name.endswith("." + found.organizational)
    if found.published:
        assert found.published.record
        assert name == found.published.domain or name.endswith("." + found.published.domain)
