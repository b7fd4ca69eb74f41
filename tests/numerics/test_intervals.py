"""Tests of intervals and of measures of whole forecasts."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from forecasting.numerics.accuracy import bias, coverage, mase, mase_scale, msis, smape
from forecasting.numerics.intervals import (
    conformal_factors,
    interval_scales,
    live_factors,
    monotone_quantiles,
    nonnegative_bounds,
    widen,
)

numbers = st.floats(-1e6, 1e6)


@settings(deadline=None)
@given(arrays(np.float64, (3, 4, 5), elements=numbers))
def test_quantiles_never_cross_and_the_median_stays(quantiles: np.ndarray) -> None:
    """Rising order, and no median moves to make room."""
    ordered = monotone_quantiles(quantiles, 2)

    assert (np.diff(ordered, axis=-1) >= 0).all()
    assert ordered[..., 2].tolist() == quantiles[..., 2].tolist()


@settings(deadline=None, max_examples=25)
@given(st.integers(0, 2**32 - 1), st.sampled_from([0.8, 0.95]))
def test_corrected_intervals_cover_the_months_they_were_corrected_on(seed: int, level: float) -> None:
    """At least the share asked for, and not much more."""
    actual = np.random.default_rng(seed).normal(size=(400, 3))
    middle, lower, upper = np.zeros((400, 3)), np.full((400, 3), -1.0), np.full((400, 3), 1.0)
    factors = conformal_factors(actual, middle, lower, upper, coverage=level)
    inside = (actual >= widen(middle, lower, factors)) & (actual <= widen(middle, upper, factors))

    assert (inside.mean(axis=0) >= level).all()
    assert (inside.mean(axis=0) <= level + 0.01).all()


def test_without_held_out_months_intervals_stay() -> None:
    """All factors are 1."""
    no_errors = np.full((0, 4), np.nan)

    assert conformal_factors(no_errors, no_errors, no_errors, no_errors, coverage=0.8).tolist() == [1.0] * 4


def test_only_series_that_were_never_negative_are_cut_at_zero() -> None:
    """A balance may go below zero, a count may not."""
    bound = np.array([[-1.0, 2.0], [-1.0, 2.0]])

    assert nonnegative_bounds(bound, np.array([0.0, -3.0])).tolist() == [[0.0, 2.0], [-1.0, 2.0]]


def test_measures_are_those_of_the_competitions() -> None:
    """The expected numbers are computed by hand."""
    forecast, actual = np.array([[110.0, 90.0]]), np.array([[100.0, 100.0]])
    scale = np.array([5.0])

    assert smape(forecast, actual)[0] == pytest.approx((2000 / 210 + 2000 / 190) / 2)
    assert mase(forecast, actual, scale)[0] == 2.0
    assert bias(forecast, actual)[0] == 0.0
    assert coverage(actual, forecast - 10, forecast)[0] == 0.5
    assert msis(actual, forecast - 5, forecast + 5, scale)[0] == pytest.approx((10 + 40 * 5) / 5)
    assert mase_scale(np.array([[*range(14), np.nan]]), np.array([14]))[0] == 12.0


def test_unknown_months_do_not_count() -> None:
    """They are neither errors nor hits."""
    forecast, actual = np.array([[1.0, 2.0]]), np.array([[1.0, np.nan]])

    assert smape(forecast, actual)[0] == 0.0
    assert coverage(actual, forecast, forecast)[0] == 1.0
    assert np.isnan(mase(forecast, actual, np.array([0.0]))[0])


def test_an_interval_scale_is_the_past_rmse_corrected_by_held_out_errors() -> None:
    """Without held-out errors it is the past RMSE; with many that are twice as large, nearly twice; each series by itself."""
    past_rmse = np.array([[1.0, 2.0, np.nan], [1.0, 2.0, np.nan]])
    no_errors, doubled_errors = np.full((2, 1, 3), np.nan), np.full((2, 2400, 3), np.nan)
    doubled_errors[0, :, :2] = [2.0, -4.0]

    assert interval_scales(past_rmse, no_errors)[0] == pytest.approx([1.0, 2.0, 2 * np.sqrt(1.5)])
    assert interval_scales(past_rmse, doubled_errors)[0, :2] == pytest.approx(
        np.sqrt(9624 / 2424) * np.array([1.0, 2.0])
    )
    assert interval_scales(past_rmse, doubled_errors)[1].tolist() == interval_scales(past_rmse, no_errors)[1].tolist()


def test_a_series_without_errors_has_an_interval_scale_above_zero() -> None:
    """Other code divides by it."""
    scales = interval_scales(np.zeros((1, 3)), np.zeros((1, 12, 3)))

    assert (scales > 0).all()
    assert np.isfinite(scales).all()


def test_live_errors_widen_intervals_that_cover_too_little_and_narrow_those_that_cover_too_much() -> None:
    """More months give a larger factor, up to half or double; without an answered forecast the factor is 1."""
    months = np.array([0.0, 6.0, 24.0, 24.0, 1000.0, 1000.0])
    live_coverage = np.array([[np.nan, np.nan], [0.5, 0.95], [0.5, 0.95], [1.0, 1.0], [0.0, 0.0], [1.0, 1.0]])
    factors = live_factors(months, live_coverage)

    assert factors[0].tolist() == [1.0, 1.0]
    assert 1 < factors[1, 0] < factors[2, 0] < 2
    assert factors[1:3, 1].tolist() == [1.0, 1.0]
    assert (factors[3] < 1).all()
    assert factors[4:].tolist() == [pytest.approx([2.0, 2.0]), pytest.approx([0.5, 0.5])]


def test_live_factors_bring_coverage_to_its_nominal_value() -> None:
    """Intervals start half as wide as they should be; after ten years their coverage is nearly 80 and 95 %."""
    errors = np.abs(np.random.default_rng(2).normal(size=(240, 400)))
    half_widths = np.array([1.2816, 1.96]) / 2
    inside, factors = np.zeros((400, 2)), np.ones((400, 2))
    inside_by_month = []
    for month, error in enumerate(errors):
        inside_by_month.append(error[:, None] <= half_widths * factors)
        inside += inside_by_month[-1]
        factors = live_factors(np.full(400, month + 1.0), inside / (month + 1))

    assert (np.mean(inside_by_month[:12], axis=(0, 1)) < [0.65, 0.85]).all()
    assert np.mean(inside_by_month[120:], axis=(0, 1)) == pytest.approx([0.8, 0.95], abs=0.03)
