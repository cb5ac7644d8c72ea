"""The peers really learn, and really forget."""

import os
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[3] / "bench"))

import install
from content_peers import PEERS, SpamAssassin
from content_sets import Sample

pytestmark = pytest.mark.peer
HAM = ("report", "meeting", "schedule", "budget", "contract", "attached", "review", "office", "colleague", "project")
SPAM = ("winner", "lottery", "casino", "pills", "million", "prize", "urgent", "claim", "bonus", "jackpot")
WORDS = {"ham": HAM, "spam": SPAM}


def sample(label, number):
    words = " ".join(WORDS[label][(number * 7 + at * (number % 9 + 1)) % 10] for at in range(40))
    raw = (
        f"From: a{number}@example.com\r\nTo: b@example.net\r\nSubject: {words[:30]}\r\n"
        f"Message-ID: <{label}-{number}@example.com>\r\nDate: Mon, 08 Jan 2024 09:00:00 +0000\r\n"
        f"\r\n{words} {number}\r\n"
    )
    return Sample("made", label, "en", ship_safe=True, raw=raw.encode(), group=f"{label}-{number}", headers=True)


LESSONS = [sample(label, number) for label in ("ham", "spam") for number in range(215)]
ASKED = [sample("ham", 900), sample("spam", 900)]


@pytest.fixture(params=PEERS)
def peer(request):
    kind = PEERS[request.param]
    if os.geteuid() != 0 or install.missing(list(kind.packages)):
        pytest.skip(f"needs root and {', '.join(kind.packages)}")
    started = kind()
    yield started
    started.stop()
    assert not started.directory.exists()


@pytest.mark.timeout(300)
def test_a_peer_learns_what_it_is_given_and_nothing_before(peer):
    peer.fit(LESSONS)
    ham, spam = peer.scores(ASKED)
    assert spam > ham + 2
    assert peer.cpu() > 0
    if isinstance(peer, SpamAssassin):
        peer.fit(LESSONS[:300])  # 85 of the spam: below the 200 that its Bayes wants, so it is silent
        again = peer.scores(ASKED)
        assert again[1] < spam - 2
