"""`sekisho account window`, as an operator runs it."""

import argparse
import json
from datetime import UTC, datetime, timedelta

import pytest

from sekisho.cli.account_window import add_window_verbs
from sekisho.cli.terms import CommandError, noun


@pytest.fixture
def account(tmp_path, capsys):
    """Runs `account window …` and returns exit status and what was printed as JSON."""
    file = tmp_path / "sekisho.toml"
    file.write_text('[gateway]\nstate_dir = "var"\n[tenant.default]\n[tenant.beta]\n')

    def run(*words):
        parser = argparse.ArgumentParser()
        add_window_verbs(noun(parser.add_subparsers(required=True), "account", ""))
        given = parser.parse_args(["account", "window", *words, "--config", str(file), "--json"])
        status = given.run(given)
        return status, [json.loads(line) for line in capsys.readouterr().out.splitlines()]

    return run


def later(hours):
    return (datetime.now(UTC) + timedelta(hours=hours)).isoformat()


def request(account, *more):
    status, (window,) = account(
        "add",
        "News@example.jp",
        "--until",
        later(3),
        "--recipients",
        "500",
        "--reason",
        "letter",
        "--by",
        "hana",
        *more,
    )
    assert status == 0
    return window


def test_from_request_to_approval(account):
    window = request(account)
    assert (window["login"], window["state"], window["requested_by"]) == ("news@example.jp", "requested", "hana")
    status, (approved,) = account("approve", window["id"], "--by", "jiro")
    assert (status, approved["state"], approved["approved_by"]) == (0, "approved", "jiro")
    assert account("approve", window["id"], "--by", "jiro")[0] == 1
    status, (cancelled,) = account("cancel", window["id"], "--by", "saburo")
    assert (status, cancelled["state"]) == (0, "cancelled")
    _, (listed,) = account("list", "--all")
    who = [listed[key] for key in ("requested_by", "approved_by", "cancelled_by")]
    assert who == ["hana", "jiro", "saburo"]  # the row is the record of all three


@pytest.mark.parametrize("name", ["hana", " HANA "])
def test_whoever_asked_cannot_approve(account, name):
    window = request(account)
    with pytest.raises(CommandError, match="cannot approve"):
        account("approve", window["id"], "--by", name)


def test_a_cancelled_request_cannot_be_approved(account):
    window = request(account)
    account("cancel", window["id"], "--by", "hana")
    assert account("approve", window["id"], "--by", "jiro")[0] == 1


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (("x", "--until", later(-1), "--recipients", "5", "--reason", "r"), "not over yet"),
        (("x", "--from", later(3), "--until", later(2), "--recipients", "5", "--reason", "r"), "after --from"),
        (("x", "--until", later(24 * 40), "--recipients", "5", "--reason", "r"), "31 days"),
        (("x", "--until", later(1), "--recipients", "0", "--reason", "r"), "--recipients"),
        (("x", "--until", later(1), "--recipients", "5", "--reason", " "), "--reason"),
        (("a\nb", "--until", later(1), "--recipients", "5", "--reason", "r"), "no login"),
        (("x", "--until", later(1), "--recipients", "5", "--reason", "r", "--tenant", "nobody"), "no tenant"),
    ],
)
def test_what_cannot_be_asked_for(account, words, why):
    with pytest.raises(CommandError, match=why):
        account("add", *words)


def test_another_tenants_window_is_none(account):
    window = request(account)
    for verb in ("approve", "cancel"):
        with pytest.raises(CommandError, match="no sending window"):
            account(verb, window["id"], "--by", "jiro", "--tenant", "beta")


def test_list_shows_what_is_not_over(account):
    request(account)
    assert len(account("list")[1]) == 1
    assert account("list", "--login", "other")[1] == []
    assert account("list", "--tenant", "beta")[1] == []
