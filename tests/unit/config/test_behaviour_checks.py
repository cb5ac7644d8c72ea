import pytest

from sekisho.config.load import load

SECTION = "[tenant.default.behaviour]\n"


def problems(tmp_path, text):
    file = tmp_path / "sekisho.toml"
    file.write_text(SECTION + text)
    return [f"{problem.line} {problem.key.rpartition('.')[2]}: {problem.text}" for problem in load(file)[1]]


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("lock_probability = 0.4\nnotify_probability = 0.3", "2 lock_probability: must be from 0.5 to 1, got 0.4"),
        ("notify_probability = 0.99", "2 notify_probability: must not be more than lock_probability"),
        ("habit_half_life_days = 1.0", "2 habit_half_life_days: must be from 7 to 730, got 1"),
        ("evidence_half_life_hours = nan", "2 evidence_half_life_hours: must be from 1 to 168, got nan"),
        ('country_file = "none.mmdb"', "2 country_file: no such file: none.mmdb"),
    ],
)
def test_what_cannot_be(tmp_path, text, problem):
    assert problems(tmp_path, text) == [problem]


def test_what_can_be(tmp_path):
    (tmp_path / "country.mmdb").write_bytes(b"")
    assert problems(tmp_path, 'enabled = false\ncountry_file = "country.mmdb"\nlock_probability = 0.99') == []
