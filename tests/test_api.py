"""The front door: pandas in and out, with a database and without one."""

import datetime
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import forecasting
from forecasting.domain.errors import InputError, RecipeError, RunRefused
from forecasting.domain.settings import Settings

MONTHS = pd.period_range("1962-01", periods=168, freq="M")


@pytest.fixture
def milk_frame(milk: list[float]) -> pd.DataFrame:
    """Give the milk series as a DataFrame: series, month, value."""
    return pd.DataFrame({"series": "milk", "month": MONTHS.to_timestamp(), "value": milk})


@pytest.mark.slow
def test_the_example_of_the_readme_runs(settings: Settings, milk_frame: pd.DataFrame, tmp_path: Path) -> None:
    """Load, plan, run, read forecasts and history, and get the network with its scaler."""
    milk_frame.to_csv(tmp_path / "sales.csv", index=False)

    with forecasting.open(settings.database_url, home=None) as milkrun:
        loaded = milkrun.load(tmp_path / "sales.csv")
        assert loaded.rows_added == 168
        assert milkrun.load(milk_frame).rows_unchanged == 168
        assert milkrun.plan(recipe="classic").frame().to_dict("records") == [
            {
                "series": "milk",
                "decision": "retrain",
                "reason": "no_network",
                "detail": "No network has made a published forecast yet.",
            }
        ]
        run = milkrun.run(recipe="classic")
        assert (run.counts["forecast"], run.published_now, milkrun.run(recipe="classic").published_now) == (
            1,
            True,
            False,
        )
        frame = milkrun.forecasts("milk")
        assert list(frame.columns[:8]) == [
            "series", "month", "horizon", "value", "lower_80", "upper_80", "lower_95", "upper_95",
        ]  # fmt: skip
        assert (frame["month"].iloc[0], frame["month"].dtype.kind) == (pd.Timestamp("1976-01-01"), "M")
        assert milkrun.history("milk", horizon=1).empty  # no month after 1975-12 is observed yet
        network, scaler = milkrun.network("milk")
        window = scaler.transform(milk_frame[["value"]].to_numpy()[-1:]).reshape(1, 1, 1)
        first = scaler.inverse_transform(network.predict(window, verbose=0))[0, 0]
        assert first == pytest.approx(frame["value"].iloc[0], rel=1e-5)
        past = milkrun.backfill("1974-12", "1975-02", recipe="classic")
        assert [summary.counts["forecast"] for summary in past] == [1, 1, 1]
        history = milkrun.history("milk", kind="backfill")
        assert history["month"].dt.strftime("%Y-%m").tolist() == ["1975-01", "1975-02", "1975-03"]
        assert (history["error"] == history["forecast"] - history["actual"]).all()
        assert milkrun.sql("select count(*) as runs from run_health")["runs"].tolist() == [4]


@pytest.mark.slow
@pytest.mark.parametrize("count", [1, 31], ids=["local networks", "global networks"])
def test_a_forecast_without_a_database_is_that_of_a_run(
    settings: Settings, milk: list[float], tmp_path: Path, count: int
) -> None:
    """The same observations give the same numbers to the last bit, and the same outcomes."""
    (tmp_path / "recipes").mkdir()
    (tmp_path / "recipes" / "brisk.toml").write_text("updates = 20\nown_epochs = 3\n")
    draw = np.random.default_rng(1)
    frame = pd.DataFrame(
        {f"series {number:02d}": np.array(milk) * draw.normal(1, 0.02, 168) for number in range(count)},
        index=MONTHS.to_timestamp(),
    )
    frame["short"] = [np.nan] * 158 + milk[:10]
    frame["constant"] = 5.0
    recipe = forecasting.read_recipe(tmp_path / "recipes" / "brisk.toml")

    alone = forecasting.forecast(frame, recipe=recipe)
    with forecasting.open(settings.database_url) as milkrun:
        milkrun.load(frame)
        milkrun.run(recipe=recipe)
        published = milkrun.forecasts()
        outcomes = milkrun.sql("select series, outcome, reason from series_health order by series")

    with_values = alone.dropna(subset="month").sort_values(["series", "month"], ignore_index=True)
    columns = ["series", "month", "horizon", "value", "lower_80", "upper_80", "lower_95", "upper_95", "seasonal_naive"]
    pd.testing.assert_frame_equal(with_values[columns], published[columns], check_exact=True, check_dtype=False)
    ends = alone.drop_duplicates("series").sort_values("series")[["series", "outcome", "reason"]]
    assert ends.to_numpy().tolist() == outcomes.to_numpy().tolist()


