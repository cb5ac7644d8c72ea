import pytest

from sekisho.accounts.guard_plan import Place, Trusted, delay
from sekisho.config.account_settings import AuthGuardSettings


@pytest.mark.parametrize(
    ("ip", "place"),
    [
        ("192.0.2.77", ("192.0.2.77", "192.0.2.0/24")),
        ("::ffff:192.0.2.77", ("192.0.2.77", "192.0.2.0/24")),
        ("2001:db8:1:2ff::9", ("2001:db8:1:2ff::/64", "2001:db8:1:200::/56")),
        ("nothing", ("nothing", "nothing")),
    ],
)
def test_places(ip, place):
    assert (Place.of(ip).address, Place.of(ip).network) == place


def test_trusted():
    trusted = Trusted(("192.0.2.0/24", "2001:db8::/32"))
    assert [trusted.has(ip) for ip in ("192.0.2.1", "2001:db8::1", "192.0.3.1", "x", "")] == [
        True,
        True,
        False,
        False,
        False,
    ]
    assert not Trusted(()).has("192.0.2.1")


def test_delays():
    settings = AuthGuardSettings()
    assert [delay(n, settings) for n in (0, 5, 6, 7, 11, 12, 10**9)] == [0, 0, 1, 2, 30, 30, 30]
    assert [delay(n, settings, strict=True) for n in (1, 2, 3)] == [0, 1, 2]
    assert delay(99, AuthGuardSettings(most_delay_seconds=0)) == 0
