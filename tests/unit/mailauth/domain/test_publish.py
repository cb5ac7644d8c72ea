import pytest

from sekisho.mailauth.domain.publish import SENDERS, UnusableError, Wanted, records, spf_record, sts_policy
from sekisho.mailauth.mta_sts import StsPolicy, parse_sts_policy


def test_every_known_sender_makes_a_record():
    assert all(spf_record((name,)) == f"v=spf1 {term} -all" for name, term in SENDERS.items())


def test_a_sender_that_is_given_twice_stands_once():
    assert spf_record(("ses", "amazonses")) == "v=spf1 include:amazonses.com -all"


def test_the_policy_is_one():
    assert parse_sts_policy(sts_policy(("mx.example.com",)).encode()) == StsPolicy(
        "testing", ("mx.example.com",), 86400
    )


@pytest.mark.parametrize(
    "wanted",
    [
        Wanted("example.com", rua=("d@example.com; p=none",)),
        Wanted("example.com", rua=("d@example.com,e@example.com",)),
        Wanted("example.com", tls_rpt="ftp:example.com"),
        Wanted("example.com", senders=("redirect=example.net",)),
        Wanted("example.com", senders=("日本",)),
    ],
)
def test_an_answer_that_makes_no_record(wanted):
    with pytest.raises(UnusableError):
        records(wanted)
