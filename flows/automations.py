"""What the server does by itself: it calls a run that fell silent crashed, and tells people of runs that failed."""

from datetime import timedelta
from typing import Any

from prefect.client.orchestration import PrefectClient
from prefect.client.schemas.objects import StateType
from prefect.events.actions import ActionTypes, ChangeFlowRunState, SendNotification
from prefect.events.schemas.automations import AutomationCore, EventTrigger, Posture
from prefect.exceptions import ObjectNotFound

from forecasting.domain.errors import InputError

FLOWS = ("milkrun-monthly", "milkrun-backfill")
_RELATED: Any = {"prefect.resource.role": "flow", "prefect.resource.name": list(FLOWS)}
_RUNS: Any = {"prefect.resource.id": "prefect.flow-run.*"}
_ENDS = ("Completed", "Waiting", "Failed", "Held", "Undelivered", "Crashed", "Cancelled", "TimedOut")
_MESSAGE = """{{ flow.name }}, run {{ flow_run.name }}, is {{ flow_run.state.name }}.
{{ flow_run.state.message }}
Nothing was published by halves; run it again (Retry in the UI) once the cause is mended: it goes on where it ended.
{{ flow_run|ui_url }}"""


def crash_silent_runs(stuck_after: int) -> AutomationCore:
    """Make the automation that calls a run crashed when its process has said nothing for `stuck_after` seconds.

    A worker reports a process that dies; nobody reports one that dies with its worker.
    """
    heartbeat = "prefect.flow-run.heartbeat"
    return AutomationCore(
        name="milkrun: stuck run is crashed",
        description=f"No sign of life for {stuck_after} s: the process and its worker are gone.",
        trigger=EventTrigger(
            after={heartbeat},
            expect={heartbeat, *(f"prefect.flow-run.{name}" for name in _ENDS)},
            match=_RUNS,
            match_related=_RELATED,
            for_each={"prefect.resource.id"},
            posture=Posture.Proactive,
            threshold=1,
            within=timedelta(seconds=stuck_after),
        ),
        actions=[
            ChangeFlowRunState(
                name="Crashed",
                state=StateType.CRASHED,
                message=f"No sign of life for {stuck_after} s: the process or its machine is gone.",
                force=False,
            )
        ],
    )


async def notify_of_failures(client: PrefectClient, blocks: tuple[str, ...]) -> AutomationCore:
    """Make the automation that sends a message through each notification block, named `type/name`.

    Raises InputError naming the block that the server does not have.
    """
    actions: list[ActionTypes] = []
    for block in blocks:
        slug, _, name = block.partition("/")
        try:
            document = await client.read_block_document_by_name(name, slug, include_secrets=False)
        except ObjectNotFound:
            raise InputError(
                f"The Prefect server has no notification block {block}: make it in the UI under Blocks and write it as "
                "type/name, such as slack-webhook/operations."
            ) from None
        actions.append(
            SendNotification(
                block_document_id=document.id,
                subject="Milkrun: {{ flow_run.name }} is {{ flow_run.state.name }}",
                body=_MESSAGE,
            )
        )
    return AutomationCore(
        name="milkrun: failed or crashed is told",
        description=f"Tells {', '.join(blocks)}.",
        trigger=EventTrigger(
            expect={
                "prefect.flow-run.Failed",
                "prefect.flow-run.Held",
                "prefect.flow-run.Undelivered",
                "prefect.flow-run.Crashed",
                "prefect.flow-run.TimedOut",
            },
            match=_RUNS,
            match_related=_RELATED,
            for_each={"prefect.resource.id"},
            posture=Posture.Reactive,
            threshold=1,
        ),
        actions=actions,
    )


async def put(client: PrefectClient, automation: AutomationCore) -> None:
    """Store an automation, or bring the one of its name up to date; one paused by hand stays paused."""
    existing = await client.read_automations_by_name(automation.name)
    if not existing:
        await client.create_automation(automation)
        return
    for surplus in existing[1:]:
        await client.delete_automation(surplus.id)
    await client.update_automation(existing[0].id, automation.model_copy(update={"enabled": existing[0].enabled}))
