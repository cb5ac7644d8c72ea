import pytest

from sekisho.accounts.behaviour.events import Origin
from sekisho.accounts.behaviour.journeys import flips, kilometres

TOKYO, LONDON, OSAKA = (35.68, 139.77), (51.51, -0.13), (34.69, 135.50)


def at(place=None, country="", around=0):
    return Origin(1, around, 0, country, place)


def test_distances_are_those_of_the_great_circle():
    # 9,560 km and 400 km by any atlas.
    assert kilometres(TOKYO, LONDON) == pytest.approx(9560, rel=0.01)
    assert kilometres(TOKYO, OSAKA) == pytest.approx(397, rel=0.02)
    assert kilometres((0, 0), (0, 180)) == pytest.approx(20015, rel=0.001)


@pytest.mark.parametrize(
    ("there", "hours", "impossible"), [(LONDON, 2, True), (LONDON, 14, False), (OSAKA, 0.01, False)]
)
def test_by_places(there, hours, impossible):
    assert flips(at(TOKYO, "JP", 1), 0.0, at(there, "XX", 2), hours * 3600) is impossible


@pytest.mark.parametrize(("hours", "impossible"), [(1, True), (2, False)])
def test_by_countries_where_only_they_are_known(hours, impossible):
    assert flips(at(None, "JP", 1), 0.0, at(None, "GB", 2), hours * 3600) is impossible


def test_nothing_is_said_of_what_is_not_known():
    assert not flips(None, 0.0, at(None, "JP", 1), 1.0)
    assert not flips(at(None, "", 1), 0.0, at(None, "JP", 2), 1.0)
    assert not flips(at(None, "JP", 1), 0.0, at(None, "GB", 1), 1.0)
