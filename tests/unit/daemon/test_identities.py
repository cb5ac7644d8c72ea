"""Settings become the directory and the inspector of identities."""

import asyncio
from datetime import UTC, datetime

from sekisho.config.load import load
from sekisho.config.tenants import inherited
from sekisho.daemon.identities import directory_of, identified_by, identity_inspector
from sekisho.mail.envelope import Envelope, Recipient, Session
from sekisho.mail.transaction import Transaction
from sekisho.parse import parse

TEXT = """
[[listener]]
name = "in"
address = "127.0.0.1:2525"
account_from = "header"
account_header = "X-User"
account_header_from = ["192.0.2.1"]

[tenant.parent]
groups = { office = ["hana@example.jp"] }
[tenant.parent.identity]
delegates = { "boss@example.jp" = ["group:office"] }
aliases_file = "aliases.csv"

[tenant.default]
parent = "parent"
domains = ["example.jp"]
[tenant.default.lock]
contacts_file = "contacts.csv"
"""


def test_a_tenant_has_its_parents_identity_and_groups(tmp_path):
    (tmp_path / "sekisho.toml").write_text(TEXT)
    (tmp_path / "aliases.csv").write_text("hana@example.jp,sales@example.jp\n")
    (tmp_path / "contacts.csv").write_text("hana@example.jp,hana@home.example\n")
    configuration, problems = load(tmp_path / "sekisho.toml")
    assert problems == []
    tenants = {name: inherited(configuration.settings, name) for name in configuration.settings.tenant}
    directory, by_listener = directory_of(configuration, tenants), identified_by(configuration)
    asyncio.run(directory.refresh())
    hana = directory.account("default", "hana@example.jp")
    assert hana.addresses == ("hana@example.jp", "sales@example.jp")
    assert (hana.on_behalf_of, hana.contact) == (("boss@example.jp",), "hana@home.example")
    inspector = identity_inspector(tenants, directory, by_listener)
    session = Session("s", "198.51.100.1", account="hana@example.jp", listener="in")
    message = parse(b"From: boss@example.jp\r\nX-User: x\r\n\r\n")
    envelope = Envelope("hana@example.jp", (Recipient("a@example.net"),))
    found = inspector.inspect(Transaction("t", session, envelope, message, datetime.now(UTC)))
    assert {f.rule for f in found} == {"auth/identity-mismatch", "auth/untrusted-account-header"}
