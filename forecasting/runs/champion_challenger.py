"""Champion and challenger: a new network replaces one that is old or bad only if no worse on months that neither has seen.

For `classic` those are the months of both networks' test parts. A network of `monthly` has seen every month: a stand-in,
trained like it but without the newest months, forecasts them instead. All forecasts are one month ahead.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from forecasting.domain.errors import BundleError
from forecasting.domain.panel import Counts, Histories, Values
from forecasting.domain.promotion_rules import Challenge
from forecasting.domain.recipes import MonthlyRecipe, Recipe
from forecasting.models.method import method_of
from forecasting.models.types import FitResult, Networks, PastPredictions
from forecasting.numerics.baselines import value_before
from forecasting.numerics.metrics import rmse
from forecasting.runs.model_store import damage_message, finite_or_none, networks_from
from forecasting.storage.bundles import Bundle, Champion


@dataclass(frozen=True)
class TrainedSeries:
    """Series for which networks have just been trained, in the order of `fitted`; filled: bool (series, months)."""

    series_ids: Sequence[int]
    histories: Histories
    filled: np.ndarray
    seeds: np.ndarray
    fitted: FitResult

    def select(self, rows: list[int]) -> "TrainedSeries":
        """Return some of the series, in that order."""
        histories = self.histories.select(rows)
        filled = self.filled[rows][:, : histories.values.shape[1]]
        ids = [self.series_ids[row] for row in rows]
        return TrainedSeries(ids, histories, filled, self.seeds[rows], self.fitted.select(rows))


def challenge_local(
    recipe: Recipe,
    trained: TrainedSeries,
    champions: Sequence[Champion],
    stored: Mapping[str, Bundle],
    *,
    least: int,
    bundle_id: str | None,
    workers: int | None = None,
) -> list[Challenge]:
    """Compare new networks of each series' own with the champions that they are to replace.

    champions: of each series; stored: their bundles; bundle_id: that of the new networks. least: months that are needed.
    """
    since = np.array(
        [max(last - own.trained_through, 0) for last, own in zip(trained.histories.last_months, champions, strict=True)]
    )
    months = method_of(recipe).comparison_months(trained.histories, trained.fitted.trained_lengths, since, least)
    found = [Challenge(challenger=None if lost else bundle_id) for lost in trained.fitted.diverged_mask]
    users: dict[str, list[int]] = {}
    for row, champion in enumerate(champions):
        users.setdefault(champion.bundle_id, []).append(row)
    asked: dict[int, tuple[Networks, int]] = {}
    for champion_id, rows in users.items():
        try:
            networks, places = networks_from(
                champion_id, stored[champion_id], [trained.series_ids[row] for row in rows]
            )
        except BundleError as damage:
            for row in rows:
                found[row] = replace(found[row], damage=damage_message(champion_id, damage))
            continue
        asked |= {
            row: (networks, place)
            for row, place in zip(rows, places, strict=True)
            if months[row] and not trained.fitted.diverged_mask[row]
        }
    if not asked:
        return found
    part, months = trained.select(list(asked)), months[list(asked)]
    new = method_of(recipe).holdout_networks(
        recipe, part.fitted.networks, part.histories, part.seeds, months, workers=workers
    )
    ahead = np.full((2, len(asked), int(months.max())), np.nan)
    ahead[1] = _predict(recipe, new, part.histories, range(len(asked)), months)
    for networks in {id(networks): networks for networks, _ in asked.values()}.values():
        own = [place for place, (theirs, _) in enumerate(asked.values()) if theirs is networks]
        positions = [place for theirs, place in asked.values() if theirs is networks]
        ahead[0, own] = _predict(recipe, networks, part.histories.select(own), positions, months[own], ahead.shape[2])
    measured = _measure(part.histories, part.filled, months, ahead)
    for row, n, errors in zip(asked, *measured, strict=True):
        champion_rmse, challenger_rmse, naive_rmse = map(finite_or_none, errors)
        found[row] = replace(
            found[row],
            n=int(n),
            champion_rmse=champion_rmse,
            challenger_rmse=challenger_rmse,
            seasonal_naive_rmse=naive_rmse,
        )
    return found


def _predict(
    recipe: Recipe,
    networks: Networks,
    histories: Histories,
    positions: Sequence[int],
    months: Counts,
    width: int | None = None,
) -> Values:
    """Predict the last months of each history one month ahead: (series, width), its last month in the last column.

    months: (series,) how many of them the networks have not seen, at most width, whose default is the most of them.
    """
    columns = width or int(months.max())
    trained = histories.lengths - months
    past: list[PastPredictions] = method_of(recipe).predict_past(
        recipe, networks, histories, positions=positions, trained_lengths=trained.tolist(), past_months=columns
    )
    ahead = np.full((len(past), columns), np.nan)
    for row, found in enumerate(past):
        values = np.concatenate([found.train, found.test])
        ahead[row, columns - len(values) :] = values
    return ahead


def _measure(histories: Histories, filled: np.ndarray, months: Counts, ahead: Values) -> tuple[Counts, Values]:
    """Return on how many months forecasts can be compared, and the RMSE of champion, challenger and seasonal naive.

    ahead: (2, series, width), champion and challenger, the last month of each history in the last column; months: how many
    of them count. Months that were not observed do not. Returns (series,) and (series, 3).
    """
    width = ahead.shape[2]
    columns = histories.lengths[:, None] + np.arange(-width, 0)
    rows, inside = np.arange(len(columns))[:, None], np.maximum(columns, 0)
    counted = (columns >= (histories.lengths - months)[:, None]) & (columns >= 0) & ~filled[rows, inside]
    counted &= np.isfinite(ahead).all(axis=0)
    actual = np.where(counted, histories.values[rows, inside], np.nan)
    paths = [*ahead, value_before(histories.values, columns, months=12)]
    return counted.sum(axis=1), np.stack([rmse(path - actual) for path in paths], axis=1)


def challenge_global(
    recipe: MonthlyRecipe, trained: TrainedSeries, champion: Networks, since: Counts, *, least: int, bundle_id: str
) -> Challenge:
    """Compare new networks that all series share with the champion: medians over the series, as multiples of its RMSE.

    since: (series,) months that the champion has not seen.
    """
    months = method_of(recipe).comparison_months(trained.histories, trained.fitted.trained_lengths, since, least)
    if not months.any():
        return Challenge(challenger=bundle_id)
    new = method_of(recipe).holdout_networks(recipe, trained.fitted.networks, trained.histories, trained.seeds, months)
    # As many members of the champion as stand in for the new networks: the ensemble's size must make no difference.
    members = replace(recipe, windows=recipe.windows[: recipe.judges], emphasis=recipe.emphasis[: recipe.judges])
    compared = np.flatnonzero(months).tolist()
    part, months = trained.select(compared), months[compared]
    places = range(len(compared))
    ahead = np.stack([_predict(members, networks, part.histories, places, months) for networks in (champion, new)])
    n, errors = _measure(part.histories, part.filled, months, ahead)
    told = (n >= least) & (errors[:, 0] > 0) & np.isfinite(errors[:, :2]).all(axis=1)
    if not told.any():
        return Challenge(challenger=bundle_id)
    ratios = errors[told] / errors[told, :1]
    naive = ratios[~np.isnan(ratios[:, 2]), 2]
    return Challenge(
        int(n[told].max()),
        1.0,
        float(np.median(ratios[:, 1])),
        float(np.median(naive)) if len(naive) else None,
        bundle_id,
        int(told.sum()),
    )
