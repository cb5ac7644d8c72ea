from hypothesis import given
from hypothesis import strategies as st

from sekisho.store.slots import SLOTS, free_after, moved, packed, slot_at, unpacked


def test_damaged_octets_are_nothing():
    assert unpacked(b"x", 5) == (5, [0] * SLOTS)
    assert unpacked(None, 5) == (5, [0] * SLOTS)
    assert unpacked(packed(5, range(SLOTS)), 5) == (5, list(range(SLOTS)))


def test_moving():
    counts = list(range(1, SLOTS + 1))
    assert moved(100, counts, 102) == (102, [*counts[2:], 0, 0])
    assert moved(100, counts, 100 + SLOTS) == (100 + SLOTS, [0] * SLOTS)
    assert moved(100, counts, 97) == (100, counts)  # another machine's clock is behind
    assert moved(10_000, counts, 97) == (97, [0] * SLOTS)


@given(
    st.integers(60, 100_000),
    st.floats(1e9, 2e9),
    st.lists(st.integers(0, 50), min_size=SLOTS, max_size=SLOTS),
    st.integers(0, 400),
)
def test_after_that_time_it_fits_and_not_before(seconds, at, counts, room):
    wait = free_after(counts, seconds, at, room)

    def left(then):
        return sum(moved(slot_at(seconds, at), counts, slot_at(seconds, then))[1])

    assert left(at + wait + 0.01) <= room
    if wait > 0.02:
        assert left(at + wait - 0.01) > room
