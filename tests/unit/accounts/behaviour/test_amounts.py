import math

import pytest

from sekisho.accounts.behaviour.amounts import EDGES, Share, Spread, Window


def test_a_share_of_nothing_is_what_was_expected():
    assert Share().of(1.0, 0.2, 10) == pytest.approx(0.2)


def test_a_share_moves_from_the_prior_to_what_is_seen():
    share = Share()
    for _ in range(30):
        share.add(1.0, yes=True)
    assert share.of(1.0, 0.2, 10) == pytest.approx((30 + 2) / 40)


def test_weight_of_the_past_halves_when_the_present_weighs_twice():
    share = Share()
    share.add(1.0, yes=True)
    share.add(2.0, yes=False)  # one half-life later
    assert share.of(2.0, 0.0, 1e-9) == pytest.approx(1 / 3)


def test_the_tail_of_an_unknown_account_is_the_population_s():
    # A Pareto tail: half reach the typical amount.
    assert Spread().tail(1.0, 5.0, 5.0, 6) == pytest.approx(0.5)
    assert Spread().tail(1.0, 0.0, 5.0, 6) == 1.0


def test_what_an_account_does_each_day_is_not_odd_and_what_it_never_did_is():
    spread = Spread()
    for _ in range(60):
        spread.add(1.0, 300.0)
    assert spread.tail(1.0, 280.0, 10.0, 6) > 0.9
    assert spread.tail(1.0, 1000.0, 10.0, 6) < 0.01


def test_tails_never_rise_with_the_amount():
    spread = Spread()
    for amount in (0, 1, 1, 2, 3, 5, 8, 40, 5000):
        spread.add(1.0, amount)
    tails = [spread.tail(1.0, edge, 3.0, 6) for edge in (0, *EDGES, 10**9)]
    assert tails == sorted(tails, reverse=True)
    assert tails[-1] > 0


def test_a_window_fades_by_e_in_its_span():
    window = Window(60.0)
    window.add(0.0, 10)
    assert window.add(60.0, 0) == pytest.approx(10 / math.e)


def test_a_time_before_the_last_one_counts_as_the_last():
    window = Window(60.0)
    window.add(100.0, 1)
    assert window.add(50.0, 1) == 2
    assert window.at == 100.0
