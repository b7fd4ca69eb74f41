"""Tests of looking back at a series."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from sqlalchemy import text

from forecasting.domain.errors import InputError, RunRefused
from forecasting.domain.months import Month
from forecasting.domain.policy import Policy
from forecasting.domain.recipes import CLASSIC
from forecasting.intake.loads import LoadResult
from forecasting.operations.series_review import keras_model, review_series
from forecasting.reports.charts import draw_series
from forecasting.runs import job
from forecasting.storage.db.database import Database

Arrive = Callable[..., LoadResult]


def run(database: Database) -> None:
    """Take all steps of a run."""
    opened = job.open_run(database, job.RunParameters(recipe=CLASSIC, policy=Policy()))
    for number in opened.request.shard_numbers:
        job.run_shard(database, opened, number)
    job.publish_run(database, opened)


def test_a_chart_shows_each_part_at_its_months(database: Database, arrive: Arrive, milk: list[float]) -> None:
    """Training predictions up to 1971-04, test predictions from then on to the newest month, the forecast after it."""
    arrive("1962-01", milk=milk)
    run(database)

    chart = review_series(database, "milk")

    assert chart.train_predictions is not None
    assert chart.test_predictions is not None
    assert chart.forecast is not None
    assert (chart.observations.first, len(chart.observations.values)) == (Month.of(1962, 1), 168)
    assert (chart.train_predictions.first, len(chart.train_predictions.values)) == (Month.of(1962, 2), 111)
    assert (chart.test_predictions.first, len(chart.test_predictions.values)) == (Month.of(1971, 5), 56)
    assert (chart.forecast.first, len(chart.forecast.values)) == (Month.of(1976, 1), 12)
    with database.reading() as connection:
        stored = connection.scalar(text("SELECT rmse FROM milkrun.latest_rmse WHERE split = 'test'"))
    assert np.sqrt(np.mean((chart.test_predictions.values - milk[112:]) ** 2)) == pytest.approx(stored, rel=1e-12)


def test_the_parts_stay_where_the_network_was_trained(database: Database, arrive: Arrive, milk: list[float]) -> None:
    """A reused network's training part does not grow with new months; its test part does."""
    arrive("1962-01", milk=milk[:156])
    run(database)
    before = review_series(database, "milk")
    arrive("1975-01", milk=milk[156:157])
    run(database)

    after = review_series(database, "milk")

    assert before.train_predictions is not None
    assert after.train_predictions is not None
    assert before.test_predictions is not None
    assert after.test_predictions is not None
    np.testing.assert_array_equal(before.train_predictions.values, after.train_predictions.values)
    np.testing.assert_array_equal(before.test_predictions.values, after.test_predictions.values[:-1])


def test_charts_are_drawn_as_png_and_svg(database: Database, arrive: Arrive, milk: list[float], tmp_path: Path) -> None:
    """Both formats are written; the SVG names all that the legend promises; so is a name with dollars."""
    arrive("1962-01", milk=milk, **{"price $x^{ in $": [1.0] * 168})
    run(database)

    assert draw_series(review_series(database, "milk"), tmp_path / "milk.png").read_bytes().startswith(b"\x89PNG")
    drawn = draw_series(review_series(database, "price $x^{ in $"), tmp_path / "price.svg").read_text()
    assert "<svg" in drawn


def test_a_network_leaves_as_an_ordinary_keras_model(database: Database, arrive: Arrive, milk: list[float]) -> None:
    """The model's prediction for the newest month, brought back to pounds, is the published forecast."""
    arrive("1962-01", milk=milk)
    run(database)

    model, scaler = keras_model(database, "milk")

    low, high = scaler["low"], scaler["high"]
    ahead = model.predict(np.array([[[(milk[-1] - low) / (high - low)]]], dtype=np.float32), verbose=0)
    with database.reading() as connection:
        published = connection.scalar(text("SELECT value FROM milkrun.latest_forecast WHERE horizon = 1"))
    assert float(ahead[0, 0]) * (high - low) + low == pytest.approx(published, rel=1e-6)


def test_what_cannot_be_looked_at_is_refused_with_the_remedy(
    database: Database, arrive: Arrive, milk: list[float]
) -> None:
    """An unknown series, one never forecast, one without a network."""
    arrive("1962-01", milk=milk, constant=[1.0] * 168)
    with pytest.raises(InputError, match="no series named 'butter'"):
        review_series(database, "butter")
    with pytest.raises(RunRefused, match="No published run has forecast 'milk' yet"):
        review_series(database, "milk")
    run(database)
    with pytest.raises(
        RunRefused, match="No network of the method classic has made a published forecast of 'constant'"
    ):
        keras_model(database, "constant")


def test_a_damaged_bundle_takes_away_its_own_past_and_says_so(
    database: Database, arrive: Arrive, milk: list[float]
) -> None:
    """Butter's network cannot be read any more: its chart has forecast and observations, and the sentence; milk's is whole."""
    arrive("1962-01", milk=milk, butter=[value / 9 for value in milk])
    opened = job.open_run(database, job.RunParameters(recipe=CLASSIC, policy=Policy(), shard_size=1))
    for number in opened.request.shard_numbers:
        job.run_shard(database, opened, number)
    job.publish_run(database, opened)
    with database.reading() as connection:
        butter = connection.scalar(text("SELECT bundle_id FROM milkrun.run_outcome WHERE series = 'butter'"))
    database.write(
        lambda connection: connection.execute(
            text("UPDATE milkrun.bundle SET payload = payload || payload WHERE bundle_id = :id"), {"id": butter}
        )
    )

    charts = {name: review_series(database, name) for name in ("milk", "butter")}

    assert (charts["milk"].missing_predictions_reason, charts["butter"].train_predictions) == (None, None)
    assert charts["milk"].train_predictions is not None
    assert charts["butter"].forecast is not None
    assert len(charts["butter"].forecast.values) == 12
    assert str(charts["butter"].missing_predictions_reason).startswith(f"Bundle {butter[:12]}: ")
