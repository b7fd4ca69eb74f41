"""The change ledger: why a run's forecasts differ from those of the run before, as parts that add up to the difference.

    published before → the old months as revised → all months known now → the run's own network and recipe

Each step between is a forecast that was not made: by the network that spoke before, or by its method without one. Where
a step changes nothing, nothing is computed.
"""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from forecasting import __version__
from forecasting.domain.errors import BundleError
from forecasting.domain.panel import Counts, Histories, Panel, Values, concatenate_histories, histories_of
from forecasting.domain.promotion_rules import accept_forecast, ranges_away
from forecasting.domain.recipes import Recipe
from forecasting.models.method import method_of
from forecasting.models.types import Networks
from forecasting.numerics.gaps import fill_gaps
from forecasting.runs.model_store import networks_from
from forecasting.runs.snapshot import Snapshot
from forecasting.storage import bundles, runs
from forecasting.storage.attribution import ForecastChanges, PreviousRun, read_earlier_vintage, read_previous_runs
from forecasting.storage.db.database import Database
from forecasting.storage.forecasts import SeriesResult
from forecasting.storage.runs import Run

NEAR = 1e-9  # of a series' largest forecast: how far a repeated forecast may lie from the one that was published

BEFORE, REVISED, GROWN = "before", "revised", "grown"  # what is known: as it was, as revised, with new months as well


def explain_changes(
    database: Database, run: Run, outlook: Snapshot, results: Sequence[SeriesResult]
) -> tuple[ForecastChanges, ...]:
    """Explain how the forecasts of a shard moved, for series whose previous run forecast a month that this one forecasts.

    results: one per row of the outlook.
    """
    rows = {result.series_id: row for row, result in enumerate(results) if result.values is not None}
    with database.reading() as connection:
        found = read_previous_runs(connection, list(rows), run)
        known = [read_earlier_vintage(connection, outlook.panel, earlier, run.as_of) for earlier in found]
    explained = []
    for earlier, panel in zip(found, known, strict=True):
        own = [rows[series_id] for series_id in earlier.series_ids]
        changes = _explain(
            database,
            run,
            earlier,
            (_rows_of(panel, own), _rows_of(outlook.panel, own)),
            outlook.histories.select(own),
            [results[row] for row in own],
        )
        explained += [changes] if len(changes.series_ids) else []
    return tuple(explained)


def _explain(
    database: Database,
    run: Run,
    earlier: PreviousRun,
    panels: tuple[Panel, Panel],
    histories: Histories,
    results: Sequence[SeriesResult],
) -> ForecastChanges:
    """Explain the changes since one previous run; panels: what was known then, and what is known now.

    A network is known by its bundle; a forecast without one is a method of its own.
    """
    then, now = panels
    observed, since = ~np.isnan(then.values), now.values[:, : then.values.shape[1]]
    revised = (observed & (since != then.values)).any(axis=1)
    grown = (~np.isnan(now.values)).sum(axis=1) > observed.sum(axis=1)
    changed = np.array([result.bundle_id != old for result, old in zip(results, earlier.bundle_ids, strict=True)])
    changed |= earlier.recipe_hash != run.recipe.hash
    again = revised | changed | (earlier.code_version != __version__)
    wanted = {BEFORE: again, REVISED: revised & grown, GROWN: changed & (revised | grown)}
    said = {step: np.full_like(earlier.values, np.nan) for step in wanted}
    damaged = np.zeros(len(results), dtype=bool)
    if again.any():
        as_revised = replace(then, values=np.where(observed, since, np.nan))
        known = {BEFORE: _filled(then), REVISED: _filled(as_revised), GROWN: histories}
        damaged = _say_again(database, earlier, run, known, wanted, said)

    made = np.stack([result.values for result in results if result.values is not None])
    horizon = made.shape[1]
    shift = np.array([result.origin.ordinal for result in results if result.origin is not None]) - earlier.origins
    old = _aligned(earlier.values, shift, horizon)
    compared = ~np.isnan(old)
    new = np.where(compared, made, np.nan)
    full = _where(changed, np.where(compared, _aligned(said[GROWN], 0 * shift, horizon), np.nan), new)
    full = _where(revised | grown, full, old)
    middle = _where(revised, _where(grown, _aligned(said[REVISED], shift, horizon), full), old)
    repeated = _where(again, _aligned(said[BEFORE], shift, horizon), _where(revised | grown | changed, old, new))
    near = NEAR * np.nanmax(np.abs(earlier.values), axis=1, initial=0.0)[:, None]
    sound = (np.abs(repeated - old) <= near) & np.isfinite(middle + full)
    lost = (compared & ~sound).any(axis=1)
    reasons = ["bundle_damaged" if d else "not_repeated" if r else None for d, r in zip(damaged, lost, strict=True)]
    shown = compared & ~(damaged | lost)[:, None]
    last = "network" if earlier.recipe_hash == run.recipe.hash else "recipe_change"
    parts = {"revisions": middle - old, "new_months": full - middle, last: new - full}
    kept = np.flatnonzero(compared.any(axis=1)).tolist()
    return ForecastChanges(
        [earlier.series_ids[row] for row in kept],
        earlier.run_id,
        [reasons[row] for row in kept],
        {name: np.where(shown, part, 0.0)[kept] for name, part in parts.items()},
    )


