import random

from sekisho.accounts.behaviour.seen import Seen

YEAR = 365 * 86400.0


def keys(number, seed):
    rng = random.Random(seed)
    return [rng.getrandbits(64) for _ in range(number)]


def test_what_was_added_is_there():
    seen = Seen.empty(24576, 0.0)
    for key in keys(2200, 1):
        seen.add(key, 1.0, YEAR)
    assert all(key in seen for key in keys(2200, 1))


def test_a_full_filter_takes_few_others_for_seen():
    seen = Seen.empty(24576, 0.0)
    for key in keys(2200, 1):
        seen.add(key, 1.0, YEAR)
    # Bloom: (1 - e^(-4 * 2200 / 24576))^4 = 0.8 % of what was not added.
    assert sum(key in seen for key in keys(20_000, 2)) / 20_000 < 0.012


def test_an_address_is_kept_for_the_next_generation_and_then_forgotten():
    seen = Seen.empty(1024, 0.0)
    seen.add(7, 0.0, 100.0)
    seen.add(8, 150.0, 100.0)
    assert 7 in seen
    seen.add(9, 300.0, 100.0)
    assert 7 not in seen
    assert 8 in seen


def test_it_never_grows():
    seen = Seen.empty(1024, 0.0)
    for key in keys(10_000, 3):
        seen.add(key, 1.0, YEAR)
    assert (len(seen.now), len(seen.before)) == (128, 128)


def test_filters_of_two_writers_merge():
    one, other = Seen.empty(1024, 0.0), Seen.empty(1024, 0.0)
    one.add(1, 0.0, YEAR)
    other.add(2**63, 0.0, YEAR)
    one.now = bytearray(a | b for a, b in zip(one.now, other.now, strict=True))
    assert 1 in one
    assert 2**63 in one
