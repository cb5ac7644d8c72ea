"""Problems of the password settings, each with its line and key."""

import pytest

from sekisho.config.load import load
from sekisho.config.tenants import inherited


def problems(tmp_path, text):
    file = tmp_path / "sekisho.toml"
    file.write_text(text)
    _, found = load(file)
    return [(problem.line, problem.key) for problem in found]


@pytest.mark.parametrize(
    ("line", "key"),
    [
        ("least_length = 7", "least_length"),  # NIST SP 800-63B-4 3.1.1.2: never fewer than 8
        ("least_length_with_second_factor = 7", "least_length_with_second_factor"),
        ("least_length = 65", "least_length"),
        ("most_length = 63", "most_length"),  # at least 64 have to be allowed
        ("most_length = 2000", "most_length"),
        ("guesses_power_of_ten = -1.0", "guesses_power_of_ten"),
        ("guesses_power_of_ten_with_second_factor = nan", "guesses_power_of_ten_with_second_factor"),
        ("last_passwords = -1", "last_passwords"),
        ('require = ["lower", "emoji"]', "require[1]"),
        ('words = ["fine", " "]', "words[1]"),
        ('breach_list = "nowhere"', "breach_list"),
        ('breach_list = "sekisho.toml"', "breach_list"),
        ("unknown = 1", "unknown"),
    ],
)
def test_tenant(tmp_path, line, key):
    assert problems(tmp_path, f"[tenant.default.password]\n\n{line}\n") == [(3, f"tenant.default.password.{key}")]


@pytest.mark.parametrize(
    ("line", "key"),
    [
        ("memory_kib = 1024", "memory_kib"),
        ("passes = 0", "passes"),
        ("lanes = 0", "lanes"),
        ("at_once = 0", "at_once"),
        ("scram_iterations = 4095", "scram_iterations"),  # RFC 7677 4
    ],
)
def test_hash(tmp_path, line, key):
    assert problems(tmp_path, f"[password_hash]\n{line}\n") == [(2, f"password_hash.{key}")]


def test_nothing_wrong(tmp_path):
    text = (
        "[password_hash]\nscram_iterations = 0\nmemory_kib = 19456\n[tenant.default.password]\nlast_passwords = 0\n"
    )
    assert problems(tmp_path, text) == []


def test_inherited(tmp_path):
    file = tmp_path / "sekisho.toml"
    file.write_text(
        '[tenant.default.password]\nleast_length = 20\n[tenant.sub]\nparent = "default"\n'
        '[tenant.own]\nparent = "default"\n[tenant.own.password]\nleast_length = 16\n'
    )
    settings = load(file)[0].settings
    assert [inherited(settings, name).password.least_length for name in ("default", "sub", "own")] == [20, 20, 16]
