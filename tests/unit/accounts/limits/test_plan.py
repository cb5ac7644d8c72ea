"""Counters of limits are told apart by whatever makes them another limit."""

from msgspec.structs import replace

from sekisho.accounts.limits.amounts import Amounts, Sender
from sekisho.accounts.limits.plan import applying, plan, stops_at
from sekisho.accounts.naming import Names
from sekisho.config.account_settings import SendingLimitSettings

L = SendingLimitSettings
HANA = Sender("acme", "hana@acme.example", "acme.example", "submission")
ONE = Amounts(("a@x.example",), (), 1000)
NAMES = Names(b"k" * 32)


def key(limit, sender=HANA, names=NAMES):
    (counted,) = plan([limit], sender, ONE, names)
    return counted.charge.key


def test_keys():
    base = L("a", defer=5)
    others = [
        L("b", defer=5), L("a", defer=5, seconds=60), L("a", defer=5, to="external"), L("a", defer=5, of="bytes"),
        L("a", defer=5, per="tenant"), L("a", defer=5, per="domain"), L("a", defer=5, per="listener"),
    ]  # fmt: skip
    keys = {key(limit) for limit in (base, *others)}
    keys |= {key(base, replace(HANA, account="jiro")), key(base, replace(HANA, tenant="beta"))}
    keys |= {key(base, names=Names(b"j" * 32))}
    assert len(keys) == 11
    assert key(replace(base, defer=9, soft=3)) == key(base)  # a changed number goes on counting
    assert all(b"hana" not in one for one in keys)


def test_steps():
    assert [stops_at(L("a", soft=1, defer=2, lock=3)), stops_at(L("a", lock=3)), stops_at(L("a", soft=1))] == [
        2,
        3,
        0,
    ]


def test_brackets_are_no_globs():
    limits = (L("a", defer=1, accounts=("[hj]ana@*",)), L("a", defer=2))
    assert [limit.defer for limit in applying(limits, "hana@acme.example")] == [2]
