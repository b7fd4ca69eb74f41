"""Sums that add one number after the other: their bits do not depend on the shapes of the arrays, as those of np.sum do."""

import numpy as np

from forecasting.domain.panel import Values


def total(values: Values) -> Values:
    """Sum over the first axis, one row after the other."""
    result = np.zeros(values.shape[1:])
    for row in values:
        result = result + row
    return result


def total_of_columns(values: Values) -> Values:
    """Sum over the last axis, one column after the other; zero where there is no column."""
    return np.cumsum(values, axis=-1)[..., -1] if values.shape[-1] else np.zeros(values.shape[:-1])
