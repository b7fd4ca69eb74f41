"""Forecasts of the method `monthly`: a base path, corrected by networks, with intervals.

    logs → seasonal indices → base path and alternative paths → window → networks → quantiles → intervals → unit of the series

A bundle stores the weights of the networks and the widths of the intervals, as plain numbers. Indices, levels, slopes and
scales are computed at each forecast from the months up to the origin. So stored networks forecast new months, and global
networks also new series, without training.
"""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from forecasting.domain.panel import Histories, Values
from forecasting.domain.recipes import MonthlyRecipe
from forecasting.domain.vocabulary import Reason
from forecasting.lstm.weights import Weights
from forecasting.models.monthly.dataset import describe_histories, values_of
from forecasting.models.monthly.features import Examples
from forecasting.models.monthly.global_intervals import base_quantiles, interval_bounds
from forecasting.models.monthly.global_networks import LEVELS, MEDIAN, member_shapes, predict_members
from forecasting.models.monthly.local_intervals import quantiles_around
from forecasting.models.monthly.local_networks import local_shapes, predict_local
from forecasting.models.types import Forecasts, Networks, PastPredictions
from forecasting.numerics.intervals import monotone_quantiles, nonnegative_bounds
from forecasting.numerics.statistical import forecast_by

MINIMUM_TRAINING_MONTHS = 18  # of history up to an origin in a training set
MINIMUM_VALIDATION_MONTHS = 12
MINIMUM_FORECAST_MONTHS = 24  # of history; a shorter series is forecast by the base path
VALIDATION_PREFIX = "judge/"  # of the tensors of validation networks, which a bundle stores beside the final ones
PAST_BLOCK = 4096  # past months predicted at a time: limits the memory
SCALER_FIELDS: dict[str, type] = {"kind": str, "guarded": bool, "spread": list, "base_spread": list}
LARGEST_FORECAST = float(np.finfo(np.float64).max) / 1e6


def tensor_shapes(recipe: MonthlyRecipe, networks: Networks) -> dict[str, tuple[int, ...]]:
    """Shapes of the tensors of one series' local networks, or of global networks, by name.

    Global networks that were trained on short series alone have no validation networks.
    """
    if not networks.are_global:
        shapes = local_shapes(recipe)
        return shapes | {f"{VALIDATION_PREFIX}{name}": shape for name, shape in shapes.items()}
    months = MINIMUM_TRAINING_MONTHS
    examples, _ = describe_histories(np.ones((1, months)), np.array([months]), horizon=recipe.horizon)
    has_validation = any(name.startswith(VALIDATION_PREFIX) for name in networks.weights)
    validation_shapes = member_shapes(recipe, range(recipe.judges if has_validation else 0), examples)
    return member_shapes(recipe, range(len(recipe.windows)), examples) | {
        f"{VALIDATION_PREFIX}{name}": shape for name, shape in validation_shapes.items()
    }


def forecast(
    recipe: MonthlyRecipe,
    networks: Networks,
    histories: Histories,
    *,
    positions: Sequence[int],
    live_factors: Values | None = None,
) -> Forecasts:
    """Forecast all months of the horizon at once; arguments as for `Method`.

    Where the networks cannot be used for a series, the base path is its forecast, with a fallback reason.
    """
    network_positions = np.asarray(positions, np.int64)
    examples, shift = describe_histories(histories.values, histories.lengths, horizon=recipe.horizon)
    quantiles = predict_residuals(
        recipe, networks.weights, networks.are_global, examples, np.maximum(network_positions, 0)
    )  # (series, horizon, levels)
    fallback_reasons = _fallback_reasons(histories, networks, network_positions, quantiles)
    fallback_mask = np.array(fallback_reasons) != ""
    quantiles = np.where(fallback_mask[:, None, None], base_quantiles(recipe.horizon), quantiles)
    interval_factors = networks.state["factors"] if networks.are_global else {}
    if not networks.are_global:
        quantiles = _local_quantiles(networks, network_positions, quantiles, fallback_mask, examples.scale)
    bounds = interval_bounds(interval_factors, quantiles, fallback_mask, live_factors)
    forecasts = _in_units(histories, examples, shift, quantiles, bounds, fallback_reasons)
    return _blend(recipe, forecasts, histories) if recipe.blend else forecasts


