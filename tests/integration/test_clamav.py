"""A real clamd with signatures of our own, and a real ICAP server (c-icap) that asks it."""

import asyncio
import io
import random
import zipfile

import pytest
import pyzipper
from support import c_icap, clamd
from support.attached import transaction
from support.c_icap import CIcap
from support.clamd import EICAR, HASHED, YARA_WORDS, Clamd
from support.gateway import wait_for

from sekisho.config.settings import AntivirusSettings
from sekisho.inspect.antivirus.lookup import Antivirus
from sekisho.mail.finding import Severity

pytestmark = [pytest.mark.peer, pytest.mark.skipif(bool(clamd.MISSING), reason=clamd.MISSING)]

MALWARE, LIMIT, ODD = "malware/clamav", "attachment/over-limit", "attachment/heuristic"


@pytest.fixture(scope="module")
def running():
    with Clamd() as daemon:
        yield daemon


def engine(address, **more):
    return AntivirusSettings(**{"name": "clam", "address": address, "timeout_seconds": 20.0} | more)


def looked_up(settings, *attachments):
    async def go():
        antivirus = Antivirus(settings)
        try:
            return await antivirus.look_up(transaction(*attachments))
        finally:
            antivirus.close()

    return asyncio.run(go())


def seen(findings):
    return [(f.rule, f.path, f.explanation) for f in findings]


def zipped(*files):
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files:
            archive.writestr(name, content)
    return made.getvalue()


def encrypted_zip():
    made = io.BytesIO()
    with pyzipper.AESZipFile(made, "w", encryption=pyzipper.WZ_AES) as archive:
        archive.setpassword(b"himitsu")
        archive.writestr("list.txt", b"secret")
    return made.getvalue()


def noise(size):
    return random.Random(size).randbytes(size)


@pytest.mark.parametrize("way", ["unix", "tcp"])
def test_what_is_found_and_what_is_not(running, way):
    findings = looked_up(
        engine(getattr(running, way)),
        ("eicar.com", EICAR),
        ("in.zip", zipped(("e.com", EICAR))),
        ("in-in.zip", zipped(("in.zip", zipped(("e.com", EICAR))))),
        ("hashed", HASHED),
        ("yara", YARA_WORDS),
        ("tool.exe", b"x sekisho-unwanted-tool x"),
        ("locked.zip", encrypted_zip()),
        ("clean.txt", b"nothing"),
        ("clean.bin", noise(1_000_000)),
        ("clean.zip", zipped(("a", b"nothing"))),
    )
    assert seen(findings) == [
        (MALWARE, "eicar.com", "clam: Sekisho.Eicar.UNOFFICIAL"),
        (MALWARE, "in.zip", "clam: Sekisho.Eicar.UNOFFICIAL"),
        (MALWARE, "in-in.zip", "clam: Sekisho.Eicar.UNOFFICIAL"),
        (MALWARE, "hashed", "clam: Sekisho.Hashed.UNOFFICIAL"),
        (MALWARE, "yara", "clam: YARA.Words.UNOFFICIAL"),
        (ODD, "tool.exe", "clam: PUA.Sekisho.Tool.UNOFFICIAL"),
        ("attachment/encrypted", "locked.zip", "clam: Heuristics.Encrypted.Zip"),
    ]
    assert findings[0].severity is Severity.CRITICAL


def nested(depth):
    content = b"nothing"
    for _ in range(depth):
        content = zipped(("a.zip", content))
    return content


def test_what_clamd_could_not_look_through_is_over_a_limit():
    """With AlertExceedsMax; without it, clamd says OK."""
    with Clamd("MaxScanSize 1M\nMaxFiles 10\nMaxRecursion 5\n") as daemon:
        findings = looked_up(
            engine(daemon.unix),
            ("size.zip", zipped(("zeros", bytes(3_000_000)))),
            ("count.zip", zipped(*((f"{n}", b"%d" % n) for n in range(20)))),
            ("deep.zip", nested(8)),
            ("fine.zip", nested(3)),
        )
    assert [(f.rule, f.severity, f.path) for f in findings] == [
        (LIMIT, Severity.HIGH, name) for name in ("size.zip", "count.zip", "deep.zip")
    ]


