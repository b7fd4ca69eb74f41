"""Tests of a run from end to end, on a real database and with real networks."""

import dataclasses
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sqlalchemy import text

from forecasting.domain.errors import InputError, RunRefused, StatementRefused
from forecasting.domain.months import Month
from forecasting.domain.policy import Policy
from forecasting.domain.recipes import CLASSIC
from forecasting.domain.settings import Settings
from forecasting.intake.loads import LoadResult
from forecasting.runs import job
from forecasting.runs.joint_training import LocalTrainer
from forecasting.runs.shard import forecast_shard
from forecasting.runs.snapshot import DatabaseReads
from forecasting.storage import forecasts
from forecasting.storage.db.database import Database

Arrive = Callable[..., LoadResult]


def run(database: Database, **asked: Any) -> job.RunSummary:
    """Take all steps of a run, as the flows do."""
    policy = Policy(**asked.pop("policy", {}))
    opened = job.open_run(database, job.RunParameters(**{"recipe": CLASSIC, "policy": policy, **asked}))
    for number in opened.request.shard_numbers:
        job.run_shard(database, opened, number)
    return job.publish_run(database, opened)


def read(database: Database, query: str) -> Sequence[Any]:
    """Read rows."""
    with database.reading() as connection:
        return connection.execute(text(query)).all()


def test_a_run_publishes_forecasts_scores_and_outcomes(database: Database, arrive: Arrive, milk: list[float]) -> None:
    """The first circle: twelve forecasts beside the seasonal naive, train and test RMSE, one outcome with its reason."""
    arrive("1962-01", milk=milk)

    summary = run(database)

    assert summary.published_now
    assert summary.counts == {
        "forecast": 1, "fallback": 0, "held": 0, "refused": 0, "failed": 0, "retrained": 1, "reused": 0,
    }  # fmt: skip
    rows = read(database, "SELECT * FROM milkrun.latest_forecast ORDER BY horizon")
    assert [str(row.month)[:7] for row in rows] == [f"1976-{month:02d}" for month in range(1, 13)]
    assert [row.seasonal_naive for row in rows] == milk[-12:]
    assert {(row.series, row.outcome, row.method, row.recipe) for row in rows} == {
        ("milk", "forecast", "lstm", "classic")
    }
    scores = {row.split: row for row in read(database, "SELECT * FROM milkrun.latest_rmse")}
    assert set(scores) == {"train", "test"}
    assert 40 < scores["train"].rmse < 46
    assert 43 < scores["test"].rmse < 53
    assert scores["test"].baseline_rmse == pytest.approx(25.47, abs=0.01)
    assert scores["test"].skill == pytest.approx(1 - scores["test"].rmse / scores["test"].baseline_rmse)


def test_the_stored_test_rmse_is_that_of_plain_arithmetic(
    database: Database, arrive: Arrive, milk: list[float]
) -> None:
    """RMSE recomputed by hand from the stored network, window by window, in the unit of the series."""
    from forecasting.lstm.prediction import to_keras
    from forecasting.models import codec as bundle
    from forecasting.models.classic import architecture_of

    arrive("1962-01", milk=milk)
    run(database)

    [stored] = read(database, "SELECT * FROM milkrun.bundle JOIN milkrun.bundle_member USING (bundle_id)")
    network = to_keras(architecture_of(CLASSIC), bundle.unpack(bytes(stored.payload), stored.manifest["networks"]), 0)
    low, high = stored.scaler["low"], stored.scaler["high"]
    assert (low, high) == (min(milk[:112]), max(milk[:112]))
    scaled = (np.array(milk[111:167], dtype=np.float32) - low) / (high - low)
    predicted = network.predict(scaled.reshape(-1, 1, 1), verbose=0)[:, 0] * (high - low) + low
    assert np.sqrt(np.mean((predicted - milk[112:]) ** 2)) == pytest.approx(stored.test_rmse, rel=1e-5)


def test_repeating_a_run_does_nothing(database: Database, arrive: Arrive, milk: list[float]) -> None:
    """The same request finds the published run; no row is added."""
    arrive("1962-01", milk=milk)
    first = run(database)
    before = digest(database)

    again = run(database)

    assert (first.run.run_id, False) == (again.run.run_id, again.published_now)
    assert before == digest(database)


