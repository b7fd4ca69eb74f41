"""Tests of milkrun prune: what it removes, and that neither published rows nor later runs need what it removed."""

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from sqlalchemy import URL, text

from forecasting.cli import milkrun
from forecasting.domain.errors import StatementRefused
from forecasting.domain.policy import Policy
from forecasting.domain.recipes import CLASSIC, Recipe
from forecasting.domain.settings import Settings
from forecasting.operations import promotions as orders
from forecasting.operations.verification import replay_run
from forecasting.runs import job
from forecasting.storage import pruning
from forecasting.storage.db.database import Database, open_database
from tests.domain.test_evidence import run
from tests.runs.test_champion_challenger import QUICK, Arrive, outcomes, refuse_a_challenger, seasonal
from tests.runs.test_global_models import OWN, SHARED, some_series
from tests.storage.test_roles import apply_roles, as_role

PERMANENT = ("forecast", "rmse_history", "run_series", "observation", "load", "rejected_row", "forecast_change_part")


def publish(database: Database, recipe: Recipe = CLASSIC, **parameters: Any) -> int:
    """Run all steps of a run, as the flows do, and return its id."""
    policy = Policy(retrain=parameters.pop("retrain", "auto"))
    run = job.open_run(database, job.RunParameters(recipe=recipe, policy=policy, **parameters))
    job.prepare_global_networks(database, run)
    for number in run.request.shard_numbers:
        job.run_shard(database, run, number)
    job.publish_run(database, run)
    return run.run_id


def execute(database: Database, statement: str) -> None:
    """Execute a statement that changes stored rows, which no command does."""
    database.write(lambda connection: connection.execute(text(statement)))


def age(database: Database, *run_ids: int) -> None:
    """Move the start and the publication of runs five years into the past."""
    id_list = ",".join(map(str, run_ids))
    execute(database, f"""UPDATE milkrun.run SET started_at = started_at - interval '5 years',
        published_at = published_at - interval '5 years' WHERE run_id IN ({id_list})""")  # fmt: skip


def digests(database: Database) -> dict[str, str]:
    """Return a digest of every table that prune must not change; of tables with rows of runs, the published ones."""
    digest_by_table = {}
    with database.reading() as connection:
        for table in PERMANENT:
            of_runs = table not in ("observation", "load", "rejected_row")
            published = "JOIN milkrun.run r USING (run_id) WHERE r.state = 'published'" if of_runs else ""
            rows = f"SELECT md5(string_agg(t::text, '|' ORDER BY t::text)) FROM milkrun.{table} t {published}"
            digest_by_table[table] = str(connection.scalar(text(rows)))
    return digest_by_table


def digest_of_run(database: Database, run_id: int) -> str:
    """Return a digest of the forecasts and scores of a run, without its id."""
    with database.reading() as connection:
        return str(
            connection.scalar(
                text("""
                    SELECT md5((SELECT string_agg((to_jsonb(f) - 'run_id')::text, '|' ORDER BY f.series_id, f.horizon)
                                FROM milkrun.forecast f WHERE run_id = :id)
                            || coalesce((SELECT string_agg((to_jsonb(e) - 'run_id')::text, '|' ORDER BY series_id, split, horizon)
                                FROM milkrun.rmse_history e WHERE run_id = :id), ''))
                """),
                {"id": run_id},
            )
        )


def counts(database: Database) -> dict[str, int]:
    """Count what prune removes."""
    with database.reading() as connection:
        return {
            "runs": connection.scalar(text("SELECT count(*) FROM milkrun.run")) or 0,
            "shards": connection.scalar(text("SELECT count(*) FROM milkrun.run_shard")) or 0,
            "bundles": connection.scalar(text("SELECT count(*) FROM milkrun.bundle")) or 0,
            "full": connection.scalar(text("SELECT count(*) FROM milkrun.bundle WHERE payload <> ''")) or 0,
            "members": connection.scalar(text("SELECT count(*) FROM milkrun.bundle_member")) or 0,
        }


