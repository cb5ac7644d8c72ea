"""What the configuration names is read before anything starts: every mistake at once, with its line and key."""

import pytest

from sekisho.daemon.compose import prepared_from


@pytest.fixture
def problems(tmp_path):
    def found(text, **files):
        for name, content in files.items():
            (tmp_path / name).write_text(content)
        file = tmp_path / "sekisho.toml"
        file.write_text(text)
        prepared, wrong = prepared_from(file)
        assert (prepared is None) == bool(wrong)
        return [(problem.line, problem.key) for problem in wrong]

    return found


HOP = '[[tenant.default.next_hop]]\nhosts = ["mx.example.com"]\ntls = "verified"\n'


def test_a_good_one(problems):
    assert problems(HOP) == []


def test_a_ca_file_that_is_no_certificate(problems):
    assert problems(HOP + 'ca_file = "ca"\n', ca="no certificate") == [(4, "tenant.default.next_hop[0].ca_file")]


def test_a_password_file_without_password(problems):
    text = HOP + 'username = "u"\npassword_file = "pw"\n'
    assert problems(text, pw="") == [(5, "tenant.default.next_hop[0].password_file")]


def test_a_key_that_is_none_and_a_ca_at_once(problems):
    text = (
        HOP + 'ca_file = "ca"\n[[tenant.default.dkim]]\ndomain = "example.com"\nselector = "s"\nprivate_key = "key"\n'
    )
    assert problems(text, ca="no certificate", key="no key") == [
        (4, "tenant.default.next_hop[0].ca_file"),
        (8, "tenant.default.dkim[0].private_key"),
    ]