def test_the_same_data_give_the_same_bits(database: Database, arrive: Arrive, milk: list[float]) -> None:
    """Trained again from the same seed, a network forecasts the same numbers to the last bit, whatever its shard."""
    arrive("1962-01", milk=milk, other=[value * 2 for value in milk])
    run(database)
    run(database, policy={"retrain": "always"}, shard_size=1)

    rows = read(
        database, "SELECT series_id, horizon, count(DISTINCT value), count(*) FROM milkrun.forecast GROUP BY 1, 2"
    )
    assert {(1, 2)} == {tuple(row[2:]) for row in rows}
    assert len(rows) == 24


def test_a_reused_network_forecasts_the_same_to_the_last_bit(
    database: Database, arrive: Arrive, milk: list[float]
) -> None:
    """Read back from its bundle, a network gives what it gave when it was trained; nothing is trained."""
    arrive("1962-01", milk=milk)
    run(database)

    reused = run(database, policy={"retrain": "never"})

    assert (reused.counts["retrained"], reused.counts["reused"]) == (0, 1)
    rows = read(database, "SELECT horizon, count(DISTINCT value) FROM milkrun.forecast GROUP BY 1")
    assert {1} == {row[1] for row in rows}
    assert len(read(database, "SELECT FROM milkrun.bundle")) == 1


def test_live_rmse_answers_earlier_forecasts(database: Database, arrive: Arrive, milk: list[float]) -> None:
    """Forecasts of 1974-12 and 1975-01 are scored by the months that arrive after them, per horizon."""
    arrive("1962-01", milk=milk[:156])
    run(database)
    arrive("1975-01", milk=milk[156:157])
    run(database)
    arrive("1975-02", milk=milk[157:158])
    last = run(database)

    made = {(row.origin.month, row.horizon): row for row in read(database, "SELECT * FROM milkrun.forecast_history")}
    expected = {
        1: np.array([made[12, 1].value - milk[156], made[1, 1].value - milk[157]]),
        2: np.array([made[12, 2].value - milk[157]]),
    }
    live = read(database, f"SELECT * FROM milkrun.rmse_trend WHERE split = 'live' AND run_id = {last.run.run_id}")
    assert {row.horizon: row.n for row in live} == {1: 2, 2: 1}
    for row in live:
        assert row.rmse == pytest.approx(np.sqrt(np.mean(expected[row.horizon] ** 2)), rel=1e-12)
    [two] = [row for row in live if row.horizon == 2]
    assert two.baseline_rmse == pytest.approx(abs(milk[145] - milk[157]))


def test_the_newest_forecast_from_an_origin_counts(database: Database, arrive: Arrive, milk: list[float]) -> None:
    """Of two published runs from the same origin, the live RMSE and the network to judge are those of the second."""
    arrive("1962-01", milk=milk[:156])
    run(database)
    second = run(database, policy={"retrain": "always"})
    with database.engine.begin() as connection:
        connection.execute(text(f"UPDATE milkrun.forecast SET value = value + 10 WHERE run_id = {second.run.run_id}"))
    [made] = read(database, f"SELECT value FROM milkrun.forecast WHERE run_id = {second.run.run_id} AND horizon = 1")
    arrive("1975-01", milk=milk[156:157])

    third = run(database)

    [live] = read(
        database, f"SELECT n, rmse FROM milkrun.rmse_history WHERE split = 'live' AND run_id = {third.run.run_id}"
    )
    assert (live.n, live.rmse) == (1, pytest.approx(abs(made.value - milk[156])))
    [outcome] = read(database, f"SELECT detail FROM milkrun.run_outcome WHERE run_id = {third.run.run_id}")
    assert "forecasts answered: 1" in outcome.detail


def test_a_run_sees_no_month_after_its_origin(database: Database, arrive: Arrive, milk: list[float]) -> None:
    """Months beyond the origin, absurd ones included, change no bit of forecast, scaler or score."""
    arrive("1962-01", milk=[*milk[:150], *([1e6] * 18)])
    tampered = run(database, kind="backfill", origin=Month.parse("1974-06"), policy={"retrain": "always"})
    arrive("1974-07", milk=milk[150:])
    honest = run(
        database, kind="backfill", origin=Month.parse("1974-06"), policy={"retrain": "always"}, series=("milk",)
    )

    assert tampered.run.run_id != honest.run.run_id
    assert tampered.run.request.vintages == "latest"
    for table, columns in (("forecast", "horizon, value"), ("rmse_history", "split, horizon, rmse, n")):
        seen = [
            read(database, f"SELECT {columns} FROM milkrun.{table} WHERE run_id = {which.run.run_id} ORDER BY 1, 2")
            for which in (tampered, honest)
        ]
        assert seen[0] == seen[1] != []


