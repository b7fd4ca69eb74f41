"""Attribution: why a run's forecasts differ from those of the run before, as parts that add up to the difference.

    forecast before → with the old months as revised → with all months of today → by today's network and recipe

Each step between is a forecast that was not published: by the network that made the forecast before, or by its method
without one. Where a step changes nothing, nothing is computed.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from forecasting.domain.panel import Counts, Histories, Panel, Values, concatenate_histories
from forecasting.domain.promotion_rules import REFUSAL_REASONS, distance_in_ranges, forecast_outcome
from forecasting.domain.recipes import Recipe
from forecasting.domain.version import __version__
from forecasting.domain.vocabulary import Cause, Reason
from forecasting.models.method import method_of
from forecasting.numerics.gaps import filled_histories
from forecasting.runs.model_store import ModelStore, NetworkGroup
from forecasting.runs.snapshot import RunReads, Snapshot
from forecasting.storage.attribution import ForecastChanges, PreviousRun
from forecasting.storage.forecasts import SeriesResult
from forecasting.storage.runs import Run

TOLERANCE = 1e-9  # of a series' largest forecast: how far a repeated forecast may lie from the one that was published

# The histories that a step forecasts from: as they were, with the old months as revised, with the new months as well.
BEFORE, REVISED, GROWN = "before", "revised", "grown"


@dataclass(frozen=True)
class Differences:
    """What differs between a previous run and this one, for each series: bool (series,).

    is_revised: an old month has another value. has_grown: there are new months. has_changed: the network, or the recipe, is
    another. needs_repeat: the previous forecast must be computed again, to see whether it still comes out the same.
    """

    is_revised: np.ndarray
    has_grown: np.ndarray
    has_changed: np.ndarray
    needs_repeat: np.ndarray

    @property
    def masks_by_step(self) -> dict[str, np.ndarray]:
        """For each step, the series whose forecast of that step is needed: bool (series,)."""
        return {
            BEFORE: self.needs_repeat,
            REVISED: self.is_revised & self.has_grown,
            GROWN: self.has_changed & (self.is_revised | self.has_grown),
        }


def explain_changes(
    reads: RunReads, run: Run, snapshot: Snapshot, results: Sequence[SeriesResult], store: ModelStore
) -> tuple[ForecastChanges, ...]:
    """Explain how the forecasts of a shard moved, for series whose previous run forecast a month that this run forecasts.

    results: one per row of the snapshot.
    """
    row_by_series = {result.series_id: row for row, result in enumerate(results) if result.values is not None}
    explanations = []
    for previous, panel in reads.read_previous_runs(run, snapshot.panel, list(row_by_series)):
        rows = [row_by_series[series_id] for series_id in previous.series_ids]
        recipe = run.request.recipe
        if previous.recipe_hash != recipe.hash:
            recipe = reads.read_recipe(previous.recipe_hash)
        changes = _explain(
            previous,
            recipe,
            run.request.recipe,
            (panel.select(rows), snapshot.panel.select(rows)),
            snapshot.histories.select(rows),
            [results[row] for row in rows],
            store,
        )
        explanations += [changes] if len(changes.series_ids) else []
    return tuple(explanations)


def _explain(
    previous: PreviousRun,
    previous_recipe: Recipe,
    recipe: Recipe,
    panels: tuple[Panel, Panel],
    histories: Histories,
    results: Sequence[SeriesResult],
    store: ModelStore,
) -> ForecastChanges:
    """Explain the changes since one previous run; panels: as known to that run, and as known to this run.

    previous_recipe, recipe: of that run, and of this one. panels, histories (of this run) and results have one row per series
    of the previous run. A network is identified by its bundle; a forecast without one is a method of its own.
    """
    panel_then, panel_now = panels
    differences = _differences(previous, recipe, panel_then, panel_now, results)
    masks_by_step = differences.masks_by_step
    forecasts_by_step = {step: np.full_like(previous.values, np.nan) for step in masks_by_step}
    is_damaged = np.zeros(len(results), dtype=bool)
    if differences.needs_repeat.any():
        values_now = panel_now.values[:, : panel_then.values.shape[1]]
        panel_revised = replace(panel_then, values=np.where(np.isnan(panel_then.values), np.nan, values_now))
        histories_then, histories_revised = filled_histories(panel_then), filled_histories(panel_revised)
        histories_by_step = {BEFORE: histories_then, REVISED: histories_revised, GROWN: histories}
        is_damaged = _repeat(previous, previous_recipe, histories_by_step, masks_by_step, forecasts_by_step, store)
    forecasts = np.stack([result.values for result in results if result.values is not None])
    origins = np.array([result.origin.ordinal for result in results if result.origin is not None])
    return _attribute(
        previous,
        differences,
        forecasts_by_step,
        forecasts,
        origins - previous.origins,
        is_damaged,
        last_cause=Cause.NETWORK if previous.recipe_hash == recipe.hash else Cause.RECIPE_CHANGE,
    )


def _differences(
    previous: PreviousRun, recipe: Recipe, panel_then: Panel, panel_now: Panel, results: Sequence[SeriesResult]
) -> Differences:
    """Compare two runs; panel_then, panel_now: the same series as known to the previous run, and to this one."""
    has_value = ~np.isnan(panel_then.values)
    values_now = panel_now.values[:, : panel_then.values.shape[1]]
    is_revised = (has_value & (values_now != panel_then.values)).any(axis=1)
    has_grown = (~np.isnan(panel_now.values)).sum(axis=1) > has_value.sum(axis=1)
    pairs = zip(results, previous.bundle_ids, strict=True)
    has_changed = np.array([result.bundle_id != bundle_id for result, bundle_id in pairs])
    has_changed |= previous.recipe_hash != recipe.hash
    needs_repeat = is_revised | has_changed | (previous.code_version != __version__)
    return Differences(is_revised, has_grown, has_changed, needs_repeat)


def _attribute(
    previous: PreviousRun,
    differences: Differences,
    forecasts_by_step: Mapping[str, Values],
    forecasts: Values,
    months_later: Counts,
    is_damaged: np.ndarray,
    *,
    last_cause: str,
) -> ForecastChanges:
    """Cut the difference of two forecasts into parts.

    forecasts_by_step: (series, horizon of the previous run) each. forecasts: of this run, (series, horizon). months_later:
    (series,) by how many months this run's origin is later. is_damaged: bool (series,), whether the previous network's bundle
    is. last_cause: of the part that new months and revisions leave. All steps are moved to the horizons of this run; old_values
    are the previous forecasts there, NaN for months that they did not reach.
    """
    is_revised, has_grown, has_changed = differences.is_revised, differences.has_grown, differences.has_changed
    horizon = forecasts.shape[1]
    old_values = _align(previous.values, months_later, horizon)
    has_old = ~np.isnan(old_values)
    new_values = np.where(has_old, forecasts, np.nan)
    with_all_months = _choose(
        has_changed, np.where(has_old, _align(forecasts_by_step[GROWN], 0 * months_later, horizon), np.nan), new_values
    )
    with_all_months = _choose(is_revised | has_grown, with_all_months, old_values)
    with_revisions = _choose(has_grown, _align(forecasts_by_step[REVISED], months_later, horizon), with_all_months)
    with_revisions = _choose(is_revised, with_revisions, old_values)
    unrepeated = _choose(is_revised | has_grown | has_changed, old_values, new_values)
    repeated = _choose(differences.needs_repeat, _align(forecasts_by_step[BEFORE], months_later, horizon), unrepeated)
    tolerance = TOLERANCE * np.nanmax(np.abs(previous.values), axis=1, initial=0.0)[:, None]
    is_same = (np.abs(repeated - old_values) <= tolerance) & np.isfinite(with_revisions + with_all_months)
    not_repeated = (has_old & ~is_same).any(axis=1)
    has_parts = has_old & ~(is_damaged | not_repeated)[:, None]
    parts = {
        Cause.REVISIONS: with_revisions - old_values,
        Cause.NEW_MONTHS: with_all_months - with_revisions,
        last_cause: new_values - with_all_months,
    }
    reasons = [
        Reason.BUNDLE_DAMAGED if has_damage else Reason.NOT_REPEATED if is_unequal else None
        for has_damage, is_unequal in zip(is_damaged, not_repeated, strict=True)
    ]
    rows = np.flatnonzero(has_old.any(axis=1)).tolist()
    return ForecastChanges(
        [previous.series_ids[row] for row in rows],
        previous.run_id,
        [reasons[row] for row in rows],
        {name: np.where(has_parts, part, 0.0)[rows] for name, part in parts.items()},
    )


def _repeat(
    previous: PreviousRun,
    recipe: Recipe,
    histories_by_step: Mapping[str, Histories],
    masks_by_step: Mapping[str, np.ndarray],
    forecasts_by_step: Mapping[str, Values],
    store: ModelStore,
) -> np.ndarray:
    """Forecast as the previous run would have, from the histories of each step, and write into forecasts_by_step.

    masks_by_step: bool (series,), the series whose forecast of a step is needed. forecasts_by_step: (series, horizon). Returns
    bool (series,): those whose stored networks are damaged.
    """
    rows = np.flatnonzero(np.any(list(masks_by_step.values()), axis=0)).tolist()
    bundle_ids = {row: bundle_id for row in rows if (bundle_id := previous.bundle_ids[row]) is not None}
    groups, damages = store.group(bundle_ids, previous.series_ids)
    is_damaged = np.zeros(len(previous.series_ids), dtype=bool)
    is_damaged[list(damages)] = True
    without_networks = [row for row in rows if row not in bundle_ids]
    for group in [*groups, *([None] if without_networks else [])]:
        group_rows = without_networks if group is None else group.rows
        positions = dict(zip(group_rows, [-1] * len(group_rows) if group is None else group.positions, strict=True))
        rows_by_step = {step: [row for row in group_rows if mask[row]] for step, mask in masks_by_step.items()}
        stacked_rows = [row for step_rows in rows_by_step.values() for row in step_rows]
        parts = [histories_by_step[step].select(step_rows) for step, step_rows in rows_by_step.items()]
        histories = concatenate_histories(parts)
        stacked_values = _forecast_as_published(recipe, group, histories, [positions[row] for row in stacked_rows])
        ends = np.cumsum([len(step_rows) for step_rows in rows_by_step.values()])[:-1]
        for (step, step_rows), step_values in zip(rows_by_step.items(), np.split(stacked_values, ends), strict=True):
            forecasts_by_step[step][step_rows] = step_values
    return is_damaged


def _forecast_as_published(
    recipe: Recipe, group: NetworkGroup | None, histories: Histories, positions: Sequence[int]
) -> Values:
    """Forecast as a run publishes it: without networks where there are none, or where their forecast is not accepted."""
    method = method_of(recipe)
    if group is None:
        return method.forecast_without_networks(recipe, histories).values
    forecasts = method.forecast(recipe, group.networks, histories, positions=positions)
    values = forecasts.values.copy()
    ranges = map(distance_in_ranges, values, histories.lowest, histories.highest)
    refused_rows = [
        row
        for row, (distance, reason) in enumerate(zip(ranges, forecasts.fallback_reasons, strict=True))
        if forecast_outcome(distance, reason)[1] in REFUSAL_REASONS
    ]
    if refused_rows:
        fallback = method.forecast_without_networks(recipe, histories.select(refused_rows))
        values[refused_rows] = fallback.values
    return values


def _align(values: Values, months_later: Counts, horizon: int) -> Values:
    """Move forecasts (series, horizons) by each series' months, so that columns are horizons of the later origin."""
    columns = months_later[:, None] + np.arange(horizon)
    inside = (columns >= 0) & (columns < values.shape[1])
    return np.where(inside, np.take_along_axis(values, np.where(inside, columns, 0), axis=1), np.nan)


def _choose(rows: np.ndarray, values: Values, otherwise: Values) -> Values:
    """Return `values` for the rows that are set, bool (series,), and `otherwise` for the rest: (series, horizon)."""
    return np.where(rows[:, None], values, otherwise)
