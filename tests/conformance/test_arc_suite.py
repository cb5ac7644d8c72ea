"""The public ARC suites, whole. Every deviation stands in docs/reference/mailauth.md with its reason."""

import re

import pytest
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from support.arc_suite import SUITES, suites
from support.zone import ZoneResolver, driven

from sekisho.mailauth.arc import seal, verify_chain
from sekisho.mailauth.canonical import header_fields
from sekisho.mailauth.digested import DigestedMessage
from sekisho.mailauth.dkim import DkimKey
from sekisho.mailauth.results import merged_results

pytestmark = pytest.mark.skipif(not SUITES.exists(), reason="the ARC suites of ../shared/data are not here")

DEVIATIONS = {
    "ams_fields_c_na": "fail",  # no c=: simple/simple as RFC 6376 3.5 says; the suite takes relaxed/relaxed
    "cv_fail_i1_as_cv_fail": "fail",  # the suite says nothing of these three
    "cv_fail_i2_as2_fail": "fail",
    "cv_fail_i2_as1_fail": "fail",
}


def message(test):
    return DigestedMessage.of(test["message"].encode().replace(b"\n", b"\r\n"), ("relaxed",))


def chain(test, document):
    zone = {name: {"TXT": [text.replace("\n", "")]} for name, text in document["txt-records"].items()}
    return driven(verify_chain(message(test), ZoneResolver(zone), 12400))


def test_validation():
    wrong, deviating, count = [], {}, 0
    for document in suites("arc-draft-validation-tests.yml"):
        for name, test in document["tests"]:
            count += 1
            found = chain(test, document).status
            if found != test["cv"].strip().lower():
                (deviating if name in DEVIATIONS else {}).setdefault(name, found)
                wrong += [] if name in DEVIATIONS else [(name, found)]
    assert (wrong, deviating, count) == ([], DEVIATIONS, 175)


def signing():
    if SUITES.exists():
        for document in suites("arc-draft-sign-tests.yml"):
            for name, test in document["tests"]:
                yield pytest.param(document, test, id=name)


@pytest.mark.parametrize(("document", "test"), list(signing()))
def test_signing(document, test):
    pem = load_pem_private_key(document["privatekey"].encode(), None)
    arrived = message(test)
    ours = [field.decode().partition(":")[2] for field in arrived.fields.get(b"authentication-results", [])]
    names = tuple(name.encode() for name in test["sig-headers"].split(":"))
    key = DkimKey(document["domain"], document["sel"], pem)
    fields = seal(
        arrived, chain(test, document), merged_results(ours, test["srv-id"]), key, int(test["t"]), names=names
    )
    found = header_fields(fields.removesuffix(b"\r\n"))
    for name, expected in ((b"arc-seal", "AS"), (b"arc-message-signature", "AMS")):
        assert tags(found[name][0].partition(b":")[2].decode() if found else "") == tags(test[expected])
    results = found[b"arc-authentication-results"][0].partition(b":")[2].decode() if found else ""
    assert results.split() == test["AAR"].split()


def tags(text):
    return dict(re.sub(r"\s+", "", tag).split("=", 1) for tag in text.split(";") if tag.strip())
