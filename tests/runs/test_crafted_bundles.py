"""Rows that were crafted to fit their own digests are refused like damaged ones: the series trains again, and says why."""

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import text

from forecasting.domain.policy import Policy
from forecasting.domain.recipes import CLASSIC
from forecasting.runs import job
from forecasting.storage.bundles import Bundle, read_bundles
from forecasting.storage.db.database import Database


def without(name: str) -> Callable[[dict[str, Any]], dict[str, Any]]:
    """Make a change that leaves a part of the manifest out."""
    return lambda manifest: {key: part for key, part in manifest.items() if key != name}


def put(**parts: Any) -> Callable[[dict[str, Any]], dict[str, Any]]:
    """Make a change that replaces parts of the manifest."""
    return lambda manifest: manifest | parts


def change_tensor(manifest: dict[str, Any], **parts: Any) -> dict[str, Any]:
    """Describe the first tensor otherwise."""
    first, *others = manifest["networks"]["tensors"]
    return {**manifest["networks"], "tensors": [{**first, **parts}, *others]}


CRAFTED = {
    "no state": without("state"),
    "state is text": put(state="x"),
    "shared without guarded": put(state={"shared": True}),
    "no members": without("members"),
    "no networks": without("networks"),
    "a tensor of another name": lambda manifest: manifest | {"networks": change_tensor(manifest, name="x")},
    "a tensor of another shape": lambda manifest: (
        manifest | {"networks": change_tensor(manifest, shape=[1, *manifest["networks"]["tensors"][0]["shape"]])}
    ),
    "golden is text": put(golden="x"),
    "golden of no network": put(golden={"positions": [7], "values": [[1.0]]}),
    "golden of another horizon": put(golden={"positions": [0], "values": [[1.0] * 12]}),
    "golden of another network": put(golden={"positions": [0], "values": [[1.0]]}),
    "huge": lambda manifest: (
        manifest | {"networks": manifest["networks"] | {"tensors": [{"name": "x", "shape": [1 << 40], "offset": 0}]}}
    ),
}


def store(database: Database, old: str, crafted: Bundle) -> None:
    """Put a crafted row, under the name that its content has, in the place of a bundle."""
    values = {"new": crafted.bundle_id, "old": old, "manifest": json.dumps(crafted.manifest)}

    def statements(connection: Any) -> None:
        for statement in (
            """INSERT INTO milkrun.bundle SELECT CAST(:new AS text), recipe_hash, origin, as_of, payload,
               CAST(:manifest AS jsonb), created_at FROM milkrun.bundle WHERE bundle_id = :old""",
            "UPDATE milkrun.bundle_member SET bundle_id = :new WHERE bundle_id = :old",
            "UPDATE milkrun.run_series SET bundle_id = :new WHERE bundle_id = :old",
        ):
            used = {name: value for name, value in values.items() if f":{name}" in statement}
            connection.execute(text(statement), used)

    database.write(statements)


@pytest.mark.parametrize("change", CRAFTED.values(), ids=CRAFTED)
def test_a_crafted_bundle_is_refused_and_the_series_trains_again(
    database: Database,
    arrive: Callable[..., object],
    milk: list[float],
    change: Callable[[dict[str, Any]], dict[str, Any]],
) -> None:
    """Its checksum and its name fit, its content does not: the run goes on, and the reason is bundle_damaged."""
    arrive("1962-01", milk=milk[:156])
    first = publish(database)
    with database.reading() as connection:
        [(old, bundle)] = read_bundles(
            connection, connection.scalars(text("SELECT bundle_id FROM milkrun.bundle"))
        ).items()
    store(database, old, replace(bundle, manifest=change(bundle.manifest)))
    arrive("1975-01", milk=milk[156:157])

    second = publish(database)

    assert (first.counts["forecast"], second.counts["forecast"], second.counts["retrained"]) == (1, 1, 1)
    with database.reading() as connection:
        reason = connection.scalar(text("SELECT decision_reason FROM milkrun.run_outcome WHERE run_id = 2"))
    assert reason == "bundle_damaged"


def publish(database: Database) -> job.RunSummary:
    """Take all steps of a run, as the flows do."""
    run = job.open_run(database, job.RunParameters(recipe=CLASSIC, policy=Policy()))
    job.run_shard(database, run, 0)
    return job.publish_run(database, run)
