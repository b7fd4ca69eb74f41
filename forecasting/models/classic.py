"""The classic recipe: MinMax scaling, a chronological split, one small LSTM per series, one month ahead, then on."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from forecasting.domain.panel import Counts, Histories, Values
from forecasting.domain.recipes import ClassicRecipe
from forecasting.lstm.batched.training import train
from forecasting.lstm.batched.types import BatchedTraining
from forecasting.lstm.weights import Architecture, predict
from forecasting.models.types import FitResult, Forecasts, Networks, PastPredictions, SplitScores
from forecasting.numerics.baselines import seasonal_naive, value_before
from forecasting.numerics.metrics import rmse, skill
from forecasting.numerics.scaling import MinMaxScaler, fit_min_max
from forecasting.numerics.windows import Windows, cut_windows, split_windows, train_lengths

SCALER_FIELDS: dict[str, type] = {"kind": str, "low": float, "high": float}
FALLBACK_METHOD = "seasonal_naive"


@dataclass(frozen=True)
class Predictions:
    """What networks say of one part of their histories, one month ahead, in the unit of each series.

    values: (series, windows), NaN where there is no window; months: (series, windows), their columns in the histories.
    """

    values: Values
    months: Counts
    scores: SplitScores


def architecture_of(recipe: ClassicRecipe) -> Architecture:
    """Return the shape of a recipe's networks."""
    return Architecture(look_back=recipe.look_back, units=recipe.units, look_back_as=recipe.look_back_as)


