"""Tests of deployments under earlier names: Milkrun's own are replaced, and a foreign one of the same name is left alone."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from tests.end_to_end.hosting import DEPLOY, Api, Hosting

pytestmark = pytest.mark.slow
COPIED = {
    *(
        "name",
        "entrypoint",
        "tags",
        "description",
        "parameters",
        "parameter_openapi_schema",
        "enforce_parameter_schema",
    ),
    *("work_pool_name", "pull_steps", "job_variables", "concurrency_options"),
}


@pytest.fixture
def names(deployed: Hosting, api: Api) -> Iterator[dict[str, Any]]:
    """Give the deployments of this release by name, and leave them as they were, alone, whatever the test did."""
    yield {name: api.deployment(name) for name in names_on(api)}
    for deployment in api.find("deployments"):
        api.client.delete(f"/deployments/{deployment['id']}").raise_for_status()
    assert deployed.milkrun(None, *DEPLOY).returncode == 0


def names_on(api: Api) -> list[str]:
    """Return the deployments of the server as flow/name."""
    flows = {flow["id"]: flow["name"] for flow in api.find("flows")}
    return sorted(f"{flows[each['flow_id']]}/{each['name']}" for each in api.find("deployments"))


def deploy_as(api: Api, flow: str, deployment: dict[str, Any], **changes: Any) -> dict[str, Any]:
    """Put a copy of a deployment under a flow of another name, and return it as the server has it."""
    flow_id = api.client.post("/flows/", json={"name": flow}).raise_for_status().json()["id"]
    content = {key: deployment[key] for key in COPIED} | {"flow_id": flow_id} | changes
    api.client.post("/deployments/", json=content).raise_for_status()
    return dict(api.deployment(f"{flow}/{content['name']}"))


def withdraw(api: Api, names: dict[str, Any]) -> None:
    """Remove the deployments of this release, as if it had never been deployed."""
    for deployment in names.values():
        api.client.delete(f"/deployments/{deployment['id']}").raise_for_status()


def test_deployments_of_an_earlier_state_are_replaced(deployed: Hosting, api: Api, names: dict[str, Any]) -> None:
    """What was paused stays paused, schedules changed and added by hand and a waiting run go over, and one sentence says so."""
    withdraw(api, names)
    tuesday = {"cron": "30 4 * * 2", "timezone": "Europe/Berlin"}
    daily = {"interval": 86400.0, "anchor_date": "2020-01-01T00:00:00Z", "timezone": "UTC"}
    monthly = deploy_as(
        api,
        "monthly",
        names["milkrun-monthly/monthly"],
        schedules=[{"schedule": tuesday, "active": False, "slug": "every-month"}, {"schedule": daily, "active": True}],
    )
    deploy_as(api, "monthly", names["milkrun-monthly/retrain"])
    backfill = deploy_as(api, "backfill", names["milkrun-backfill/backfill"], paused=True)
    waiting = api.run("backfill/backfill", start="1974-10", end="1974-11")

    answer = deployed.milkrun(None, *DEPLOY, "--json")

    assert answer.returncode == 0, answer.stderr
    [sentence] = [line for line in answer.stderr.splitlines() if "earlier state" in line]
    assert "monthly/monthly (now milkrun-monthly/monthly)" in sentence
    assert "backfill/backfill (now milkrun-backfill/backfill)" in sentence
    assert "lasts until the next milkrun deploy" in sentence
    assert names_on(api) == sorted(names)
    assert {each["deployment"]: each["state"] for each in json.loads(answer.stdout)} == {
        "milkrun-monthly/monthly": "paused",
        "milkrun-monthly/retrain": "active",
        "milkrun-backfill/backfill": "paused",
    }
    by_hand, every_month = sorted(api.deployment("milkrun-monthly/monthly")["schedules"], key=lambda each: each["slug"])
    assert (by_hand["schedule"]["interval"], by_hand["active"]) == (86400.0, True)
    assert (every_month["schedule"]["cron"], every_month["active"]) == ("30 4 * * 2", False)
    assert every_month["parameters"] == {"wait_for_data": True}
    successor = api.deployment("milkrun-backfill/backfill")
    assert (successor["paused"], successor["id"] != backfill["id"]) == (True, True)
    [run] = api.find("flow_runs", deployments={"id": {"any_": [successor["id"]]}})
    assert (run["parameters"]["start"], run["id"] != waiting) == ("1974-10", True)
    assert api.client.get(f"/deployments/{monthly['id']}").status_code == 404
    api.client.delete(f"/flow_runs/{run['id']}").raise_for_status()

    again = deployed.milkrun(None, *DEPLOY)

    assert "earlier state" not in again.stderr
    assert api.deployment("milkrun-backfill/backfill")["paused"]
    active = {each["slug"]: each["active"] for each in api.deployment("milkrun-monthly/monthly")["schedules"]}
    assert active == {"every-month": False, by_hand["slug"]: True}


def test_a_foreign_deployment_of_the_same_name_is_left_alone(
    deployed: Hosting, api: Api, names: dict[str, Any]
) -> None:
    """Anybody's `monthly/monthly` is neither changed nor removed nor listed, nor is one that runs a function of our name."""
    withdraw(api, names)
    report = deploy_as(
        api, "monthly", names["milkrun-monthly/monthly"], entrypoint="pipelines/monthly.py:report", parameters={}
    )
    form = {"type": "object", "properties": {"start": {"type": "string"}, "end": {"type": "string"}}}
    restore = deploy_as(api, "backfill", names["milkrun-backfill/backfill"], parameter_openapi_schema=form)
    deploy_as(api, "monthly", names["milkrun-monthly/retrain"])

    answer = deployed.milkrun(None, *DEPLOY, "--json")

    assert answer.returncode == 0, answer.stderr
    assert (
        "were replaced, and what was paused stays paused: monthly/retrain (now milkrun-monthly/retrain).\n"
        in answer.stderr
    )
    assert (api.deployment("monthly/monthly"), api.deployment("backfill/backfill")) == (report, restore)
    assert names_on(api) == sorted([*names, "monthly/monthly", "backfill/backfill"])
    assert {each["deployment"] for each in json.loads(answer.stdout)} == set(names)


def test_a_deployment_whose_run_is_under_way_waits(deployed: Hosting, api: Api, names: dict[str, Any]) -> None:
    """It stays until the run has ended, and the next `milkrun deploy` replaces it."""
    withdraw(api, names)
    deploy_as(api, "monthly", names["milkrun-monthly/retrain"])
    run = api.run("monthly/retrain")
    for state in ("PENDING", "RUNNING"):
        api.client.post(
            f"/flow_runs/{run}/set_state", json={"state": {"type": state}, "force": True}
        ).raise_for_status()

    first = deployed.milkrun(None, *DEPLOY)

    assert first.returncode == 0, first.stderr
    assert "repeat milkrun deploy after it, to replace monthly/retrain" in first.stderr
    assert names_on(api) == sorted([*names, "monthly/retrain"])
    ended = {"state": {"type": "COMPLETED"}, "force": True}
    api.client.post(f"/flow_runs/{run}/set_state", json=ended).raise_for_status()

    second = deployed.milkrun(None, *DEPLOY)

    assert "monthly/retrain (now milkrun-monthly/retrain)" in second.stderr
    assert names_on(api) == sorted(names)
