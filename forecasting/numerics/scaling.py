"""MinMax scaling: the lowest month that a scaler is fitted on becomes 0, the highest 1."""

from dataclasses import dataclass

import numpy as np

from forecasting.domain.panel import Counts, Values, columns_inside


@dataclass(frozen=True)
class MinMaxScaler:
    """Fitted scalers, one per series; low and high: (series,), in the unit of each series.

    A value x becomes (x - low) / (high - low), as with scikit-learn's MinMaxScaler and feature_range (0, 1). Where low and high
    are equal, the divisor is 1, as there.
    """

    low: Values
    high: Values

    @property
    def span(self) -> Values:
        """The range that becomes 1: (series,), in the unit of each series."""
        span = self.high - self.low
        return np.where(span > 0, span, 1.0)

    def transform(self, values: Values) -> Values:
        """Scale values (series, ...) given in the unit of the series."""
        return (values - _with_axes_of(self.low, values)) / _with_axes_of(self.span, values)

    def inverse(self, scaled: Values) -> Values:
        """Bring scaled values (series, ...) back to the unit of the series."""
        return scaled * _with_axes_of(self.span, scaled) + _with_axes_of(self.low, scaled)

    def select(self, rows: list[int]) -> "MinMaxScaler":
        """Return the scalers of some rows, in that order."""
        return MinMaxScaler(self.low[rows], self.high[rows])


def fit_min_max(values: Values, counts: Counts) -> MinMaxScaler:
    """Fit scalers on the first `counts` months of each history; later months have no influence.

    values: (series, months), no NaN in the first `counts` months. counts: (series,), at least 1.
    """
    fitted_mask = columns_inside(values.shape[1], counts)
    return MinMaxScaler(
        low=np.where(fitted_mask, values, np.inf).min(axis=1), high=np.where(fitted_mask, values, -np.inf).max(axis=1)
    )


def _with_axes_of(per_series: Values, values: Values) -> Values:
    """Reshape (series,) to (series, 1, ...), so that it has as many axes as values (series, ...)."""
    return per_series.reshape(-1, *(1,) * (values.ndim - 1))
