"""The front door for notebooks and scripts: pandas in, pandas out, and the same steps as the flow.

with forecasting.open() as milkrun:
    milkrun.load("sales.csv")
    milkrun.run(recipe="monthly")
    frame = milkrun.forecasts("milk")
"""

from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import pandas as pd

from forecasting.domain.errors import InputError
from forecasting.domain.months import Month
from forecasting.domain.policy import Policy
from forecasting.domain.recipes import Recipe, find_recipe
from forecasting.domain.settings import Settings, user_name
from forecasting.domain.vocabulary import KindWord, ReprocessWord, RetrainWord, TriggerName
from forecasting.intake.columns import ColumnRoles
from forecasting.intake.databases import Selection, open_database_source
from forecasting.intake.files import Source, open_file
from forecasting.intake.frames import open_frame
from forecasting.intake.loads import LoadResult, load_observations
from forecasting.operations.frame_forecast import forecast_panel, panel_from
from forecasting.operations.series_review import keras_model
from forecasting.runs import backfill, job
from forecasting.runs.job import RunParameters, RunPlan, RunSummary, Trigger
from forecasting.runs.joint_training import LocalTrainer
from forecasting.storage.db.database import Database
from forecasting.storage.db.schema import open_migrated_database
from forecasting.storage.views.rows import Table, read_table
from forecasting.storage.views.series import read_forecasts_and_actuals
from forecasting.storage.views.sql import run_query

if TYPE_CHECKING:
    import keras
    from sklearn.preprocessing import MinMaxScaler

_FORECASTS = """
    SELECT series, month, horizon, value, lower_80, upper_80, lower_95, upper_95, seasonal_naive, unit, origin, method,
           recipe, run_id
    FROM milkrun.latest_forecast WHERE CAST(:series AS text) IS NULL OR series = :series ORDER BY series, month"""


def open(database_url: str | None = None, *, home: str | Path | None = None) -> "Milkrun":  # noqa: A001 - as in gzip.open
    """Open Milkrun on a database, and make its tables where there are none.

    database_url: of a PostgreSQL. None: DATABASE_URL, or else the embedded database under `home`. home: the folder of the
    embedded database and of recipes; None: MILKRUN_HOME, or else the platform's data folder. Raises InputError for a URL that
    cannot be read, EnvironmentFailure where the database does not answer.
    """
    settings = Settings.from_environment()
    if home is not None:
        settings = replace(settings, home=Path(home).expanduser().absolute(), database_url=None)
    if database_url is not None:
        settings = replace(settings, database_url=database_url)
    return Milkrun(settings)


def forecast(
    frame: pd.DataFrame, *, recipe: str | Recipe = "monthly", horizon: int | None = None, late_months: int = 3
) -> pd.DataFrame:
    """Forecast series without a database: networks are trained on the frame and not kept.

    frame: series, month and value (or unique_id, ds and y), one row per observation, or a month column and a column per
    series; in any unit. recipe: its name, or one that `read_recipe` has read. horizon: in months; None: that of the recipe.
    late_months: how many months a series may end before the newest month of the frame.

    Returns one row per series and month after its last one: series, month (first day), horizon (1, 2, …), value, lower_80,
    upper_80, lower_95, upper_95 (NaN for a recipe without intervals) and seasonal_naive, in the unit of the series, outcome and
    reason. A series without a forecast has one row, without a month, whose outcome and reason say why. The numbers are
    those that a run on the same observations publishes.

    Raises InputError, naming series and month, for values that cannot be used, RecipeError for an unknown recipe.
    """
    chosen_recipe = (
        recipe if isinstance(recipe, Recipe) else find_recipe(recipe, Settings.from_environment().recipes_folder)
    )
    if horizon is not None:
        chosen_recipe = replace(chosen_recipe, horizon=horizon)
    return forecast_panel(panel_from(frame), chosen_recipe, Policy(late_months=late_months))


