"""Deployments that an earlier state of Milkrun left under names that anybody may use: those of this release replace them.

The flows were called `monthly` and `backfill` before they were called `milkrun-monthly` and `milkrun-backfill`.
"""

import contextlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from prefect.client.orchestration import PrefectClient
from prefect.client.schemas.actions import DeploymentScheduleCreate
from prefect.client.schemas.filters import (
    DeploymentFilter,
    DeploymentFilterId,
    FlowRunFilter,
    FlowRunFilterState,
    FlowRunFilterStateType,
)
from prefect.client.schemas.objects import DeploymentSchedule, FlowRun, State, StateType
from prefect.client.schemas.responses import DeploymentResponse
from prefect.exceptions import ObjectNotFound
from prefect.states import Scheduled

# Each earlier flow with its present name, the entry points its deployments store, and parameters of their forms.
EARLIER_FLOWS = {
    "monthly": (
        "milkrun-monthly",
        {"flows.monthly.monthly_forecast", "flows/monthly.py:monthly_forecast"},
        {"origin", "series", "recipe", "retrain", "late_months"},
    ),
    "backfill": (
        "milkrun-backfill",
        {"flows.backfill.backfill_forecasts", "flows/backfill.py:backfill_forecasts"},
        {"start", "end", "series", "recipe", "retrain", "late_months"},
    ),
}
_STATES_UNDER_WAY = [StateType.RUNNING, StateType.PENDING, StateType.CANCELLING, StateType.PAUSED]


@dataclass(frozen=True)
class EarlierDeployment:
    """A deployment under an earlier name, and the name of the one that replaces it."""

    name: str
    successor: str
    deployment: DeploymentResponse


async def find_earlier_deployments(client: PrefectClient, names: Sequence[str]) -> list[EarlierDeployment]:
    """Return Milkrun's own deployments with these names under an earlier name of their flow.

    names: of deployments, without the flow. Other programs may have a flow `monthly` too: a deployment is Milkrun's own if
    its entry point is one of Milkrun's and its form has at least the parameters of that flow in EARLIER_FLOWS.
    """
    earlier_deployments = []
    for flow_name, (successor, entrypoints, parameters) in EARLIER_FLOWS.items():
        for name in names:
            with contextlib.suppress(ObjectNotFound):
                deployment = await client.read_deployment_by_name(f"{flow_name}/{name}")
                parameter_properties = (deployment.parameter_openapi_schema or {}).get("properties", {})
                if deployment.entrypoint in entrypoints and parameters <= parameter_properties.keys():
                    earlier_deployments.append(
                        EarlierDeployment(f"{flow_name}/{name}", f"{successor}/{name}", deployment)
                    )
    return earlier_deployments


async def replace_earlier_deployments(
    client: PrefectClient, earlier_deployments: Sequence[EarlierDeployment], *, with_changed_schedules: bool
) -> list[str]:
    """Hand pauses, schedules and waiting runs over to the successors and remove what they replace; say so in sentences.

    with_changed_schedules: a schedule that somebody changed on the server is handed over; else that of the file stays.
    A deployment whose run is under way stays until the next time: that run would lose its place in the queue.
    """
    removed_names, busy_names, has_changed_schedule = [], [], False
    for each in earlier_deployments:
        try:
            successor = await client.read_deployment_by_name(each.successor)
        except ObjectNotFound:
            continue  # the file deploys nothing of that name for this flow
        has_changed_schedule |= await _hand_over_schedules(client, each.deployment, successor, with_changed_schedules)
        if each.deployment.paused:
            await client.pause_deployment(successor.id)
        if await _runs(client, each.deployment, _STATES_UNDER_WAY):
            busy_names.append(each.name)
            continue
        for run in await _runs(client, each.deployment, [StateType.SCHEDULED]):
            await _submit_again(client, run, successor)
        with contextlib.suppress(ObjectNotFound):  # another `milkrun deploy` was faster
            await client.delete_deployment(each.deployment.id)
        removed_names.append(f"{each.name} (now {each.successor})")
    sentences = []
    if removed_names:
        schedule_note = (
            " A schedule changed by hand lasts until the next milkrun deploy: write it into a file for --file."
        )
        sentences.append(
            f"Deployments that an earlier state of Milkrun left were replaced, and what was paused stays paused: "
            f"{', '.join(removed_names)}.{schedule_note if has_changed_schedule else ''}"
        )
    if busy_names:
        sentences.append(
            f"A run is under way under an earlier name: repeat milkrun deploy after it, to replace {', '.join(busy_names)}."
        )
    return sentences


async def _hand_over_schedules(
    client: PrefectClient,
    earlier_deployment: DeploymentResponse,
    successor: DeploymentResponse,
    with_changed_schedules: bool,
) -> bool:
    """Pause the successor's schedules that were paused before, and add those that were added.

    with_changed_schedules: change those that were changed as well. Returns whether any was changed.
    """
    successor_schedules = {schedule.slug: schedule for schedule in successor.schedules if schedule.slug}
    has_changed = False
    for schedule in earlier_deployment.schedules:
        counterpart = successor_schedules.get(slug_of(schedule))
        if counterpart is not None:
            update: dict[str, Any] = {} if schedule.active else {"active": False}
            if with_changed_schedules and _timing_without_timezone(schedule) != _timing_without_timezone(counterpart):
                parameters = {**counterpart.parameters, **schedule.parameters}
                update |= {"schedule": schedule.schedule, "parameters": parameters}
                has_changed = True
            if update:
                await client.update_deployment_schedule(successor.id, counterpart.id, **update)
        else:
            addition = DeploymentScheduleCreate(
                schedule=schedule.schedule,
                active=schedule.active,
                max_scheduled_runs=schedule.max_scheduled_runs,
                parameters=schedule.parameters,
                slug=slug_of(schedule),
            )
            await client.create_deployment_schedules(successor.id, [addition])
    return has_changed


def slug_of(schedule: DeploymentSchedule) -> str:
    """Return the slug of a schedule; one that has none gets one, or the next deployment would remove all that are there."""
    return schedule.slug or f"by-hand-{schedule.id.hex[:8]}"


def _timing_without_timezone(schedule: DeploymentSchedule) -> dict[str, Any]:
    """Return the timing of a schedule (cron, interval or rrule) as JSON values, to compare two schedules.

    The time zone is left out: it is that of the settings, and a changed time zone alone counts as no change.
    """
    return schedule.schedule.model_dump(mode="json", exclude={"timezone"})


async def _runs(client: PrefectClient, deployment: DeploymentResponse, states: list[StateType]) -> list[FlowRun]:
    return await client.read_flow_runs(
        flow_run_filter=FlowRunFilter(state=FlowRunFilterState(type=FlowRunFilterStateType(any_=states))),
        deployment_filter=DeploymentFilter(id=DeploymentFilterId(any_=[deployment.id])),
    )


async def _submit_again(client: PrefectClient, run: FlowRun, successor: DeploymentResponse) -> None:
    """Ask the successor for a run that somebody submitted, or that waits for another attempt.

    A run of the schedule that has not begun is left: the schedule of the successor makes it anew.
    """
    if run.auto_scheduled and run.run_count == 0:
        return
    due: State[None] = Scheduled(scheduled_time=run.expected_start_time)
    await client.create_flow_run_from_deployment(successor.id, parameters=run.parameters, state=due)
    if run.run_count:
        await client.delete_flow_run(run.id)  # the server removes only runs that have not begun
