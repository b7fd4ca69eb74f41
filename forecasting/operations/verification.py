"""Published forecasts computed again: from their stored bundles and from the loads that their run knew."""

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from forecasting.domain.errors import BundleError, RunRefused
from forecasting.domain.months import Month
from forecasting.domain.panel import BOUNDS, Values
from forecasting.models.method import method_of
from forecasting.numerics.baselines import seasonal_naive
from forecasting.runs.model_store import damage_message, networks_from
from forecasting.runs.shard import live_interval_factors
from forecasting.runs.snapshot import Snapshot, read_snapshot
from forecasting.storage import bundles
from forecasting.storage.db.database import Database
from forecasting.storage.runs import Run
from forecasting.storage.views import published
from forecasting.storage.views.published import NUMBERS, PublishedForecasts

MOST_NAMED = 20


@dataclass(frozen=True)
class Difference:
    """One number of a forecast that is not what it was.

    number: its column of `forecast`; stored, again: in the unit of the series, None where there is none. relative: as a
    share of the series' largest forecast.
    """

    series: str
    month: Month
    number: str
    stored: float | None
    again: float | None
    absolute: float
    relative: float


@dataclass
class Replay:
    """What a replay found.

    forecasts: published by the run; compared: of these, computed again; mismatches: how many of these differ by more than
    the tolerance, the largest of which are named. intervals_open: forecasts whose bounds alone differ where runs published
    since would count in their live errors now. not_replayed: series by why.
    """

    run: Run
    forecasts: int = 0
    compared: int = 0
    mismatches: int = 0
    named: list[Difference] = field(default_factory=list)
    largest: Difference | None = None
    since: list[int] = field(default_factory=list)
    intervals_open: int = 0
    not_replayed: dict[str, list[str]] = field(default_factory=dict)


def replay_run(
    database: Database, run: Run, *, tolerance: float = 0.0, progress: Callable[[int], None] | None = None
) -> Replay:
    """Compute the forecasts of a published run again and compare them with what is stored; nothing is written.

    tolerance: by how much a number may differ, as a share of the series' largest forecast. progress: called with the
    number of series done since the last call. Raises RunRefused where the run is not published.
    """
    if run.state != "published":
        raise RunRefused(f"Run {run.run_id} is not published: milkrun run goes on with it, then it can be verified.")
    with database.reading() as connection:
        found = Replay(run, since=published.runs_since(connection, run))
    for number in run.shards:
        series_ids = run.shard(number)
        outlook = read_snapshot(database, run, series_ids)
        with database.reading() as connection:
            stored = published.read_published(connection, run, series_ids, outlook.histories.last_months)
        again, lost = _forecast_again(database, run, outlook, stored)
        _compare(found, outlook, stored, again, lost, tolerance)
        if progress is not None:
            progress(len(series_ids))
    return found


def _forecast_again(
    database: Database, run: Run, outlook: Snapshot, stored: PublishedForecasts
) -> tuple[dict[str, Values], dict[int, str]]:
    """Forecast as a run that reuses every network does; returns the numbers, and by row why there are none.

    A series whose method spoke without networks has it speak so again.
    """
    again = {name: np.full_like(stored.numbers["value"], np.nan) for name in NUMBERS}
    lost: dict[int, str] = {}
    method, live = method_of(run.recipe), live_interval_factors(outlook)
    speakers: dict[str | None, list[int]] = {}
    for row in np.flatnonzero(stored.spoke).tolist():
        speakers.setdefault(stored.bundle_ids[row], []).append(row)
    with database.reading() as connection:
        kept = bundles.read_bundles(connection, [speaker for speaker in speakers if speaker is not None])
    for speaker, rows in speakers.items():
        histories = outlook.histories.select(rows)
        if speaker is None:
            made = method.forecast_without_networks(run.recipe, histories)
        else:
            try:
                networks, places = networks_from(
                    speaker, kept[speaker], [outlook.panel.series_ids[row] for row in rows]
                )
            except BundleError as damage:
                lost |= dict.fromkeys(rows, damage_message(speaker, damage))
                continue
            made = method.forecast(run.recipe, networks, histories, positions=places, live_factors=live[rows])
        horizon = made.values.shape[1]
        again["value"][rows, :horizon] = made.values
        again["seasonal_naive"][rows, :horizon] = seasonal_naive(histories.values, histories.lengths, horizon=horizon)
        for name, numbers in {"base_path": made.base_path, **made.bounds}.items():
            if numbers is not None:
                again[name][rows, :horizon] = numbers
    return again, lost


def _compare(
    found: Replay,
    outlook: Snapshot,
    stored: PublishedForecasts,
    again: dict[str, Values],
    lost: dict[int, str],
    tolerance: float,
) -> None:
    """Add to what was found how the numbers of a shard differ; a number that only one side has differs infinitely."""
    there = np.any([~np.isnan(stored.numbers["value"]), ~np.isnan(again["value"])], axis=0)
    found.forecasts += int(there.sum())
    for row, why in lost.items():
        found.not_replayed.setdefault(why, []).append(outlook.panel.names[row])
    there[list(lost)] = False
    found.compared += int(there.sum())
    before, after = (np.stack([numbers[name] for name in NUMBERS]) for numbers in (stored.numbers, again))
    absolute = np.abs(before - after)
    absolute[np.isnan(before) & np.isnan(after) | (before == after)] = 0.0
    absolute = np.where(there, np.where(np.isnan(absolute), np.inf, absolute), 0.0)  # (number, series, horizon)
    values = np.abs([stored.numbers["value"], again["value"]])
    scale = np.fmax.reduce(np.fmax.reduce(values, axis=0), axis=1)[:, None]
    relative = np.where(absolute > 0, absolute / np.where(scale > 0, scale, 1.0), 0.0)
    wrong = relative > tolerance
    if found.since:  # the bounds of that time cannot be told from others
        bounds = np.array([name in BOUNDS for name in NUMBERS])
        unsure = wrong.any(axis=0) & ~wrong[~bounds].any(axis=0) & there
        found.intervals_open += int(unsure.sum())
        relative[:, unsure], wrong[:, unsure] = 0.0, False
    found.mismatches += int(wrong.any(axis=0).sum())
    worst = np.argsort(-relative, axis=None, kind="stable")[:MOST_NAMED]
    places = zip(*np.unravel_index(worst, relative.shape), strict=True)
    differences = [
        Difference(
            outlook.panel.names[row],
            outlook.histories.last_months[row] + (int(step) + 1),
            NUMBERS[number],
            _plain(before[number, row, step]),
            _plain(after[number, row, step]),
            float(absolute[number, row, step]),
            float(relative[number, row, step]),
        )
        for number, row, step in places
        if there[row, step]
    ]
    largest = sorted([*filter(None, [found.largest]), *differences[:1]], key=lambda one: -one.relative)
    found.largest = largest[0] if largest else None
    named = [*found.named, *(one for one in differences if one.relative > tolerance)]
    found.named = sorted(named, key=lambda one: -one.relative)[:MOST_NAMED]


def _plain(number: float) -> float | None:
    return None if np.isnan(number) else float(number)
