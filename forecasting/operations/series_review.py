"""Looking back at one series: what its stored network predicts of the past, and its newest published forecast."""

from dataclasses import dataclass
from typing import Any

from forecasting.domain.errors import RunRefused
from forecasting.domain.months import Month
from forecasting.domain.panel import Histories, Panel, histories_of
from forecasting.domain.recipes import ClassicRecipe
from forecasting.lstm.prediction import to_keras
from forecasting.models import classic
from forecasting.models.method import method_of
from forecasting.numerics.gaps import filled_histories
from forecasting.reports.charts import Line, SeriesChart
from forecasting.runs.model_store import ModelStore, NetworkGroup
from forecasting.runs.snapshot import DatabaseReads
from forecasting.storage import bundles
from forecasting.storage.bundles import find_newest_bundle, read_bundles
from forecasting.storage.db.database import Database
from forecasting.storage.panels import read_panel, require_series
from forecasting.storage.runs import Run, read_run
from forecasting.storage.views.forecasts import read_newest_forecast


@dataclass(frozen=True)
class PastLines:
    """What stored networks predict of the past, one month ahead.

    by_series: the predictions of the training part and of the test part. failures: by series, why its networks cannot be
    asked: their bundle is damaged, or its numbers were removed.
    """

    by_series: dict[int, tuple[Line, Line]]
    failures: dict[int, str]


def review_series(database: Database, name: str) -> SeriesChart:
    """Gather the chart of a series: all months that its newest published live run could know, and the forecast.

    Where the bundle of its network is damaged, the chart has no predictions of the past, and says why. Raises InputError when
    there is no such series and RunRefused when no published run has forecast it.
    """
    with database.reading() as connection:
        newest = read_newest_forecast(connection, name)
        if newest is None:
            raise RunRefused(f"No published run has forecast {name!r} yet: milkrun run does.")
        run = read_run(connection, newest.run_id)
        panel = read_panel(connection, [newest.series_id], origin=run.request.origin, as_of=run.request.as_of)
    past = predict_past(database, run, panel)
    histories = histories_of(panel)
    train, test = past.by_series.get(newest.series_id, (None, None))
    first_month = histories.last_months[0] + 1
    return SeriesChart(
        name=name,
        unit=newest.unit,
        recipe=run.request.recipe.name,
        observations=Line(first_month - int(histories.lengths[0]), histories.values[0]),
        train_predictions=train,
        test_predictions=test,
        forecast=Line(first_month, newest.values),
        seasonal_naive=Line(first_month, newest.seasonal_naive),
        intervals={
            level: (Line(first_month, low), Line(first_month, high)) for level, (low, high) in newest.intervals.items()
        },
        missing_predictions_reason=past.failures.get(newest.series_id),
    )


def predict_past(database: Database, run: Run, panel: Panel, *, past_months: int | None = None) -> PastLines:
    """Predict the past one month ahead with the networks of a published run.

    panel: what the run could know. past_months: how many of the last months are predicted; None: all. Series whose forecast was
    not made by a network of the run's recipe are left out.
    """
    with database.reading() as connection:
        champions = bundles.read_champions(connection, panel.series_ids, run)
    recipe = run.request.recipe
    bundle_ids = {
        row: champions[series_id].bundle_id
        for row, series_id in enumerate(panel.series_ids)
        if series_id in champions and champions[series_id].recipe_hash == recipe.hash
    }
    groups, damages = ModelStore(DatabaseReads(database).read_bundles).group(bundle_ids, panel.series_ids)
    histories = filled_histories(panel)
    lines_by_series: dict[int, tuple[Line, Line]] = {}
    for group in groups:
        origins = [champions[panel.series_ids[row]].origin for row in group.rows]
        group_lines = _predict_group(run, group, histories.select(group.rows), origins, past_months)
        lines_by_series |= {panel.series_ids[row]: line for row, line in zip(group.rows, group_lines, strict=True)}
    return PastLines(lines_by_series, {panel.series_ids[row]: damage for row, damage in damages.items()})


def _predict_group(
    run: Run, group: NetworkGroup, histories: Histories, origins: list[Month], past_months: int | None
) -> list[tuple[Line, Line]]:
    """Predict the past of series whose networks are in one bundle; origins: (series,) of their networks."""
    pairs = zip(histories.lengths, histories.last_months, origins, strict=True)
    predictions = method_of(run.request.recipe).predict_past(
        run.request.recipe,
        group.networks,
        histories,
        positions=group.positions,
        trained_lengths=[int(length) - (last_month - origin) for length, last_month, origin in pairs],
        past_months=past_months,
    )
    first_months = [
        last_month + (1 - int(length))
        for last_month, length in zip(histories.last_months, histories.lengths, strict=True)
    ]
    return [
        (Line(first + past.train_start, past.train), Line(first + past.test_start, past.test))
        for first, past in zip(first_months, predictions, strict=True)
    ]


def keras_model(database: Database, name: str) -> tuple[Any, dict[str, Any]]:
    """Return the network of a series' newest published live forecast by a recipe of `classic`, as a Keras model, and its scaler.

    The model takes scaled windows (windows, time steps, features) and gives scaled months; the scaler tells which
    values `low` and `high` became 0 and 1. Raises InputError for an unknown series, RunRefused when no network of `classic`
    has forecast the series yet, and BundleError when the bundle is damaged.
    """
    with database.reading() as connection:
        series_id = require_series(connection, name)
        bundle_id = find_newest_bundle(connection, series_id, method=ClassicRecipe.method)
        if bundle_id is None:
            raise RunRefused(
                f"No network of the method classic has made a published forecast of {name!r} yet: "
                "milkrun run --recipe classic makes one."
            )
        recipe = read_bundles(connection, [bundle_id])[bundle_id].recipe
    if not isinstance(recipe, ClassicRecipe):
        raise RunRefused(f"Bundle {bundle_id[:12]} is not of the method classic.")
    networks, [position] = ModelStore(DatabaseReads(database).read_bundles).model(bundle_id).networks_for([series_id])
    return to_keras(classic.architecture_of(recipe), networks.weights, position), networks.scalers[position]
