"""Tests of local networks whose training does not end in finite numbers: the fallback forecasts, and no shard fails."""

from typing import Any

import numpy as np
import pytest

from forecasting.lstm.weights import Weights
from forecasting.models.monthly import training
from forecasting.models.monthly.local_networks import train_local
from forecasting.storage.db.database import Database
from tests.runs.test_backfill import OWN, Arrive, read, run


@pytest.mark.parametrize("diverged_part", [0, 1], ids=["validation networks", "final networks"])
def test_a_series_whose_networks_diverge_gets_its_fallback(
    database: Database, arrive: Arrive, milk: list[float], monkeypatch: pytest.MonkeyPatch, diverged_part: int
) -> None:
    """A bundle holds validation and final networks: if either diverged, the series has none. Another series keeps its own."""
    arrive("1962-01", butter=milk, milk=milk)

    def train_with_divergence(*arguments: Any, **options: Any) -> list[Weights]:
        parts = train_local(*arguments, **options)
        parts[diverged_part]["0/lstm_0/kernel"][0] = np.nan  # of the first series, butter
        return parts

    undisturbed = run(database, OWN)
    monkeypatch.setattr(training, "train_local", train_with_divergence)
    disturbed = run(database, OWN, policy={"retrain": "always"})

    ends = f"SELECT outcome, reason, method FROM milkrun.run_series WHERE run_id = {disturbed.run.run_id} ORDER BY 1"
    assert [tuple(row) for row in read(database, ends)] == [
        ("fallback", "diverged", "base_path"),
        ("forecast", "ok", "lstm"),
    ]
    of_milk, of_milk_before = (
        read(
            database,
            f"""SELECT horizon, value, lower_80, upper_95 FROM milkrun.forecast JOIN milkrun.series USING (series_id)
                WHERE run_id = {summary.run.run_id} AND name = 'milk' ORDER BY horizon""",
        )
        for summary in (disturbed, undisturbed)
    )
    assert of_milk == of_milk_before