@pytest.fixture
def call(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Callable[..., str]:
    """Give a function that runs `milkrun prune …` and returns its output."""
    monkeypatch.setenv("DATABASE_URL", str(settings.database_url))
    monkeypatch.setenv("MILKRUN_HOME", str(settings.home))

    def invoke(*options: str) -> str:
        result = CliRunner().invoke(milkrun, ["prune", *options], standalone_mode=False)
        assert result.exception is None, result.output
        return result.output

    return invoke


def three_trainings(database: Database, arrive: Callable[..., object], recipe: Recipe) -> None:
    """Publish runs 1 to 3, each with new networks, and leave run 4 open with one of its two shards written."""
    arrive("1970-01", **{name: values[:84] for name, values in some_series(88).items()})
    publish(database, recipe)
    for month in (84, 85):
        arrive(f"1977-{month - 83:02d}", **{name: [values[month]] for name, values in some_series(88).items()})
        publish(database, recipe, retrain="always")
    arrive("1977-03", **{name: [values[86]] for name, values in some_series(88).items()})
    open_run = job.open_run(database, job.RunParameters(recipe=recipe, policy=Policy(retrain="always"), shard_size=3))
    job.prepare_global_networks(database, open_run)
    job.run_shard(database, open_run, 0)


@pytest.mark.parametrize("recipe", [CLASSIC, OWN, SHARED], ids=["classic", "own", "shared"])
def test_what_was_published_stays_and_the_next_run_is_the_same(
    database: Database, arrive: Callable[..., object], call: Callable[..., str], recipe: Recipe
) -> None:
    """Counts fall, digests do not change, and a run that reuses the networks publishes the numbers it would have."""
    three_trainings(database, arrive, recipe)
    unpruned = publish(database, recipe, retrain="never")
    age(database, 1, 2, 3, 4, unpruned)
    before, published = counts(database), digests(database)
    dry = call("--dry-run")
    assert counts(database) == before

    output = call("--yes")

    after = counts(database)
    assert digests(database) == published
    assert dry.startswith(
        "Runs that were never published: 1; bundles that no run refers to: 1; "
        "bundles replaced long ago, whose weights are removed: 2."
    )
    assert output == dry.replace("would be removed", "were removed")
    assert {name: before[name] - after[name] for name in ("runs", "shards", "bundles", "full")} == {
        "runs": 1, "shards": 1, "bundles": 1, "full": 3,
    }  # fmt: skip
    assert after["members"] == 5
    assert call("--yes").startswith("Nothing to remove: ")
    run_id = publish(database, recipe, retrain="never", attempt=2)
    assert digest_of_run(database, run_id) == digest_of_run(database, unpruned)
    replay = replay_run(database, job.read_run(database, run_id))
    assert (replay.compared_count, replay.mismatches) == (5 * recipe.horizon, 0)


@pytest.mark.parametrize("months", [12, 24])
def test_what_is_young_stays(
    database: Database, arrive: Callable[..., object], call: Callable[..., str], months: int
) -> None:
    """Runs of today, published or not, keep all they refer to."""
    three_trainings(database, arrive, CLASSIC)
    before = counts(database)

    assert call("--keep-months", str(months), "--yes").startswith("Nothing to remove: all is in use, or younger than")
    assert counts(database) == before


def test_numbers_that_were_removed_are_said_to_be_and_come_back_when_trained_again(
    database: Database, database_url: URL, arrive: Callable[..., object], tmp_path: Path, milk: list[float]
) -> None:
    """A pruned run cannot be verified and says why; training the same bundle again, as the writer, puts it back."""
    arrive("1962-01", milk=milk[:156])
    publish(database)
    arrive("1975-01", milk=milk[156:157])
    publish(database, retrain="always")
    age(database, 1, 2)
    removed = database.write(lambda connection: pruning.prune(connection, datetime.now(UTC)))
    replay = replay_run(database, job.read_run(database, 1))
    assert len(removed.old_bundle_ids) == 1
    assert replay.compared_count == 0
    [why] = replay.failures
    assert "removed by milkrun prune" in why
    apply_roles(database_url)

    with open_database(as_role(database_url, "milkrun_writer", tmp_path)) as writing:
        publish(writing, kind="backfill", origin=job.read_run(writing, 1).request.origin)
        second_replay = replay_run(writing, job.read_run(writing, 1))
        with pytest.raises(StatementRefused):
            writing.write(lambda connection: pruning.prune(connection, datetime.now(UTC)))

    assert (second_replay.compared_count, second_replay.mismatches, second_replay.failures) == (12, 0, {})


def test_a_refused_network_can_still_be_put_in_charge_and_stays_while_it_is(
    database: Database, arrive: Arrive, call: Callable[..., str]
) -> None:
    """Neither the newest challenger that lost, nor a bundle that an order put in charge, is removed, however old."""
    second = refuse_a_challenger(database, arrive)
    age(database, 1, 2)
    before = counts(database)

    assert call("--yes").startswith("Nothing to remove: ")
    orders.promote(database, "good", why="the season changed", made_by="ada")
    orders.rollback(database, "good", why="it did not", made_by="ada")
    promotion = orders.promote(database, "good", why="it did", made_by="ada")
    assert call("--yes").startswith("Nothing to remove: ")

    assert counts(database) == before
    assert promotion.bundle_id == second.evidence["challenge"]["challenger"]
    arrive("1998-08", good=seasonal(120)[103:104])
    [third] = outcomes(database, run(database, QUICK).run.run_id)
    assert (third.decision_reason, third.bundle_id) == ("ordered", promotion.bundle_id)