def _blend(recipe: MonthlyRecipe, forecasts: Forecasts, histories: Histories) -> Forecasts:
    """Average the networks' forecasts and bounds with those of the recipe's statsforecast models, all with the same weight.

    Fallback forecasts stay as they are. A model that fails on a series is left out of its average, and the failure is reported.
    """
    network_rows = [row for row, reason in enumerate(forecasts.fallback_reasons) if not reason]
    selected = histories.select(network_rows)
    quantities = {"values": forecasts.values, **forecasts.bounds}  # each (series, horizon)
    contributions = {quantity: [numbers[network_rows]] for quantity, numbers in quantities.items()}
    blend_failures = [""] * len(forecasts.fallback_reasons)
    for model_name in recipe.blend:
        model_forecast = forecast_by(model_name, selected.values, selected.lengths, horizon=recipe.horizon)
        for quantity, parts in contributions.items():
            parts.append(getattr(model_forecast, quantity))  # NaN where the model failed
        for row, failure in zip(network_rows, model_forecast.failures, strict=True):
            blend_failures[row] = f"{blend_failures[row]} {failure}".strip()
    blends = {quantity: numbers.copy() for quantity, numbers in quantities.items()}
    for quantity, parts in contributions.items():
        average = np.nanmean(parts, axis=0)
        blends[quantity][network_rows] = nonnegative_bounds(average, selected.lowest)
    return replace(forecasts, values=blends.pop("values"), bounds=blends, blend_failures=tuple(blend_failures))


def _local_quantiles(
    networks: Networks, positions: np.ndarray, quantiles: np.ndarray, fallback_mask: np.ndarray, scale: Values
) -> np.ndarray:
    """Replace all quantiles but the median by multiples of each series' interval scale, where it has networks.

    positions: int (series,), of each series' networks, -1 where it has none. quantiles: (series, horizon, levels) in units of
    scale, (series,) in logs. fallback_mask: bool (series,), True where the quantiles are the base path's.
    """
    rows = np.flatnonzero(positions >= 0)
    if not len(rows):
        return quantiles
    fields = ["base_spread" if fallback_mask[row] else "spread" for row in rows]
    spreads = [networks.scalers[positions[row]][field] for row, field in zip(rows, fields, strict=True)]
    interval_scales = np.array(spreads, dtype=np.float64)  # (rows, horizon) in logs
    result = quantiles.copy()
    result[rows] = quantiles_around(quantiles[rows, :, MEDIAN], interval_scales, scale[rows])
    return result


def forecast_without_networks(recipe: MonthlyRecipe, histories: Histories) -> Forecasts:
    """Forecast by the base path, with the intervals of a random walk."""
    examples, shift = describe_histories(histories.values, histories.lengths, horizon=recipe.horizon)
    series_count = len(shift)
    quantiles = np.broadcast_to(base_quantiles(recipe.horizon), (series_count, recipe.horizon, len(LEVELS)))
    bounds = interval_bounds({}, quantiles, np.ones(series_count, bool))
    return _in_units(histories, examples, shift, quantiles, bounds, ("",) * series_count)


