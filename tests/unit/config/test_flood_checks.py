"""What the types alone cannot say of the settings about floods; with line and key."""

import pytest

from sekisho.config.load import load
from sekisho.config.tenants import inherited


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("[flood]\nmessages_in_work = 3\n", [(2, "flood.messages_in_work")]),
        ("[flood]\nmessages_in_work = 0\n", [(2, "flood.messages_in_work")]),
        ("[flood]\ncrowded_share = 1.1\n", [(2, "flood.crowded_share")]),
        ("[flood]\nnetwork_share = 0.0\n", [(2, "flood.network_share")]),
        ("[flood]\nlag_seconds = nan\n", [(2, "flood.lag_seconds")]),
        ("[flood]\nwait_seconds = inf\n", [(2, "flood.wait_seconds")]),
        ("[flood]\nleast_free_disk_bytes = 0\nnew_connections_per_network = 0\n", []),
        ("[tenant.default.flood]\nshare = 0.0\n", [(2, "tenant.default.flood.share")]),
        ("[tenant.default.flood]\nheld_bytes = -1\n", [(2, "tenant.default.flood.held_bytes")]),
        ("[tenant.default.flood]\nheld_bytes = 0\nbounces_per_minute = 0\n", []),
    ],
)
def test_problems(tmp_path, text, expected):
    file = tmp_path / "sekisho.toml"
    file.write_text(text)
    assert [(problem.line, problem.key) for problem in load(file)[1]] == expected


def test_inherited_as_a_whole(tmp_path):
    file = tmp_path / "sekisho.toml"
    file.write_text('[tenant.default.flood]\nshare = 3.0\n[tenant.child]\nparent = "default"\n')
    configuration, problems = load(file)
    assert not problems
    assert inherited(configuration.settings, "child").flood.share == 3.0