@pytest.mark.parametrize(
    "shape",
    [
        lambda frame: frame.rename(columns={"series": "unique_id", "month": "ds", "value": "y"}),
        lambda frame: frame.assign(month=frame["month"].dt.strftime("%Y-%m")),
        lambda frame: frame.assign(month=MONTHS),
        lambda frame: frame.assign(month=[day.date() for day in frame["month"]]),
        lambda frame: frame.pivot(index="month", columns="series", values="value"),
        lambda frame: frame.set_index(["series", "month"]),
        lambda frame: frame.sample(frac=1, random_state=1),
        lambda frame: frame.assign(value=frame["value"].astype(object)),
        lambda frame: frame.assign(month=frame["month"] + pd.offsets.MonthEnd()),
    ],
    ids=["nixtla", "text", "periods", "dates", "wide", "index", "shuffled", "objects", "month ends"],
)
def test_frames_of_every_usual_shape_load_the_same(
    settings: Settings,
    milk_frame: pd.DataFrame,
    shape: Callable[[pd.DataFrame], pd.DataFrame],
) -> None:
    """Nixtla's names, months as text, periods, dates or month ends, wide, indexed: all are the 168 months of milk."""
    with forecasting.open(settings.database_url) as milkrun:
        loaded = milkrun.load(shape(milk_frame))

        assert (loaded.rows_added, loaded.rows_rejected) == (168, 0)
        stored = milkrun.sql("select month, value from latest_observation where series = 'milk' order by month")
    assert stored["value"].tolist() == milk_frame["value"].tolist()
    assert stored["month"].tolist() == milk_frame["month"].tolist()


def test_wrong_frames_are_refused_with_series_and_month(milk_frame: pd.DataFrame) -> None:
    """Text, two values of a month, a month that cannot be read, no column: one sentence each, and no traceback of pandas."""
    text = milk_frame.astype({"value": object})
    text.loc[3, "value"] = "many"
    twice = pd.concat([milk_frame, milk_frame.tail(1).assign(value=1.0)])
    odd = milk_frame.astype({"month": str})
    odd.loc[5, "month"] = "June"
    for frame, message in (
        (text, r"milk, 1962-04.*'many' is not a finite number"),
        (twice, r"milk, 1975-12: there is more than one value"),
        (odd, r"milk, June: the month 'June' cannot be read"),
        (milk_frame.drop(columns="month"), r"there is no month column"),
        (milk_frame.head(0), r"holds no observation"),
    ):
        with pytest.raises(InputError, match=message):
            forecasting.forecast(frame, recipe="classic")
    with pytest.raises(RecipeError, match="There is no recipe 'mothly'"):
        forecasting.forecast(milk_frame, recipe="mothly")


def test_a_database_without_runs_says_so(settings: Settings, milk_frame: pd.DataFrame) -> None:
    """No forecast yet: an empty frame with its columns; no network: a sentence; an unknown series: another."""
    with forecasting.open(settings.database_url) as milkrun:
        milkrun.load(milk_frame)

        assert milkrun.forecasts("milk").empty
        assert "value" in milkrun.forecasts()
        with pytest.raises(RunRefused, match="milkrun run --recipe classic makes one"):
            milkrun.network("milk")
        with pytest.raises(InputError, match="There is no series"):
            milkrun.history("silk")


def test_importing_the_package_imports_nothing_heavy() -> None:
    """The names are there, typed and documented, and numpy is not loaded before one is used."""
    program = (
        "import sys, time; before = time.process_time(); import forecasting; spent = time.process_time() - before\n"
        "heavy = {'numpy', 'pandas', 'sqlalchemy', 'tensorflow', 'prefect'} & set(sys.modules)\n"
        "print(sorted(set(dir(forecasting))), heavy, spent < 0.1)"
    )

    answer = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout

    names = ["Milkrun", "Month", "Recipe", "__version__", "forecast", "open", "read_recipe"]
    assert answer == f"{names} set() True\n"
    for name in names:
        assert getattr(forecasting, name) is not None
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        forecasting.nothing  # noqa: B018 - the mistake under test


def test_a_day_of_the_standard_library_is_a_month() -> None:
    """Months of a frame may be datetime.date, as rows of a query are."""
    frame = pd.DataFrame(
        {"series": "a", "month": [datetime.date(2020, 1 + month % 12, 1) for month in range(12)], "value": range(12)}
    )

    answer = forecasting.forecast(frame.head(5), recipe="classic", horizon=2)

    assert answer[["outcome", "reason"]].to_numpy().tolist() == [["refused", "short_history"]]
    assert forecasting.forecast(frame, recipe="classic", horizon=2)["month"].dt.month.tolist() == [1, 2]
