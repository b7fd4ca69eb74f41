"""Champion and challenger: a new network replaces an old or a bad one only if it is no worse on months that neither has seen.

For `classic` those are the months of both networks' test parts. A network of `monthly` has seen every month: a network that
is trained like it, but without the newest months, forecasts them instead. All forecasts are one month ahead.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from forecasting.domain.months import Month
from forecasting.domain.panel import Counts, Histories, Values
from forecasting.domain.promotion_rules import Challenge
from forecasting.domain.recipes import Recipe
from forecasting.models.method import global_method_of, method_of
from forecasting.models.types import Networks
from forecasting.numerics.baselines import value_before
from forecasting.numerics.metrics import rmse
from forecasting.runs.joint_training import TrainedModel, TrainingData
from forecasting.runs.model_store import ModelStore, finite_or_none
from forecasting.storage.bundles import Champion

HoldoutTraining = Callable[[TrainingData, Networks, Counts], Networks]


@dataclass(frozen=True)
class Comparison:
    """How a champion, its challenger and the seasonal naive forecast the same months, for some series.

    n: (series,) months that were compared. errors: (series, 3) their RMSE in the unit of the series, in that order.
    """

    n: Counts
    errors: Values


def challenge_local(
    new_model: TrainedModel,
    rows: Sequence[int],
    champions: Sequence[Champion],
    store: ModelStore,
    train_holdout: HoldoutTraining,
    *,
    minimum_months: int,
) -> list[Challenge]:
    """Compare new local networks with the champions that they are to replace: one challenge per champion.

    rows: of the training data, the series of the champions. train_holdout: trains networks without the last months.
    minimum_months: fewest months that are worth a comparison.
    """
    recipe, data = new_model.data.recipe, new_model.data.select(list(rows))
    result = new_model.fit_result.select(rows)
    months_since = _months_since(data.histories, [champion.trained_through for champion in champions])
    counts = method_of(recipe).comparison_months(data.histories, result.trained_lengths, months_since, minimum_months)
    month_counts = np.where(result.diverged_mask, 0, counts)  # (champions,) how many of the last months are compared
    groups, damages = store.group(dict(enumerate(champion.bundle_id for champion in champions)), data.series_ids)
    challenges = [
        Challenge(challenger=None if has_diverged else new_model.bundle_id, damage=damages.get(place))
        for place, has_diverged in enumerate(result.diverged_mask)
    ]
    compared_rows = [row for group in groups for row in group.rows if month_counts[row]]
    if not compared_rows:
        return challenges
    champion_predictions = np.full((len(champions), int(month_counts[compared_rows].max())), np.nan)
    for group in groups:
        places = [place for place, row in enumerate(group.rows) if month_counts[row]]
        group_rows = [group.rows[place] for place in places]
        if group_rows:
            champion_predictions[group_rows] = _predict_last_months(
                recipe,
                group.networks,
                data.histories.select(group_rows),
                [group.positions[place] for place in places],
                month_counts[group_rows],
                width=champion_predictions.shape[1],
            )
    compared_data, compared_months = data.select(compared_rows), month_counts[compared_rows]
    challenger = train_holdout(compared_data, result.networks.select(compared_rows), compared_months)
    challenger_predictions = _predict_last_months(
        recipe, challenger, compared_data.histories, range(len(compared_rows)), compared_months
    )
    predictions = np.stack([champion_predictions[compared_rows], challenger_predictions])
    comparison = _compare(compared_data, compared_months, predictions)
    for row, n, errors in zip(compared_rows, comparison.n, comparison.errors, strict=True):
        champion_rmse, challenger_rmse, seasonal_naive_rmse = map(finite_or_none, errors)
        challenges[row] = replace(
            challenges[row],
            n=int(n),
            champion_rmse=champion_rmse,
            challenger_rmse=challenger_rmse,
            seasonal_naive_rmse=seasonal_naive_rmse,
        )
    return challenges


def challenge_global(
    recipe: Recipe, new_model: TrainedModel, champion: Networks, months_since: Counts, *, minimum_months: int
) -> Challenge:
    """Compare new global networks with the champion: medians over the series, as multiples of the champion's RMSE.

    months_since: (series,) months that the champion has not seen. minimum_months: fewest that are worth a comparison. The
    result has n = 0 where no series has as many.
    """
    method, data, result = global_method_of(recipe), new_model.data, new_model.fit_result
    month_counts = method.comparison_months(data.histories, result.trained_lengths, months_since, minimum_months)
    no_comparison = Challenge(challenger=new_model.bundle_id)
    if not month_counts.any():
        return no_comparison
    challenger = method.holdout_networks(recipe, result.networks, data.histories, data.seeds, month_counts)
    # As many networks of the champion as the challenger has: the size of the ensemble must make no difference.
    holdout_recipe = method.holdout_recipe(recipe)
    compared_rows = np.flatnonzero(month_counts).tolist()
    compared_data, compared_months = data.select(compared_rows), month_counts[compared_rows]
    predictions = [
        _predict_last_months(
            holdout_recipe, networks, compared_data.histories, range(len(compared_rows)), compared_months
        )
        for networks in (champion, challenger)
    ]
    comparison = _compare(compared_data, compared_months, np.stack(predictions))
    errors = comparison.errors
    usable_mask = (comparison.n >= minimum_months) & (errors[:, 0] > 0) & np.isfinite(errors[:, :2]).all(axis=1)
    if not usable_mask.any():
        return no_comparison
    ratios = errors[usable_mask] / errors[usable_mask, :1]  # (usable series, 3): champion 1, challenger, seasonal naive
    naive_ratios = ratios[~np.isnan(ratios[:, 2]), 2]
    return replace(
        no_comparison,
        n=int(comparison.n[usable_mask].max()),
        champion_rmse=1.0,
        challenger_rmse=float(np.median(ratios[:, 1])),
        seasonal_naive_rmse=float(np.median(naive_ratios)) if len(naive_ratios) else None,
        series=int(usable_mask.sum()),
    )


def _months_since(histories: Histories, trained_through: Sequence[Month]) -> Counts:
    """Return how many months of each history lie after the last month that a network has seen: (series,)."""
    ends = zip(histories.last_months, trained_through, strict=True)
    return np.array([max(last_month - last_trained, 0) for last_month, last_trained in ends])


def _predict_last_months(
    recipe: Recipe,
    networks: Networks,
    histories: Histories,
    positions: Sequence[int],
    month_counts: Counts,
    *,
    width: int | None = None,
) -> Values:
    """Predict the last months of each history one month ahead: (series, width), NaN before its first predicted month.

    The last column is the last month of each history. positions: of each history's networks. month_counts: (series,) how many
    of the last months the networks have not seen. width: how many months are predicted, None for the largest of month_counts.
    """
    width = width or int(month_counts.max())
    past_predictions = method_of(recipe).predict_past(
        recipe,
        networks,
        histories,
        positions=positions,
        trained_lengths=(histories.lengths - month_counts).tolist(),
        past_months=width,
    )
    predictions = np.full((len(past_predictions), width), np.nan)
    for row, past_prediction in enumerate(past_predictions):
        values = np.concatenate([past_prediction.train, past_prediction.test])
        predictions[row, width - len(values) :] = values
    return predictions


def _compare(data: TrainingData, month_counts: Counts, predictions: Values) -> Comparison:
    """Compare predictions with the observed months.

    month_counts: (series,) how many of the last months count; months that were filled do not. predictions: (2, series, width)
    of the champion and of the challenger, the last month of each history in the last column.
    """
    histories, width = data.histories, predictions.shape[2]
    columns = histories.lengths[:, None] + np.arange(-width, 0)
    rows, inside = np.arange(len(columns))[:, None], np.maximum(columns, 0)
    is_counted = (columns >= (histories.lengths - month_counts)[:, None]) & (columns >= 0)
    is_counted &= ~data.filled_mask[rows, inside] & np.isfinite(predictions).all(axis=0)
    actual = np.where(is_counted, histories.values[rows, inside], np.nan)
    contestants = [*predictions, value_before(histories.values, columns, months=12)]
    return Comparison(is_counted.sum(axis=1), np.stack([rmse(values - actual) for values in contestants], axis=1))
