"""Published forecasts computed again: from their stored bundles and from the loads that their run knew."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import numpy as np

from forecasting.domain.errors import RunRefused
from forecasting.domain.months import Month
from forecasting.domain.panel import BOUNDS, Values
from forecasting.domain.recipes import Recipe
from forecasting.domain.vocabulary import RunState
from forecasting.models.method import method_of
from forecasting.models.types import Forecasts
from forecasting.numerics.baselines import seasonal_naive
from forecasting.runs.model_store import ModelStore, finite_or_none
from forecasting.runs.snapshot import DatabaseReads, Snapshot, read_snapshot
from forecasting.storage.db.database import Database
from forecasting.storage.runs import Run
from forecasting.storage.views.forecasts import NUMBER_COLUMNS, PublishedForecasts, read_published_forecasts
from forecasting.storage.views.runs import find_runs_published_since

MOST_NAMED = 20


@dataclass(frozen=True)
class Difference:
    """One number of a forecast that is not what it was.

    number: its column of `forecast`. stored, computed: the two numbers, in the unit of the series, None where there is none.
    relative: their difference as a share of the series' largest forecast.
    """

    series: str
    month: Month
    number: str
    stored: float | None
    computed: float | None
    absolute: float
    relative: float


@dataclass(frozen=True)
class ShardComparison:
    """How the numbers of one shard differ.

    forecasts: that were published; compared_count: of these, computed again; mismatches: of these, how many differ by more
    than the tolerance; intervals_open: forecasts of which only the bounds differ, where later runs may be the reason. worst: the
    largest differences, the largest first. failures: by the reason why they cannot be computed again, the names of series.
    """

    forecasts: int
    compared_count: int
    mismatches: int
    intervals_open: int
    worst: tuple[Difference, ...]
    failures: Mapping[str, list[str]]


@dataclass
class Replay:
    """The comparison of a whole run; later_runs: published since the run was opened, whose forecasts count in live errors now.

    The other fields are those of `ShardComparison`; named: the largest differences beyond the tolerance.
    """

    run: Run
    later_runs: list[int]
    forecasts: int = 0
    compared_count: int = 0
    mismatches: int = 0
    intervals_open: int = 0
    largest: Difference | None = None
    named: list[Difference] = field(default_factory=list)
    failures: dict[str, list[str]] = field(default_factory=dict)

    def add(self, shard: ShardComparison, tolerance: float) -> None:
        """Add the comparison of a shard."""
        self.forecasts += shard.forecasts
        self.compared_count += shard.compared_count
        self.mismatches += shard.mismatches
        self.intervals_open += shard.intervals_open
        for reason, names in shard.failures.items():
            self.failures.setdefault(reason, []).extend(names)
        candidates = [*filter(None, [self.largest]), *shard.worst[:1]]
        self.largest = max(candidates, key=lambda difference: difference.relative, default=None)
        named = [*self.named, *(difference for difference in shard.worst if difference.relative > tolerance)]
        self.named = sorted(named, key=lambda difference: -difference.relative)[:MOST_NAMED]


def replay_run(
    database: Database, run: Run, *, tolerance: float = 0.0, progress: Callable[[int], None] | None = None
) -> Replay:
    """Compute the forecasts of a published run again and compare them with what is stored; nothing is written.

    tolerance: by how much a number may differ, as a share of the series' largest forecast. progress: called with the
    number of series done since the last call. Raises RunRefused where the run is not published.
    """
    if run.state != RunState.PUBLISHED:
        raise RunRefused(f"Run {run.run_id} is not published: milkrun run goes on with it, then it can be verified.")
    with database.reading() as connection:
        replay = Replay(run, find_runs_published_since(connection, run))
    reads = DatabaseReads(database)
    for series_ids in run.request.shards:
        snapshot = read_snapshot(reads, run, series_ids)
        with database.reading() as connection:
            published_forecasts = read_published_forecasts(connection, run, series_ids, snapshot.histories.last_months)
        computed_numbers, failures = _compute_again(
            run.request.recipe, snapshot, published_forecasts, ModelStore(reads.read_bundles)
        )
        replay.add(
            _compare(snapshot, published_forecasts, computed_numbers, failures, tolerance, replay.later_runs), tolerance
        )
        if progress is not None:
            progress(len(series_ids))
    return replay


def _compute_again(
    recipe: Recipe, snapshot: Snapshot, published_forecasts: PublishedForecasts, store: ModelStore
) -> tuple[dict[str, Values], dict[int, str]]:
    """Forecast as a run that reuses every network does; returns the numbers, and by row why there are none.

    A forecast that was made without networks is made without networks again.
    """
    computed_numbers = {name: np.full_like(published_forecasts.numbers["value"], np.nan) for name in NUMBER_COLUMNS}
    method, rows = method_of(recipe), np.flatnonzero(published_forecasts.has_forecast).tolist()
    bundle_ids = {row: bundle_id for row in rows if (bundle_id := published_forecasts.bundle_ids[row]) is not None}
    groups, failures = store.group(bundle_ids, snapshot.series_ids)
    for group in groups:
        forecasts = method.forecast(
            recipe,
            group.networks,
            snapshot.histories.select(group.rows),
            positions=group.positions,
            live_factors=snapshot.live_interval_factors[group.rows],
        )
        _write_rows(computed_numbers, snapshot, group.rows, forecasts)
    rows_without_networks = [row for row in rows if row not in bundle_ids]
    if rows_without_networks:
        forecasts = method.forecast_without_networks(recipe, snapshot.histories.select(rows_without_networks))
        _write_rows(computed_numbers, snapshot, rows_without_networks, forecasts)
    return computed_numbers, failures


def _write_rows(computed_numbers: dict[str, Values], snapshot: Snapshot, rows: list[int], forecasts: Forecasts) -> None:
    """Write forecasts, and the seasonal naive computed here, into some rows of computed_numbers, in place.

    computed_numbers: by column of the table `forecast`, (series, horizon). rows: positions in the snapshot, one for each row
    of `forecasts`.
    """
    histories, horizon = snapshot.histories.select(rows), forecasts.values.shape[1]
    baseline = seasonal_naive(histories.values, histories.lengths, horizon=horizon)
    columns = {"value": forecasts.values, "seasonal_naive": baseline, "base_path": forecasts.base_path}
    for name, values in {**columns, **forecasts.bounds}.items():
        if values is not None:
            computed_numbers[name][rows, :horizon] = values


def _compare(
    snapshot: Snapshot,
    published_forecasts: PublishedForecasts,
    computed_numbers: Mapping[str, Values],
    failures: Mapping[int, str],
    tolerance: float,
    later_run_ids: list[int],
) -> ShardComparison:
    """Compare the numbers of a shard; a number that only one side has differs infinitely.

    computed_numbers: by column of `forecast`, (series, horizon). failures: by row, why there are no computed numbers.
    """
    has_forecast = ~np.isnan(published_forecasts.numbers["value"]) | ~np.isnan(computed_numbers["value"])
    is_compared = has_forecast.copy()
    is_compared[list(failures)] = False
    stored, computed = (
        np.stack([numbers[name] for name in NUMBER_COLUMNS])
        for numbers in (published_forecasts.numbers, computed_numbers)
    )
    absolute, relative = _distances(stored, computed, is_compared)  # (number, series, horizon)
    is_different = relative > tolerance
    intervals_open = 0
    if later_run_ids:  # the bounds of that time cannot be told from others
        is_bound = np.array([name in BOUNDS for name in NUMBER_COLUMNS])
        is_open = is_different.any(axis=0) & ~is_different[~is_bound].any(axis=0) & is_compared
        intervals_open = int(is_open.sum())
        relative[:, is_open], is_different[:, is_open] = 0.0, False
    positions = np.argsort(-relative, axis=None, kind="stable")[:MOST_NAMED]
    worst = tuple(
        Difference(
            snapshot.panel.names[row],
            snapshot.histories.last_months[row] + (int(horizon_index) + 1),
            NUMBER_COLUMNS[number],
            finite_or_none(stored[number, row, horizon_index]),
            finite_or_none(computed[number, row, horizon_index]),
            float(absolute[number, row, horizon_index]),
            float(relative[number, row, horizon_index]),
        )
        for number, row, horizon_index in zip(*np.unravel_index(positions, relative.shape), strict=True)
        if is_compared[row, horizon_index]
    )
    series_by_reason: dict[str, list[str]] = {}
    for row, reason in failures.items():
        series_by_reason.setdefault(reason, []).append(snapshot.panel.names[row])
    mismatches = int(is_different.any(axis=0).sum())
    counts = int(has_forecast.sum()), int(is_compared.sum()), mismatches, intervals_open
    return ShardComparison(*counts, worst, series_by_reason)


def _distances(stored: Values, computed: Values, is_compared: np.ndarray) -> tuple[Values, Values]:
    """Return how far numbers lie apart: in the unit of the series, and as a share of the series' largest forecast.

    stored, computed and both results: (number, series, horizon), in the order of NUMBER_COLUMNS. is_compared: bool (series,
    horizon); elsewhere the distance is 0.
    """
    absolute = np.abs(stored - computed)
    absolute[np.isnan(stored) & np.isnan(computed) | (stored == computed)] = 0.0
    absolute = np.where(is_compared, np.where(np.isnan(absolute), np.inf, absolute), 0.0)
    sizes = np.abs([stored[NUMBER_COLUMNS.index("value")], computed[NUMBER_COLUMNS.index("value")]])
    largest = np.fmax.reduce(np.fmax.reduce(sizes, axis=0), axis=1)[:, None]
    return absolute, np.where(absolute > 0, absolute / np.where(largest > 0, largest, 1.0), 0.0)
