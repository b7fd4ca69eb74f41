"""Events that automations of Prefect can act on."""

from prefect.events import emit_event

from flows.artifacts import best_effort
from forecasting.runs import job

MONTH_PUBLISHED = "milkrun.month.published"


@best_effort
def announce_publication(summary: job.RunSummary) -> None:
    """Emit the event that a month is published: its resource is the run, its payload origin, recipe and counts."""
    run = summary.run
    emit_event(
        event=MONTH_PUBLISHED,
        resource={
            "prefect.resource.id": f"milkrun.run.{run.run_id}",
            "prefect.resource.name": f"run {run.run_id}, origin {run.request.origin}",
            "milkrun.origin": str(run.request.origin),
            "milkrun.kind": run.request.kind,
            "milkrun.recipe": run.request.recipe.name,
        },
        payload={
            "run_id": run.run_id,
            "origin": str(run.request.origin),
            "recipe": run.request.recipe.name,
            "series": len(run.request.series_ids),
            **{str(name): count for name, count in summary.counts.items()},
        },
    )
