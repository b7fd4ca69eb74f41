"""Tests of scaling."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from sklearn.preprocessing import MinMaxScaler as SklearnMinMaxScaler

from forecasting.numerics.scaling import fit_min_max

histories = arrays(np.float64, st.tuples(st.integers(1, 4), st.integers(1, 20)), elements=st.floats(-1e9, 1e9))


@given(histories)
def test_scaling_equals_that_of_scikit_learn(values: np.ndarray) -> None:
    """Each series is scaled as scikit-learn scales a column, constant series included."""
    scaled = fit_min_max(values, np.full(len(values), values.shape[1])).transform(values)

    expected = SklearnMinMaxScaler((0, 1)).fit_transform(values.T).T
    span = np.ptp(values, axis=1, keepdims=True)
    is_tiny = (span > 0) & (span < 1e-3)  # scikit-learn subtracts after scaling and loses digits there
    np.testing.assert_allclose(np.where(is_tiny, 0, scaled), np.where(is_tiny, 0, expected), atol=1e-5)


@given(histories)
def test_inverse_undoes_transform(values: np.ndarray) -> None:
    """Values come back in their own unit."""
    scaler = fit_min_max(values, np.full(len(values), values.shape[1]))

    np.testing.assert_allclose(scaler.inverse(scaler.transform(values)), values, rtol=1e-9, atol=1e-6)


def test_months_after_the_fitted_ones_change_nothing() -> None:
    """A scaler fitted on two months does not know the third."""
    scaler = fit_min_max(np.array([[1.0, 3.0, 1e9]]), np.array([2]))

    assert (scaler.low[0], scaler.high[0]) == (1.0, 3.0)
    assert scaler.transform(np.array([[2.0]]))[0, 0] == pytest.approx(0.5)
