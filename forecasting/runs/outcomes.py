"""How series end: each forecast is accepted or replaced by the fallback, and every series becomes a row with its reason."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from forecasting.domain.evidence import stored_forecast
from forecasting.domain.promotion_rules import REFUSAL_REASONS, distance_in_ranges, forecast_outcome
from forecasting.domain.vocabulary import ForecastMethod, Outcome
from forecasting.models.method import method_of
from forecasting.numerics.baselines import seasonal_naive
from forecasting.runs.cases import Case, with_forecasts
from forecasting.runs.snapshot import Snapshot
from forecasting.storage.forecasts import FilledMonth, SeriesResult
from forecasting.storage.runs import Request

FILL_RULES = {12: "year_before", 1: "last_value"}


@dataclass(frozen=True)
class Ending:
    """How a series ends, and all that this was decided from, as JSON values."""

    outcome: str
    reason: str
    detail: str | None
    evidence: dict[str, Any]


def series_results(request: Request, snapshot: Snapshot, cases: Sequence[Case]) -> tuple[SeriesResult, ...]:
    """Return how every series ended, in the order of the cases."""
    endings = _endings(request, snapshot, cases)
    cases = _with_fallbacks(request, snapshot, cases, endings)
    forecast_rows = [
        case.row
        for case, ending in zip(cases, endings, strict=True)
        if ending.outcome in (Outcome.FORECAST, Outcome.FALLBACK)
    ]
    histories = snapshot.histories.select(forecast_rows)
    naive_paths = seasonal_naive(histories.values, histories.lengths, horizon=request.recipe.horizon)
    baseline_by_row = dict(zip(forecast_rows, naive_paths, strict=True))
    return tuple(
        _series_result(request, snapshot, case, ending, baseline_by_row.get(case.row))
        for case, ending in zip(cases, endings, strict=True)
    )


def _endings(request: Request, snapshot: Snapshot, cases: Sequence[Case]) -> list[Ending]:
    """Say for each series how it ends: as its verdict says, or as its forecast is accepted or not."""
    lowest, highest = snapshot.histories.lowest.tolist(), snapshot.histories.highest.tolist()
    return [_ending(request, snapshot, case, lowest[case.row], highest[case.row]) for case in cases]


def _ending(request: Request, snapshot: Snapshot, case: Case, lowest: float, highest: float) -> Ending:
    """Say how one series ends; where its verdict has no decision, no network was to forecast it, and the verdict says how.

    lowest, highest: of the history, in the unit of the series. fallback_reason: why no network made the forecast, empty where
    one did. note: a part of the forecast that failed. The detail explains the reason, else it is the note or the verdict's.
    """
    verdict, forecast = case.verdict, case.forecast
    evidence = case.stored_evidence(request.recipe, is_global=snapshot.global_decision is not None)
    if verdict.decision is None:
        return Ending(str(verdict.outcome), verdict.reason, verdict.detail, evidence)
    distance = distance_in_ranges(forecast.values if forecast else None, lowest, highest)
    fallback_reason, note = (forecast.fallback_reason, forecast.note) if forecast else ("", "")
    outcome, reason, detail = forecast_outcome(distance, fallback_reason)
    evidence |= stored_forecast(distance, fallback_reason, note)
    return Ending(outcome, reason, detail or note or verdict.detail, evidence)


def _with_fallbacks(
    request: Request, snapshot: Snapshot, cases: Sequence[Case], endings: Sequence[Ending]
) -> Sequence[Case]:
    """Return the cases with a forecast without networks where a network's may not be published, or there is none."""
    fallback_rows = [
        case.row
        for case, ending in zip(cases, endings, strict=True)
        if ending.outcome == Outcome.FALLBACK and (case.forecast is None or ending.reason in REFUSAL_REASONS)
    ]
    if not fallback_rows:
        return cases
    fallback = method_of(request.recipe).forecast_without_networks(
        request.recipe, snapshot.histories.select(fallback_rows)
    )
    return with_forecasts(cases, fallback_rows, fallback, None)


def _series_result(
    request: Request, snapshot: Snapshot, case: Case, ending: Ending, baseline: np.ndarray | None
) -> SeriesResult:
    """Put together the row of one series; baseline: the seasonal naive (horizon,), None where the series has no forecast."""
    length = int(snapshot.histories.lengths[case.row])
    result = SeriesResult(
        case.series_id,
        snapshot.histories.last_months[case.row] if length else None,
        case.verdict.decision,
        case.verdict.decision_reason,
        ending.outcome,
        ending.reason,
        ending.detail,
        ending.evidence,
    )
    if baseline is None or case.forecast is None:
        return result
    return replace(
        result,
        method=ForecastMethod.LSTM if ending.outcome == Outcome.FORECAST else method_of(request.recipe).FALLBACK_METHOD,
        bundle_id=case.forecast.bundle_id,
        last_value=float(snapshot.histories.values[case.row, length - 1]),
        values=case.forecast.values,
        seasonal_naive=baseline,
        base_path=case.forecast.base_path,
        bounds=case.forecast.bounds,
    )


def filled_months(snapshot: Snapshot, results: Sequence[SeriesResult]) -> Iterator[FilledMonth]:
    """Give the months that were filled, of the series that have a forecast."""
    histories = snapshot.histories
    for row, column in zip(*np.nonzero(snapshot.lags), strict=True):
        if results[row].method is not None:
            month = histories.last_months[row] + (int(column) + 1 - int(histories.lengths[row]))
            rule = FILL_RULES[int(snapshot.lags[row, column])]
            yield FilledMonth(results[row].series_id, month, float(histories.values[row, column]), rule)