class Milkrun:
    """An open Milkrun: a database with observations, runs and forecasts. Use it in a `with` statement, or call `close`."""

    def __init__(self, settings: Settings) -> None:
        """Open the database of the settings and migrate it where it is empty."""
        self.settings = settings
        self._stack = ExitStack()
        self.database: Database = self._stack.enter_context(open_migrated_database(settings))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections; an embedded database that nobody else uses is stopped."""
        self._stack.close()

    def load(
        self,
        data: pd.DataFrame | str | Path,
        *,
        columns: Mapping[str, Any] | None = None,
        strict: bool = False,
        dry_run: bool = False,
        encoding: str = "utf-8",
    ) -> LoadResult:
        """Load observations from a DataFrame, or from a CSV or Parquet file; loading them again stores nothing.

        data: series, month and value (or unique_id, ds and y), or a month column and a column per series. columns: names that
        differ, by what they hold, such as {"value_column": "sales"}: the options of `milkrun load`. strict: store nothing where
        a row is rejected. dry_run: store nothing.

        Returns the counts of rows, and the first rejected rows with their reasons. Raises InputError where there is no row, or
        where a column cannot be found.
        """
        roles = ColumnRoles(**(columns or {}))
        source = (
            open_frame(data, roles)
            if isinstance(data, pd.DataFrame)
            else open_file(Path(data), roles, encoding=encoding)
        )
        return self._load(source, strict=strict, dry_run=dry_run)

    def pull(
        self,
        url: str,
        *,
        table: str | None = None,
        query: str | None = None,
        since: str | None = None,
        columns: Mapping[str, Any] | None = None,
        strict: bool = False,
        dry_run: bool = False,
    ) -> LoadResult:
        """Load observations from another database, which SQLAlchemy must reach; otherwise as `load`.

        table, query: what to read, one of the two. since: the first month (YYYY-MM). Raises InputError for a URL, a table or a
        column that is not there, EnvironmentFailure where the database does not answer.
        """
        if (table is None) == (query is None):
            raise InputError("Give a table or a query, one of the two.")
        selection = Selection(table, query, Month.parse(since) if since else None)
        source = open_database_source(url, selection, ColumnRoles(**(columns or {})))
        return self._load(source, strict=strict, dry_run=dry_run)

    def _load(self, source: Source, *, strict: bool, dry_run: bool) -> LoadResult:
        return load_observations(
            self.database,
            source,
            source=source.name,
            today=Month.containing(datetime.now(UTC)),
            sha256=source.sha256,
            strict=strict,
            dry_run=dry_run,
        )

    def plan(
        self,
        *,
        recipe: str | Recipe | None = None,
        origin: str | None = None,
        series: Sequence[str] | None = None,
        retrain: RetrainWord = "auto",
        late_months: int | None = None,
    ) -> RunPlan:
        """Say what `run` would do with each series, and why; nothing is written. The parameters are those of `run`.

        The plan's `frame()` has one row per series: series, decision, reason, detail.
        """
        return job.plan_run(self.database, self._parameters(recipe, origin, series, retrain, late_months))

    def run(
        self,
        *,
        recipe: str | Recipe | None = None,
        origin: str | None = None,
        series: Sequence[str] | None = None,
        retrain: RetrainWord = "auto",
        late_months: int | None = None,
    ) -> RunSummary:
        """Forecast the months after the newest one and publish the result: the job of the flow, without a Prefect server.

        recipe: its name, or one that `read_recipe` has read; None: that of the settings. origin: the last month that may be used
        (YYYY-MM); None: the newest month observed. series: names; None: all active series. retrain: auto, always or never.
        late_months: how many months late a series may be; None: as in the settings. A run that is published already stays as
        it is.

        Raises RunRefused when there is nothing to forecast, InputError for unknown series, RecipeError for an unknown recipe.
        """
        parameters = self._parameters(recipe, origin, series, retrain, late_months)
        return job.complete_run(self.database, parameters, LocalTrainer(workers=self.settings.workers))

    def backfill(
        self,
        start: str,
        end: str,
        *,
        recipe: str | Recipe | None = None,
        series: Sequence[str] | None = None,
        retrain: RetrainWord = "auto",
        late_months: int | None = None,
        reprocess: ReprocessWord = "none",
    ) -> list[RunSummary]:
        """Forecast from past origins, oldest first, each from what was known then.

        start, end: the first and the last origin (YYYY-MM), both included. reprocess: none leaves published origins as they are;
        failed repeats series that failed, were held or refused; completed repeats everything. Otherwise as `run`. Raises
        InputError for months out of reach.
        """
        parameters = self._parameters(recipe, None, series, retrain, late_months)
        steps = backfill.plan_backfill(self.database, parameters, Month.parse(start), Month.parse(end), reprocess)
        return backfill.complete_backfill(self.database, steps, workers=self.settings.workers)

    def forecasts(self, series: str | None = None) -> pd.DataFrame:
        """Return the newest published live forecasts of a series (None: of all), one row per series and month.

        Columns: series, month (first day), horizon, value, lower_80, upper_80, lower_95, upper_95, seasonal_naive (in `unit`),
        unit, origin, method, recipe, run_id. A series without a forecast has no row.
        """
        with self.database.reading() as connection:
            return _frame(read_table(connection, _FORECASTS, series=series))

    def history(self, series: str, *, horizon: int = 1, kind: KindWord = "live") -> pd.DataFrame:
        """Return the published forecasts of a series `horizon` months ahead beside what happened, for observed months.

        The oldest month comes first. Columns: month (first day), forecast, actual, error (forecast - actual), seasonal_naive,
        seasonal_naive_error (in `unit`), inside_80, inside_95, unit, origin, method, recipe, published_at, run_id. Raises
        InputError for an unknown series.
        """
        with self.database.reading() as connection:
            table = read_forecasts_and_actuals(connection, series, kind=kind, horizon=horizon)
        return _frame(table)

    def network(self, series: str) -> "tuple[keras.Sequential, MinMaxScaler]":
        """Return the network of a series' newest published live forecast by a recipe of `classic`, and its scaler.

        Newer forecasts by other recipes do not count. The network takes scaled windows, float32 (windows, time steps, features),
        and gives scaled months (windows, 1). Reshape windows (windows, look_back) to (-1, 1, look_back) where look_back_as is
        `features`, to (-1, look_back, 1) where it is `steps`. The scaler, fitted, turns values (months, 1) of the unit of the
        series into scaled ones and back.

        Raises InputError for an unknown series, RunRefused where no network of `classic` has forecast it, BundleError
        where its bundle is damaged.
        """
        from sklearn.preprocessing import MinMaxScaler

        model, scaler = keras_model(self.database, series)
        return model, MinMaxScaler().fit([[scaler["low"]], [scaler["high"]]])

    def sql(self, query: str, *, seconds: int = 60) -> pd.DataFrame:
        """Return the rows of a query over the tables and views, read only; seconds: how long it may take.

        Raises InputError, with PostgreSQL's message, for a query that cannot be run.
        """
        with run_query(self.database, query, seconds=seconds) as (columns, rows):
            return _frame((list(columns), list(rows)))

    def _parameters(
        self,
        recipe: str | Recipe | None,
        origin: str | None,
        series: Sequence[str] | None,
        retrain: RetrainWord,
        late_months: int | None,
    ) -> RunParameters:
        return job.run_parameters(
            self.settings,
            origin=origin,
            series=series,
            recipe=recipe,
            retrain=retrain,
            late_months=late_months,
            moment=datetime.now(UTC),
            trigger=Trigger(TriggerName.PYTHON, made_by=user_name()),
        )


def _frame(table: Table) -> pd.DataFrame:
    """Return rows as a DataFrame; months become timestamps of their first day."""
    columns, rows = table
    frame = pd.DataFrame([tuple(row) for row in rows], columns=list(columns))
    for name in ("month", "origin"):
        if name in frame:
            frame[name] = pd.to_datetime(frame[name])
    return frame