def tensor_shapes(recipe: ClassicRecipe, networks: Networks) -> dict[str, tuple[int, ...]]:
    """Return the shapes that one network's tensors must have, by name."""
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
    """Train one network per history from its own seed and score it on its training and its test part.

    histories: without gaps, each at least recipe.least_observations long; seeds: uint64 (series,). filled: bool (series,
    months), months that were missing: they are trained on as they were filled, but not scored.
    """
    values, lengths = histories.values, histories.lengths
    seen = training_lengths(recipe, lengths)
    scaler = fit_min_max(values, seen)
    inside = np.arange(values.shape[1]) < lengths[:, None]
    scaled = scaler.transform(np.where(inside, values, scaler.low[:, None]))
    train_windows, test_windows = split_windows(scaled, lengths, recipe)
    trained = train(
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
    networks = Networks(trained.weights, scalers, {})
    parts = {"train": train_windows, "test": test_windows}
    scores = {
        name: predict_part(recipe, networks, values, part, filled_mask=filled_mask).scores
        for name, part in parts.items()
    }
    return FitResult(networks, scores, seen, trained.diverged)


def training_lengths(recipe: ClassicRecipe, lengths: Counts) -> Counts:
    """Return how many months of each history the network and its scaler are fitted on: (series,)."""
    return lengths if recipe.scaler_sees == "all" else train_lengths(lengths, recipe.train_share)


def golden_recipe(recipe: ClassicRecipe) -> ClassicRecipe:
    """Return the recipe with a horizon of one month: the months after it are the same step again."""
    return replace(recipe, horizon=1)


def scaler_of(networks: Networks) -> MinMaxScaler:
    """Return the stored scalers as arrays."""
    return MinMaxScaler(*(np.array([scaler[side] for scaler in networks.scalers]) for side in ("low", "high")))


def _single(scaled: Values) -> np.ndarray:
    """Return float32; what lies too far from the months a scaler was fitted on for that is infinite, and saturates the gates."""
    with np.errstate(over="ignore"):
        return scaled.astype(np.float32)


def predict_part(
    recipe: ClassicRecipe,
    networks: Networks,
    values: Values,
    windows: Windows,
    *,
    filled_mask: np.ndarray | None = None,
) -> Predictions:
    """Predict the windows of one part, bring the predictions back to the unit of each series, and score them.

    filled: bool (series, months), months that were not observed and do not count.
    """
    scaled = predict(architecture_of(recipe), networks.weights, _single(windows.inputs))
    predictions = scaler_of(networks).inverse(scaled[:, :, 0].astype(np.float64))
    rows = np.arange(len(values))[:, None]
    counted = windows.real if filled_mask is None else windows.real & ~filled_mask[rows, windows.months]
    actual = np.where(counted, values[rows, windows.months], np.nan)
    baseline = value_before(values, windows.months, months=12)
    beside_baseline = np.where(np.isnan(baseline), np.nan, predictions)
    baseline_rmse = rmse(baseline - actual)
    scores = SplitScores(
        n=counted.sum(axis=1)[:, None],
        rmse=rmse(predictions - actual)[:, None],
        baseline_rmse=baseline_rmse[:, None],
        naive_rmse=rmse(value_before(values, windows.months, months=1) - actual)[:, None],
        base_path_rmse=np.full((len(values), 1), np.nan),
        skill=skill(rmse(beside_baseline - actual), baseline_rmse)[:, None],
    )
    return Predictions(np.where(windows.real, predictions, np.nan), windows.months, scores)


def forecast(
    recipe: ClassicRecipe,
    networks: Networks,
    histories: Histories,
    *,
    positions: Sequence[int],
    live_factors: Values | None = None,
) -> Forecasts:
    """Forecast every history month by month, each forecast becoming input of the next.

    positions: which of the networks belongs to each history.
    """
    architecture, own = architecture_of(recipe), networks.select(positions)
    scaler = scaler_of(own)
    columns = histories.lengths[:, None] + np.arange(-recipe.look_back, 0)
    recent = np.take_along_axis(histories.values, columns, axis=1)
    window = _single(scaler.transform(recent))  # (series, look_back)
    steps = []
    for _ in range(recipe.horizon):
        ahead = predict(architecture, own.weights, window[:, None, :])[:, 0]  # (series, 1)
        steps.append(ahead)
        window = np.concatenate([window[:, 1:], ahead], axis=1)
    values = scaler.inverse(np.concatenate(steps, axis=1).astype(np.float64))
    finite = np.asarray(np.isfinite(values).all(axis=1))
    reasons = tuple("" if good else "diverged" for good in finite)
    return Forecasts(values, reasons, {})


def predict_past(
    recipe: ClassicRecipe,
    networks: Networks,
    histories: Histories,
    *,
    positions: Sequence[int],
    trained_lengths: Sequence[int],
    past_months: int | None = None,
) -> list[PastPredictions]:
    """Predict the past of series with their stored networks.

    positions: which of the networks each history belongs to; trained: its months when the network was trained; months: how
    many are asked about, the last ones; None: all.
    """
    own, lengths = networks.select(list(positions)), histories.lengths
    split = train_lengths(np.asarray(trained_lengths, np.int64), recipe.train_share)
    scaled = scaler_of(own).transform(histories.values)
    first = (
        np.full_like(split, recipe.look_back)
        if past_months is None
        else np.maximum(recipe.look_back, lengths - past_months)
    )
    parts = []
    for start, end in ((first, split), (np.maximum(split, first), lengths)):
        windows = cut_windows(scaled, start, end, look_back=recipe.look_back)
        values = predict_part(recipe, own, histories.values, windows).values
        parts.append([(row[:count], int(at)) for row, count, at in zip(values, windows.counts, start, strict=True)])
    return [PastPredictions(*train, *test) for train, test in zip(*parts, strict=True)]


def forecast_without_networks(recipe: ClassicRecipe, histories: Histories) -> Forecasts:
    """Forecast by the seasonal naive."""
    values = seasonal_naive(histories.values, histories.lengths, horizon=recipe.horizon)
    return Forecasts(values, ("",) * len(values), {})


def comparison_months(
    histories: Histories,
    trained_lengths: Counts,
    months_since_training: Counts,
    minimum_months: int,
) -> Counts:
    """Say on how many months, the last ones, new networks can be compared with older ones: on those of both test parts.

    trained_lengths: (series,) months that the new ones have seen; since: (series,) months that the older ones have not.
    """
    return np.asarray(np.maximum(np.minimum(histories.lengths - trained_lengths, months_since_training), 0))


def holdout_networks(
    recipe: ClassicRecipe,
    networks: Networks,
    histories: Histories,
    seeds: np.ndarray,
    months: Counts,
    *,
    workers: int | None = None,
) -> Networks:
    """Return the networks themselves: they have not seen their test parts."""
    return networks
