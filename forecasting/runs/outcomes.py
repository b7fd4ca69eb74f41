"""How series end: forecasts judged, the fallback where they may not be published, and the rows that tell all of it."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from forecasting.domain.evidence import Stored, stored_evidence, stored_forecast
from forecasting.domain.panel import Values
from forecasting.domain.policy import Verdict
from forecasting.domain.promotion_rules import accept_forecast, ranges_away
from forecasting.models.method import method_of
from forecasting.models.types import Forecasts
from forecasting.numerics.baselines import seasonal_naive
from forecasting.runs.snapshot import Snapshot, is_member
from forecasting.storage.forecasts import FilledMonth, SeriesResult
from forecasting.storage.runs import Run

FILL_RULES = {12: "year_before", 1: "last_value"}


@dataclass(frozen=True)
class SeriesForecast:
    """The forecast of one series: values, base_path and bounds (horizon,).

    reason: empty where a network made it, else the word for why none did.
    """

    values: Values
    base_path: Values | None
    bounds: dict[str, Values]
    reason: str
    note: str = ""
    bundle_id: str | None = None


def split_by_series(made: Forecasts, bundle_id: str | None) -> Iterator[SeriesForecast]:
    """Take forecasts apart, series by series."""
    for row, values in enumerate(made.values):
        base_path = None if made.base_path is None else made.base_path[row]
        bounds = {name: bound[row] for name, bound in made.bounds.items()}
        yield SeriesForecast(
            values, base_path, bounds, made.fallback_reasons[row], made.blend_failures[row] if made.blend_failures else "", bundle_id
        )


def _judged(
    run: Run, outlook: Snapshot, verdicts: list[Verdict], ahead: dict[int, SeriesForecast], facts: dict[int, Stored]
) -> Iterator[tuple[str, str, str | None, Stored]]:
    """Judge every series' forecast: outcome, reason, detail, and all that they and the decision were made from."""
    low, high = (
        reduce(outlook.histories.values, axis=1, initial=np.nan).tolist() for reduce in (np.fmin.reduce, np.fmax.reduce)
    )
    for row, verdict in enumerate(verdicts):
        stored = stored_evidence(outlook.evidence[row], outlook.known[row], run.recipe)
        if outlook.network is not None and not is_member(outlook.champions.get(outlook.panel.series_ids[row])):
            stored["member"] = False
        stored |= facts.get(row, {})
        if verdict.decision is None:
            yield str(verdict.outcome), verdict.reason, verdict.detail, stored
            continue
        found = ahead.get(row)
        ranges = ranges_away(found.values if found else None, low[row], high[row])
        told, note = (found.reason, found.note) if found else ("", "")
        outcome, reason, problem = accept_forecast(ranges, told)
        yield outcome, reason, problem or note or verdict.detail, stored | stored_forecast(ranges, told, note)


def series_results(
    run: Run, outlook: Snapshot, verdicts: list[Verdict], ahead: dict[int, SeriesForecast], facts: dict[int, Stored]
) -> Iterator[SeriesResult]:
    """Tell how every series ended, and let the fallback speak where a forecast may not be published as a network's."""
    ends = list(_judged(run, outlook, verdicts, ahead, facts))
    helpless = [
        row for row, (outcome, reason, *_) in enumerate(ends)
        if outcome == "fallback" and (row not in ahead or reason in ("diverged", "absurd"))
    ]  # fmt: skip
    if helpless:
        made = method_of(run.recipe).forecast_without_networks(run.recipe, outlook.histories.select(helpless))
        ahead = ahead | dict(zip(helpless, split_by_series(made, None), strict=True))
    speaking = [row for row, (outcome, *_) in enumerate(ends) if outcome in ("forecast", "fallback")]
    known = outlook.histories.select(speaking)
    baseline = dict(zip(speaking, seasonal_naive(known.values, known.lengths, horizon=run.recipe.horizon), strict=True))
    for row, (outcome, reason, detail, stored) in enumerate(ends):
        verdict, length = verdicts[row], int(outlook.histories.lengths[row])
        told = (
            outlook.panel.series_ids[row],
            outlook.histories.last_months[row] if length else None,
            verdict.decision,
            verdict.decision_reason,
            outcome,
            reason,
            detail,
            stored,
        )
        if row not in baseline:
            yield SeriesResult(*told)
            continue
        said = ahead[row]
        yield SeriesResult(
            *told,
            method="lstm" if outcome == "forecast" else method_of(run.recipe).FALLBACK_METHOD,
            bundle_id=said.bundle_id,
            last_value=float(outlook.histories.values[row, length - 1]),
            values=said.values,
            seasonal_naive=baseline[row],
            base_path=said.base_path,
            bounds=said.bounds,
        )


def filled_months(outlook: Snapshot, results: Sequence[SeriesResult]) -> Iterator[FilledMonth]:
    """Give the months that were filled of series that were forecast, in whatever way."""
    for row, column in zip(*np.nonzero(outlook.lags), strict=True):
        if results[row].method is None:
            continue
        month = outlook.histories.last_months[row] + (int(column) + 1 - int(outlook.histories.lengths[row]))
        rule = FILL_RULES[int(outlook.lags[row, column])]
        yield FilledMonth(results[row].series_id, month, float(outlook.histories.values[row, column]), rule)