@pytest.mark.parametrize("way", ["unix", "tcp"])
@pytest.mark.parametrize("size", [2_200_000, 20_000_000])
def test_what_is_over_its_stream_limit(running, way, size):
    (finding,) = looked_up(engine(getattr(running, way)), ("big", noise(size)))
    assert (finding.rule, finding.where, finding.path) == ("inspection.failed/antivirus", "attachment", "big")
    assert finding.explanation == "clam: larger than the engine takes (StreamMaxLength in clamd.conf)"


def test_many_scans_share_few_connections(running):
    attachments = [(f"{n}", noise(10_000 + n)) for n in range(60)]
    attachments.append(("eicar.com", EICAR))
    assert seen(looked_up(engine(running.tcp, connections=2), *attachments)) == [
        (MALWARE, "eicar.com", "clam: Sekisho.Eicar.UNOFFICIAL")
    ]


def test_killed_and_restarted_in_the_middle():
    """Scans go on when it is back: nothing is reported that was not so."""
    with Clamd() as daemon:

        async def go():
            antivirus = Antivirus(engine(daemon.unix, timeout_seconds=60.0))
            assert (await antivirus.check()).up
            daemon.pause()
            attachments = [("eicar.com", EICAR), *((f"{n}", noise(500_000 + n)) for n in range(8))]
            task = asyncio.create_task(antivirus.look_up(transaction(*attachments)))
            await asyncio.sleep(0)
            daemon.stop()
            await asyncio.to_thread(wait_for, "the engine is seen to be down", lambda: not antivirus.health.up)
            await asyncio.to_thread(daemon.start)
            findings = await task
            antivirus.close()
            return seen(findings), antivirus.health.up

        assert asyncio.run(go()) == ([(MALWARE, "eicar.com", "clam: Sekisho.Eicar.UNOFFICIAL")], True)


def test_gone_for_good():
    with Clamd() as daemon:

        async def go():
            antivirus = Antivirus(engine(daemon.tcp, timeout_seconds=1.0))
            assert (await antivirus.check()).up
            daemon.stop()
            first = await antivirus.look_up(transaction(("eicar.com", EICAR)))
            second = await antivirus.look_up(transaction(("eicar.com", EICAR)))
            plain = await antivirus.look_up(transaction(body="no attachment"))
            down = await antivirus.check()
            await asyncio.to_thread(daemon.start)
            up = await antivirus.check()
            third = await antivirus.look_up(transaction(("eicar.com", EICAR)))
            antivirus.close()
            return [[(f.rule, f.where) for f in found] for found in (first, second, plain, third)], down.up, up.up

        failed = [("inspection.failed/antivirus", "attachment")]
        assert asyncio.run(go()) == ([failed, failed, [], [(MALWARE, "attachment")]], False, True)


def test_one_that_stops_answering():
    with Clamd() as daemon:
        daemon.pause()
        try:
            (finding,) = looked_up(engine(daemon.unix, timeout_seconds=0.5), ("eicar.com", EICAR))
        finally:
            daemon.go_on()
        assert (finding.rule, finding.explanation) == ("inspection.failed/antivirus", "clam: no answer within 0.5 s")


def test_restarted_while_nobody_asked():
    """The connections that are kept are all dead then."""
    with Clamd() as daemon:

        async def go():
            antivirus = Antivirus(engine(daemon.unix))
            await antivirus.look_up(transaction(*((f"{n}", b"%d" % n) for n in range(20))))
            await asyncio.to_thread(daemon.stop)
            await asyncio.to_thread(daemon.start)
            found = await antivirus.look_up(transaction(("eicar.com", EICAR)))
            antivirus.close()
            return seen(found), antivirus.health.up

        assert asyncio.run(go()) == ([(MALWARE, "eicar.com", "clam: Sekisho.Eicar.UNOFFICIAL")], True)


