import random

import pytest

from sekisho.accounts.behaviour.events import Origin, Sending, Target
from sekisho.accounts.behaviour.profile import learn
from sekisho.accounts.behaviour.state import AccountState

DAY = 86400.0
MONDAY = 4 * DAY  # 1970-01-05, 0:00 UTC


class Owner:
    """An office worker: some ten messages each working day from 1:00 to 9:00 UTC, to 60 people that are known."""

    def __init__(self, seed=1):
        self.rng = random.Random(seed)
        self.office = Origin(1, 10, 5, "JP")
        self.people = [Target(self.rng.getrandbits(64), n % 9 + 1, n % 2 == 0) for n in range(60)]
        self.state = AccountState.new(MONDAY, 45 * DAY)
        self.now = MONDAY

    def stranger(self):
        return Target(self.rng.getrandbits(64), self.rng.getrandbits(64))

    def message(self, at, origin=None, targets=None, **more):
        more = {"script": "japanese", "template": self.rng.getrandbits(60), "score": 0.02, **more}
        return Sending(at, origin or self.office, tuple(targets or self.rng.sample(self.people, 2)), **more)

    def work(self, days=40):
        for _ in range(days):
            if int(self.now / DAY - 4) % 7 < 5:
                for n in range(10):
                    at = self.now + (1 + 8 * n / 10) * 3600 + self.rng.uniform(0, 1800)
                    learn(self.state.profile, self.message(at, links=n % 3 == 0))
            self.now += DAY
        return self


@pytest.fixture
def owner():
    return Owner().work()


@pytest.fixture
def newcomer():
    return Owner()
