"""`sekisho status`: what is well, what is not, and the exit status that monitoring asks for."""

import asyncio
import socket
import threading
from contextlib import contextmanager
from datetime import timedelta

import pytest
from support.gateway import free_port

from sekisho.cli import status
from sekisho.config.load import host_and_port


@contextmanager
def listening(address, greeting=b"220 gate.example.com ESMTP\r\n"):
    """Somebody who says one thing to everybody."""
    server = socket.create_server(host_and_port(address))

    def serve():
        while True:
            try:
                connection, _ = server.accept()
            except OSError:
                return
            with connection:
                if greeting is None:
                    connection.recv(1)  # until the client gives up
                else:
                    connection.sendall(greeting)

    thread = threading.Thread(target=serve)
    thread.start()
    try:
        yield
    finally:
        server.shutdown(socket.SHUT_RDWR)
        server.close()
        thread.join(10)


@pytest.fixture
def address(folder):
    address = f"127.0.0.1:{free_port()}"
    (folder / "sekisho.toml").write_text(f'[[listener]]\nname = "relay"\naddress = "{address}"\n')
    return address


@pytest.fixture
def beat(store, now):
    def say(name, *, ago=timedelta(0), **state):
        asyncio.run(store.heartbeat(name, 100, state, now - ago))

    return say


def shown(done):
    (state,) = done.objects
    assert done.status == (1 if state["wrong"] else 0)
    return state


def test_all_is_well(sekisho, address, beat, store, kept):
    hop = {"host": "mx.example:25", "state": "up"}
    beat("worker-1", connections=3, next_hops=[hop], store_trouble="")
    beat("background", workers=1, next_hops=[hop], store_trouble="")
    row, data = kept()
    asyncio.run(store.keep(row, data))
    with listening(address):
        state = shown(sekisho("status", "--json"))
        text = sekisho("status").out
    assert state["wrong"] == []
    assert state["listeners"] == [{"name": "relay", "address": address, "state": "up"}]
    assert {process["name"]: process["state"] for process in state["processes"]} == {
        "worker-1": "up",
        "background": "up",
    }
    assert state["next_hops"] == [hop]
    assert state["kept"] == {"approval held": 1}
    assert text.endswith("all is well\n")


def test_nothing_has_ever_run(sekisho, address):
    wrong = shown(sekisho("status", "--json"))["wrong"]
    assert any("not running" in text for text in wrong)
    assert any(address in text and "refused" in text for text in wrong)


def test_a_process_that_is_silent(sekisho, address, beat):
    beat("worker-1", ago=timedelta(minutes=2))
    beat("background", workers=1)
    with listening(address):
        wrong = shown(sekisho("status", "--json"))["wrong"]
    assert [text.partition(" s")[0].rstrip("0123456789") for text in wrong] == ["worker-1: not heard of for "]


def test_workers_of_an_earlier_start_are_not_missed(sekisho, address, beat):
    beat("worker-1")
    beat("worker-2", ago=timedelta(days=1))
    beat("background", workers=1)
    with listening(address):
        state = shown(sekisho("status", "--json"))
    assert state["wrong"] == []
    assert {process["name"] for process in state["processes"]} == {"worker-1", "background"}


def test_a_store_in_trouble_and_a_next_hop_that_is_down(sekisho, address, beat):
    down = {"host": "mx.example:25", "state": "down"}
    beat("worker-1", next_hops=[{**down, "state": "up"}], store_trouble="No space left on device")
    beat("worker-2", next_hops=[down], store_trouble="")
    with listening(address):
        wrong = shown(sekisho("status", "--json"))["wrong"]
    assert wrong == ["worker-1: store: No space left on device", "next hop mx.example:25: down"]


@pytest.mark.parametrize("said", [(b"", "no greeting"), (None, "timed out")])
def test_a_listener_that_takes_connections_and_says_nothing(sekisho, address, beat, monkeypatch, said):
    """The supervisor's socket is there also while every worker is dead."""
    monkeypatch.setattr(status, "_CONNECT_SECONDS", 0.2)
    beat("worker-1")
    greeting, told = said
    with listening(address, greeting):
        wrong = shown(sekisho("status", "--json"))["wrong"]
    assert len(wrong) == 1
    assert told in wrong[0]


def test_registered_lists_and_documents_are_named_once(sekisho, address, beat):
    registered = [
        {"kind": "list", "name": "customers", "tenant": "default", "rows": 50_000},
        {"kind": "documents", "tenant": "shop", "documents": 3},
    ]
    beat("worker-1", opening=["processes"], registered=registered)
    beat("worker-2", opening=["processes"], registered=registered)
    with listening(address):
        state = shown(sekisho("status", "--json"))
        lines = sekisho("status").out.splitlines()
    assert state["registered"] == registered
    told = [line.split() for line in lines if line.startswith("registered")]
    assert told == [
        ["registered", "list", "customers", "default", "50,000", "rows"],
        ["registered", "documents", "shop", "3"],
    ]


def test_registered_data_that_cannot_be_read_is_wrong(sekisho, address, beat):
    registered = [{"kind": "problem", "problem": "var/dlp/default/x.idx: is damaged"}]
    beat("worker-1", opening=["processes"], registered=registered)
    with listening(address):
        (wrong,) = shown(sekisho("status", "--json"))["wrong"]
        lines = sekisho("status").out.splitlines()
    assert "var/dlp/default/x.idx: is damaged" in wrong
    assert not any(line.startswith("registered") for line in lines)
    assert lines[-1] == f"WRONG      {wrong}"


def test_a_listener_that_waits_for_the_client(sekisho, address, folder, beat):
    """Behind PROXY protocol the client speaks first."""
    config = folder / "sekisho.toml"
    config.write_text(config.read_text() + 'proxy_protocol_from = ["127.0.0.1/32"]\n')
    beat("worker-1")
    with listening(address, None):
        assert shown(sekisho("status", "--json"))["wrong"] == []


def test_a_store_that_is_away(sekisho, address, folder):
    (folder / "var").write_text("in the way")
    with listening(address):
        state = shown(sekisho("status", "--json"))
    assert state["store"]
    assert f"store: {state['store']}" in state["wrong"]


def test_counters_that_are_away(sekisho, address, beat):
    beat("worker-1", store_trouble="", counters_trouble="no answer in time")
    with listening(address):
        wrong = shown(sekisho("status", "--json"))["wrong"]
    assert wrong == ["worker-1: limits and guard count for this process alone: no answer in time"]
