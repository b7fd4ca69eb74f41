"""One shard of a run: train or reuse as decided, forecast, judge, and give the rows to write."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from forecasting.bundling import MEASURES, bundle_of, networks_of
from forecasting.errors import BundleError
from forecasting.ledger import explain_changes
from forecasting.networks.fitted import Fitted, Forecasts, Networks
from forecasting.networks.methods import method_of
from forecasting.numerics.baselines import seasonal_naive
from forecasting.numerics.intervals import live_factors
from forecasting.outlook import Outlook, look
from forecasting.panel import Values
from forecasting.policy import Policy, Verdict, judge, without_bundle
from forecasting.storage import bundles
from forecasting.storage.database import Database
from forecasting.storage.forecasts import FilledMonth, SeriesResult, ShardResult
from forecasting.storage.runs import Run
from forecasting.storage.scores import Scores
from forecasting.together import Trained, lessons_of, train

FILL_RULES = {12: "year_before", 1: "last_value"}


@dataclass(frozen=True)
class Ahead:
    """The forecast of one series: values, base_path and bounds (horizon,).

    reason: empty where a network made it, else the word for why none did.
    """

    values: Values
    base_path: Values | None
    bounds: dict[str, Values]
    reason: str
    note: str = ""
    bundle_id: str | None = None


def forecast_shard(
    database: Database,
    run: Run,
    series_ids: Sequence[int],
    *,
    ahead: Trained | None = None,
    workers: int | None = None,
    progress: Callable[[int], None] | None = None,
) -> ShardResult:
    """Do everything for some series but write it; `progress` receives how many networks have just been trained.

    ahead: networks that were trained before, for this shard and others.
    """
    outlook = look(database, run, series_ids)
    live = live_factors_of(outlook)
    said, verdicts = _ask_stored(database, run, outlook, live)
    to_train = [row for row, verdict in enumerate(verdicts) if verdict.decision == "retrain" and row not in said]
    fitted, bundle = None, None
    if to_train:
        lessons = lessons_of(run.recipe, outlook, to_train)
        fitted = train(lessons, ahead=ahead, workers=workers, progress=progress)
        bundle = bundle_of(run, [series_ids[row] for row in to_train], lessons.histories, fitted)
        positions = range(len(to_train))
        said |= _ask(run, fitted.networks, outlook, to_train, positions, live, bundle.bundle_id if bundle else None)
        for place in np.flatnonzero(fitted.diverged):
            said.pop(to_train[place])
    results = tuple(_results(run, outlook, verdicts, said))
    return ShardResult(
        bundle,
        results,
        (
            *_training_scores(outlook, to_train, fitted),
            *_shared_scores(outlook, verdicts),
            *([outlook.live] if outlook.live else []),
        ),
        tuple(_filled_months(outlook, results)),
        explain_changes(database, run, outlook, results),
    )


def live_factors_of(outlook: Outlook) -> Values:
    """Return by how much the live errors of each series widen its 80 and 95 % intervals: (series, 2)."""
    if outlook.live is None:
        return np.ones((len(outlook.panel.series_ids), 2))
    measures = outlook.live.measures
    coverages = [measures.get(name, np.full_like(measures["n"], np.nan)) for name in ("coverage_80", "coverage_95")]
    coverage = np.stack(coverages, axis=1)  # (series, 2, horizon)
    known = ~np.isnan(coverage)
    n = np.where(known, measures["n"][:, None], 0)
    inside, answered = np.where(known, n * coverage, 0).sum(axis=2), n.sum(axis=2)
    realised = np.divide(inside, answered, out=np.full_like(inside, np.nan), where=answered > 0)
    return live_factors(measures["n"][:, 0], realised)


def _ask_stored(database: Database, run: Run, outlook: Outlook, live: Values) -> tuple[dict[int, Ahead], list[Verdict]]:
    """Forecast with the networks that are stored; where a bundle is damaged, the policy decides again."""
    verdicts = list(outlook.verdicts)
    users: dict[str, list[int]] = {}
    shared = outlook.network is not None and outlook.network.bundle_id is not None
    for row, series_id in enumerate(outlook.panel.series_ids):
        asked = verdicts[row].decision == "reuse" or (
            shared and (verdicts[row].decision == "retrain" or verdicts[row].outcome == "fallback")
        )
        if asked:
            users.setdefault(outlook.champions[series_id].bundle_id, []).append(row)
    ahead: dict[int, Ahead] = {}
    if not users:
        return ahead, verdicts
    with database.reading() as connection:
        stored = bundles.read_bundles(connection, users)
    for bundle_id, rows in users.items():
        try:
            networks, positions = networks_of(
                bundle_id, stored[bundle_id], [outlook.panel.series_ids[row] for row in rows]
            )
        except BundleError as damage:
            for row in rows:
                told = f"Bundle {bundle_id[:12]}: {damage}"
                verdicts[row] = without_bundle(Policy(**run.policy), told, shared=shared)
            continue
        ahead |= _ask(run, networks, outlook, rows, positions, live, bundle_id)
    return ahead, verdicts


def _ask(
    run: Run,
    networks: Networks,
    outlook: Outlook,
    rows: list[int],
    positions: Sequence[int],
    live: Values,
    bundle_id: str | None,
) -> dict[int, Ahead]:
    made = method_of(run.recipe).forecast(
        run.recipe, networks, outlook.histories.select(rows), positions=positions, live=live[rows]
    )
    return dict(zip(rows, _apart(made, bundle_id), strict=True))


def _apart(made: Forecasts, bundle_id: str | None) -> Iterator[Ahead]:
    """Take forecasts apart, series by series."""
    for row, values in enumerate(made.values):
        base_path = None if made.base_path is None else made.base_path[row]
        bounds = {name: bound[row] for name, bound in made.bounds.items()}
        yield Ahead(values, base_path, bounds, made.reasons[row], made.notes[row] if made.notes else "", bundle_id)


def _results(run: Run, outlook: Outlook, verdicts: list[Verdict], ahead: dict[int, Ahead]) -> Iterator[SeriesResult]:
    """Judge every series' forecast, and let the fallback speak where it may not be published as one."""
    ends: list[tuple[str, str, str | None]] = []
    low, high = (
        reduce(outlook.histories.values, axis=1, initial=np.nan) for reduce in (np.fmin.reduce, np.fmax.reduce)
    )
    for row, verdict in enumerate(verdicts):
        if verdict.decision is None:
            ends.append((str(verdict.outcome), verdict.reason, verdict.detail))
            continue
        found = ahead.get(row)
        outcome, reason, problem = judge(
            found.values if found else None, low[row], high[row], found.reason if found else ""
        )
        ends.append((outcome, reason, problem or (found and found.note) or verdict.detail))
    helpless = [
        row for row, (outcome, reason, _) in enumerate(ends)
        if outcome == "fallback" and (row not in ahead or reason in ("diverged", "absurd"))
    ]  # fmt: skip
    if helpless:
        made = method_of(run.recipe).without_networks(run.recipe, outlook.histories.select(helpless))
        ahead = ahead | dict(zip(helpless, _apart(made, None), strict=True))
    speaking = [row for row, (outcome, _, _) in enumerate(ends) if outcome in ("forecast", "fallback")]
    known = outlook.histories.select(speaking)
    baseline = dict(zip(speaking, seasonal_naive(known.values, known.lengths, horizon=run.recipe.horizon), strict=True))
    for row, (outcome, reason, detail) in enumerate(ends):
        verdict, length = verdicts[row], int(outlook.histories.lengths[row])
        told = (
            outlook.panel.series_ids[row],
            outlook.histories.last_months[row] if length else None,
            verdict.decision,
            verdict.decision_reason,
            outcome,
            reason,
            detail,
        )
        if row not in baseline:
            yield SeriesResult(*told)
            continue
        said = ahead[row]
        yield SeriesResult(
            *told,
            method="lstm" if outcome == "forecast" else method_of(run.recipe).without_networks_name,
            bundle_id=said.bundle_id,
            last_value=float(outlook.histories.values[row, length - 1]),
            values=said.values,
            seasonal_naive=baseline[row],
            base_path=said.base_path,
            bounds=said.bounds,
        )