def _say_again(
    database: Database,
    earlier: PreviousRun,
    run: Run,
    known: dict[str, Histories],
    wanted: dict[str, np.ndarray],
    said: dict[str, Values],
) -> np.ndarray:
    """Forecast as the previous run would have, from the histories of each step, the series wanted of each, into `said`.

    Returns bool (series,), for which the stored networks are damaged.
    """
    damaged = np.zeros(len(earlier.series_ids), dtype=bool)
    asked = np.any(list(wanted.values()), axis=0)
    speakers = {bundle_id for bundle_id, needed in zip(earlier.bundle_ids, asked, strict=True) if needed}
    with database.reading() as connection:
        same = earlier.recipe_hash == run.recipe.hash
        recipe = run.recipe if same else runs.read_recipe(connection, earlier.recipe_hash)
        stored = bundles.read_bundles(connection, [bundle_id for bundle_id in speakers if bundle_id is not None])
    for speaker in sorted(speakers, key=str):
        own = np.array([bundle_id == speaker for bundle_id in earlier.bundle_ids])
        networks, positions = None, [-1] * len(own)
        if speaker is not None:
            try:
                networks, positions = networks_from(speaker, stored[speaker], earlier.series_ids)
            except BundleError:
                damaged |= own & asked
                continue
        picked = {step: np.flatnonzero(own & rows).tolist() for step, rows in wanted.items()}
        whole = concatenate_histories([known[step].select(rows) for step, rows in picked.items()])
        values = _published(recipe, networks, whole, [positions[row] for rows in picked.values() for row in rows])
        for (step, rows), part in zip(
            picked.items(), np.split(values, np.cumsum([len(rows) for rows in picked.values()])[:-1]), strict=True
        ):
            said[step][rows] = part
    return damaged


def _published(recipe: Recipe, networks: Networks | None, histories: Histories, positions: Sequence[int]) -> Values:
    """Forecast as a run would publish it: where the networks' answer may not be, the method speaks without them."""
    method = method_of(recipe)
    if networks is None:
        return method.forecast_without_networks(recipe, histories).values
    made = method.forecast(recipe, networks, histories, positions=positions)
    values = made.values.copy()
    low, high = (reduce(histories.values, axis=1, initial=np.nan) for reduce in (np.fmin.reduce, np.fmax.reduce))
    judged = zip(map(ranges_away, values, low, high), made.fallback_reasons, strict=True)
    refused = [row for row, told in enumerate(judged) if accept_forecast(*told)[1] in ("diverged", "absurd")]
    if refused:
        values[refused] = method.forecast_without_networks(recipe, histories.select(refused)).values
    return values


def _aligned(values: Values, shift: Counts, horizon: int) -> Values:
    """Move forecasts (series, horizons) by each series' months, so that columns are horizons of the newer origin."""
    columns = shift[:, None] + np.arange(horizon)
    inside = (columns >= 0) & (columns < values.shape[1])
    return np.where(inside, np.take_along_axis(values, np.where(inside, columns, 0), axis=1), np.nan)


def _where(rows: np.ndarray, values: Values, others: Values) -> Values:
    return np.where(rows[:, None], values, others)


def _filled(panel: Panel) -> Histories:
    observed = histories_of(panel)
    values, _ = fill_gaps(observed.values, observed.lengths)
    return Histories(values, observed.lengths, observed.last_months)


def _rows_of(panel: Panel, rows: list[int]) -> Panel:
    ids, names = tuple(panel.series_ids[row] for row in rows), tuple(panel.names[row] for row in rows)
    return Panel(ids, names, panel.first, panel.values[rows])
