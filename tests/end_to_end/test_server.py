"""Tests of what an operator and a user of the Prefect UI do: deploy, submit the form, wait for the schedule, backfill."""

import json
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from sqlalchemy import text

from forecasting.domain.settings import Settings
from forecasting.intake.loads import LoadResult
from forecasting.storage.db.database import Database
from tests.end_to_end.hosting import DEPLOY, Api, Hosting, Process, wait_until

Arrive = Callable[..., LoadResult]


def read(database: Database, query: str) -> Sequence[Any]:
    """Read rows."""
    with database.reading() as connection:
        return connection.execute(text(query)).all()


def test_the_server_lets_in_nobody_without_password_and_token(hosting: Hosting, api: Api) -> None:
    """The API refuses a visitor without credentials, and one with them that changes something without a CSRF token."""
    stranger = httpx.get(f"{hosting.api_url}/csrf-token", params={"client": "stranger"})
    forged = httpx.post(f"{hosting.api_url}/flows/filter", json={}, auth=api.client.auth)

    assert (stranger.status_code, forged.status_code) == (401, 403)


@pytest.mark.slow
def test_deploying_twice_leaves_one_of_each_and_keeps_a_pause(deployed: Hosting, api: Api) -> None:
    """Deployments, schedules, automations and the pool exist once; what was paused by hand stays paused."""
    [schedule] = api.deployment("milkrun-monthly/monthly")["schedules"]
    deployment = f"/deployments/{schedule['deployment_id']}"
    path = f"{deployment}/schedules/{schedule['id']}"
    api.client.patch(path, json={"active": False}).raise_for_status()
    retrain = api.deployment("milkrun-monthly/retrain")["id"]
    api.client.post(f"/deployments/{retrain}/pause_deployment").raise_for_status()
    yearly = {"cron": "0 6 1 1 *", "timezone": "UTC"}
    api.client.post(f"{deployment}/schedules", json=[{"schedule": yearly, "active": False}]).raise_for_status()
    paused, told = sorted(api.find("automations"), key=lambda each: str(each["name"]), reverse=True)
    api.client.patch(f"/automations/{paused['id']}", json={"enabled": False}).raise_for_status()

    second = deployed.milkrun(None, *DEPLOY, "--json", MILKRUN_TIMEZONE="Europe/Berlin")

    assert second.returncode == 0, second.stderr
    listed = json.loads(second.stdout)
    assert [(each["deployment"], each["state"]) for each in listed] == [
        ("milkrun-monthly/monthly", "paused"),
        ("milkrun-monthly/retrain", "paused"),
        ("milkrun-backfill/backfill", "active"),
    ]
    assert set(listed[0]["schedule"].split(", ")) == {"0 6 2-10 * * Europe/Berlin", "0 6 1 1 * UTC"}
    assert sorted(each["name"] for each in api.find("deployments")) == ["backfill", "monthly", "retrain"]
    by_hand, kept = sorted(api.deployment("milkrun-monthly/monthly")["schedules"], key=lambda each: each["slug"])
    assert (kept["id"], kept["slug"], kept["active"]) == (schedule["id"], "every-month", False)
    assert (by_hand["schedule"]["cron"], by_hand["active"]) == ("0 6 1 1 *", False)
    assert {(each["name"], each["enabled"]) for each in api.find("automations")} == {
        (paused["name"], False),
        (told["name"], True),
    }
    assert api.deployment("milkrun-monthly/monthly")["concurrency_options"]["collision_strategy"] == "ENQUEUE"
    api.client.patch(path, json={"active": True}).raise_for_status()
    api.client.post(f"/deployments/{retrain}/resume_deployment").raise_for_status()
    api.client.delete(f"{deployment}/schedules/{by_hand['id']}").raise_for_status()
    wait_until(lambda: _scheduled(api), "the schedule gives runs")


@pytest.mark.slow
def test_the_form_a_run_its_artifacts_a_schedule_and_a_backfill(
    deployed: Hosting,
    api: Api,
    work: Callable[..., Process],
    database: Database,
    settings: Settings,
    arrive: Arrive,
    milk: list[float],
) -> None:
    """From the form to the rows: what the UI sends is checked, run by a worker, published, and shown as artifacts."""
    work()
    for parameters, reason in (
        ({"retrain": "often"}, "'often' is not one of ['auto', 'always', 'never']"),
        ({"recipe": "weekly"}, "'weekly' is not one of ['', 'monthly', 'classic', 'classic-published']"),
        ({"retrian": "always"}, "'retrian' was unexpected"),
    ):
        refused = api.trigger("milkrun-monthly/monthly", **parameters)
        assert refused.status_code == 409
        assert reason in refused.json()["detail"]
    for parameters, reason in (
        ({"origin": "1975-13"}, "'1975-13' is not a date of the calendar: write a month as YYYY-MM."),
        ({"late_months": "some"}, "late_months is 'some': write a whole number from 0 on, or leave it empty."),
    ):
        failed = api.wait_for(api.run("milkrun-monthly/monthly", **parameters), "COMPLETED", "FAILED", "CRASHED")
        assert reason in failed["state"]["message"]
    arrive("1962-01", milk=milk[:-1])

    flow_run = api.wait_for(api.run("milkrun-monthly/monthly", series=["milk"]), "COMPLETED", "FAILED", "CRASHED")

    assert flow_run["state_type"] == "COMPLETED", deployed.log("worker")
    assert flow_run["name"] == "monthly 1975-11, run 1"
    assert {"milkrun", "1975-11", "classic"} <= set(flow_run["tags"])
    rows = read(database, "SELECT value FROM milkrun.latest_forecast ORDER BY month")
    [run] = read(database, "SELECT * FROM milkrun.run")
    assert (run.state, run.trigger, run.prefect_flow_run_id) == ("published", "deployment", flow_run["id"])
    artifacts = api.artifacts(flow_run["id"])
    assert "| retrain | no\\_network | 1 | milk |" in artifacts["milkrun-summary"]["data"]
    assert "xychart-beta" in artifacts["milkrun-summary"]["data"]
    shown = json.loads(artifacts["milkrun-forecasts"]["data"])
    assert [row["forecast"] for row in shown] == [float(f"{row.value:.6g}") for row in rows]
    assert {row["split"] for row in json.loads(artifacts["milkrun-rmse"]["data"])} == {"train", "test"}
    wait_until(lambda: any("Run 1 published" in line for line in api.log(flow_run["id"])), "the log is there")

    _a_schedule_fires(deployed, api, database, arrive, milk)
    _a_late_run_forecasts_the_month_it_was_due_for(api, database)
    _a_backfill_is_submitted(deployed, api, database, settings)
    secret = str(settings.database_url)
    assert secret not in json.dumps(api.find("flow_runs")) + json.dumps(api.find("artifacts")) + deployed.log("worker")


