"""The month by itself: a source is configured, the schedule does the rest, through a revision and a source that is down once."""

import sqlite3
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from flows.events import MONTH_PUBLISHED
from forecasting.domain.settings import Settings
from forecasting.storage.db.database import Database
from tests.end_to_end.hosting import Api, Hosting, Process, wait_until


def read(database: Database, query: str) -> Sequence[Any]:
    """Read rows."""
    with database.reading() as connection:
        return [tuple(row) for row in connection.execute(text(query)).all()]


class Shop:
    """A source: an SQLite file that people write to while the schedule runs."""

    def __init__(self, file: Path) -> None:
        self.file = file
        self.write("CREATE TABLE monthly_sales (month date, series text, value real)")

    def write(self, *statements: str) -> None:
        """Run statements."""
        connection = sqlite3.connect(self.file)
        for statement in statements:
            connection.execute(statement)
        connection.commit()
        connection.close()


def fire(api: Api) -> Any:
    """Let the schedule of the deployment fire once, and return the flow run when it has ended."""
    deployment = api.deployment("milkrun-monthly/monthly")["id"]
    earlier = {each["id"] for each in api.find("flow_runs")}
    soon = datetime.now(UTC) + timedelta(seconds=6)
    every = {"interval": 36000.0, "anchor_date": soon.isoformat(), "timezone": "UTC"}
    body = [{"schedule": every, "active": True}]
    [schedule] = api.client.post(f"/deployments/{deployment}/schedules", json=body).raise_for_status().json()

    def ended() -> Any:
        return next(
            (
                each
                for each in api.find("flow_runs")
                if each["id"] not in earlier
                and each["auto_scheduled"]
                and each["state_type"] in ("COMPLETED", "FAILED", "CRASHED")
            ),
            None,
        )

    wait_until(ended, "a scheduled run ends")
    api.client.delete(f"/deployments/{deployment}/schedules/{schedule['id']}").raise_for_status()
    return ended()


@pytest.mark.slow
def test_three_months_arrive_and_are_published_and_delivered_untouched_by_hand(
    deployed: Hosting,
    api: Api,
    work: Callable[..., Process],
    database: Database,
    settings: Settings,
    milk: list[float],
    tmp_path: Path,
) -> None:
    """Two commands, then SQL in the source alone: each month's forecasts and the RMSE of the month before are delivered."""
    shop, warehouse = Shop(tmp_path / "shop.db"), tmp_path / "warehouse.db"
    rows = [f"('{1962 + step // 12}-{step % 12 + 1:02}-01', 'milk', {value})" for step, value in enumerate(milk)]
    shop.write(f"INSERT INTO monthly_sales VALUES {', '.join(rows[:164])}")
    urls = {"SALES_URL": f"sqlite:///{shop.file}", "WAREHOUSE_URL": f"sqlite:///{warehouse}"}
    for command in (
        ("source", "add", "sales", "--url-from", "SALES_URL", "--table", "monthly_sales"),
        ("delivery", "add", "warehouse", "--url-from", "WAREHOUSE_URL", "--table", "milk_forecast"),
    ):
        answer = deployed.milkrun(settings, *command, **urls)
        assert answer.returncode == 0, answer.stderr
    work(**urls)

    first = fire(api)
    shop.write(f"INSERT INTO monthly_sales VALUES {rows[164]}")
    second = fire(api)
    shop.write(
        f"INSERT INTO monthly_sales VALUES {rows[165]}",
        "UPDATE monthly_sales SET value = value + 1 WHERE month = '1975-08-01'",
    )
    shop.file.rename(tmp_path / "elsewhere.db")
    down = fire(api)
    (tmp_path / "elsewhere.db").rename(shop.file)
    third = fire(api)
    unchanged = fire(api)

    states = [(each["state_name"], each["name"].split(",")[0]) for each in (first, second, third, unchanged)]
    assert states == [("Completed", f"monthly {month}") for month in ("1975-08", "1975-09", "1975-10", "1975-10")]
    assert down["state_name"] == "Held"
    assert "Source sales, required, failed: There is no SQLite file" in down["state"]["message"]
    assert read(
        database, "SELECT origin::text, trigger, made_by FROM milkrun.run WHERE state = 'published' ORDER BY 1"
    ) == [(f"1975-{month:02}-01", "schedule", "the schedule") for month in (8, 9, 10)]
    assert read(database, "SELECT error IS NULL, rows_added FROM milkrun.pull_history ORDER BY pull_id") == [
        (True, 164),
        (True, 1),
        (False, None),
        (True, 2),
        (True, 0),
    ]
    delivered = sqlite3.connect(warehouse)
    own = read(database, "SELECT run_id, horizon, value FROM milkrun.forecast_history ORDER BY run_id, horizon")
    assert delivered.execute("SELECT run_id, horizon, value FROM milk_forecast ORDER BY 1, 2").fetchall() == own
    answered = "SELECT run_origin, n FROM milk_forecast_rmse WHERE split = 'live' AND horizon = 1 ORDER BY run_id"
    assert delivered.execute(answered).fetchall() == [("1975-09-01", 1), ("1975-10-01", 2)]
    delivered.close()
    events = api.client.post("/events/filter", json={"filter": {"event": {"name": [MONTH_PUBLISHED]}}}).json()["events"]
    assert {event["payload"]["origin"] for event in events} >= {"1975-08", "1975-09", "1975-10"}
    shown = str(api.find("flow_runs")) + str(api.find("artifacts")) + deployed.log("worker")
    assert str(settings.database_url) not in shown
