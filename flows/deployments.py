"""Deployments on a Prefect server: applied from prefect.yaml as often as wanted, and runs of them submitted."""

import asyncio
import importlib.resources
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import yaml
from prefect import get_client
from prefect.client.orchestration import PrefectClient
from prefect.client.schemas.actions import DeploymentUpdate, WorkPoolCreate
from prefect.client.schemas.filters import DeploymentFilter, DeploymentFilterName, DeploymentFilterTags
from prefect.client.schemas.responses import DeploymentResponse
from prefect.exceptions import ObjectAlreadyExists, ObjectNotFound, PrefectHTTPStatusError

from flows import automations
from flows.earlier_names import EARLIER_FLOWS, find_earlier_deployments, replace_earlier_deployments, slug_of
from flows.server import public_address
from forecasting.domain.errors import EnvironmentFailure, InputError
from forecasting.domain.settings import Settings

STUCK_AFTER = 180  # seconds; six signs of life missed


@dataclass(frozen=True)
class DeploymentState:
    """The state of a deployment on the server."""

    name: str
    schedule: str
    paused: bool


def packaged_file() -> Path:
    """Return the prefect.yaml that is installed with this release."""
    return Path(str(importlib.resources.files("flows") / "prefect.yaml"))


def deploy(
    settings: Settings,
    file: Path,
    *,
    announce: Callable[[str], None],
    notify: tuple[str, ...] = (),
    stuck_after: int = STUCK_AFTER,
) -> list[DeploymentState]:
    """Bring work pool, deployments, schedules and automations of the server up to date; safe to repeat.

    announce: receives a sentence where deployments under earlier names were replaced.
    notify: notification blocks as `type/name`, told of failed runs; with none that automation is left as it is.
    Raises InputError for a file or a block that cannot be used, EnvironmentFailure when the server cannot be reached.
    """
    definition = _read(file, settings.timezone)

    async def apply() -> list[DeploymentState]:
        async with get_client() as client:
            try:
                names = [deployment["name"] for deployment in definition["deployments"]]
                earlier_deployments = await find_earlier_deployments(client, names)
                await _put_deployments(client, definition)
                for sentence in await replace_earlier_deployments(
                    client, earlier_deployments, with_changed_schedules=file == packaged_file()
                ):
                    announce(sentence)
                await automations.put(client, automations.crash_silent_runs(stuck_after))
                if notify:
                    await automations.put(client, await automations.notify_of_failures(client, notify))
                return await _read_deployment_states(client, definition)
            except PrefectHTTPStatusError as refusal:
                raise _refusal_error(refusal) from None
            except httpx.TransportError as failure:
                raise _unreachable_error(failure) from None

    return asyncio.run(apply())


def submit(deployment: str, parameters: dict[str, Any]) -> tuple[str, str]:
    """Ask the server for a run of a deployment; return the name and the id of the flow run.

    Raises InputError when the server refuses the parameters or does not know the deployment.
    """

    async def ask() -> tuple[str, str]:
        async with get_client() as client:
            try:
                stored_deployment = await client.read_deployment_by_name(deployment)
                run = await client.create_flow_run_from_deployment(stored_deployment.id, parameters=parameters)
            except ObjectNotFound:
                raise InputError(f"The server has no deployment {deployment}: milkrun deploy makes it.") from None
            except PrefectHTTPStatusError as refusal:
                raise _refusal_error(refusal) from None
            except httpx.TransportError as failure:
                raise _unreachable_error(failure) from None
            return run.name, str(run.id)

    return asyncio.run(ask())


def _read(file: Path, timezone: str) -> dict[str, Any]:
    """Read a prefect.yaml; schedules that name no time zone get that of the settings."""
    try:
        definition = yaml.safe_load(file.read_text())
        for deployment in definition["deployments"]:
            _ = deployment["name"], deployment["entrypoint"], deployment["work_pool"]["name"]  # must be there
            for schedule in deployment.get("schedules") or []:
                if "cron" in schedule:
                    schedule.setdefault("timezone", timezone)
    except (OSError, yaml.YAMLError, KeyError, TypeError, AttributeError):
        raise InputError(f"{file} is not a prefect.yaml with deployments: begin with {packaged_file()}.") from None
    return dict(definition)


async def _put_deployments(client: PrefectClient, definition: dict[str, Any]) -> None:
    for pool in sorted({deployment["work_pool"]["name"] for deployment in definition["deployments"]}):
        await _ensure_pool(client, pool)
    await _keep_manual_changes(client, definition)
    _apply(definition)
    await _refuse_unknown_parameters(client, definition)


async def _ensure_pool(client: PrefectClient, name: str) -> None:
    try:
        await client.create_work_pool(WorkPoolCreate(name=name, type="process"))
    except ObjectAlreadyExists:
        return  # its settings are the operator's


