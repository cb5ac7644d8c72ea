"""Against an ICAP server of our own: what the answers become, and what happens when it does not behave."""

import asyncio

import pytest
from support.attached import transaction
from support.engines import NO_CONTENT, IcapServer, modified

from sekisho.config.settings import AntivirusSettings
from sekisho.inspect.antivirus.lookup import Antivirus
from sekisho.mail.finding import Severity

PREVIEW = "Methods: RESPMOD, REQMOD\r\nAllow: 204\r\nPreview: 4\r\n"


def looked_up(answer, *attachments, rounds=1, **more):
    """The findings of `rounds` messages with these attachments, and the server."""
    server_options = {key: more.pop(key) for key in ("options", "wants_rest", "istag") if key in more}

    async def run():
        async with IcapServer(answer, **{"options": PREVIEW} | server_options) as server:
            antivirus = Antivirus(
                AntivirusSettings(
                    **{"name": "icap", "address": server.address, "kind": "icap", "timeout_seconds": 2.0} | more
                )
            )
            found = []
            for _ in range(rounds):
                found += await antivirus.look_up(transaction(*(attachments or [("a.bin", b"content")])))
            antivirus.close()
            return found, server, antivirus.health

    return asyncio.run(run())


def seen(findings):
    return [(f.rule, f.severity, f.where, f.path, f.explanation) for f in findings]


def found(name, rule="malware/icap", severity=Severity.CRITICAL):
    return [(rule, severity, "attachment", "a.bin", f"icap: {name}")]


def failed(why):
    return found(why, "inspection.failed/antivirus", Severity.HIGH)


@pytest.mark.parametrize("content", [b"x", b"four", b"fiver", b"x" * 1_000_000])
@pytest.mark.parametrize("options", [PREVIEW, "Preview: 0\r\n", "Allow: 204\r\n", "Preview: 2000000\r\n"])
@pytest.mark.parametrize("icap_method", ["respmod", "reqmod"])
def test_clean_content_of_every_size(content, options, icap_method):
    findings, server, health = looked_up(
        lambda content: NO_CONTENT, ("a.bin", content), options=options, icap_method=icap_method
    )
    assert findings == []
    assert server.scanned == [content]
    assert server.requests[-1] == icap_method.upper()
    assert (health.up, health.version) == (True, "Test one")


def test_a_verdict_on_the_preview_alone():
    findings, server, _ = looked_up(lambda content: NO_CONTENT, wants_rest=lambda preview: False)
    assert (findings, server.scanned) == ([], [b"cont"])


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ("X-Infection-Found: Type=0; Resolution=2; Threat=EICAR;\r\n", found("EICAR")),
        ("X-Virus-ID: Some.Virus\r\n", found("Some.Virus")),
        ("X-Violations-Found: 1\r\n\ta.bin\r\n\tOther.Virus\r\n\t0\r\n\t0\r\n", found("Other.Virus")),
        (
            "X-Infection-Found: Type=1; Resolution=2; Threat=Name;\r\n",
            found("Name", "attachment/heuristic", Severity.MEDIUM),
        ),
        (
            "X-Infection-Found: Type=2; Resolution=2; Threat=Deep;\r\n",
            found("Deep", "attachment/over-limit", Severity.HIGH),
        ),
        ("", found("the engine replaced the content and did not say why")),
    ],
)
def test_what_is_found(fields, expected):
    findings, _, _ = looked_up(lambda content: modified(b"<p>blocked</p>", fields=fields))
    assert seen(findings) == expected


def test_the_name_may_stand_on_an_error():
    answer = b"ICAP/1.0 403 Forbidden\r\nX-Infection-Found: Type=0; Threat=EICAR;\r\n\r\n"
    assert seen(looked_up(lambda content: answer)[0]) == found("EICAR")


def test_the_same_content_back_is_clean():
    """What servers do that do not know 204."""
    assert looked_up(lambda content: modified(content, status="200 OK"))[0] == []


