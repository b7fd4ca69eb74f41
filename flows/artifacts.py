"""What the Prefect UI shows of a run: a summary, tables of forecasts and RMSE, progress, and a name that says the month.

The record is in the tables; an artifact that cannot be made is logged and never fails a run whose rows are committed.
"""

import contextlib
import functools
import logging
import time
from collections.abc import Callable, Iterator
from typing import ParamSpec, TypeVar
from uuid import UUID

from prefect.artifacts import (
    create_markdown_artifact,
    create_progress_artifact,
    create_table_artifact,
    update_progress_artifact,
)
from prefect.client.orchestration import get_client
from prefect.context import FlowRunContext
from prefect.settings import get_current_settings

from flows.progress import listener
from forecasting.domain.settings import Settings
from forecasting.reports import summary as text
from forecasting.runs import job
from forecasting.storage.db.database import open_database
from forecasting.storage.views.forecasts import read_forecast_records
from forecasting.storage.views.months import read_recent_observations
from forecasting.storage.views.rows import Record
from forecasting.storage.views.runs import count_decisions
from forecasting.storage.views.scores import read_score_records, read_worst_scores

logger = logging.getLogger(__name__)
Parameters = ParamSpec("Parameters")
Result = TypeVar("Result")

MOST_ROWS = 500  # of a table; SQL has the rest
MOST_CHARTS = 6
MONTHS_BEFORE = 36
SHOWN_AFTER, SHOWN_EVERY = 10.0, 5.0  # seconds


def best_effort(show: Callable[Parameters, Result]) -> Callable[Parameters, Result | None]:
    """Wrap a function that makes an artifact: without a server it does nothing, and a failure is logged and fails no run."""

    @functools.wraps(show)
    def shown(*args: Parameters.args, **kwargs: Parameters.kwargs) -> Result | None:
        if not get_current_settings().api.url:
            return None
        try:
            return show(*args, **kwargs)
        except Exception as failure:  # noqa: BLE001 - the rows are committed, whatever becomes of the picture of them
            logger.warning("The page of this run stays incomplete: %s: %s", type(failure).__name__, failure)
            return None

    return shown


@best_effort
def show_run(settings: Settings, summary: job.RunSummary) -> None:
    """Add summary, forecasts and RMSE of a run to its flow run, where a server keeps them, and name it by its month."""
    run = summary.run
    _rename(f"monthly {run.request.origin}, run {run.run_id}", [str(run.request.origin), run.request.recipe.name])
    facts: dict[str, object] = {
        "origin": run.request.origin,
        "recipe": run.request.recipe.name,
        "series": f"{len(run.request.series_ids):,}",
        "state": "published" if summary.published_now else "was published before: nothing to do",
    }
    facts |= {f"step {number}": sentence for number, sentence in enumerate(summary.other_steps, start=1)}
    _show_results(settings, summary, facts)


def _show_results(settings: Settings, summary: job.RunSummary, facts: dict[str, object]) -> None:
    run, has_tables = summary.run, summary.published_now
    outcome_columns = ("outcome", "reason", "series", "such as")
    is_small = len(run.request.series_ids) <= MOST_CHARTS
    with open_database(settings) as database, database.reading() as connection:
        decisions = count_decisions(connection, run.run_id)
        forecasts = read_forecast_records(connection, run, limit=MOST_ROWS) if is_small or has_tables else []
        scores = read_score_records(connection, run.run_id, limit=MOST_ROWS) if has_tables else []
        worst = read_worst_scores(connection, run.run_id, limit=10)
        observations = read_recent_observations(connection, run, months=MONTHS_BEFORE) if is_small else []
    create_markdown_artifact(
        text.summarise_run(
            f"Run {run.run_id}",
            facts,
            outcomes=[dict(zip(outcome_columns, row, strict=True)) for row in summary.reasons],
            decisions=decisions,
            worst=worst,
            charts=text.draw_charts(observations, forecasts) if is_small else (),
            report_url=settings.report_url,
        ),
        key="milkrun-summary",
        description=f"Summary of run {run.run_id}, origin {run.request.origin}.",
    )
    for key, rows, view in (("forecasts", forecasts, "forecast_history"), ("rmse", scores, "rmse_trend")):
        if has_tables and rows:
            create_table_artifact(
                _readable(rows),
                key=f"milkrun-{key}",
                description=f"At most {MOST_ROWS} rows; all are in the view {view}, with run_id {run.run_id}.",
            )


