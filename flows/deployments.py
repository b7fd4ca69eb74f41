"""Deployments on a Prefect server: applied from prefect.yaml as often as wanted, and runs of them submitted."""

import asyncio
import importlib.resources
import os
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import yaml
from prefect import get_client
from prefect.client.orchestration import PrefectClient
from prefect.client.schemas.actions import DeploymentUpdate, WorkPoolCreate
from prefect.client.schemas.responses import DeploymentResponse
from prefect.exceptions import ObjectAlreadyExists, ObjectNotFound, PrefectHTTPStatusError

from flows import automations
from flows.server import public_address
from forecasting.domain.errors import EnvironmentFailure, InputError
from forecasting.domain.settings import Settings

STUCK_AFTER = 180  # seconds; six signs of life missed


@dataclass(frozen=True)
class Deployed:
    """A deployment as the server has it now."""

    name: str
    schedule: str
    paused: bool


def packaged_file() -> Path:
    """Return the prefect.yaml that is installed with this release."""
    return Path(str(importlib.resources.files("flows") / "prefect.yaml"))


def deploy(
    settings: Settings, file: Path, *, notify: tuple[str, ...] = (), stuck_after: int = STUCK_AFTER
) -> list[Deployed]:
    """Bring work pool, deployments, schedules and automations of the server up to date; safe to repeat.

    notify: notification blocks as `type/name`, told of failed runs; with none that automation is left as it is.
    Raises InputError for a file or a block that cannot be used, EnvironmentFailure when the server cannot be reached.
    """
    definition = _read(file, settings.timezone)
    return asyncio.run(_deploy(definition, notify, stuck_after))


def submit(deployment: str, parameters: dict[str, Any]) -> tuple[str, str]:
    """Ask the server for a run of a deployment; return the name and the id of the flow run.

    Raises InputError when the server refuses the parameters or does not know the deployment.
    """

    async def ask() -> tuple[str, str]:
        async with get_client() as client:
            try:
                found = await client.read_deployment_by_name(deployment)
                run = await client.create_flow_run_from_deployment(found.id, parameters=parameters)
            except ObjectNotFound:
                raise InputError(f"The server has no deployment {deployment}: milkrun deploy makes it.") from None
            except PrefectHTTPStatusError as refusal:
                raise _named(refusal) from None
            except httpx.TransportError as failure:
                raise _unreachable(failure) from None
            return run.name, str(run.id)

    return asyncio.run(ask())


def _read(file: Path, timezone: str) -> dict[str, Any]:
    """Read a prefect.yaml; schedules that name no time zone get that of the settings."""
    try:
        definition = yaml.safe_load(file.read_text())
        for deployment in definition["deployments"]:
            for schedule in deployment.get("schedules") or []:
                if "cron" in schedule:
                    schedule.setdefault("timezone", timezone)
    except (OSError, yaml.YAMLError, KeyError, TypeError, AttributeError):
        raise InputError(f"{file} is not a prefect.yaml with deployments: begin with {packaged_file()}.") from None
    return dict(definition)


async def _deploy(definition: dict[str, Any], notify: tuple[str, ...], stuck_after: int) -> list[Deployed]:
    names = [deployment["name"] for deployment in definition["deployments"]]
    async with get_client() as client:
        try:
            for pool in sorted({deployment["work_pool"]["name"] for deployment in definition["deployments"]}):
                await _ensure_pool(client, pool)
            _apply(definition)
            await _refuse_unknown_parameters(client, names)
            await automations.put(client, automations.crash_silent_runs(stuck_after))
            if notify:
                await automations.put(client, await automations.notify_of_failures(client, notify))
            return await _deployed(client, names)
        except PrefectHTTPStatusError as refusal:
            raise _named(refusal) from None
        except httpx.TransportError as failure:
            raise _unreachable(failure) from None


async def _ensure_pool(client: PrefectClient, name: str) -> None:
    try:
        await client.create_work_pool(WorkPoolCreate(name=name, type="process"))
    except ObjectAlreadyExists:
        return  # its settings are the operator's


def _apply(definition: dict[str, Any]) -> None:
    """Let Prefect's own command apply the file: it knows every key of it."""
    with tempfile.TemporaryDirectory(prefix="milkrun-deploy-") as folder:
        file = Path(folder) / "prefect.yaml"
        file.write_text(yaml.safe_dump(definition, sort_keys=False))
        result = subprocess.run(  # noqa: S603 - our own interpreter and file
            [sys.executable, "-m", "prefect", "--no-prompt", "deploy", "--all", "--prefect-file", str(file)],
            capture_output=True,
            text=True,
            check=False,
            env={**os.environ, "NO_COLOR": "1", "COLUMNS": "200"},
        )
    if result.returncode != 0:
        lines = [line for line in (result.stdout + result.stderr).splitlines() if line.strip()]
        raise InputError("Prefect refused the deployments. It says:\n  " + "\n  ".join(lines[-5:]))


async def _refuse_unknown_parameters(client: PrefectClient, names: list[str]) -> None:
    """Let the server refuse a misspelt parameter when a run is asked for, instead of crashing that run."""
    for found in await _own(client, names):
        closed = {**(found.parameter_openapi_schema or {}), "additionalProperties": False}
        await client.update_deployment(found.id, DeploymentUpdate(parameter_openapi_schema=closed))


async def _own(client: PrefectClient, names: list[str]) -> list[DeploymentResponse]:
    return [each for each in await client.read_deployments() if each.name in names and "milkrun" in each.tags]


async def _deployed(client: PrefectClient, names: list[str]) -> list[Deployed]:
    found = await _own(client, names)
    flows = {each.flow_id: (await client.read_flow(each.flow_id)).name for each in found}
    return [
        Deployed(
            f"{flows[each.flow_id]}/{each.name}",
            ", ".join(_described(schedule.schedule) for schedule in each.schedules) or "by hand",
            each.paused or any(not schedule.active for schedule in each.schedules),
        )
        for each in sorted(found, key=lambda each: names.index(each.name))
    ]


def _described(schedule: Any) -> str:
    cron = getattr(schedule, "cron", None)
    return f"{cron} {schedule.timezone}" if cron else type(schedule).__name__.removesuffix("Schedule").lower()


def _named(refusal: PrefectHTTPStatusError) -> InputError:
    """Say why the server refused, in its own words."""
    try:
        detail = refusal.response.json()["detail"]
    except (ValueError, KeyError, TypeError):
        detail = f"status {refusal.response.status_code}"
    return InputError(f"The Prefect server refused: {str(detail).removeprefix('Error creating flow run: ')}.")


def _unreachable(failure: Exception) -> EnvironmentFailure:
    return EnvironmentFailure(
        f"The Prefect server at {public_address()} cannot be reached ({type(failure).__name__}): "
        "check that it runs, then repeat the command."
    )
