from sekisho.accounts.behaviour.known import Known

DAY = 86400.0


def test_a_thing_stays_new_on_its_first_day_however_often_it_is_used():
    known = Known(10)
    for hour in range(12):
        known.add("a", hour * 3600.0, 1.0)
    assert known.novelty("a", 12 * 3600.0, 1.0) == 1.0


def test_a_thing_gets_familiar_by_days():
    known = Known(10)
    found = []
    for day in range(4):
        known.add("a", day * DAY, 1.0)
        found.append(known.novelty("a", day * DAY + 21 * 3600, 1.0))
    assert found == sorted(found, reverse=True)
    assert found[0] > 0.5
    assert found[-1] == 0.0


def test_what_was_used_long_ago_gets_new_again():
    known = Known(10)
    for day in range(5):
        known.add("a", day * DAY, 1.0)
    assert known.novelty("a", 400 * DAY, 64.0) > 0.9


def test_the_least_used_gives_way():
    known = Known(2)
    for day in range(5):
        known.add("office", day * DAY, 1.0)
    for n in range(100):
        known.add(f"café {n}", 6 * DAY, 1.0)
    assert len(known.uses) == 2
    assert "office" in known.uses


def test_what_somebody_asked_for_is_familiar_at_once():
    known = Known(2)
    known.trust("hotel", 5.0, 1.0)
    assert known.novelty("hotel", 6.0, 1.0) == 0.0
