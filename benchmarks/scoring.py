"""Scores of forecasts, mean over series, and how they are told."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from benchmarks.contestants import ContestantForecasts
from benchmarks.panels import Task
from forecasting.numerics.accuracy import bias, coverage, mase, mase_scale, msis, smape
from forecasting.numerics.baselines import seasonal_naive
from forecasting.numerics.metrics import rmse, skill

SHOWN = {
    "smape": "sMAPE", "mase": "MASE", "rmse": "RMSE", "median_skill": "skill", "coverage_80": "80 %", "coverage_95": "95 %",
    "msis": "MSIS", "wall": "wall s", "cpu": "CPU s", "peak_mib": "MiB",
}  # fmt: skip


def scores(forecasts: ContestantForecasts, task: Task) -> dict[str, float]:
    """Score forecasts: the mean over the series that have a forecast and, where it is asked for, a scale.

    RMSE is in the units of the series. Skill is 1 - RMSE / RMSE of the seasonal naive per series; its mean hangs on a
    few series that nearly repeat themselves, so that the median stands beside it.
    """
    scale = mase_scale(task.histories.values, task.histories.lengths)
    baseline = seasonal_naive(task.histories.values, task.histories.lengths, horizon=task.horizon)
    forecast_rmse = rmse(forecasts.values - task.actual)
    measures = {
        "smape": smape(forecasts.values, task.actual),
        "mase": mase(forecasts.values, task.actual, scale),
        "rmse": forecast_rmse,
        "skill": skill(forecast_rmse, rmse(baseline - task.actual)),
        "bias_scaled": bias(forecasts.values, task.actual) / np.where(scale > 0, scale, np.nan),
    }
    if forecasts.bounds:
        low, high = forecasts.bounds["lower_95"], forecasts.bounds["upper_95"]
        measures |= {
            "coverage_80": coverage(task.actual, forecasts.bounds["lower_80"], forecasts.bounds["upper_80"]),
            "coverage_95": coverage(task.actual, low, high),
            "msis": msis(task.actual, low, high, scale),
        }
    has_forecast = ~np.isnan(forecasts.values).any(axis=1)
    finite = {name: values[has_forecast & np.isfinite(values)] for name, values in measures.items()}
    return {name: float(values.mean()) if len(values) else float("nan") for name, values in finite.items()} | {
        "median_skill": float(np.median(finite["skill"])) if len(finite["skill"]) else float("nan"),
        "without_forecast": float(np.mean(~has_forecast)),
        "with_reason": float(np.mean([bool(word) for word in forecasts.reasons])),
    }


def summary(runs: Sequence[dict[str, float]]) -> dict[str, dict[str, float]]:
    """Mean, lowest and highest of every measure over the seeds."""
    values_by_measure = {name: [run[name] for run in runs] for name in runs[0]}
    return {
        name: {"mean": float(np.mean(values)), "low": min(values), "high": max(values)}
        for name, values in values_by_measure.items()
    }


def table(results: dict[str, dict[str, dict[str, float]]]) -> str:
    """Lay out one contestant to a row; below those of several seeds, the lowest and the highest."""
    columns = [name for name in SHOWN if any(name in measures for measures in results.values())]
    lines = [f"{'':18}" + "".join(f"{SHOWN[name]:>10}" for name in columns)]
    for contestant, measures in results.items():
        for which in ("mean", "low", "high"):
            if which == "mean" or any(one["low"] != one["high"] for one in measures.values()):
                name = contestant if which == "mean" else f"  {which}est"
                lines.append(f"{name:18}" + "".join(_cell(name, measures, which) for name in columns))
        other_measures = {name: one["mean"] for name, one in measures.items() if name not in SHOWN and one["mean"]}
        lines.append("  " + ", ".join(f"{name} {value:.4g}" for name, value in other_measures.items()))
    return "\n".join(lines)


def _cell(name: str, measures: dict[str, Any], which: str) -> str:
    if name not in measures:
        return f"{'':10}"
    value = measures[name][which]
    return f"{value:10.0f}" if name in ("wall", "cpu", "peak_mib") or abs(value) >= 1000 else f"{value:10.3f}"