def test_a_revision_after_as_of_is_not_seen(database: Database, arrive: Arrive, milk: list[float]) -> None:
    """A run that was opened before a revision arrives goes on with what it knew."""
    arrive("1962-01", milk=milk)
    opened = job.open_run(database, job.RunParameters(recipe=CLASSIC, policy=Policy()))
    arrive("1962-01", milk=[value + 100 for value in milk])

    job.run_shard(database, opened, 0)
    job.publish_run(database, opened)

    assert read(database, "SELECT max(seasonal_naive) AS naive FROM milkrun.forecast")[0].naive == max(milk[-12:])


def test_every_kind_of_series_ends_in_one_labelled_outcome(
    database: Database, arrive: Arrive, milk: list[float]
) -> None:
    """Good, short, constant, late, gappy and very short series: each has its outcome; nothing is silent."""
    gap = [*milk[:100], None, None, None, None, *milk[104:]]
    arrive(
        "1962-01",
        good=milk,
        late=milk[:160],
        own=milk[:166],
        gappy=gap,
        filled=[*milk[:100], None, None, *milk[102:]],
        constant=[7.0] * 168,
        zero=[0.0] * 168,
        negative=[-value for value in milk],
        tiny=[value * 1e-9 for value in milk],
        huge=[value * 1e11 for value in milk],
    )
    arrive("1974-10", short=milk[:15], tooshort=milk[:3])
    arrive("1975-10", younger=milk[:3])

    summary = run(database)

    found = {row.series: (row.outcome, row.reason) for row in read(database, "SELECT * FROM milkrun.run_outcome")}
    assert found == {
        "good": ("forecast", "ok"),
        "late": ("held", "late"),
        "own": ("forecast", "ok"),
        "gappy": ("held", "gap"),
        "filled": ("forecast", "ok"),
        "constant": ("fallback", "constant"),
        "zero": ("fallback", "constant"),
        "negative": ("forecast", "ok"),
        "tiny": ("forecast", "ok"),
        "huge": ("forecast", "ok"),
        "short": ("forecast", "ok") if CLASSIC.minimum_observations <= 15 else ("fallback", "short_history"),
        "tooshort": ("held", "late"),
        "younger": ("refused", "short_history"),
    }
    assert sum(summary.counts[name] for name in ("forecast", "fallback", "held", "refused", "failed")) == len(found)
    filled = read(
        database, "SELECT to_char(month, 'YYYY-MM') AS month, value, rule FROM milkrun.filled_month ORDER BY 1"
    )
    assert [tuple(row) for row in filled] == [
        ("1970-05", milk[88], "year_before"),
        ("1970-06", milk[89], "year_before"),
    ]
    own = read(
        database, "SELECT min(month) AS first, min(origin) AS origin FROM milkrun.latest_forecast WHERE series = 'own'"
    )
    assert (str(own[0].origin), str(own[0].first)) == ("1975-10-01", "1975-11-01")
    assert (
        read(database, "SELECT count(*) FROM milkrun.forecast_history WHERE series = 'constant' AND value = 7")[0][0]
        == 12
    )


def test_an_unpublished_run_is_invisible_and_goes_on_where_it_ended(
    database: Database, arrive: Arrive, milk: list[float]
) -> None:
    """After the first of two shards nothing can be seen and nothing can be published; the rest is done once."""
    arrive("1962-01", one=milk, two=milk)
    opened = job.open_run(database, job.RunParameters(recipe=CLASSIC, policy=Policy(), shard_size=1))
    assert job.run_shard(database, opened, 0)

    for view in ("latest_forecast", "forecast_history", "rmse_trend", "run_outcome"):
        assert read(database, f"SELECT * FROM milkrun.{view}") == []
    with pytest.raises(RunRefused, match=r"1 of 2 series have no outcome yet"):
        job.publish_run(database, opened)
    again = job.open_run(database, job.RunParameters(recipe=CLASSIC, policy=Policy(), shard_size=5))
    assert again == opened
    assert not job.run_shard(database, again, 0)
    assert job.run_shard(database, again, 1)

    assert job.publish_run(database, again).counts["forecast"] == 2