def predict_past(
    recipe: MonthlyRecipe,
    networks: Networks,
    histories: Histories,
    *,
    positions: Sequence[int],
    trained_lengths: Sequence[int],
    past_months: int | None = None,
) -> list[PastPredictions]:
    """Predict past months one month ahead: held-out months by the validation networks, all others by the final networks.

    The first held-out month is the first test month. It is followed by the months since training.
    """
    lengths, fitted_lengths = histories.lengths, np.asarray(trained_lengths, np.int64)
    first_columns = np.minimum(MINIMUM_TRAINING_MONTHS, lengths)
    if past_months is not None:
        first_columns = np.maximum(first_columns, lengths - past_months)
    holdout_counts = np.where(
        fitted_lengths - validation_months(recipe) >= MINIMUM_FORECAST_MONTHS, validation_months(recipe), 0
    )
    test_columns = np.clip(fitted_lengths - holdout_counts, first_columns, lengths)
    # One row for each series and month: the column of the month is also the length of the history before it.
    series_index = np.repeat(np.arange(len(lengths)), lengths - first_columns)
    spans = [np.arange(*span) for span in zip(first_columns, lengths, strict=True)]
    columns = np.concatenate(spans) if spans else series_index
    first_holdout_columns = (fitted_lengths - holdout_counts)[series_index]
    holdout_mask = (columns >= first_holdout_columns) & (columns < fitted_lengths[series_index])
    network_positions = np.maximum(np.asarray(positions, np.int64), 0)[series_index]
    validation_weights = {
        name.removeprefix(VALIDATION_PREFIX): tensor
        for name, tensor in networks.weights.items()
        if name.startswith(VALIDATION_PREFIX)
    }
    predictions = np.empty(len(series_index))
    for weights, member_count, mask in (
        (networks.weights, len(recipe.windows), ~holdout_mask),
        (validation_weights, recipe.judges, holdout_mask),
    ):
        for rows in np.array_split(np.flatnonzero(mask), -(-int(mask.sum()) // PAST_BLOCK) or 1):
            if len(rows):
                before = Histories(histories.values[series_index[rows]], columns[rows], ())
                examples, shift = describe_histories(before.values, before.lengths, horizon=recipe.horizon)
                quantiles = predict_residuals(
                    recipe, weights, networks.are_global, examples, network_positions[rows], member_count=member_count
                )
                predictions[rows] = _in_units(before, examples, shift, quantiles, {}, ()).values[:, 0]
    predictions_by_series = np.split(predictions, np.cumsum(lengths - first_columns)[:-1])
    return [
        PastPredictions(of_series[: test - first], int(first), of_series[test - first :], int(test))
        for of_series, first, test in zip(predictions_by_series, first_columns, test_columns, strict=True)
    ]


def validation_months(recipe: MonthlyRecipe) -> int:
    """Return how many of the last months of a history are held out for validation."""
    return max(recipe.horizon, MINIMUM_VALIDATION_MONTHS)


def predict_residuals(
    recipe: MonthlyRecipe,
    weights: Weights,
    are_global: bool,
    examples: Examples,
    positions: np.ndarray,
    *,
    member_count: int | None = None,
) -> np.ndarray:
    """Predict quantiles of residuals, in rising order: (rows, horizon, levels) in units of scale.

    positions: int (rows,), position of each row's series in the weights of local networks. member_count: how many of the
    global networks, the first ones, predict; None: all.
    """
    if are_global:
        return monotone_quantiles(
            predict_members(recipe, weights, range(member_count or len(recipe.windows)), examples), MEDIAN
        )
    return monotone_quantiles(predict_local(recipe, weights, examples, positions), MEDIAN)


def _in_units(
    histories: Histories,
    examples: Examples,
    shift: Values,
    quantiles: np.ndarray,
    bounds: dict[str, Values],
    fallback_reasons: tuple[str, ...],
) -> Forecasts:
    """Bring residuals into the unit of the series; numbers of a series without negative months are cut at zero.

    shift: (series,), of the logs. quantiles: (series, horizon, levels) in units of scale, of which the median is the forecast.
    bounds: by name, (series, horizon) in units of scale.
    """
    lowest = histories.lowest

    def in_units(residuals: Values) -> Values:
        return nonnegative_bounds(values_of(examples, residuals, shift, largest_log=np.log(LARGEST_FORECAST)), lowest)

    return Forecasts(
        values=in_units(quantiles[:, :, MEDIAN]),
        fallback_reasons=fallback_reasons,
        bounds={name: in_units(bound) for name, bound in bounds.items()},
        base_path=in_units(np.zeros_like(examples.base_path)),
    )


def _fallback_reasons(
    histories: Histories, networks: Networks, positions: np.ndarray, quantiles: np.ndarray
) -> tuple[str, ...]:
    """Reasons why the base path is the forecast: (series,), the first that applies, empty where the networks are used."""
    zero_shares = ((histories.values == 0) & histories.inside).sum(axis=1) / np.maximum(histories.lengths, 1)
    masks = {
        Reason.SHORT_HISTORY: histories.lengths < MINIMUM_FORECAST_MONTHS,
        Reason.CONSTANT: histories.highest == histories.lowest,
        Reason.INTERMITTENT: zero_shares > MonthlyRecipe.maximum_zero_share,
        Reason.UNSEEN: (positions < 0) & (not networks.are_global),
        Reason.GUARDED: np.array([at >= 0 and networks.scalers[at]["guarded"] for at in positions], dtype=bool),
        Reason.DIVERGED: ~np.isfinite(quantiles).all(axis=(1, 2)),
    }
    return tuple(next((reason for reason, mask in masks.items() if mask[row]), "") for row in range(len(positions)))
