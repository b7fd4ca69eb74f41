"""Looking back at one series: what its stored network predicts of the past, and its newest published forecast."""

from typing import Any

from forecasting.domain.errors import RunRefused
from forecasting.domain.panel import Histories, Panel, histories_of
from forecasting.domain.recipes import ClassicRecipe
from forecasting.lstm.weights import to_keras
from forecasting.models import classic
from forecasting.models.method import method_of
from forecasting.numerics.gaps import fill_gaps
from forecasting.reports.charts import Line, SeriesChart
from forecasting.runs.model_store import networks_from
from forecasting.storage import bundles, forecasts
from forecasting.storage.db.database import Database
from forecasting.storage.panels import read_panel
from forecasting.storage.runs import Run, read_recipe, read_run


def review_series(database: Database, name: str) -> SeriesChart:
    """Gather the chart of a series: all months that its newest published live run could know, and the forecast.

    Raises InputError when there is no such series and RunRefused when no published run has forecast it.
    """
    with database.reading() as connection:
        newest = forecasts.read_newest(connection, name)
        if newest is None:
            raise RunRefused(f"No published run has forecast {name!r} yet: milkrun run does.")
        run = read_run(connection, newest.run_id)
        panel = read_panel(connection, [newest.series_id], origin=run.origin, as_of=run.as_of)
    parts = predict_parts(database, run, panel)
    observed = histories_of(panel)
    train, test = parts.get(newest.series_id, (None, None))
    ahead = observed.last_months[0] + 1
    return SeriesChart(
        name=name,
        unit=newest.unit,
        recipe=run.recipe.name,
        observed=Line(ahead + -int(observed.lengths[0]), observed.values[0]),
        train_predictions=train,
        test_predictions=test,
        forecast=Line(ahead, newest.values),
        seasonal_naive=Line(ahead, newest.seasonal_naive),
        intervals={level: (Line(ahead, low), Line(ahead, high)) for level, (low, high) in newest.intervals.items()},
    )


def predict_parts(
    database: Database, run: Run, panel: Panel, *, months: int | None = None
) -> dict[int, tuple[Line, Line]]:
    """Predict the past one month ahead with the networks of a published run: training part and test part, per series.

    panel: what the run could know; months: how many are asked about, the last ones; None: all. Series whose forecast no
    network of the run's recipe made are left out. Raises BundleError when a bundle is damaged.
    """
    with database.reading() as connection:
        found = bundles.read_champions(connection, panel.series_ids, run)
        champions = {i: champion for i, champion in found.items() if champion.recipe_hash == run.recipe.hash}
        stored = bundles.read_bundles(connection, {champion.bundle_id for champion in champions.values()})
    rows = {series_id: row for row, series_id in enumerate(panel.series_ids)}
    observed = histories_of(panel)
    filled, _ = fill_gaps(observed.values, observed.lengths)
    histories = Histories(filled, observed.lengths, observed.last_months)
    parts = {}
    for bundle_id, bundle in stored.items():
        members = [series_id for series_id, champion in champions.items() if champion.bundle_id == bundle_id]
        networks, positions = networks_from(bundle_id, bundle, members)
        own = histories.select([rows[series_id] for series_id in members])
        since = [last - champions[i].origin for last, i in zip(own.last_months, members, strict=True)]
        trained = [int(length) - later for length, later in zip(own.lengths, since, strict=True)]
        pasts = method_of(run.recipe).predict_past(
            run.recipe, networks, own, positions=positions, trained_lengths=trained, past_months=months
        )
        for row, (series_id, past) in enumerate(zip(members, pasts, strict=True)):
            first = own.last_months[row] + (1 - int(own.lengths[row]))
            parts[series_id] = Line(first + past.train_start, past.train), Line(first + past.test_start, past.test)
    return parts


def keras_model(database: Database, name: str) -> tuple[Any, dict[str, Any]]:
    """Hand out the network of a series' newest published live forecast as a Keras model, with its scaler.

    The model takes scaled windows (windows, time steps, features) and gives scaled months; the scaler tells which
    values `low` and `high` became 0 and 1. Raises RunRefused when no network has forecast the series yet.
    """
    with database.reading() as connection:
        newest = forecasts.read_newest(connection, name)
        run = read_run(connection, newest.run_id) if newest else None
        found = bundles.read_champions(connection, [newest.series_id], run) if newest and run else {}
        champion = found.get(newest.series_id) if newest else None
        if champion is None:
            raise RunRefused(f"No network has made a published forecast of {name!r} yet: milkrun run makes one.")
        bundle = bundles.read_bundles(connection, [champion.bundle_id])[champion.bundle_id]
        recipe = read_recipe(connection, champion.recipe_hash)
    if not isinstance(recipe, ClassicRecipe):
        raise RunRefused(
            f"{name!r} is forecast by recipe {recipe.name}, an ensemble: only recipes of the method classic leave as one model."
        )
    networks, [position] = networks_from(champion.bundle_id, bundle, [champion.series_id])
    return to_keras(classic.architecture_of(recipe), networks.weights, position), networks.scalers[position]
