"""The method `classic`: each series is scaled to 0..1 and has one small LSTM, which predicts one month ahead.

For more months ahead the network gets its own forecasts as input. The first train_share of a history is its training part,
the rest is its test part.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from forecasting.domain.panel import Counts, Histories, Values
from forecasting.domain.recipes import ClassicRecipe
from forecasting.domain.vocabulary import ForecastMethod, Reason, Split
from forecasting.lstm.batched.training import train
from forecasting.lstm.batched.types import BatchedTraining
from forecasting.lstm.prediction import predict
from forecasting.lstm.weights import Architecture
from forecasting.models.types import FitResult, Forecasts, Networks, PastPredictions, SplitScores
from forecasting.numerics.baselines import seasonal_naive, value_before
from forecasting.numerics.metrics import rmse, skill
from forecasting.numerics.scaling import MinMaxScaler, fit_min_max
from forecasting.numerics.windows import Windows, cut_windows, split_windows, train_lengths

SCALER_FIELDS: dict[str, type] = {"kind": str, "low": float, "high": float}
FALLBACK_METHOD = ForecastMethod.SEASONAL_NAIVE


@dataclass(frozen=True)
class PartPredictions:
    """Predictions of one part (training or test) of the histories, one month ahead.

    values: (series, windows) in the unit of the series, NaN for padding. target_columns: int (series, windows), the
    column of each predicted month in the history. scores: of these predictions.
    """

    values: Values
    target_columns: Counts
    scores: SplitScores


def architecture_of(recipe: ClassicRecipe) -> Architecture:
    """Return the architecture of a recipe's networks."""
    return Architecture(look_back=recipe.look_back, units=recipe.units, look_back_as=recipe.look_back_as)


def tensor_shapes(recipe: ClassicRecipe, networks: Networks) -> dict[str, tuple[int, ...]]:
    """Shapes of one network's tensors, by name."""
    return architecture_of(recipe).shapes


def fit(
    recipe: ClassicRecipe,
    histories: Histories,
    seeds: np.ndarray,
    *,
    filled_mask: np.ndarray | None = None,
    workers: int | None = None,
    progress: Callable[[int], None] | None = None,
) -> FitResult:
    """Train one network per history, and score it on the training and the test part; arguments as for `Method`."""
    values, lengths = histories.values, histories.lengths
    fitted_lengths = training_lengths(recipe, lengths)
    scaler = fit_min_max(values, fitted_lengths)
    scaled = scaler.transform(np.where(histories.inside, values, scaler.low[:, None]))
    train_windows, test_windows = split_windows(scaled, lengths, recipe)
    result = train(
        architecture_of(recipe),
        BatchedTraining(
            epochs=recipe.epochs,
            batch_size=recipe.batch_size,
            learning_rate=recipe.learning_rate,
            shuffle=recipe.shuffle,
        ),
        train_windows.inputs.astype(np.float32),
        train_windows.targets.astype(np.float32),
        train_windows.counts,
        seeds,
        workers=workers,
        progress=progress,
    )
    scalers = tuple(
        {"kind": "min_max", "low": float(low), "high": float(high)}
        for low, high in zip(scaler.low, scaler.high, strict=True)
    )
    networks = Networks(result.weights, scalers, {})
    scores = {
        split: predict_part(recipe, networks, values, windows, filled_mask=filled_mask).scores
        for split, windows in ((Split.TRAIN, train_windows), (Split.TEST, test_windows))
    }
    return FitResult(networks, scores, fitted_lengths, result.diverged_mask)


def training_lengths(recipe: ClassicRecipe, lengths: Counts) -> Counts:
    """Months of each history on which network and scaler are fitted: int (series,)."""
    return lengths if recipe.scaler_sees == "all" else train_lengths(lengths, recipe.train_share)


def golden_recipe(recipe: ClassicRecipe) -> ClassicRecipe:
    """Return the recipe with a horizon of one month; further months repeat the same computation."""
    return replace(recipe, horizon=1)


def scaler_of(networks: Networks) -> MinMaxScaler:
    """Return the stored scalers as arrays."""
    return MinMaxScaler(*(np.array([scaler[side] for scaler in networks.scalers]) for side in ("low", "high")))


def _float32(scaled: Values) -> np.ndarray:
    """Return scaled values as float32. A value beyond float32 becomes infinite; it saturates the gates of the network."""
    with np.errstate(over="ignore"):
        return scaled.astype(np.float32)


