"""MinMax scaling: each series to the range 0 to 1 of the months its scaler was fitted on."""

from dataclasses import dataclass

import numpy as np

from forecasting.domain.panel import Counts, Values


@dataclass(frozen=True)
class MinMaxScaler:
    """Fitted scalers, one per series; low and high: (series,), in the unit of each series.

    Transforms as x -> (x - low) / (high - low), as scikit-learn's MinMaxScaler with feature_range (0, 1) does;
    a series whose fitted months are constant has the range 1 there and here.
    """

    low: Values
    high: Values

    @property
    def span(self) -> Values:
        """The range that becomes 1: (series,)."""
        span = self.high - self.low
        return np.where(span > 0, span, 1.0)

    def transform(self, values: Values) -> Values:
        """Scale values (series, ...) given in the unit of the series."""
        return (values - _along(self.low, values)) / _along(self.span, values)

    def inverse(self, scaled: Values) -> Values:
        """Bring scaled values (series, ...) back to the unit of the series."""
        return scaled * _along(self.span, scaled) + _along(self.low, scaled)

    def select(self, rows: list[int]) -> "MinMaxScaler":
        """Return the scalers of some rows, in that order."""
        return MinMaxScaler(self.low[rows], self.high[rows])


def fit_min_max(values: Values, counts: Counts) -> MinMaxScaler:
    """Fit scalers on the first `counts` months of each history; months beyond are not looked at.

    values: (series, months) without gaps before counts; counts: (series,), at least 1.
    """
    fitted_mask = np.arange(values.shape[1]) < counts[:, None]
    return MinMaxScaler(
        low=np.where(fitted_mask, values, np.inf).min(axis=1),
        high=np.where(fitted_mask, values, -np.inf).max(axis=1),
    )


def _along(per_series: Values, values: Values) -> Values:
    return per_series.reshape(-1, *(1,) * (values.ndim - 1))
