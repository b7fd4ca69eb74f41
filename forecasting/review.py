"""Looking back at one series: what its stored network predicts of the past, and its newest published forecast."""

from typing import Any

from forecasting.bundling import networks_of
from forecasting.errors import RunRefused
from forecasting.networks import classic
from forecasting.networks.lstm import to_keras
from forecasting.networks.methods import method_of
from forecasting.numerics.gaps import fill_gaps
from forecasting.panel import Histories, histories_of
from forecasting.recipes import ClassicRecipe
from forecasting.reports.charts import Line, SeriesChart
from forecasting.storage import bundles, forecasts
from forecasting.storage.database import Database
from forecasting.storage.panels import read_panel
from forecasting.storage.runs import read_recipe, read_run


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
        champion = bundles.read_champions(connection, [newest.series_id], run).get(newest.series_id)
        stored = bundles.read_bundles(connection, [champion.bundle_id] if champion else [])
    observed = histories_of(panel)
    filled, _ = fill_gaps(observed.values, observed.lengths)
    histories = Histories(filled, observed.lengths, observed.last_months)
    first = observed.last_months[0] + (1 - int(observed.lengths[0]))
    train = test = None
    if champion is not None and champion.recipe_hash == run.recipe.hash:
        networks, [position] = networks_of(champion.bundle_id, stored[champion.bundle_id], [newest.series_id])
        trained = int(histories.lengths[0]) - (histories.last_months[0] - champion.origin)
        past = method_of(run.recipe).predict_past(run.recipe, networks, histories, position=position, trained=trained)
        train, test = Line(first + past.train_first, past.train), Line(first + past.test_first, past.test)
    ahead = observed.last_months[0] + 1
    return SeriesChart(
        name=name,
        unit=newest.unit,
        recipe=run.recipe.name,
        observed=Line(first, observed.values[0]),
        train_predictions=train,
        test_predictions=test,
        forecast=Line(ahead, newest.values),
        seasonal_naive=Line(ahead, newest.seasonal_naive),
    )


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
    networks, [position] = networks_of(champion.bundle_id, bundle, [champion.series_id])
    return to_keras(classic.architecture_of(recipe), networks.weights, position), networks.scalers[position]