def _apply(definition: dict[str, Any]) -> None:
    """Let Prefect's own command apply the file: it knows every key of it.

    It imports the flows from the folder it runs in before any other. So that is an empty one, unless the file deploys
    something else than Milkrun's flows, which may lie there.
    """
    is_milkrun_only = all(deployment["entrypoint"].startswith("flows.") for deployment in definition["deployments"])
    with tempfile.TemporaryDirectory(prefix="milkrun-deploy-") as folder:
        file = Path(folder) / "prefect.yaml"
        file.write_text(yaml.safe_dump(definition, sort_keys=False))
        result = subprocess.run(  # noqa: S603 - our own interpreter and file
            [sys.executable, "-m", "prefect", "--no-prompt", "deploy", "--all", "--prefect-file", str(file)],
            capture_output=True,
            text=True,
            check=False,
            cwd=folder if is_milkrun_only else None,
            env={**os.environ, "NO_COLOR": "1", "COLUMNS": "200", "PYTHONSAFEPATH": "1"},
        )
    if result.returncode != 0:
        lines = [line for line in (result.stdout + result.stderr).splitlines() if line.strip()]
        raise InputError("Prefect refused the deployments. It says:\n  " + "\n  ".join(lines[-5:]))


async def _keep_manual_changes(client: PrefectClient, definition: dict[str, Any]) -> None:
    """Keep what was changed on the server, which Prefect's deploy would undo.

    Paused deployments get `paused` in the definition, in place. Added schedules get a slug on the server.
    """
    paused_keys = set()
    for deployment, _ in await _read_deployments_of(client, definition):
        if deployment.paused:
            paused_keys.add((deployment.name, deployment.entrypoint))
        for schedule in deployment.schedules:
            if not schedule.slug:  # Prefect removes schedules without a slug
                await client.update_deployment_schedule(deployment.id, schedule.id, slug=slug_of(schedule))
    for entry in definition["deployments"]:
        if (entry["name"], entry["entrypoint"]) in paused_keys:
            entry.setdefault("paused", True)


async def _refuse_unknown_parameters(client: PrefectClient, definition: dict[str, Any]) -> None:
    """Let the server refuse a misspelt parameter when a run is asked for, instead of crashing that run."""
    for deployment, _ in await _read_deployments_of(client, definition):
        closed_schema = {**(deployment.parameter_openapi_schema or {}), "additionalProperties": False}
        await client.update_deployment(deployment.id, DeploymentUpdate(parameter_openapi_schema=closed_schema))


async def _read_deployments_of(
    client: PrefectClient, definition: dict[str, Any]
) -> list[tuple[DeploymentResponse, str]]:
    """Return the deployments of a file as the server has them, in its order, with the name of their flow."""
    places = {(each["name"], each["entrypoint"]): place for place, each in enumerate(definition["deployments"])}
    candidates = await client.read_deployments(
        deployment_filter=DeploymentFilter(
            name=DeploymentFilterName(any_=[name for name, _ in places]), tags=DeploymentFilterTags(all_=["milkrun"])
        )
    )
    deployments = [
        (each, (await client.read_flow(each.flow_id)).name)
        for each in candidates
        if (each.name, each.entrypoint) in places
    ]
    deployments = [(each, flow_name) for each, flow_name in deployments if flow_name not in EARLIER_FLOWS]
    return sorted(deployments, key=lambda pair: places[pair[0].name, str(pair[0].entrypoint)])


async def _read_deployment_states(client: PrefectClient, definition: dict[str, Any]) -> list[DeploymentState]:
    return [
        DeploymentState(
            f"{flow_name}/{each.name}",
            ", ".join(_schedule_text(schedule.schedule) for schedule in each.schedules) or "by hand",
            each.paused or any(not schedule.active for schedule in each.schedules),
        )
        for each, flow_name in await _read_deployments_of(client, definition)
    ]


def _schedule_text(schedule: Any) -> str:
    cron = getattr(schedule, "cron", None)
    return f"{cron} {schedule.timezone}" if cron else type(schedule).__name__.removesuffix("Schedule").lower()


def _refusal_error(refusal: PrefectHTTPStatusError) -> InputError:
    """Say why the server refused, in its own words."""
    try:
        detail = refusal.response.json()["detail"]
    except (ValueError, KeyError, TypeError):
        detail = f"status {refusal.response.status_code}"
    return InputError(f"The Prefect server refused: {str(detail).removeprefix('Error creating flow run: ')}.")


def _unreachable_error(failure: Exception) -> EnvironmentFailure:
    return EnvironmentFailure(
        f"The Prefect server at {public_address()} cannot be reached ({type(failure).__name__}): "
        "check that it runs, then repeat the command."
    )
