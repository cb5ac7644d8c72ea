"""The public suite of RFC 7208, whole; what deviates stands here and in docs/reference/mailauth.md, and why."""

import asyncio

import pytest
from support import spf_suite
from support.zone import ZoneResolver

from sekisho.mail.address import client_address
from sekisho.mailauth.spf.check import SpfQuery, check_sender

if not spf_suite.SUITE.exists():
    pytest.skip("the suite of RFC 7208 is not in ../shared/data/auth", allow_module_level=True)

# RFC 7208 7.4 writes the nibbles of %{i} in lower case, the suite in upper case.
OTHER_CASE = {"v-macro-ip6"}
CASES = [(name, test, zone) for tests, zone in spf_suite.scenarios() for name, test in tests.items()]


def test_the_suite_is_whole():
    assert len(CASES) == 203


@pytest.mark.parametrize(("name", "test", "zone"), CASES, ids=[name for name, _, _ in CASES])
def test_case(name, test, zone):
    query = SpfQuery(client_address(test["host"]), test["mailfrom"], test["helo"], test.get("receiver", "unknown"))
    resolver = ZoneResolver(spf_suite.zone_of(zone))
    result = asyncio.run(check_sender(query, resolver))
    wanted = test["result"] if isinstance(test["result"], list) else [test["result"]]
    assert result.result in wanted, (result.reason, result.mechanism, resolver.asked)
    if "explanation" in test:
        # RFC 7208 6.2: the suite's word for the checker's own text, which is none here.
        wanted = "" if test["explanation"] == "DEFAULT" else str(test["explanation"])
        fold = str.lower if name in OTHER_CASE else str
        assert fold(result.explanation) == fold(wanted)
