"""Past origins, one run each: which of them are to do, and what each will know. The runs take the steps of job.py."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from forecasting.domain.errors import InputError
from forecasting.domain.months import Month, months_between
from forecasting.domain.vocabulary import Kind, Reprocess, Reprocessing, alternatives
from forecasting.runs import job
from forecasting.runs.job import RunParameters, RunPlan, RunSummary
from forecasting.runs.joint_training import LocalTrainer, Trainer, always_trains
from forecasting.storage import attempts, runs
from forecasting.storage.db.database import Database
from forecasting.storage.runs import Request


@dataclass(frozen=True)
class BackfillStep:
    """One origin of a backfill: the parameters of its run, and the request that they mean.

    published_run_id: the published run that leaves nothing to do, None where there is none.
    """

    parameters: RunParameters
    request: Request
    published_run_id: int | None

    @property
    def to_do(self) -> bool:
        """Whether a run will be made."""
        return self.published_run_id is None


def plan_backfill(
    database: Database, parameters: RunParameters, start: Month, end: Month, reprocess: Reprocess
) -> list[BackfillStep]:
    """Say for each origin, the oldest first, what its run would know, and whether one will be made; nothing is written.

    parameters: what the runs have in common. reprocess: none leaves published origins as they are; failed repeats the series
    whose newest outcome was failed, held or refused; completed repeats everything. An attempt that was interrupted goes
    on; only when all of its origins are published does the next one begin. Raises InputError for months out of reach.
    """
    if reprocess not in list(Reprocessing):
        raise InputError(f"reprocess is {reprocess!r}: choose {alternatives(Reprocessing)}.")
    parameters = replace(parameters, kind=Kind.BACKFILL)
    requests = job.make_requests(database, parameters, _origins(database, start, end))
    with database.reading() as connection:
        published_run_ids = attempts.find_newest_published_runs(connection, requests)
    steps = [
        BackfillStep(replace(parameters, origin=request.origin), request, run_id)
        for request, run_id in zip(requests, published_run_ids, strict=True)
    ]
    if reprocess == Reprocessing.NONE:
        return steps
    with database.reading() as connection:
        newest_attempt = max((attempts.find_newest_attempt(connection, step.request) for step in steps), default=1)
    if newest_attempt > 1:
        interrupted = [_repeat(database, step, reprocess, newest_attempt) for step in steps]
        if any(step.to_do for step in interrupted):
            return interrupted
    return [_repeat(database, step, reprocess, newest_attempt + 1) for step in steps]


def plan_first(database: Database, steps: Sequence[BackfillStep]) -> RunPlan | None:
    """Say what the first origin that is to do would do with each series: the later ones build on what it leaves."""
    first = next((step for step in steps if step.to_do), None)
    return None if first is None else job.plan_run(database, first.parameters)


def group_steps(steps: Sequence[BackfillStep]) -> Iterator[list[BackfillStep]]:
    """Cut the steps of a backfill into groups, in order, whose networks can be trained together (joint_training.py).

    Runs that need not train, or that are to build on one another, are groups of their own. A group has no more series,
    each counted once per origin, than a shard may have: that bounds the memory.
    """
    group: list[BackfillStep] = []
    for step in steps:
        series_count = sum(len(joint_step.request.series_ids) for joint_step in (*group, step))
        can_join = all(joint_step.to_do and always_trains(joint_step.request) for joint_step in (*group, step))
        if group and not (can_join and series_count <= step.request.shard_size):
            yield group
            group = []
        group.append(step)
    if group:
        yield group


def complete_backfill(
    database: Database, steps: Sequence[BackfillStep], *, workers: int | None = None
) -> list[RunSummary]:
    """Take all steps of a backfill in this process; origins that are published already stay as they are.

    workers: threads that train, None for one per core.
    """
    summaries: list[RunSummary] = []
    for group in group_steps(steps):
        if len(group) > 1:
            summaries += job.run_jointly(database, [step.request for step in group], workers=workers)
        else:
            summaries.append(take_step(database, group[0], LocalTrainer(workers=workers)))
    return summaries


def take_step(database: Database, step: BackfillStep, trainer: Trainer) -> RunSummary:
    """Take all steps of the run of one origin, unless it is published already."""
    if step.published_run_id is None:
        return job.complete_run(database, step.request, trainer)
    return job.summarise_earlier_run(database, step.published_run_id)


def _origins(database: Database, start: Month, end: Month) -> list[Month]:
    origins = months_between(start, end)
    if not origins:
        raise InputError(f"The backfill ends at {end}, before it starts at {start}: exchange the two.")
    newest_month = job.newest_month(database)
    if end > newest_month:
        raise InputError(f"The backfill ends at {end}, after the newest observation {newest_month}: nothing was run.")
    return origins


def _repeat(database: Database, step: BackfillStep, reprocess: Reprocess, attempt: int) -> BackfillStep:
    """Repeat an origin that is published, in whole or in part, as this attempt unless that is published as well."""
    if step.to_do:
        return step
    series_names = step.parameters.series
    if reprocess == Reprocessing.FAILED:
        with database.reading() as connection:
            names = attempts.find_series_without_forecast(connection, step.request, attempt)
        if not names:
            return step
        # Global networks are those of the whole run, so that it is repeated as a whole.
        if not step.request.has_global_networks:
            series_names = tuple(names)
    parameters = replace(step.parameters, attempt=attempt, series=series_names)
    request = job.make_request(database, parameters)
    with database.reading() as connection:
        published_run_id = runs.find_published_run(connection, request)
    return BackfillStep(parameters, request, published_run_id)
