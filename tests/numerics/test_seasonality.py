"""Tests of seasonality."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from forecasting.domain.panel import Counts, Values
from forecasting.numerics.seasonality import (
    SEASON,
    align_ends,
    is_seasonal,
    remove_season,
    seasonal_indices,
    seasonal_path,
    shift_for_logs,
)

PATTERN = np.sin(np.arange(SEASON) * np.pi / 6) / 2


def seasonal_logs(months: int, noise: float = 0.02, series: int = 3) -> Values:
    """Make seasonal logs (months, series) with a trend."""
    month = np.arange(months)
    noise_values = np.random.default_rng(1).normal(0, noise, (months, series))
    return (3 + 0.01 * month + PATTERN[month % SEASON])[:, None] + noise_values


def full_counts(logs: Values) -> Counts:
    """Return counts that take every row."""
    return np.full(logs.shape[1], len(logs))


def test_histories_end_together_with_zeros_before_them() -> None:
    """The last row is every series' last month."""
    values = np.array([[1.0, 2.0, 3.0], [4.0, np.nan, np.nan]])

    assert align_ends(values, np.array([3, 1])).T.tolist() == [[1.0, 2.0, 3.0], [0.0, 0.0, 4.0]]


def test_a_yearly_pattern_is_seasonal_and_noise_and_short_series_are_not() -> None:
    """The test needs three years and more than chance."""
    pattern, noise = seasonal_logs(72), np.random.default_rng(5).normal(size=(72, 1))

    assert is_seasonal(pattern, full_counts(pattern)).all()
    assert not is_seasonal(pattern, np.full(3, 30)).any()
    assert not is_seasonal(noise, full_counts(noise)).any()


def test_indices_are_the_pattern_of_the_months_after_the_origin() -> None:
    """Whatever month the history ends in, row 0 is for the month after it."""
    for months in (60, 65):
        logs = seasonal_logs(months)
        expected = PATTERN[(months + np.arange(SEASON)) % SEASON]

        assert np.abs(seasonal_indices(logs, full_counts(logs)) - expected[:, None]).max() < 0.03


def test_chance_alone_leaves_no_indices() -> None:
    """Of patterns in noise most are shrunk to none, and every one to less than itself."""
    logs = np.random.default_rng(2).normal(size=(72, 50))
    indices = seasonal_indices(logs, full_counts(logs))

    assert (indices == 0).all(axis=0).mean() > 0.7
    assert (seasonal_indices(logs[:24], np.full(50, 24)) == 0).all()


@settings(deadline=None, max_examples=30)
@given(st.integers(1, 80), st.integers(0, 2**32 - 1))
def test_restoring_the_season_undoes_its_removal(months: int, seed: int) -> None:
    """The logs are the same after both."""
    generator = np.random.default_rng(seed)
    logs, indices = generator.normal(size=(months, 4)), generator.normal(size=(SEASON, 4))

    np.testing.assert_allclose(remove_season(logs, indices) + seasonal_path(indices, -months, 0), logs, atol=1e-12)


def test_the_path_continues_where_the_history_ends() -> None:
    """Month 0 after the origin has index 0, the origin's own month index 11."""
    indices = np.arange(12.0)[:, None]

    assert seasonal_path(indices, -2, 2)[:, 0].tolist() == [10.0, 11.0, 0.0, 1.0]


@settings(deadline=None, max_examples=50)
@given(st.lists(st.floats(-1e12, 1e12), min_size=1, max_size=20))
def test_shifted_values_have_logs(values: list[float]) -> None:
    """Positive series stay as they are; others are moved clear of zero."""
    column = np.array(values)[:, None]
    shift = shift_for_logs(column, full_counts(column))

    assert np.isfinite(np.log(column + shift)).all()
    assert shift[0] == 0 or min(values) <= 0


@settings(deadline=None, max_examples=20)
@given(st.integers(1, 50), st.integers(0, 2**32 - 1))
def test_a_series_has_the_same_bits_beside_longer_ones(padding: int, seed: int) -> None:
    """Neither neighbours nor padding change an index or a test."""
    logs = np.random.default_rng(seed).normal(size=(60, 1))
    padded = np.concatenate([np.zeros((padding, 1)), logs])
    with_neighbours = np.concatenate([padded, np.ones((60 + padding, 3))], axis=1)
    counts = np.array([60, 60 + padding, 60 + padding, 60 + padding])

    assert (
        seasonal_indices(with_neighbours, counts)[:, 0].tolist()
        == seasonal_indices(logs, full_counts(logs))[:, 0].tolist()
    )
    assert is_seasonal(with_neighbours, counts)[0] == is_seasonal(logs, full_counts(logs))[0]