def _readable(rows: list[Record]) -> list[Record]:
    """Round to what a reader takes in, and leave out columns without any value."""
    filled_names = [name for name in rows[0] if any(row[name] is not None for row in rows)]
    return [
        {name: float(f"{row[name]:.6g}") if isinstance(row[name], float) else row[name] for name in filled_names}
        for row in rows
    ]


@best_effort
def show_plan(plan: job.RunPlan) -> None:
    """Add what a run would do to the flow run of a dry run."""
    rows = [
        {"decision": decision, "reason": reason, "series": len(names), "such as": names[0]}
        for (decision, reason), names in sorted(plan.series_by_verdict.items(), key=lambda item: -len(item[1]))
    ]
    facts: dict[str, object] = {"origin": plan.request.origin, "recipe": plan.request.recipe.name}
    if plan.published_run_id is not None:
        facts["state"] = f"published as run {plan.published_run_id}: a run would do nothing"
    create_markdown_artifact(
        text.summarise_run("Plan; nothing was written", facts, outcomes=(), decisions=rows, worst=()),
        key="milkrun-plan",
    )


@best_effort
def show_backfill(summaries: list[job.RunSummary]) -> None:
    """Add a table of the origins of a backfill to its flow run."""
    create_table_artifact(
        [
            {
                "origin": str(summary.run.request.origin),
                "run": summary.run.run_id,
                "published": "now" if summary.published_now else "before",
                **summary.counts,
            }
            for summary in summaries
        ],
        key="milkrun-backfill",
        description="Origins of the backfill, the oldest first.",
    )


@contextlib.contextmanager
def shown_progress(title: str) -> Iterator[None]:
    """Keep a progress artifact up to date while series are worked on, for runs that take more than a few seconds."""
    token = listener.set(_progress_listener(title, listener.get()))
    try:
        yield
    finally:
        listener.reset(token)


def _progress_listener(title: str, outer_listener: Callable[[int, int], None] | None) -> Callable[[int, int], None]:
    """Return a function that keeps the progress artifact up to date; outer_listener: is called with the same numbers."""
    start = last_update = time.monotonic()
    artifact_id: UUID | None = None

    def show_progress(series_done: int, series_total: int) -> None:
        nonlocal last_update, artifact_id
        if outer_listener is not None:
            outer_listener(series_done, series_total)
        now = time.monotonic()
        is_last_update = artifact_id is not None and series_done >= series_total
        if not is_last_update and (now - start < SHOWN_AFTER or now - last_update < SHOWN_EVERY):
            return
        last_update = now
        artifact_id = _put_progress(artifact_id, 100.0 * series_done / series_total, title)

    return show_progress


@best_effort
def _put_progress(artifact_id: UUID | None, percent: float, title: str) -> UUID | None:
    """Update a progress artifact, or make it where there is none yet; returns its id."""
    if artifact_id is None:
        created = create_progress_artifact(percent, key="milkrun-progress", description=title)
        return created if isinstance(created, UUID) else None  # a coroutine only where a loop runs
    update_progress_artifact(artifact_id, percent)
    return artifact_id


def _rename(name: str, tags: list[str]) -> None:
    context = FlowRunContext.get()
    if context is not None and context.flow_run is not None:
        other_tags = [tag for tag in context.flow_run.tags if tag not in tags]
        with get_client(sync_client=True) as client:
            client.update_flow_run(context.flow_run.id, name=name, tags=[*other_tags, *tags])