def _a_schedule_fires(hosting: Hosting, api: Api, database: Database, arrive: Arrive, milk: list[float]) -> None:
    """Let a panel of 200 series and a new month arrive: a run from a short schedule publishes them all by itself."""
    arrive("1962-01", milk=milk, **{f"region {number}": [value + number for value in milk] for number in range(199)})
    deployment = api.deployment("milkrun-monthly/monthly")["id"]
    soon = datetime.now(UTC) + timedelta(seconds=8)
    every = {"interval": 3600.0, "anchor_date": soon.isoformat(), "timezone": "UTC"}
    [schedule] = (
        api.client.post(f"/deployments/{deployment}/schedules", json=[{"schedule": every, "active": True}])
        .raise_for_status()
        .json()
    )

    def published() -> bool:
        return bool(read(database, "SELECT 1 FROM milkrun.run WHERE state = 'published' AND trigger = 'schedule'"))

    wait_until(published, "a scheduled run publishes")
    api.client.delete(f"/deployments/{deployment}/schedules/{schedule['id']}").raise_for_status()
    [run] = read(database, "SELECT * FROM milkrun.run_health WHERE trigger = 'schedule'")
    assert (run.series, run.forecast, run.retrained, run.reused) == (200, 200, 199, 1)
    assert str(run.origin) == "1975-12-01"
    flow_run_id = read(database, f"SELECT prefect_flow_run_id FROM milkrun.run WHERE run_id = {run.run_id}")[0][0]
    api.wait_for(flow_run_id, "COMPLETED")
    assert "auto-scheduled" in api.get(f"/flow_runs/{flow_run_id}")["tags"]
    assert len(json.loads(api.artifacts(flow_run_id)["milkrun-forecasts"]["data"])) == 200


def _a_late_run_forecasts_the_month_it_was_due_for(api: Api, database: Database) -> None:
    """Let a worker find a run due in January 1975, twice: one publication from December 1974, by the default recipe."""
    deployment = api.deployment("milkrun-monthly/monthly")["id"]
    due = {"type": "SCHEDULED", "state_details": {"scheduled_time": "1975-01-05T06:00:00Z"}}
    path = f"/deployments/{deployment}/create_flow_run"
    for _ in range(2):
        created = api.client.post(
            path, json={"parameters": {"series": ["milk"], "recipe": "monthly"}, "state": due}
        ).raise_for_status()
        flow_run = api.wait_for(created.json()["id"], "COMPLETED", "FAILED", "CRASHED")
        assert flow_run["state_type"] == "COMPLETED"
    runs = read(database, "SELECT state FROM milkrun.run WHERE kind = 'live' AND origin = '1974-12-01'")
    assert [run.state for run in runs] == ["published"]


def _a_backfill_is_submitted(hosting: Hosting, api: Api, database: Database, settings: Settings) -> None:
    """Submit a backfill: the command returns at once, the worker writes the runs of the past origins."""
    arguments = ["--start", "1974-10", "--end", "1974-11", "--series", "milk", "--submit", "--json"]
    answer = hosting.milkrun(settings, "backfill", *arguments)
    assert answer.returncode == 0, answer.stderr

    flow_run = api.wait_for(json.loads(answer.stdout)[0]["id"], "COMPLETED", "FAILED", "CRASHED")

    assert (flow_run["state_type"], flow_run["name"]) == ("COMPLETED", "backfill 1974-10 1974-11")
    origins = read(database, "SELECT origin::text FROM milkrun.run WHERE kind = 'backfill' AND state = 'published'")
    assert sorted(row.origin for row in origins) == ["1974-10-01", "1974-11-01"]
    assert len(json.loads(api.artifacts(flow_run["id"])["milkrun-backfill"]["data"])) == 2
    locked_out = hosting.milkrun(settings, "backfill", *arguments[:-2], PREFECT_API_AUTH_STRING="x")
    assert (locked_out.returncode, "1974-11" in locked_out.stdout) == (4, True)  # the plan is printed before
    assert "PREFECT_API_AUTH_STRING" in locked_out.stderr


def _scheduled(api: Api) -> Any:
    return api.find("flow_runs", flow_runs={"state": {"type": {"any_": ["SCHEDULED"]}}})
