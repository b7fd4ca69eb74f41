"""Forecasts without a database: the observations come as a DataFrame, and the forecasts leave as one.

The steps are those of a run: the numbers are those that a run on the same observations publishes.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from forecasting.domain.errors import InputError
from forecasting.domain.months import Month
from forecasting.domain.panel import Panel
from forecasting.domain.policy import GlobalDecision, Policy
from forecasting.domain.recipes import Recipe
from forecasting.domain.version import __version__
from forecasting.domain.vocabulary import Decision, Kind, Reason, RunState, TriggerName, Vintages
from forecasting.intake.frames import open_frame
from forecasting.runs.global_models import global_training_data, train_global
from forecasting.runs.joint_training import LocalTrainer
from forecasting.runs.shard import forecast_shard
from forecasting.runs.snapshot import Observations, StoredFacts, observations_from
from forecasting.storage.attribution import PreviousRun
from forecasting.storage.bundles import Bundle, Champion
from forecasting.storage.forecasts import SeriesResult
from forecasting.storage.runs import Request, Run

INTERVALS = ("lower_80", "upper_80", "lower_95", "upper_95")


@dataclass(frozen=True)
class FrameReads:
    """What a run reads, where there is no database: the observations, and global networks where some were trained."""

    observations: Observations
    champions: Mapping[int, Champion]
    bundles: Mapping[str, Bundle]
    global_decision: GlobalDecision | None = None

    def read_facts(self, run: Run, series_ids: Sequence[int]) -> StoredFacts:
        """Return the observations and the champions."""
        return StoredFacts(self.observations, self.champions, None, self.global_decision)

    def read_bundles(self, bundle_ids: Collection[str]) -> Mapping[str, Bundle]:
        """Return bundles by id."""
        return {bundle_id: self.bundles[bundle_id] for bundle_id in bundle_ids}

    def read_previous_runs(
        self, run: Run, panel: Panel, series_ids: Sequence[int]
    ) -> Sequence[tuple[PreviousRun, Panel]]:
        """Return nothing: there is no run before."""
        return ()

    def read_recipe(self, recipe_hash: str) -> Recipe:
        """Never called, as there is no run before."""
        raise InputError(f"There is no stored recipe {recipe_hash}.")


def forecast_panel(panel: Panel, recipe: Recipe, policy: Policy) -> pd.DataFrame:
    """Forecast the months after the last month of a panel; see `forecasting.forecast` for the columns."""
    origin = panel.first + (panel.values.shape[1] - 1)
    request = Request(
        kind=Kind.LIVE,
        origin=origin,
        as_of=1,
        vintages=Vintages.LATEST,
        recipe=recipe,
        policy=policy,
        series_ids=panel.series_ids,
        scope="all",
        shard_size=max(len(panel.series_ids), 1),
        code_version=__version__,
        trigger=TriggerName.PYTHON,
    )
    run, reads = Run(0, RunState.OPEN, request), _reads(request, observations_from(panel, recipe))
    result = forecast_shard(reads, run, panel.series_ids, LocalTrainer())
    name_by_series = dict(zip(panel.series_ids, panel.names, strict=True))
    return pd.concat([_result_frame(name_by_series[row.series_id], row) for row in result.results], ignore_index=True)


def _reads(request: Request, observations: Observations) -> FrameReads:
    """Train global networks where the recipe has such for so many series."""
    reads = FrameReads(observations, {}, {})
    if not request.has_global_networks:
        return reads
    model = train_global(request, global_training_data(request, [observations]))
    if model is None or model.bundle is None:
        return replace(reads, global_decision=GlobalDecision(Decision.RETRAIN, Reason.NO_NETWORK, None, None))
    members = {member.series_id: member for member in model.bundle.members}
    champions = {}
    for series_id, last_month in zip(request.series_ids, observations.histories.last_months, strict=True):
        member = members.get(series_id)
        champions[series_id] = Champion(
            series_id,
            model.bundle.bundle_id,
            request.recipe.hash,
            member.position if member else -1,
            member.trained_through if member else last_month,
            member.origin if member else last_month,
            member.test_rmse if member else None,
        )
    decision = GlobalDecision(Decision.RETRAIN, Reason.NO_NETWORK, None, model.bundle.bundle_id)
    return FrameReads(observations, champions, {model.bundle.bundle_id: model.bundle}, decision)


def _result_frame(name: str, result: SeriesResult) -> pd.DataFrame:
    """Return the forecast of one series, one row per month; one row without a month where there is none."""
    values = np.array([np.nan]) if result.values is None else result.values
    no_numbers = np.full(len(values), np.nan)
    has_forecast = result.values is not None and result.origin is not None
    horizons = range(1, len(values) + 1)
    target_months = [
        pd.Timestamp((result.origin + horizon).first_day) if has_forecast and result.origin is not None else pd.NaT
        for horizon in horizons
    ]
    bounds = {bound: result.bounds.get(bound, no_numbers) for bound in INTERVALS}
    return pd.DataFrame(
        {
            "series": name,
            "month": pd.to_datetime(pd.Series(target_months)),
            "horizon": pd.array([horizon if has_forecast else None for horizon in horizons], dtype="Int64"),
            "value": values,
            **bounds,
            "seasonal_naive": no_numbers if result.seasonal_naive is None else result.seasonal_naive,
            "outcome": result.outcome,
            "reason": result.reason,
        }
    )


def panel_from(frame: pd.DataFrame) -> Panel:
    """Return the panel of a DataFrame whose columns are those that a load takes: series, month, value, or a wide frame.

    Raises InputError, naming series and month, for a value that is not a finite number, for a month that cannot be read, and
    for two values of one month; rows without a value are left out.
    """
    cells_as_text = _long_rows(frame)
    months = pd.to_datetime(cells_as_text["month"], errors="coerce", format="ISO8601", utc=True)
    is_number = pd.to_numeric(cells_as_text["value"], errors="coerce").notna()
    # pandas' own reading of texts is not exact to the last bit, Python's is.
    numbers = cells_as_text["value"].where(is_number, "nan").astype(object).astype(np.float64)
    is_missing = cells_as_text["value"].isna() | (cells_as_text["value"] == "")
    for wrong_mask, problem in (
        (months.isna(), "the month {month!r} cannot be read: write it as YYYY-MM, or give dates"),
        (~is_missing & ~np.isfinite(numbers), "the value {value!r} is not a finite number"),
    ):
        if wrong_mask.any():
            series, month, value = cells_as_text[wrong_mask].iloc[0]
            raise InputError(f"{series}, {month}: {problem.format(month=month, value=value)}.")
    ordinals = months.dt.year * 12 + months.dt.month - 1
    cells = pd.DataFrame({"series": cells_as_text["series"], "ordinal": ordinals, "value": numbers})
    cells = cells[~is_missing].drop_duplicates()
    repeated_mask = cells.duplicated(["series", "ordinal"], keep=False)
    if repeated_mask.any():
        cell = cells[repeated_mask].iloc[0]
        raise InputError(f"{cell['series']}, {Month(int(cell['ordinal']))}: there is more than one value. Keep one.")
    if cells.empty:
        raise InputError("The DataFrame holds no observation: there is nothing to forecast.")
    names = tuple(sorted(cells["series"].unique()))
    first_ordinal = int(cells["ordinal"].min())
    grid = np.full((len(names), int(cells["ordinal"].max()) - first_ordinal + 1), np.nan)
    rows = pd.Categorical(cells["series"], categories=names).codes
    grid[rows, cells["ordinal"] - first_ordinal] = cells["value"]
    return Panel(tuple(range(1, len(names) + 1)), names, Month(first_ordinal), grid)


def _long_rows(frame: pd.DataFrame) -> pd.DataFrame:
    """Return the cells of a DataFrame as text, one row for each: series, month, value."""
    chunks = [chunk.to_pandas() for chunk in open_frame(frame)]
    if not chunks:
        raise InputError("The DataFrame holds no observation: there is nothing to forecast.")
    rows: pd.DataFrame = pd.concat(chunks, ignore_index=True)[["series", "month", "value"]]
    return rows
