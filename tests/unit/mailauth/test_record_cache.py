from sekisho.mail.dns import Records
from sekisho.mailauth.record_cache import RecordCache

A = ("a.example", "A")


def found(value="192.0.2.1", ttl=60.0):
    return Records("found", (value,), ttl)


def test_kept_until_its_time_is_over():
    cache = RecordCache(10, 10_000)
    cache.put(A, found(), 100.0)
    assert cache.get(A, 130.0) == found(ttl=30.0)
    assert cache.get(A, 160.0) is None
    assert len(cache) == 0


def test_what_has_no_time_is_not_kept():
    cache = RecordCache(10, 10_000)
    cache.put(A, found(ttl=0.0), 0.0)
    assert cache.get(A, 0.0) is None


def test_a_day_at_most():
    cache = RecordCache(10, 10_000)
    cache.put(A, found(ttl=1e9), 0.0)
    assert cache.get(A, 86_400.0) is None


def test_what_was_not_used_for_longest_goes_first():
    cache = RecordCache(2, 10_000)
    for name in ("a", "b"):
        cache.put((name, "A"), found(), 0.0)
    cache.get(("a", "A"), 1.0)
    cache.put(("c", "A"), found(), 1.0)
    assert [cache.get((name, "A"), 2.0) is not None for name in "abc"] == [True, False, True]


def test_bounded_by_octets_too():
    cache = RecordCache(1_000, 10_000)
    for number in range(100):
        cache.put((f"n{number}", "TXT"), Records("found", (b"x" * 700,), 60.0), 0.0)
    assert len(cache) == 10


def test_put_again_counts_once():
    cache = RecordCache(1_000, 1_000)
    for _ in range(100):
        cache.put(A, found(), 0.0)
    assert cache.get(A, 1.0) is not None
