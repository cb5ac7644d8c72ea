"""What a login may write as, from accounts, files and settings together."""

import asyncio
import os

import pytest

from sekisho.accounts.directory import AccountDirectory, TenantIdentity
from sekisho.config.account_settings import IdentitySettings
from sekisho.mail.account import Account
from sekisho.mail.kept import StoreAwayError

SETTINGS = IdentitySettings(
    send_as={"info@example.jp": ("taro@example.jp", "group:support"), "@shop.example.jp": ("erp",)},
    delegates={"boss@example.jp": ("group:office",)},
)
GROUPS = {"support": ("Jiro@example.jp",), "office": ("example.jp",)}


class Registered:
    def __init__(self, *accounts):
        self.rows, self.reads, self.away = accounts, 0, False

    async def accounts(self):
        self.reads += 1
        if self.away:
            raise StoreAwayError("away")
        return self.rows

    async def stamp(self):
        return (len(self.rows),)


def directory(registered=None, **files):
    return AccountDirectory({"acme": TenantIdentity(SETTINGS, GROUPS, **files)}, registered)


def test_settings_and_groups_are_turned_around():
    known = directory()
    assert known.account("acme", "Taro@example.jp").addresses == ("taro@example.jp", "info@example.jp")
    assert known.account("acme", "jiro@example.jp").addresses == ("jiro@example.jp", "info@example.jp")
    assert known.account("acme", "jiro@example.jp").on_behalf_of == ("boss@example.jp",)
    assert known.account("acme", "erp").addresses == ("@shop.example.jp",)
    assert known.account("acme", "erp").on_behalf_of == ()
    assert known.account("acme", "nobody") == Account("acme", "nobody")
    assert known.account("other", "taro@example.jp") is None


def test_registered_accounts_are_taken_up_when_they_change():
    source = Registered(Account("acme", "hana", ("hana@example.jp",), ("x@example.jp",), contact="h@home.example"))
    known = directory(source)
    assert known.account("acme", "hana").addresses == ()
    asyncio.run(known.refresh())
    asyncio.run(known.refresh())
    assert source.reads == 1
    hana = known.account("acme", "HANA")
    assert (hana.addresses, hana.on_behalf_of, hana.contact) == (
        ("hana@example.jp",), ("x@example.jp",), "h@home.example",
    )  # fmt: skip
    source.rows, source.away = (*source.rows, Account("acme", "new", ("new@example.jp",))), True
    with pytest.raises(StoreAwayError):
        asyncio.run(known.refresh())
    assert known.account("acme", "hana") == hana
    source.away = False
    asyncio.run(known.refresh())
    assert known.account("acme", "new").addresses == ("new@example.jp",)


def test_files_are_read_again_and_a_wrong_one_changes_nothing(tmp_path, caplog):
    file = tmp_path / "aliases.csv"
    file.write_text("# our aliases\nTaro@example.jp, sales@example.jp, t.yamada@example.jp\n")
    (tmp_path / "contacts.csv").write_text("taro@example.jp;taro@home.example\n")
    known = directory(aliases_file=file, contacts_file=tmp_path / "contacts.csv")

    def addresses():
        asyncio.run(known.refresh())
        return known.account("acme", "taro@example.jp").addresses[1:-1]

    assert addresses() == ("sales@example.jp", "t.yamada@example.jp")
    assert known.account("acme", "taro@example.jp").contact == "taro@home.example"
    file.write_text("no address here\n")
    os.utime(file, (1, 1))
    assert addresses() == ("sales@example.jp", "t.yamada@example.jp")
    assert "line 1" in caplog.text
    file.write_text("taro@example.jp,other@example.jp\n")
    assert addresses() == ("other@example.jp",)
    file.unlink()
    assert addresses() == ("other@example.jp",)