def test_new_signatures():
    """The version of a private database stays the same, so results go by their age; with a new version at once."""
    with Clamd() as daemon:

        async def go():
            antivirus = Antivirus(engine(daemon.unix, cache_seconds=0.0))
            before = await antivirus.look_up(transaction(("a", b"a brand-new-virus here")))
            line = f"Sekisho.New:0:*:{b'brand-new-virus'.hex()}\n"
            await asyncio.to_thread(daemon.reload, "new.ndb", line)
            after = await antivirus.look_up(transaction(("a", b"a brand-new-virus here")))
            antivirus.close()
            return seen(before), seen(after)

        assert asyncio.run(go()) == ([], [(MALWARE, "a", "clam: Sekisho.New.UNOFFICIAL")])


# --- the same over ICAP ---


@pytest.fixture(scope="module")
def served(running):
    if c_icap.MISSING:
        pytest.skip(c_icap.MISSING)
    with CIcap(running) as server:
        yield server


@pytest.mark.parametrize("icap_method", ["respmod", "reqmod"])
def test_icap_what_is_found_and_what_is_not(served, icap_method):
    findings = looked_up(
        engine(served.address, kind="icap", icap_method=icap_method),
        ("eicar.com", EICAR),
        ("in.zip", zipped(("e.com", EICAR))),
        ("late", noise(100_000) + EICAR),
        ("clean.txt", b"nothing"),
        ("clean.bin", noise(1_000_000)),
        ("preview", noise(1024)),
        ("preview and one", noise(1025)),
    )
    assert seen(findings) == [
        ("malware/icap", "eicar.com", "clam: Sekisho.Eicar.UNOFFICIAL"),
        ("malware/icap", "in.zip", "clam: Sekisho.Eicar.UNOFFICIAL"),
        ("malware/icap", "late", "clam: Sekisho.Eicar.UNOFFICIAL"),
    ]


def test_icap_health(served):
    health = asyncio.run(Antivirus(engine(served.address, kind="icap")).check())
    assert health.up
    assert health.version.startswith("C-ICAP/")


def test_icap_no_such_service(served):
    address = served.address.replace("avscan", "nothing")
    (finding,) = looked_up(engine(address, kind="icap", timeout_seconds=1.0), ("a", b"x"))
    assert (finding.rule, finding.where) == ("inspection.failed/antivirus", "attachment")
    assert "404" in finding.explanation


def test_icap_an_engine_that_cannot_scan_is_not_clean():
    if c_icap.MISSING:
        pytest.skip(c_icap.MISSING)
    with Clamd() as daemon, CIcap(daemon) as server:
        daemon.stop()
        (finding,) = looked_up(engine(server.address, kind="icap"), ("a", b"nothing"), ("eicar.com", EICAR))
    assert (finding.rule, finding.count) == ("inspection.failed/antivirus", 2)
    assert finding.explanation == "clam: the engine says: 500 Server error"


def test_icap_server_gone(running):
    if c_icap.MISSING:
        pytest.skip(c_icap.MISSING)
    with CIcap(running) as server:

        async def go():
            antivirus = Antivirus(engine(server.address, kind="icap", timeout_seconds=30.0))
            before = await antivirus.look_up(transaction(("eicar.com", EICAR)))
            server.stop()
            task = asyncio.create_task(antivirus.look_up(transaction(("again.com", EICAR + b"2"))))
            await asyncio.to_thread(wait_for, "it is seen to be down", lambda: not antivirus.health.up)
            await asyncio.to_thread(server.start)
            after = await task
            antivirus.close()
            return [f.rule for f in (*before, *after)]

        assert asyncio.run(go()) == ["malware/icap", "malware/icap"]