def test_four_runs_at_once_give_the_result_of_one(database: Database, arrive: Arrive, milk: list[float]) -> None:
    """Whoever comes second finds shards written and the run published; no row is there twice."""
    arrive("1962-01", **{f"series {number}": [value + number for value in milk] for number in range(4)})

    with ThreadPoolExecutor(4) as pool:
        summaries = list(pool.map(lambda _: run(database, shard_size=2), range(4)))

    assert len({summary.run.run_id for summary in summaries}) == 1
    assert sum(summary.published_now for summary in summaries) == 1
    assert len(read(database, "SELECT FROM milkrun.forecast")) == 48
    assert len(read(database, "SELECT FROM milkrun.bundle")) == 2


def test_a_shard_that_fails_leaves_nothing(database: Database, arrive: Arrive, milk: list[float]) -> None:
    """Rows that the tables refuse take the whole shard with them: no claim, no bundle, no forecast."""
    arrive("1962-01", milk=milk)
    opened = job.open_run(database, job.RunParameters(recipe=CLASSIC, policy=Policy()))
    result = forecast_shard(DatabaseReads(database), opened, opened.request.series_ids, LocalTrainer())
    assert result.results[0].values is not None
    broken = dataclasses.replace(result.results[0], values=np.full(12, np.nan))

    with pytest.raises(StatementRefused, match="forecast_value_check"):
        database.write(
            lambda connection: forecasts.write_shard(
                connection, opened, 0, dataclasses.replace(result, results=(broken,))
            )
        )

    for table in ("run_shard", "bundle", "run_series", "forecast"):
        assert read(database, f"SELECT * FROM milkrun.{table}") == []


def test_a_damaged_bundle_is_replaced(database: Database, arrive: Arrive, milk: list[float]) -> None:
    """A flipped bit is found by its checksum; the network is trained again, and the reason is stored."""
    arrive("1962-01", milk=milk)
    run(database)
    with database.engine.begin() as connection:
        connection.execute(text("UPDATE milkrun.bundle SET payload = set_byte(payload, 40, get_byte(payload, 40) # 1)"))
    arrive("1976-01", milk=milk[-12:-11])

    run(database)

    newest = read(database, "SELECT * FROM milkrun.run_outcome ORDER BY run_id")[-1]
    assert (newest.outcome, newest.decision, newest.decision_reason) == ("forecast", "retrain", "bundle_damaged")


def test_a_new_recipe_trains_anew(database: Database, arrive: Arrive, milk: list[float]) -> None:
    """Another recipe at the same origin is another run, with networks of its own."""
    arrive("1962-01", milk=milk)
    run(database)
    run(database, recipe=dataclasses.replace(CLASSIC, name="longer", horizon=18))

    reasons = [row.decision_reason for row in read(database, "SELECT * FROM milkrun.run_outcome ORDER BY run_id")]
    assert reasons == ["no_network", "recipe_changed"]
    assert len(read(database, "SELECT FROM milkrun.latest_forecast")) == 18


def test_a_plan_says_what_the_run_then_does(database: Database, arrive: Arrive, milk: list[float]) -> None:
    """Planned and done decisions are the same, and planning writes no run."""
    arrive("1962-01", good=milk, constant=[1.0] * 168)
    planned = job.plan_run(database, job.RunParameters(recipe=CLASSIC, policy=Policy()))
    assert read(database, "SELECT * FROM milkrun.run") == []

    run(database)

    done = {row.series: (row.decision, row.detail) for row in read(database, "SELECT * FROM milkrun.run_outcome")}
    assert done == {
        name: (verdict.decision, verdict.detail) for name, verdict in zip(planned.names, planned.verdicts, strict=True)
    }


def test_the_month_that_is_due_bounds_the_origin(database: Database, arrive: Arrive, milk: list[float]) -> None:
    """A run that was due earlier forecasts the month it was due for, even when newer months have arrived."""
    arrive("1962-01", milk=milk)
    rounds = [
        job.RunParameters(recipe=CLASSIC, policy=Policy(), due=Month.parse(due)) for due in ("1975-10", "1990-01")
    ]

    origins = [str(job.plan_run(database, asked).request.origin) for asked in rounds]

    assert origins == ["1975-10", "1975-12"]


