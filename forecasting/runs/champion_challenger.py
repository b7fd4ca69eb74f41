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
    """Compare new local networks with the champions that they are to replace.

    rows: of the training data, the series that have a champion; champions: of each of them. minimum_months: that a
    comparison needs.
    """
    recipe, data = new_model.data.recipe, new_model.data.select(list(rows))
    result = new_model.fit_result.select(rows)
    months_since = _months_since(data.histories, [champion.trained_through for champion in champions])
    months = method_of(recipe).comparison_months(data.histories, result.trained_lengths, months_since, minimum_months)
    groups, damages = store.group(dict(enumerate(champion.bundle_id for champion in champions)), data.series_ids)
    challenges = [
        Challenge(challenger=None if diverged else new_model.bundle_id, damage=damages.get(place))
        for place, diverged in enumerate(result.diverged_mask)
    ]
    compared_rows = [row for group in groups for row in group.rows if months[row] and not result.diverged_mask[row]]
    if not compared_rows:
        return challenges
    champion_paths = np.full((len(champions), int(months[compared_rows].max())), np.nan)
    for group in groups:
        places = [place for place, row in enumerate(group.rows) if months[row] and not result.diverged_mask[row]]
        rows = [group.rows[place] for place in places]
        if rows:
            champion_paths[rows] = _predict_last_months(
                recipe,
                group.networks,
                data.histories.select(rows),
                [group.positions[place] for place in places],
                months[rows],
                width=champion_paths.shape[1],
            )
    part, months = data.select(compared_rows), months[compared_rows]
    challenger = train_holdout(part, result.networks.select(compared_rows), months)
    challenger_paths = _predict_last_months(recipe, challenger, part.histories, range(len(compared_rows)), months)
    comparison = _compare(part, months, np.stack([champion_paths[compared_rows], challenger_paths]))
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

    months_since: (series,) months that the champion has not seen.
    """
    data, networks = new_model.data, new_model.fit_result.networks
    method = global_method_of(recipe)
    months = method.comparison_months(
        data.histories, new_model.fit_result.trained_lengths, months_since, minimum_months
    )
    challenge = Challenge(challenger=new_model.bundle_id)
    if not months.any():
        return challenge
    challenger = method.holdout_networks(recipe, networks, data.histories, data.seeds, months)
    # As many networks of the champion as the challenger has: the size of the ensemble must make no difference.
    members = method.holdout_recipe(recipe)
    compared_rows = np.flatnonzero(months).tolist()
    part, months = data.select(compared_rows), months[compared_rows]
    paths = [
        _predict_last_months(members, networks, part.histories, range(len(compared_rows)), months)
        for networks in (champion, challenger)
    ]
    comparison = _compare(part, months, np.stack(paths))
    errors = comparison.errors
    usable = (comparison.n >= minimum_months) & (errors[:, 0] > 0) & np.isfinite(errors[:, :2]).all(axis=1)
    if not usable.any():
        return challenge
    ratios = errors[usable] / errors[usable, :1]
    naive_ratios = ratios[~np.isnan(ratios[:, 2]), 2]
    return replace(
        challenge,
        n=int(comparison.n[usable].max()),
        champion_rmse=1.0,
        challenger_rmse=float(np.median(ratios[:, 1])),
        seasonal_naive_rmse=float(np.median(naive_ratios)) if len(naive_ratios) else None,
        series=int(usable.sum()),
    )


def _months_since(histories: Histories, trained_through: Sequence[Month]) -> Counts:
    """Return how many months of each history lie after the last month that a network has seen: (series,)."""
    ends = zip(histories.last_months, trained_through, strict=True)
    return np.array([max(last - end, 0) for last, end in ends])


def _predict_last_months(
    recipe: Recipe,
    networks: Networks,
    histories: Histories,
    positions: Sequence[int],
    months: Counts,
    *,
    width: int | None = None,
) -> Values:
    """Predict the last months of each history one month ahead: (series, width), its last month in the last column.

    months: (series,) how many of the last months the networks have not seen. width: at least the largest of these, which
    is the default.
    """
    columns = width or int(months.max())
    predictions = method_of(recipe).predict_past(
        recipe,
        networks,
        histories,
        positions=positions,
        trained_lengths=(histories.lengths - months).tolist(),
        past_months=columns,
    )
    paths = np.full((len(predictions), columns), np.nan)
    for row, prediction in enumerate(predictions):
        values = np.concatenate([prediction.train, prediction.test])
        paths[row, columns - len(values) :] = values
    return paths


def _compare(data: TrainingData, months: Counts, paths: Values) -> Comparison:
    """Compare forecasts with the observed months.

    months: (series,) how many of the last months count; months that were filled do not. paths: (2, series, width) forecasts of
    the champion and of the challenger, the last month of each history in the last column.
    """
    histories, width = data.histories, paths.shape[2]
    columns = histories.lengths[:, None] + np.arange(-width, 0)
    rows, inside = np.arange(len(columns))[:, None], np.maximum(columns, 0)
    counts = (columns >= (histories.lengths - months)[:, None]) & (columns >= 0) & ~data.filled_mask[rows, inside]
    counts &= np.isfinite(paths).all(axis=0)
    actual = np.where(counts, histories.values[rows, inside], np.nan)
    all_paths = [*paths, value_before(histories.values, columns, months=12)]
    return Comparison(counts.sum(axis=1), np.stack([rmse(path - actual) for path in all_paths], axis=1))
