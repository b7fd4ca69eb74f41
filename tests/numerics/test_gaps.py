"""Tests of missing months."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from forecasting.numerics.gaps import fill_gaps, longest_gap

nan = float("nan")


def test_a_gap_takes_the_value_of_a_year_before_or_else_the_last_one() -> None:
    """The rule looks back only: a year before where there is one, the month before where there is none."""
    values = np.array([[5.0, nan, 7.0, *range(10, 20), nan, 99.0]])

    filled, lags = fill_gaps(values, np.array([15]))

    assert [filled[0, 1], filled[0, 2]] == [5.0, 7.0]
    assert filled[0, 13] == filled[0, 1] == 5.0
    assert lags[0, 1] == 1
    assert lags[0, 13] == 12
    assert np.count_nonzero(lags) == 2


def test_months_beyond_a_history_are_not_filled() -> None:
    """Padding after the last month of a shorter history stays missing."""
    filled, lags = fill_gaps(np.array([[1.0, nan, 3.0], [1.0, nan, nan]]), np.array([3, 1]))

    assert np.isnan(filled[1, 1:]).all()
    assert lags[1].sum() == 0
    assert filled[0].tolist() == [1.0, 1.0, 3.0]


@given(st.lists(st.one_of(st.none(), st.floats(-1e6, 1e6)), min_size=1, max_size=60), st.floats(-1e6, 1e6))
def test_a_later_month_never_changes_what_is_filled_before_it(tail: list[float | None], later: float) -> None:
    """The future cannot change the past: filling a longer history leaves its beginning as it was."""
    history = np.array([[1.0, *(nan if value is None else value for value in tail)]])
    longer = np.append(history, [[later]], axis=1)

    filled, _ = fill_gaps(history, np.array([history.shape[1]]))
    filled_longer, _ = fill_gaps(longer, np.array([longer.shape[1]]))

    assert not np.isnan(filled).any()
    np.testing.assert_array_equal(filled, filled_longer[:, :-1])


@given(st.lists(st.booleans(), min_size=1, max_size=50))
def test_the_longest_gap_is_the_longest_run_of_missing_months(missing_months: list[bool]) -> None:
    """The vectorised count equals the plain one."""
    expected = max(
        (len(run) for run in "".join("x" if is_missing else " " for is_missing in missing_months).split(" ")), default=0
    )

    lengths_of_gaps = longest_gap(
        np.array([[nan if is_missing else 1.0 for is_missing in missing_months]]), np.array([len(missing_months)])
    )

    assert expected == lengths_of_gaps[0]
