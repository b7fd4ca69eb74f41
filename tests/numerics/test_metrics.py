"""Tests of measures of error."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from sklearn.metrics import root_mean_squared_error

from forecasting.numerics.metrics import rmse, skill

errors = arrays(np.float64, st.tuples(st.just(3), st.integers(1, 20)), elements=st.floats(-1e9, 1e9))


@given(errors)
def test_rmse_equals_that_of_scikit_learn(error_rows: np.ndarray) -> None:
    """The vectorised formula gives the library's number."""
    expected = [root_mean_squared_error(np.zeros(len(row)), row) for row in error_rows]

    np.testing.assert_allclose(rmse(error_rows), expected, rtol=1e-9, atol=1e-150)


@given(errors)
def test_rmse_is_at_least_the_bias(error_rows: np.ndarray) -> None:
    """The root mean square is never below the absolute mean."""
    assert (rmse(error_rows) >= np.abs(error_rows.mean(axis=1)) * (1 - 1e-12)).all()


def test_missing_errors_do_not_count_and_none_at_all_is_unknown() -> None:
    """NaN is left out; a row of NaN has no RMSE."""
    assert rmse(np.array([[2.0, np.nan, -2.0]])).tolist() == [2.0]
    assert np.isnan(rmse(np.array([[np.nan]])))[0]


@given(errors, st.integers(1, 9))
def test_padding_changes_no_bit(error_rows: np.ndarray, padding: int) -> None:
    """NaN at the end of a row."""
    padded = np.pad(error_rows, ((0, 0), (0, padding)), constant_values=np.nan)

    assert rmse(padded).tolist() == rmse(error_rows).tolist()


def test_huge_errors_do_not_overflow() -> None:
    """Squares of numbers near the limit of floats stay finite."""
    assert rmse(np.array([[1e200, 1e200]]))[0] == 1e200


def test_skill_is_defined_at_zero_over_zero() -> None:
    """Perfect beside perfect is as good as the baseline; worse than perfect is infinitely worse."""
    assert [0.5, 0.0, -np.inf] == skill(np.array([1.0, 0.0, 1.0]), np.array([2.0, 0.0, 0.0])).tolist()