def test_what_cannot_run_is_refused_with_the_remedy(database: Database, arrive: Arrive, milk: list[float]) -> None:
    """No data, an origin in the future, an unknown series: each names what is wrong and what to do."""
    with pytest.raises(RunRefused, match="milkrun load"):
        run(database)
    arrive("1962-01", milk=milk)
    with pytest.raises(RunRefused, match="The origin 1976-02 lies after the newest observation 1975-12"):
        run(database, origin=Month.parse("1976-02"))
    with pytest.raises(InputError, match="no active series named 'butter'"):
        run(database, series=("butter", "milk"))


def test_forecast_as_of_shows_what_could_be_read_then(database: Database, arrive: Arrive, milk: list[float]) -> None:
    """Before the first publication nothing, between the two the first, now the second; the change is listed."""
    arrive("1962-01", milk=milk[:156])
    run(database)
    between = read(database, "SELECT clock_timestamp() AS now")[0].now
    arrive("1975-01", milk=milk[156:157])
    run(database)

    then = read(database, f"SELECT DISTINCT run_id FROM milkrun.forecast_as_of('{between.isoformat()}')")
    now = read(database, "SELECT DISTINCT run_id FROM milkrun.forecast_as_of(clock_timestamp())")
    assert [tuple(row) for row in then] == [(1,)]
    assert [tuple(row) for row in now] == [(2,)]
    assert read(database, "SELECT * FROM milkrun.forecast_as_of('2000-01-01')") == []
    changes = read(database, "SELECT month, change, value - previous_value AS expected FROM milkrun.forecast_change")
    assert len(changes) == 11
    assert all(row.change == row.expected for row in changes)


def digest(database: Database) -> str:
    """Return one digest over every table of forecasts."""
    tables = ("run", "run_shard", "run_series", "forecast", "rmse_history", "bundle", "bundle_member", "filled_month")
    parts = [
        read(database, f"SELECT md5(string_agg(t::text, '|' ORDER BY t::text)) FROM milkrun.{name} t")
        for name in tables
    ]
    return str(parts)


def test_hindsight_neither_lends_networks_nor_counts_as_live(
    database: Database, arrive: Arrive, milk: list[float]
) -> None:
    """A run for an old origin that knew later months leaves the live RMSE and the champion of honest runs alone."""
    arrive("1962-01", milk=milk[:156])
    honest = run(database)
    arrive("1974-12", milk=[milk[155] + 300, milk[156]])
    hindsight = run(database, origin=Month.parse("1974-12"))
    arrive("1975-02", milk=milk[157:158])

    last = run(database)

    assert (honest.run.request.vintages, hindsight.run.request.vintages, last.run.request.vintages) == (
        "as_of",
        "latest",
        "as_of",
    )
    assert hindsight.counts["retrained"] == 1
    [made] = read(database, f"SELECT value FROM milkrun.forecast WHERE run_id = {honest.run.run_id} AND horizon = 1")
    [live] = read(
        database,
        f"SELECT n, rmse FROM milkrun.rmse_history WHERE split = 'live' AND horizon = 1 AND run_id = {last.run.run_id}",
    )
    assert live.n == 1
    assert live.rmse == pytest.approx(abs(made.value - milk[156]))
    bundles = {row.run_id: row.bundle_id for row in read(database, "SELECT run_id, bundle_id FROM milkrun.run_series")}
    assert bundles[last.run.run_id] == bundles[honest.run.run_id] != bundles[hindsight.run.run_id]


def test_a_run_bounded_by_its_schedule_is_no_hindsight(database: Database, arrive: Arrive, milk: list[float]) -> None:
    """One series that reports early does not cut live runs of the month that is due off from their past."""
    arrive("1962-01", milk=milk[:156], early=[*milk[:156], milk[156]])
    first = run(database, due=Month.parse("1974-12"))
    arrive("1975-01", milk=milk[156:157])
    arrive("1975-02", early=milk[157:158])

    second = run(database, due=Month.parse("1975-01"))

    assert (first.run.request.vintages, second.run.request.vintages) == ("as_of", "as_of")
    assert (str(first.run.request.origin), str(second.run.request.origin)) == ("1974-12", "1975-01")
    assert second.counts["reused"] == 2
    assert len(read(database, "SELECT FROM milkrun.rmse_trend WHERE split = 'live' AND horizon = 1")) == 2


def test_numbers_next_to_zero_stop_nobody(database: Database, arrive: Arrive, milk: list[float]) -> None:
    """Errors whose squares are too small for a float count as zero; the other series go on."""
    arrive("1962-01", milk=milk[:156], tiny=[value * 1e-170 for value in milk[:156]])
    run(database)
    arrive("1975-01", milk=milk[156:157], tiny=[milk[156] * 1e-170])

    assert run(database).counts["forecast"] == 2


