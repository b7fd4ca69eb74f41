"""Tests of the intervals of local networks."""

import numpy as np
import pytest

from forecasting.models.monthly.dataset import build_training_set
from forecasting.models.monthly.local_intervals import quantiles_around, training_scale
from forecasting.numerics.intervals import MULTIPLES


def test_the_training_scale_is_the_root_mean_square_of_past_errors() -> None:
    """Of each series by itself; NaN for a horizon without an error."""
    draw = np.random.default_rng(1)
    values = 100 * np.exp(np.cumsum(draw.normal(0, [[0.02], [0.1]], (2, 60)), axis=1))
    lengths = np.array([60, 60])
    training_set = build_training_set(
        values, lengths, horizon=12, maximum_lag=6, minimum_months=18, maximum_examples=100, seed=1
    )
    scale = training_scale(training_set, np.zeros_like(training_set.residuals), 2)
    rows = training_set.series_index == 0
    errors = training_set.residuals[rows, 0] * training_set.examples.scale[rows]

    assert scale[0, 0] == pytest.approx(np.sqrt((errors**2).mean()))
    assert scale[1, :6].sum() > 2 * scale[0, :6].sum()
    assert np.isnan(scale[:, 6:]).all()


def test_quantiles_lie_around_the_median_at_multiples_of_the_interval_scale() -> None:
    """Rising, symmetric, and in units of scale."""
    quantiles = quantiles_around(np.array([[1.0, 2.0]]), np.array([[0.1, 0.2]]), np.array([0.05]))

    assert quantiles[0, :, 2].tolist() == [1.0, 2.0]
    assert (quantiles[0, :, 4] - quantiles[0, :, 2]) * 0.05 == pytest.approx([0.1 * MULTIPLES[0], 0.2 * MULTIPLES[0]])
    assert quantiles[0, :, 2] - quantiles[0, :, 1] == pytest.approx(quantiles[0, :, 3] - quantiles[0, :, 2])
