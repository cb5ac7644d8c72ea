"""A listener's role and what goes with it."""

import pytest

from sekisho.config.load import load
from sekisho.config.settings import ListenerSettings

HEAD = '[[listener]]\nname = "a"\naddress = "127.0.0.1:587"\n'


def problems(tmp_path, text):
    file = tmp_path / "sekisho.toml"
    file.write_text(HEAD + text)
    return [(problem.line, problem.key) for problem in load(file)[1]]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('role = "submission"\n', [(1, "listener[0].tls")]),
        ('role = "submission"\ntls = "off"\n', [(5, "listener[0].tls")]),
        ('mechanisms = ["PLAIN"]\n', [(4, "listener[0].mechanisms")]),
        ('role = "submission"\ntls = "implicit"\n', [(1, "listener[0].certificate")]),
    ],
)
def test_what_does_not_go_together(tmp_path, text, expected):
    assert problems(tmp_path, text) == expected


def test_unknown_mechanisms_are_found(tmp_path):
    (_, key), *_ = problems(tmp_path, 'role = "submission"\ntls = "starttls"\nmechanisms = ["CRAM-MD5"]\n')
    assert key.startswith("listener[0].mechanisms")


def test_defaults_by_role():
    """RFC 8314 3: no clear text for submission."""
    relay = ListenerSettings("r", "127.0.0.1:25")
    submission = ListenerSettings("s", "127.0.0.1:587", role="submission", tls="starttls")
    assert (relay.clients, relay.needs_tls) == (("127.0.0.0/8", "::1/128"), False)
    assert (submission.clients, submission.needs_tls) == (("0.0.0.0/0", "::/0"), True)
    assert ListenerSettings("s", "h:1", role="submission", networks=(), require_tls=False).clients == ()
