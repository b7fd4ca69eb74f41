"""Deliveries: every published live run is written where people look, once for each target."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from forecasting.domain.errors import InputError, MilkrunError
from forecasting.domain.settings_files import NAME_RULE, changed_settings, find_settings_file, is_name, read_settings
from forecasting.domain.url_names import URL_NAME, find_url_in_environment, is_url_name
from forecasting.intake.file_patterns import path_problem, public_pattern
from forecasting.operations.target_files import deliver_to_files
from forecasting.storage.db.database import Database
from forecasting.storage.db.other_databases import open_other_database
from forecasting.storage.deliveries import PublishedRun, read_undelivered_runs, write_delivery
from forecasting.storage.target_tables import deliver_to_tables


@dataclass(frozen=True)
class DeliverySettings:
    """Where published runs are delivered to: the two tables of a database, or a folder of Parquet files.

    url_from: name of the environment variable that holds the URL of the database, or TYPE/NAME of a Prefect block. table: of the
    forecasts, with its schema if it needs one. rmse_table: of the RMSE history; None: `table` followed by _rmse. path: a
    folder, or a URL that fsspec writes to.
    """

    name: str
    url_from: str | None = None
    table: str | None = None
    rmse_table: str | None = None
    path: str | None = None

    def __post_init__(self) -> None:
        """Raise InputError naming the setting that cannot be used, and the remedy."""
        for is_right, problem in (
            (is_name(self.name), NAME_RULE),
            ((self.url_from is None) != (self.path is None), "give either url_from, for tables, or path, for files"),
            (self.url_from is None or bool(self.table), "table is missing: the table that gets the forecasts"),
            (self.path is None or not (self.table or self.rmse_table), "table and rmse_table go with url_from"),
            (self.table is None or self.table != self.rmse_table, "table and rmse_table must differ"),
            (self.url_from is None or is_url_name(self.url_from), URL_NAME),
            (path_problem(self.path) is None, path_problem(self.path)),
            (
                all(is_table(name) for name in (self.table, self.rmse_table)),
                "a table is written as NAME or SCHEMA.NAME",
            ),
        ):
            if not is_right:
                raise InputError(f"Delivery {self.name}: {problem}.")

    @property
    def place(self) -> str:
        """Where the rows go, without a password."""
        if self.path is not None:
            return public_pattern(self.path)
        return f"{self.url_from}, tables {self.table} and {self.rmse_table or f'{self.table}_rmse'}"

    def as_json(self) -> dict[str, Any]:
        """Return the settings that differ from the defaults, as JSON values."""
        return changed_settings(self)


@dataclass(frozen=True)
class DeliveryResult:
    """How the delivery of a run ended. error: why it failed, None where it did not."""

    target: str
    run_id: int
    forecast_rows: int
    rmse_rows: int
    error: str | None

    @property
    def sentence(self) -> str:
        """The result in a sentence."""
        if self.error is not None:
            return (
                f"Run {self.run_id} stays published, but was not delivered to {self.target}: {self.error} The next run tries "
                "again."
            )
        counts = f"{self.forecast_rows:,} forecasts and {self.rmse_rows:,} rows of the RMSE history"
        return f"Run {self.run_id} is delivered to {self.target}: {counts}."


def is_table(name: str | None) -> bool:
    """Return whether a text names a table, with its schema or without, or is None."""
    return name is None or re.fullmatch(r"(?:[^.\s][^.]*\.)?[^.\s][^.]*", name) is not None


def read_deliveries(folder: Path) -> list[DeliverySettings]:
    """Return the deliveries of a folder, by name; none where there is no folder."""
    return [_read(path) for path in sorted(folder.glob("*.toml"))] if folder.is_dir() else []


def find_delivery(name: str, folder: Path) -> DeliverySettings:
    """Return the delivery of a name; raises InputError listing the names there are."""
    return _read(find_settings_file(name, folder, "delivery"))


def _read(path: Path) -> DeliverySettings:
    return DeliverySettings(path.stem, **read_settings(path, {each.name: str for each in fields(DeliverySettings)}))


def undelivered_runs(database: Database, settings: DeliverySettings) -> list[PublishedRun]:
    """Return the published live runs that a target lacks, the oldest first; of a new target the newest run only."""
    with database.reading() as connection:
        return read_undelivered_runs(connection, settings.name, settings.place)


def deliver(
    database: Database,
    settings: DeliverySettings,
    run: PublishedRun,
    *,
    made_by: str,
    find_url: Callable[[str], str] = find_url_in_environment,
) -> DeliveryResult:
    """Deliver a run to a target and store that it was; a run that the target has is left as it is.

    Raises InputError for a target that cannot be used, PassingFailure where it is out of reach, EnvironmentFailure where
    Milkrun's own database fails. The run stays published whatever happens.
    """
    if settings.path is not None:
        forecast_rows, rmse_rows = deliver_to_files(database, run, settings.path)
    else:
        other = open_other_database(find_url(str(settings.url_from)), is_read_only=False)
        rmse_table = settings.rmse_table or f"{settings.table}_rmse"
        forecast_rows, rmse_rows = deliver_to_tables(database, run, other, str(settings.table), rmse_table)
    row = _row(settings, run, made_by) | {"forecast_rows": forecast_rows, "rmse_rows": rmse_rows}
    database.write(lambda connection: write_delivery(connection, row))
    return DeliveryResult(settings.name, run.run_id, forecast_rows, rmse_rows, None)


def deliver_missing(
    database: Database,
    settings: DeliverySettings,
    deliver_one: Callable[[PublishedRun], DeliveryResult | None],
    *,
    made_by: str,
) -> Iterator[DeliveryResult]:
    """Deliver to a target the published runs that it lacks, in their order, and yield each result.

    deliver_one: delivers a run; None where that was done meanwhile. A MilkrunError that it raises is stored, and ends the
    deliveries to this target: later runs would fail in the same way.
    """
    for run in undelivered_runs(database, settings):
        try:
            result = deliver_one(run)
        except MilkrunError as failure:
            yield record_failed_delivery(database, settings, run, failure, made_by=made_by)
            return
        if result is not None:
            yield result


def record_failed_delivery(
    database: Database, settings: DeliverySettings, run: PublishedRun, failure: MilkrunError, *, made_by: str
) -> DeliveryResult:
    """Store that a run could not be delivered, and why; returns the result."""
    row = _row(settings, run, made_by) | {"error": str(failure)}
    database.write(lambda connection: write_delivery(connection, row))
    return DeliveryResult(settings.name, run.run_id, 0, 0, str(failure))


def _row(settings: DeliverySettings, run: PublishedRun, made_by: str) -> dict[str, Any]:
    return {"target": settings.name, "run_id": run.run_id, "place": settings.place, "made_by": made_by}
