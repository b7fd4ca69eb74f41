"""Tests of baselines."""

import numpy as np

from forecasting.numerics.baselines import naive, seasonal_naive, value_before

values = np.array([np.arange(24.0), np.where(np.arange(24) < 5, np.arange(24.0), np.nan)])
lengths = np.array([24, 5])


def test_naive_repeats_the_last_month_of_each_history() -> None:
    """A shorter history repeats its own last month."""
    assert naive(values, lengths, horizon=2).tolist() == [[23.0, 23.0], [4.0, 4.0]]


def test_seasonal_naive_repeats_the_last_year_and_begins_again_after_it() -> None:
    """Month 13 ahead is the same as month 1 ahead."""
    ahead = seasonal_naive(values, lengths, horizon=14)[0]

    assert [*range(12, 24), 12, 13] == ahead.tolist()


def test_a_history_shorter_than_a_year_has_no_seasonal_naive() -> None:
    """What is missing is NaN, never a made-up number."""
    assert np.isnan(seasonal_naive(values, lengths, horizon=7)[1]).all()


def test_the_seasonal_naive_of_a_month_is_the_value_a_year_before() -> None:
    """Months of the first year have none; the naive of a month is the value before it."""
    assert value_before(values[:1], np.array([[12, 23]]), months=12)[0].tolist() == [0.0, 11.0]
    assert np.isnan(value_before(values[:1], np.array([[0, 11]]), months=12)).all()
    assert value_before(values[:1], np.array([[12, 23]]), months=1)[0].tolist() == [11.0, 22.0]