def predict_part(
    recipe: ClassicRecipe,
    networks: Networks,
    values: Values,
    windows: Windows,
    *,
    filled_mask: np.ndarray | None = None,
) -> PartPredictions:
    """Predict the month after each window of one part, in the unit of the series, and score the predictions.

    values: (series, months), the histories; filled_mask: bool (series, months), True for months that no score counts.
    """
    scaled = predict(architecture_of(recipe), networks.weights, _float32(windows.inputs))
    predictions = scaler_of(networks).inverse(scaled[:, :, 0].astype(np.float64))
    series_rows = np.arange(len(values))[:, None]
    scored_mask = (
        windows.is_real if filled_mask is None else windows.is_real & ~filled_mask[series_rows, windows.target_columns]
    )
    actual = np.where(scored_mask, values[series_rows, windows.target_columns], np.nan)
    baseline = value_before(values, windows.target_columns, months=12)
    predictions_with_baseline = np.where(np.isnan(baseline), np.nan, predictions)
    baseline_rmse = rmse(baseline - actual)
    scores = SplitScores(
        n=scored_mask.sum(axis=1)[:, None],
        rmse=rmse(predictions - actual)[:, None],
        baseline_rmse=baseline_rmse[:, None],
        naive_rmse=rmse(value_before(values, windows.target_columns, months=1) - actual)[:, None],
        base_path_rmse=np.full((len(values), 1), np.nan),
        skill=skill(rmse(predictions_with_baseline - actual), baseline_rmse)[:, None],
    )
    return PartPredictions(np.where(windows.is_real, predictions, np.nan), windows.target_columns, scores)


def forecast(
    recipe: ClassicRecipe,
    networks: Networks,
    histories: Histories,
    *,
    positions: Sequence[int],
    live_factors: Values | None = None,
) -> Forecasts:
    """Forecast every history month by month: each forecast is part of the input for the next month."""
    architecture, networks = architecture_of(recipe), networks.select(positions)
    scaler = scaler_of(networks)
    input_columns = histories.lengths[:, None] + np.arange(-recipe.look_back, 0)
    last_values = np.take_along_axis(histories.values, input_columns, axis=1)
    inputs = _float32(scaler.transform(last_values))  # (series, look_back)
    scaled_months = []
    for _ in range(recipe.horizon):
        next_month = predict(architecture, networks.weights, inputs[:, None, :])[:, 0]  # (series, 1)
        scaled_months.append(next_month)
        inputs = np.concatenate([inputs[:, 1:], next_month], axis=1)
    values = scaler.inverse(np.concatenate(scaled_months, axis=1).astype(np.float64))
    finite_mask = np.asarray(np.isfinite(values).all(axis=1))
    return Forecasts(values, tuple("" if is_finite else Reason.DIVERGED for is_finite in finite_mask), {})


def predict_past(
    recipe: ClassicRecipe,
    networks: Networks,
    histories: Histories,
    *,
    positions: Sequence[int],
    trained_lengths: Sequence[int],
    past_months: int | None = None,
) -> list[PastPredictions]:
    """Predict observed months one month ahead; the months after the training part of trained_lengths are test months."""
    networks, lengths = networks.select(list(positions)), histories.lengths
    train_ends = train_lengths(np.asarray(trained_lengths, np.int64), recipe.train_share)
    scaled = scaler_of(networks).transform(histories.values)
    first_targets = np.full_like(train_ends, recipe.look_back)
    if past_months is not None:
        first_targets = np.maximum(recipe.look_back, lengths - past_months)
    predictions_by_part = []
    for first_columns, end_columns in (first_targets, train_ends), (np.maximum(train_ends, first_targets), lengths):
        windows = cut_windows(scaled, first_columns, end_columns, look_back=recipe.look_back)
        values = predict_part(recipe, networks, histories.values, windows).values
        rows = zip(values, windows.counts, first_columns, strict=True)
        predictions_by_part.append([(row_values[:count], int(first)) for row_values, count, first in rows])
    return [PastPredictions(*train, *test) for train, test in zip(*predictions_by_part, strict=True)]


def forecast_without_networks(recipe: ClassicRecipe, histories: Histories) -> Forecasts:
    """Forecast by the seasonal naive."""
    values = seasonal_naive(histories.values, histories.lengths, horizon=recipe.horizon)
    return Forecasts(values, ("",) * len(values), {})


def comparison_months(
    histories: Histories, trained_lengths: Counts, months_since_training: Counts, minimum_months: int
) -> Counts:
    """Last months on which neither the new nor the older networks were trained: int (series,), all of them count."""
    return np.asarray(np.maximum(np.minimum(histories.lengths - trained_lengths, months_since_training), 0))


def holdout_networks(
    recipe: ClassicRecipe,
    networks: Networks,
    histories: Histories,
    seeds: np.ndarray,
    holdout_months: Counts,
    *,
    workers: int | None = None,
) -> Networks:
    """Return the networks themselves: they were not trained on their test part, and no more months are held out."""
    return networks
