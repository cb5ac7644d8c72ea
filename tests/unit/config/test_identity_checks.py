"""What is wrong with settings of identity and locks, with its line and key."""

import pytest

from sekisho.config.identity_checks import AliasesError, read_aliases
from sekisho.config.load import load


def problems(tmp_path, text):
    file = tmp_path / "sekisho.toml"
    file.write_text(text)
    return [(problem.line, problem.key, problem.text) for problem in load(file)[1]]


GOOD = """
[tenant.default]
groups = { office = ["example.jp"] }
[tenant.default.identity]
enforce = "monitor"
aliases_file = "aliases.csv"
send_as = { "info@example.jp" = ["group:office", "erp"] }
subaddress_separator = ""
[tenant.default.lock]
mail = "refuse"
incidents = 0
contacts_file = "aliases.csv"
[[listener]]
name = "in"
address = "127.0.0.1:25"
account_from = "client"
account_clients = { "192.0.2.0/24" = "printers" }
"""


def test_what_is_right(tmp_path):
    (tmp_path / "aliases.csv").write_text("hana,hana@example.jp\n")
    assert problems(tmp_path, GOOD) == []


@pytest.mark.parametrize(
    ("section", "line", "key"),
    [
        ('identity]\nenforce = "yes"', 2, "identity.enforce"),
        ('identity]\nsend_as = { "Info@example.jp" = ["x"] }', 2, "identity.send_as"),
        ('identity]\nsend_as = { "info" = ["x"] }', 2, "identity.send_as"),
        ('identity]\ndelegates = { "i@example.jp" = ["group:none"] }', 2, "identity.delegates"),
        ('identity]\ndelegates = { "i@example.jp" = ["Hana"] }', 2, "identity.delegates"),
        ('identity]\nsubaddress_separator = "--"', 2, "identity.subaddress_separator"),
        ('identity]\nsubaddress_separator = "@"', 2, "identity.subaddress_separator"),
        ('identity]\naliases_file = "none.csv"', 2, "identity.aliases_file"),
        ('identity]\naliases_file = "wrong.csv"', 2, "identity.aliases_file"),
        ('lock]\ncontacts_file = "none.csv"', 2, "lock.contacts_file"),
        ("lock]\nincidents = -1", 2, "lock.incidents"),
        ("lock]\nincident_minutes = 0", 2, "lock.incident_minutes"),
        ("lock]\nrepeat_locks = 0", 2, "lock.repeat_locks"),
        ("lock]\nrepeat_days = -3", 2, "lock.repeat_days"),
    ],
)
def test_tenants(tmp_path, section, line, key):
    (tmp_path / "wrong.csv").write_text("hana\n")
    ((at, where, _),) = problems(tmp_path, f"[tenant.default.{section}\n")
    assert (at, where) == (line, f"tenant.default.{key}")


@pytest.mark.parametrize(
    ("line", "key"),
    [
        ('account_from = "header"', "account_from"),
        ('account_from = "magic"', "account_from"),
        ('account_header = "X User"', "account_header"),
        ('account_header = "From"', "account_header"),
        ('account_header_from = ["192.0.2.300"]', "account_header_from[0]"),
        ('account_clients = { "nowhere" = "x" }', "account_clients"),
        ('account_clients = { "192.0.2.1" = "Hana" }', "account_clients"),
    ],
)
def test_listeners(tmp_path, line, key):
    ((at, where, _),) = problems(tmp_path, f'[[listener]]\nname = "in"\naddress = "127.0.0.1:25"\n{line}\n')
    assert (at, where) == (4, f"listener[0].{key}")


def test_aliases():
    text = "\ufeff# ours\n\nHana, a@Example.jp ,@shop.example.jp\nhana;b@example.jp\n"
    assert read_aliases(text.splitlines()) == {"hana": ("a@example.jp", "@shop.example.jp", "b@example.jp")}
    for wrong in ("hana", "hana,", ",a@example.jp", "hana,nobody", "a\x00,b@example.jp"):
        with pytest.raises(AliasesError, match="line 1"):
            read_aliases([wrong])
