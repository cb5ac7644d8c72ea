"""`sekisho config check`: good, or every problem of configuration, rules and policy at once."""

import pytest

from sekisho.store.sqlite import SqliteStore


def test_the_defaults_are_good(sekisho, folder):
    done = sekisho("config", "check", "--json")
    assert done.status == 0
    (shown,) = done.objects
    assert shown["file"] is None
    assert shown["listeners"] == ["127.0.0.1:2525"]
    assert shown["tenants"] == ["default"]
    assert shown["state_dir"] == str(folder / "var")
    assert sekisho("config", "check").out.startswith("built-in defaults: good\n")
    assert not (folder / "var").exists()


def test_the_file_of_the_current_folder_is_taken(sekisho, folder):
    (folder / "sekisho.toml").write_text('[gateway]\nstate_dir = "state"\n')
    (shown,) = sekisho("config", "check", "--json").objects
    assert (shown["file"], shown["state_dir"]) == ("sekisho.toml", str(folder / "state"))


def test_another_file(sekisho, folder):
    (folder / "etc").mkdir()
    (folder / "etc" / "x.toml").write_text('[gateway]\nstate_dir = "state"\n')
    (shown,) = sekisho("config", "check", "--json", "--config", "etc/x.toml").objects
    assert shown["state_dir"] == str(folder / "etc" / "state")


def test_problems_of_configuration_with_their_lines(sekisho, folder):
    (folder / "sekisho.toml").write_text('[gateway]\nworkers = -1\n\n[tenant.default]\ndomains = ["A"]\n')
    done = sekisho("config", "check")
    assert (done.status, done.out) == (2, "")
    assert done.err.splitlines()[0] == "sekisho: 2 problems:"
    assert [line.rpartition(": ")[0].split(": ")[:2] for line in done.err.splitlines()[1:]] == [
        ["sekisho.toml:2", "gateway.workers"],
        ["sekisho.toml:5", "tenant.default.domains[0]"],
    ]


def test_problems_of_rules_policy_and_keys_together(sekisho, folder):
    (folder / "own.toml").write_text('id = "dlp/x"\n')
    (folder / "policy.toml").write_text('[[rule]]\nname = "x"\nthen = { dispositon = "hold" }\n')
    (folder / "sekisho.toml").write_text(
        '[inspect]\nrules = ["own.toml"]\n[tenant.default]\npolicy = ["policy.toml"]\n'
        '[[tenant.default.dkim]]\ndomain = "example.com"\nselector = "s"\nprivate_key = "none.pem"\n'
    )
    done = sekisho("config", "check")
    assert done.status == 2
    for place in ("own.toml", "policy.toml:3", "none.pem"):
        assert place in done.err


@pytest.mark.parametrize(
    "command", [("serve",), ("hold", "list"), ("check", "x.eml"), ("status",), ("rules", "list")]
)
def test_no_command_works_under_a_broken_configuration(sekisho, folder, command):
    (folder / "sekisho.toml").write_text("[gateway]\nworkers = -1\n")
    done = sekisho(*command)
    assert (done.status, done.out) == (2, "")
    assert "sekisho.toml:2: gateway.workers" in done.err
    assert not (folder / "var").exists()


def test_checking_does_not_touch_a_store_that_is_there(sekisho, folder):
    with SqliteStore.open(folder / "var"):
        before = sorted(path.name for path in (folder / "var").rglob("*"))
        assert sekisho("config", "check").status == 0
        assert sorted(path.name for path in (folder / "var").rglob("*")) == before