def _training_scores(outlook: Outlook, rows: list[int], fitted: Fitted | None) -> Iterator[Scores]:
    """Give the scores of networks that this shard has trained."""
    series_ids = [outlook.panel.series_ids[row] for row in rows]
    for split, scores in fitted.scores.items() if fitted else ():
        yield Scores(series_ids, split, {name: getattr(scores, name) for name in MEASURES})


def _shared_scores(outlook: Outlook, verdicts: list[Verdict]) -> Iterator[Scores]:
    """Give the scores of networks that were trained before the shards for the whole run."""
    if outlook.network is None:
        return
    stored: dict[str, dict[int, dict[str, list[float | None]]]] = {}
    for series_id, verdict in zip(outlook.panel.series_ids, verdicts, strict=True):
        champion = outlook.champions.get(series_id)
        if verdict.decision == "retrain" and champion is not None:
            for split, measures in (champion.scores or {}).items():
                stored.setdefault(split, {})[series_id] = measures
    for split, of_series in stored.items():
        columns = {name: np.array([m[name] for m in of_series.values()], dtype=np.float64) for name in MEASURES}
        yield Scores(list(of_series), split, columns)


def _filled_months(outlook: Outlook, results: Sequence[SeriesResult]) -> Iterator[FilledMonth]:
    for row, column in zip(*np.nonzero(outlook.lags), strict=True):
        if results[row].method is None:
            continue
        month = outlook.histories.last_months[row] + (int(column) + 1 - int(outlook.histories.lengths[row]))
        rule = FILL_RULES[int(outlook.lags[row, column])]
        yield FilledMonth(results[row].series_id, month, float(outlook.histories.values[row, column]), rule)
