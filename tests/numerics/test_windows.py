"""Tests of windows and splits."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from forecasting.domain.recipes import CLASSIC, CLASSIC_PUBLISHED
from forecasting.numerics.windows import cut_windows, split_windows, train_lengths


def test_the_published_split_of_168_months() -> None:
    """The tutorial cuts 112 training months and 56 test months into 110 and 54 windows: June 1971 to November 1975."""
    values = np.arange(168.0)[None]

    train, test = split_windows(values, np.array([168]), CLASSIC_PUBLISHED)

    assert train_lengths(np.array([168]), 0.67).tolist() == [112]
    assert (train.counts[0], test.counts[0]) == (110, 54)
    assert (train.target_columns[0, 0], train.target_columns[0, -1]) == (1, 110)
    assert (test.target_columns[0, 0], test.target_columns[0, -1]) == (113, 166)


def test_the_default_split_wastes_no_month() -> None:
    """Every month but the first look_back ones is a target once, in the part that it belongs to."""
    values = np.arange(168.0)[None]

    train, test = split_windows(values, np.array([168]), CLASSIC)

    assert list(range(1, 112)) == train.target_columns[0].tolist()
    assert list(range(112, 168)) == test.target_columns[0].tolist()
    np.testing.assert_array_equal(test.inputs[0, :, 0], test.targets[0, :, 0] - 1)


@given(st.lists(st.integers(8, 40), min_size=1, max_size=5), st.integers(1, 5))
def test_windows_of_mixed_histories_are_those_of_each_alone(lengths: list[int], look_back: int) -> None:
    """Padding never enters a window: a history's windows are the same beside longer ones."""
    values = np.full((len(lengths), max(lengths)), np.nan)
    for row, length in enumerate(lengths):
        values[row, :length] = np.arange(length) + 1000 * row
    first_targets = np.full(len(lengths), look_back)

    windows = cut_windows(values, first_targets, np.array(lengths), look_back=look_back)

    for row, length in enumerate(lengths):
        assert windows.counts[row] == length - look_back
        for window in range(length - look_back):
            expected = values[row, window : window + look_back]
            np.testing.assert_array_equal(expected, windows.inputs[row, window])
            assert values[row, window + look_back] == windows.targets[row, window, 0]
        assert not windows.is_real[row, length - look_back :].any()
