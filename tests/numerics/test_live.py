"""Tests of live scores."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from forecasting.numerics.live import score_live

NAN = np.nan


def test_every_measure_of_one_series() -> None:
    """Two horizons over three months, by hand: a month counts only in measures for which it has all values."""
    paths = {
        "value": np.array([[[11.0, 8.0, 5.0], [NAN, 13.0, 4.0]]]),
        "seasonal_naive": np.array([[[10.0, NAN, 5.0], [NAN, 12.0, 4.0]]]),
        "last_value": np.array([[[8.0, 10.0, 5.0], [NAN, 10.0, 4.0]]]),
        "base_path": np.array([[[12.0, 10.0, 5.0], [NAN, 10.0, 4.0]]]),
        "lower_80": np.array([[[10.5, 7.0, 1.0], [NAN, 12.0, 1.0]]]),
        "upper_80": np.array([[[11.5, 12.0, 9.0], [NAN, 14.0, 9.0]]]),
    }

    measures = score_live(paths, np.array([[10.0, 12.0, NAN]]))

    assert {name: values[0].tolist() for name, values in measures.items() if name != "skill"} == {
        "n": [2, 1],
        "rmse": [pytest.approx(np.sqrt((1 + 16) / 2)), 1.0],
        "baseline_rmse": [0.0, 0.0],
        "naive_rmse": [2.0, 2.0],
        "base_path_rmse": [2.0, 2.0],
        "coverage_80": [0.5, 1.0],
    }
    assert measures["skill"][0].tolist() == [-np.inf, -np.inf]


def test_without_answered_forecasts_there_is_no_score() -> None:
    """Every measure but n is NaN."""
    no_values = np.full((2, 3, 12), NAN)

    measures = score_live(dict.fromkeys(("value", "seasonal_naive", "last_value"), no_values), np.ones((2, 12)))

    assert set(measures) == {"n", "rmse", "baseline_rmse", "naive_rmse", "skill"}
    assert (measures.pop("n") == 0).all()
    assert all(np.isnan(values).all() for values in measures.values())


@given(arrays(np.float64, (3, 2, 12), elements=st.floats(-1e6, 1e6)), st.sets(st.integers(0, 11), max_size=11))
def test_months_that_were_not_observed_do_not_count(values: np.ndarray, missing_columns: set[int]) -> None:
    """Scores are those of the other months alone, and no RMSE is below the mean error."""
    actual = values[:, 0] * 0.5 + 1
    actual[:, sorted(missing_columns)] = NAN
    observed_columns = sorted(set(range(12)) - missing_columns)
    paths = {"value": values, "seasonal_naive": values[:, ::-1], "last_value": values + 1}

    measures = score_live(paths, actual)

    expected = score_live(
        {name: path[:, :, observed_columns] for name, path in paths.items()}, actual[:, observed_columns]
    )
    for name, measure in measures.items():
        np.testing.assert_allclose(measure, expected[name], rtol=1e-9, atol=1e-9)
    bias = (values - actual[:, None])[:, :, observed_columns].mean(axis=2)
    assert (measures["rmse"] >= np.abs(bias) * (1 - 1e-12)).all()
