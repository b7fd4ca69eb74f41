"""Tests of the intervals of a series with networks of its own."""

import numpy as np
import pytest

from forecasting.models.monthly.dataset import build_training_sets
from forecasting.models.monthly.local_intervals import quantiles_around, training_scale
from forecasting.numerics.intervals import MULTIPLES


def test_past_spread_is_what_the_base_path_missed() -> None:
    """One series knows nothing of the other, and horizons that no origin has answered have none."""
    draw = np.random.default_rng(1)
    values = 100 * np.exp(np.cumsum(draw.normal(0, [[0.02], [0.1]], (2, 60)), axis=1))
    lengths = np.array([60, 60])
    learning = build_training_sets(values, lengths, horizon=12, months=6, least=18, most=100, seed=1)
    found = training_scale(learning, np.zeros_like(learning.residuals), 2)
    rows = learning.series == 0
    errors = learning.residuals[rows, 0] * learning.examples.scale[rows]

    assert found[0, 0] == pytest.approx(np.sqrt((errors**2).mean()))
    assert found[1, :6].sum() > 2 * found[0, :6].sum()
    assert np.isnan(found[:, 6:]).all()


def test_quantiles_lie_around_the_middle_in_units_of_scale() -> None:
    """Rising, symmetric, and as wide in logs as the spread says."""
    found = quantiles_around(np.array([[1.0, 2.0]]), np.array([[0.1, 0.2]]), np.array([0.05]))

    assert found[0, :, 2].tolist() == [1.0, 2.0]
    assert (found[0, :, 4] - found[0, :, 2]) * 0.05 == pytest.approx([0.1 * MULTIPLES[0], 0.2 * MULTIPLES[0]])
    assert found[0, :, 2] - found[0, :, 1] == pytest.approx(found[0, :, 3] - found[0, :, 2])
