"""Who writes as whom, through the running gateway: accounts named by an upstream's header, and what policy does."""

import pytest
from support.client import message, send
from support.gateway import RunningGateway, free_port
from support.sink import Sink


@pytest.fixture
def sink():
    with Sink() as running:
        yield running


@pytest.fixture
def gateway(tmp_path, sink):
    others = free_port()
    sections = f"""
[[listener]]
name = "others"
address = "127.0.0.1:{others}"
tenant = "shop"
account_from = "header"
account_header_from = ["192.0.2.1"]

[tenant.default]
domains = ["example.com"]
groups = {{ office = ["jiro@example.com"] }}
[tenant.default.identity]
send_as = {{ "info@example.com" = ["hanako@example.com"] }}
delegates = {{ "boss@example.com" = ["group:office"] }}
[[tenant.default.next_hop]]
hosts = ["127.0.0.1:{sink.port}"]

[tenant.shop]
domains = ["shop.example"]
[[tenant.shop.next_hop]]
hosts = ["127.0.0.1:{sink.port}"]
"""
    listener = 'account_from = "header"\naccount_header_from = ["127.0.0.0/8"]\n'
    with RunningGateway(tmp_path, sections=sections, listener=listener, workers=1) as running:
        running.others = others
        yield running


def account(login):
    return f"X-Authenticated-User: {login}\r\n"


def test_an_upstream_names_the_account(gateway, sink):
    hanako, jiro = account("Hanako@example.com"), account("jiro@example.com")
    for identity, headers, sender, expected in (
        ("own", hanako, "hanako@example.com", "250"),
        ("as", hanako, "info@example.com", "250"),
        ("forged", hanako, "jiro@example.com", "550"),
        ("no-sender", jiro, "boss@example.com", "550"),
        ("behalf", jiro + "Sender: jiro@example.com\r\n", "boss@example.com", "250"),
        ("unknown", "", "jiro@example.com", "250"),
    ):
        path = "jiro@example.com" if identity in ("behalf", "no-sender") else "hanako@example.com"
        reply = send(gateway.port, message(identity, sender=sender, headers=headers), sender=path)
        assert reply.startswith(expected), (identity, reply)
    arrived = [data for _, data in sink.received]
    assert len(arrived) == 4
    assert not any(b"x-authenticated-user" in data.lower() for data in arrived)
    assert not any(b" with ESMTPA" in data for data in arrived)  # RFC 3848: nobody has logged in here
    wanted = ("--sender", "hanako@example.com", "--finding", "auth/identity-mismatch")
    record = gateway.json("audit", "search", *wanted)[0]
    assert record["account"] == "hanako@example.com"


def test_a_header_of_others_is_neither_believed_nor_passed_on(gateway, sink):
    data = message("shop", sender="eve@shop.example", headers=account("boss@shop.example"))
    assert send(gateway.others, data, sender="eve@shop.example").startswith("250")
    ((_, arrived),) = sink.received
    assert b"x-authenticated-user" not in arrived.lower()
    (record,) = gateway.json("audit", "search", "--sender", "eve@shop.example")
    assert record["account"] == "eve@shop.example"
    assert "auth/untrusted-account-header" in [finding["rule"] for finding in record["findings"]]


def test_a_domain_of_another_tenant_is_refused(gateway, sink):
    data = message("forged", sender="boss@example.com")
    assert send(gateway.others, data, sender="eve@shop.example").startswith("550 5.7.1")
    assert send(gateway.others, message("path"), sender="boss@example.com").startswith("550 5.7.1")
    assert sink.received == []