@pytest.mark.parametrize(
    "answer",
    [
        lambda content: modified(content[:-1], status="200 OK"),
        lambda content: modified(content[:-1] + b"T", status="200 OK"),
        lambda content: modified(content, status="403 Forbidden"),
        lambda content: modified(b"", status="200 OK"),
    ],
)
def test_other_content_back_is_not(answer):
    assert [f.rule for f in looked_up(answer)[0]] == ["malware/icap"]


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        (b"ICAP/1.0 500 Server error\r\n\r\n", "the engine says: 500 Server error"),
        (b"ICAP/1.0 503 Service overloaded\r\n\r\n", "the engine says: 503 Service overloaded"),
        (b"ICAP/1.0 404 ICAP Service not found\r\n\r\n", "the engine says: 404 ICAP Service not found"),
        (b"ICAP/1.0 206 Partial Content\r\n\r\n", "the engine says: 206 Partial Content"),
        (b"HTTP/1.1 400 Bad Request\r\n\r\n", "not an ICAP response: 'HTTP/1.1 400 Bad Request'"),
        (b"ICAP/1.0 200 OK\r\nConnection: close\r\nEncapsulated: res-body=0\r\n\r\n5\r\nab", "the engine closed"),
        (b"ICAP/1.0 200 OK\r\nEncapsulated: nonsense\r\n\r\n", "Encapsulated: 'nonsense'"),
    ],
)
def test_what_is_no_verdict(answer, why):
    (finding,), _, _ = looked_up(lambda content: answer)
    assert (finding.rule, finding.where) == ("inspection.failed/antivirus", "attachment")
    assert finding.explanation.startswith(f"icap: {why}")


def test_no_answer():
    assert seen(looked_up(lambda content: None, timeout_seconds=0.2)[0]) == failed("no answer within 0.2 s")


def test_a_service_for_something_else():
    findings, _, health = looked_up(lambda content: NO_CONTENT, options="Methods: REQMOD\r\n", timeout_seconds=0.2)
    assert [f.rule for f in findings] == ["inspection.failed/antivirus"]
    assert (health.up, health.error) == (False, "the service takes REQMOD, not RESPMOD")


def test_a_connection_is_used_again():
    findings, server, _ = looked_up(lambda content: NO_CONTENT, rounds=5, cache_seconds=0.0)
    assert (findings, len(server.scanned), server.connections) == ([], 5, 1)


def test_a_connection_that_the_server_closes_is_not():
    close = NO_CONTENT.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n")
    findings, server, _ = looked_up(lambda content: close, rounds=3, cache_seconds=0.0)
    assert (findings, len(server.scanned), server.connections) == ([], 3, 3)


@pytest.mark.parametrize(
    "answer", [NO_CONTENT[:-2] + b"connection: CLOSE\r\n\r\n", NO_CONTENT + b"ICAP/1.0 204 for nobody\r\n\r\n"]
)
def test_nor_one_that_it_means_to_close_or_on_which_more_came(answer):
    """This server leaves them open; the next question would get an answer that is not its own."""
    findings, server, _ = looked_up(lambda content: answer, rounds=3, cache_seconds=0.0)
    assert (findings, len(server.scanned), server.connections) == ([], 3, 3)


def test_no_more_connections_than_the_server_can_hold():
    attachments = [(f"{n}", b"%d" % n) for n in range(30)]
    findings, server, _ = looked_up(
        lambda content: NO_CONTENT, *attachments, rounds=3, options="Max-Connections: 1\r\n", cache_seconds=0.0
    )
    assert (findings, len(server.scanned)) == ([], 90)
    # What was being opened when the limit became known may still be used; nothing is opened after that.
    assert server.connections <= 4


def test_results_are_kept_for_one_state_of_the_engine():
    tags = iter(['"one"', '"one"', '"two"', '"two"'])

    def answer(content):
        return f"ICAP/1.0 204 No Content\r\nISTag: {next(tags)}\r\n\r\n".encode()

    async def run():
        async with IcapServer(answer, options=PREVIEW) as server:
            antivirus = Antivirus(AntivirusSettings("icap", server.address, "icap"))
            for content in (b"1", b"1", b"2", b"3", b"1", b"1"):
                await antivirus.look_up(transaction(("a", content)))
            antivirus.close()
            return server.scanned

    # With the third answer the state is another, so that the first content is looked at anew, once.
    assert asyncio.run(run()) == [b"1", b"2", b"3", b"1"]
