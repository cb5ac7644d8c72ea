from sekisho.inspect.antivirus.engine import Answer, Threat
from sekisho.inspect.antivirus.results import Results
from sekisho.mail.finding import Severity

CLEAN = Answer()
BAD = Answer(Threat("malware/clamav", Severity.CRITICAL, "Bad"))


class Clock:
    now = 100.0

    def __call__(self):
        return self.now


def test_clean_and_not_clean():
    results = Results(10, 60.0, Clock())
    results.put(b"a", "1", CLEAN)
    results.put(b"b", "1", BAD)
    assert [results.get(key, "1") for key in (b"a", b"b", b"c")] == [CLEAN, BAD, None]


def test_another_version_ends_it_for_good():
    results = Results(10, 60.0, Clock())
    results.put(b"a", "1", CLEAN)
    assert results.get(b"a", "2") is None
    assert results.get(b"a", "1") is None


def test_age_counts_from_the_scan():
    clock = Clock()
    results = Results(10, 60.0, clock)
    results.put(b"a", "1", CLEAN)
    clock.now += 59
    assert results.get(b"a", "1") is CLEAN
    clock.now += 1
    assert results.get(b"a", "1") is None


def test_the_least_recently_used_goes_first():
    results = Results(2, 60.0, Clock())
    results.put(b"a", "1", CLEAN)
    results.put(b"b", "1", CLEAN)
    results.get(b"a", "1")
    results.put(b"c", "1", CLEAN)
    assert [results.get(key, "1") for key in (b"a", b"b", b"c")] == [CLEAN, None, CLEAN]
