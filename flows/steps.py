"""The steps that every flow takes, as Prefect tasks; they are given numbers, or quoted things: Prefect looks through all else."""

import logging
import traceback
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from functools import partial
from typing import Any

from prefect import runtime, task
from prefect.cache_policies import NO_CACHE
from prefect.client.schemas.objects import State, TaskRun
from prefect.context import FlowRunContext
from prefect.settings import get_current_settings
from prefect.tasks import Task, exponential_backoff
from prefect.utilities.annotations import quote

from flows import clusters
from flows.progress import report, track_progress
from forecasting.domain.errors import InputError, MilkrunError, PassingFailure
from forecasting.domain.settings import Settings, user_name
from forecasting.domain.vocabulary import RunState, TriggerName
from forecasting.runs import job
from forecasting.runs.joint_training import LocalTrainer
from forecasting.storage.db.database import Database, open_database
from forecasting.storage.runs import Request

logger = logging.getLogger(__name__)

# Prefect hands its handlers to the loggers of PREFECT_LOGGING_EXTRA_LOGGERS but leaves their level at warnings.
for extra in get_current_settings().logging.extra_loggers or ():
    if logging.getLogger(extra).level == logging.NOTSET:
        logging.getLogger(extra).setLevel(get_current_settings().logging.level)


def _failed_in_passing(_task: Task[..., Any], _run: TaskRun, state: State[Any]) -> bool:
    """Retry only what another attempt can mend: training, a full disk and a user's mistake would fail again."""
    return isinstance(state.result(raise_on_failure=False), PassingFailure)


STEP: dict[str, Any] = {
    "cache_policy": NO_CACHE,
    "persist_result": False,
    "retries": 3,
    "retry_delay_seconds": exponential_backoff(2),
    "retry_jitter_factor": 0.5,
    "retry_condition_fn": _failed_in_passing,
}


def unexpected(failure: Exception) -> MilkrunError:
    """Return an error that names the type of a failure alone: its own text may show a password. The log has its place."""
    logger.error("%s", "".join(traceback.format_tb(failure.__traceback__)))
    return InputError(f"it ended unexpectedly, with {type(failure).__name__}; the log of the run has the place.")


def _adding_up(tell: Callable[[int], None]) -> Callable[[int], None]:
    """Tell how many in all; what is returned is called with how many since its last call."""
    count_so_far = 0

    def add(new_count: int) -> None:
        nonlocal count_so_far
        count_so_far += new_count
        tell(count_so_far)

    return add


@task(name="prepare global networks", task_run_name="prepare global networks", **STEP)
def prepare_global_networks(run_id: int) -> None:
    """Decide about the global networks of a run, and train them where that is decided, unless that has been done."""
    tell = partial(logger.info, "Run %d: %d global networks trained.", run_id)
    with open_database(Settings.from_environment()) as database:
        job.prepare_global_networks(database, job.read_run(database, run_id), progress=_adding_up(tell))


@task(name="forecast shard", task_run_name="forecast shard {number}", **STEP)
def forecast_shard(run_id: int, number: int) -> None:
    """Forecast and write one shard of a run, unless that has been done before."""
    settings = Settings.from_environment()
    count = _adding_up(partial(report, number))
    with open_database(settings) as database:
        run = job.read_run(database, run_id)
        is_new = job.run_shard(database, run, number, LocalTrainer(workers=settings.workers, progress=count))
    logger.info(
        "Run %d, shard %d of %d: %s.",
        run_id,
        number + 1,
        len(run.request.shard_numbers),
        "written" if is_new else "was written before",
    )


@task(name="publish", task_run_name="publish run {run_id}", **STEP)
def publish(run_id: int) -> job.RunSummary:
    """Make the whole run visible at once."""
    with open_database(Settings.from_environment()) as database:
        return job.publish_run(database, job.read_run(database, run_id))


@task(name="forecast origins together", task_run_name="forecast origins together", **STEP)
def forecast_together(requests: Sequence[Request]) -> list[job.RunSummary]:
    """Take several runs, one after the other, with networks that were trained as one program; published ones are left."""
    settings = Settings.from_environment()
    count = _adding_up(partial(report, 0))
    with open_database(settings) as database:
        return job.run_jointly(database, requests, workers=settings.workers, progress=count)


def take_run(database: Database, parameters: job.RunParameters | Request) -> job.RunSummary:
    """Take all steps of one run, in order; one that was published before is left as it is."""
    run = job.open_run(database, parameters)
    if run.state == RunState.PUBLISHED:
        logger.info("Run %d for origin %s was published before: nothing to do.", run.run_id, run.request.origin)
        return job.summarise(database, run, published_now=False)
    logger.info(
        "Run %d: origin %s, %d series, recipe %s.",
        run.run_id,
        run.request.origin,
        len(run.request.series_ids),
        run.request.recipe.name,
    )
    if run.request.has_global_networks:
        prepare_global_networks(run.run_id)
    with track_progress([len(run.request.shards[number]) for number in run.request.shard_numbers]):
        clusters.forecast_shards(forecast_shard, run, Settings.from_environment().dask)
    summary = publish(run.run_id)
    counts = ", ".join(f"{count:,} {name}" for name, count in summary.counts.items() if count)
    logger.info("Run %d published: %s.", run.run_id, counts)
    return summary


def take_runs_jointly(requests: Sequence[Request]) -> list[job.RunSummary]:
    """Take all steps of some runs whose networks can be trained as one program; with so little for each, in one task."""
    logger.info("Origins %s to %s: their networks are trained as one program.", requests[0].origin, requests[-1].origin)
    with track_progress([sum(len(request.series_ids) for request in requests)]):
        summaries = forecast_together(quote(requests))
    for summary in summaries:
        logger.info("Run %d, origin %s, published: %s.", summary.run.run_id, summary.run.request.origin, summary.counts)
    return summaries


def scheduled_moment() -> datetime:
    """Return the moment this flow run was scheduled for, however late it runs."""
    scheduled: datetime | None = runtime.flow_run.scheduled_start_time
    return scheduled or datetime.now(UTC)


def run_name() -> str:
    """Name a flow run by what it is asked for, and one from the schedule by the day it was due."""
    parameters = runtime.flow_run.parameters
    months = [str(parameters[name]) for name in ("origin", "start", "end") if parameters.get(name)]
    if not months:
        context = FlowRunContext.get()
        is_scheduled = context is not None and context.flow_run is not None and context.flow_run.auto_scheduled
        months = [f"due {scheduled_moment():%Y-%m-%d}" if is_scheduled else "newest month"]
    flow_name = str(runtime.flow_run.flow_name).removeprefix("milkrun-")  # its page says whose it is
    return " ".join([flow_name, *months, str(parameters.get("recipe") or "")]).strip()


def flow_trigger() -> job.Trigger:
    """Say what started this flow run, for the record."""
    context = FlowRunContext.get()
    flow_run = context.flow_run if context else None
    if flow_run is None or flow_run.deployment_id is None:
        return job.Trigger(TriggerName.COMMAND_LINE, str(flow_run.id) if flow_run else None, user_name())
    if flow_run.auto_scheduled:
        return job.Trigger(TriggerName.SCHEDULE, str(flow_run.id), "the schedule")
    creator = flow_run.created_by.display_value if flow_run.created_by else None
    return job.Trigger(TriggerName.DEPLOYMENT, str(flow_run.id), creator or "a user of the Prefect server")