def test_a_month_beyond_single_precision_stops_nobody(database: Database, arrive: Arrive, milk: list[float]) -> None:
    """A month that, scaled, no 32-bit float can hold is forecast from all the same, without a warning; the others go on."""
    arrive("1962-01", milk=milk, leap=[*(value * 1e-290 for value in milk[:-1]), 1e15])

    assert run(database).counts["forecast"] == 2


def test_filled_months_are_not_scored(database: Database, arrive: Arrive, milk: list[float]) -> None:
    """Three months missing in the test part leave 53 scored months of 56, for the network and for the baseline."""
    arrive("1962-01", milk=[*milk[:140], None, None, None, *milk[143:]])
    run(database)

    [test] = read(database, "SELECT * FROM milkrun.latest_rmse WHERE split = 'test'")
    known = [month for month in range(112, 168) if month not in (140, 141, 142)]
    before = {**dict(enumerate(milk)), 140: milk[128], 141: milk[129], 142: milk[130]}
    naive = np.sqrt(np.mean([(before[month - 12] - milk[month]) ** 2 for month in known]))
    assert test.n == 53
    assert test.baseline_rmse == pytest.approx(naive)


def test_a_tampered_scaler_is_found(database: Database, arrive: Arrive, milk: list[float]) -> None:
    """A scaler that is not the one the bundle was stored with is damage, however small the change."""
    arrive("1962-01", milk=milk[:156])
    run(database)
    with database.engine.begin() as connection:
        connection.execute(text("""UPDATE milkrun.bundle_member SET scaler = scaler || '{"high": 887}'"""))
    arrive("1975-01", milk=milk[156:157])

    run(database)

    newest = read(database, "SELECT * FROM milkrun.run_outcome ORDER BY run_id")[-1]
    assert (newest.decision, newest.decision_reason) == ("retrain", "bundle_damaged")
    assert "scaler" in newest.detail


def test_asking_for_a_late_series_alone_does_not_make_it_punctual(
    database: Database, arrive: Arrive, milk: list[float]
) -> None:
    """Held in the run of all series, it is held in a run of its own."""
    arrive("1962-01", milk=milk, late=milk[:160])

    alone = run(database, series=("late",))

    assert (str(alone.run.request.origin), alone.counts["held"]) == ("1975-12", 1)


def test_a_load_that_cannot_matter_starts_no_new_run(database: Database, arrive: Arrive, milk: list[float]) -> None:
    """Months after the origin that is due leave its run published and repeated requests without work."""
    arrive("1962-01", milk=milk[:156])
    first = run(database, due=Month.parse("1974-12"))
    arrive("1975-01", milk=milk[156:157])

    again = run(database, due=Month.parse("1974-12"))

    assert (first.run.run_id, False) == (again.run.run_id, again.published_now)
    planned = job.plan_run(database, job.RunParameters(recipe=CLASSIC, policy=Policy(), due=Month.parse("1974-12")))
    assert planned.published_run_id == first.run.run_id


def test_the_month_that_is_due_is_that_of_the_installation(tmp_path: Path) -> None:
    """The evening of 31 July in UTC is the morning of 1 August in Tokyo: July is due there, June is not enough."""
    moment = datetime(2026, 7, 31, 21, tzinfo=UTC)

    due = [
        str(job.run_parameters(Settings(tmp_path, timezone=zone), moment=moment).due) for zone in ("UTC", "Asia/Tokyo")
    ]

    assert due == ["2026-06", "2026-07"]


def test_two_recipes_side_by_side_each_keep_their_networks(
    database: Database, arrive: Arrive, milk: list[float]
) -> None:
    """Runs that alternate between recipes reuse the network of their own recipe; none is retrained for the other's sake."""
    other = dataclasses.replace(CLASSIC, name="other", seed=8)
    arrive("1962-01", milk=milk[:156])
    for month in range(3):
        for recipe in (CLASSIC, other):
            run(database, recipe=recipe)
        arrive(str(Month.of(1975, 1) + month), milk=milk[156 + month : 157 + month])

    reasons = [row.decision_reason for row in read(database, "SELECT * FROM milkrun.run_outcome ORDER BY run_id")]
    assert reasons == ["no_network", "recipe_changed", "young", "young", "young", "young"]
