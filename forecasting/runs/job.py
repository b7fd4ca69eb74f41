"""One run, step by step: open it, prepare its global networks, forecast its shards, publish it. Read this file first.

Schedule, UI, command line and backfill all take these steps. Training happens outside any transaction; the rows of a
shard are written in one; the last transaction makes the whole run visible.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING

from forecasting.domain.errors import RunRefused
from forecasting.domain.months import Month, due_month
from forecasting.domain.policy import Policy, Verdict
from forecasting.domain.policy_file import policy_of_run
from forecasting.domain.recipes import Recipe, find_recipe
from forecasting.domain.settings import Settings
from forecasting.domain.version import __version__
from forecasting.domain.vocabulary import Decision, Kind, Retrain, RetrainPolicy, RunState, TriggerName
from forecasting.runs import global_models
from forecasting.runs.cases import decide_cases
from forecasting.runs.joint_training import LocalTrainer, Trainer, pretrain
from forecasting.runs.shard import forecast_shard
from forecasting.runs.snapshot import DatabaseReads, read_snapshot
from forecasting.storage import forecasts, panels, run_networks, runs
from forecasting.storage.db.database import Database
from forecasting.storage.runs import Request, Run
from forecasting.storage.views.runs import ReasonCount, count_outcome_reasons, count_outcomes, estimate_seconds
from forecasting.storage.vintages import Vintage, current_vintage, historical_vintages

if TYPE_CHECKING:
    import pandas


_TRAINER = LocalTrainer()


@dataclass(frozen=True)
class Trigger:
    """What started a run: schedule, deployment (the UI or the API), command line or Python; Prefect's flow run; and who."""

    name: TriggerName = TriggerName.COMMAND_LINE
    prefect_flow_run_id: str | None = None
    made_by: str | None = None


@dataclass(frozen=True)
class RunParameters:
    """Everything that decides a run, before it meets the data.

    origin: the last month that may be used; None means the newest month observed, but not after `due`. due: the newest month
    that may be the origin (from the schedule). series: names, None for all active series. attempt: from 2 on, the same
    request once more.
    """

    recipe: Recipe
    policy: Policy
    kind: Kind = Kind.LIVE
    origin: Month | None = None
    series: tuple[str, ...] | None = None
    due: Month | None = None
    shard_size: int = 1000
    trigger: Trigger = Trigger()
    attempt: int = 1


@dataclass(frozen=True)
class RunPlan:
    """What a run would do: one verdict per series.

    published_run_id: the published run of the same request, which leaves nothing to do; None where there is none. seconds: how
    long the run would take, as earlier runs did; None where there was no such run.
    """

    request: Request
    published_run_id: int | None
    names: tuple[str, ...]
    verdicts: tuple[Verdict, ...]
    seconds: float | None = None

    @property
    def series_by_verdict(self) -> dict[tuple[str, str], list[str]]:
        """The names of the series, by decision (or outcome, where no network is needed) and reason."""
        names: dict[tuple[str, str], list[str]] = {}
        for name, verdict in zip(self.names, self.verdicts, strict=True):
            names.setdefault(verdict.summary, []).append(name)
        return names

    def frame(self) -> "pandas.DataFrame":
        """Return one row per series: series, decision (or outcome, where no network is needed), reason, detail."""
        import pandas as pd

        rows = [
            (name, *verdict.summary, verdict.detail) for name, verdict in zip(self.names, self.verdicts, strict=True)
        ]
        return pd.DataFrame(rows, columns=["series", "decision", "reason", "detail"])


@dataclass(frozen=True)
class RunSummary:
    """How a run ended: counts per outcome and decision, and the reasons with one example each.

    other_steps: what was pulled before the run and delivered after it, a sentence each.
    """

    run: Run
    published_now: bool
    counts: dict[str, int]
    reasons: tuple[ReasonCount, ...]
    other_steps: tuple[str, ...] = ()


def open_run(database: Database, parameters: RunParameters | Request) -> Run:
    """Store a run, or find it where it was stored before.

    Raises RunRefused when there is nothing to forecast, InputError for unknown series.
    """
    request = make_request(database, parameters) if isinstance(parameters, RunParameters) else parameters
    return _open(database, [request])[0]


def _open(database: Database, requests: Sequence[Request]) -> list[Run]:
    return database.write(lambda connection: runs.open_runs(connection, requests))


def complete_run(database: Database, parameters: RunParameters | Request, trainer: Trainer = _TRAINER) -> RunSummary:
    """Take all steps of a run in this process; a run that is published already stays as it is."""
    run = open_run(database, parameters)
    if run.state == RunState.PUBLISHED:
        return summarise(database, run, published_now=False)
    prepare_global_networks(database, run)
    for number in run.request.shard_numbers:
        run_shard(database, run, number, trainer)
    return publish_run(database, run)


def prepare_global_networks(database: Database, run: Run, *, progress: Callable[[int], None] | None = None) -> None:
    """Decide about the global networks of a run, where it has such, and train them where that is decided.

    A decision that is stored, by this process or another, stays. progress: called with the number of networks trained since
    the last call.
    """
    if not run.request.has_global_networks:
        return
    with database.reading() as connection:
        if run_networks.read_global_decision(connection, run) is not None:
            return
    decision, bundle = global_models.prepare_global(database, run, progress=progress)
    database.write(lambda connection: run_networks.write_global_decision(connection, run, decision, bundle))


def run_shard(database: Database, run: Run, number: int, trainer: Trainer = _TRAINER) -> bool:
    """Forecast one shard and write it; False when it had been written before, by this process or another."""
    return _run_shard(DatabaseReads(database), run, number, trainer)


def _run_shard(reads: DatabaseReads, run: Run, number: int, trainer: Trainer) -> bool:
    database = reads.database
    with database.reading() as connection:
        if number in runs.read_written_shards(connection, run.run_id):
            return False
    result = forecast_shard(reads, run, run.request.shards[number], trainer)
    return database.write(lambda connection: forecasts.write_shard(connection, run, number, result))


def run_jointly(
    database: Database,
    requests: Sequence[Request],
    *,
    workers: int | None = None,
    progress: Callable[[int], None] | None = None,
) -> list[RunSummary]:
    """Take the runs of some requests, in order, whose networks are trained as one program (joint_training.py).

    The last shard of each run is written and published at once. What was done before, by this process or another, stays.
    progress: called with the number of networks trained since the last call.
    """
    reads = DatabaseReads(database, cache={})
    pretrained = pretrain(database, requests, cache=reads.cache, workers=workers, progress=progress)
    trainer = LocalTrainer(pretrained, workers)
    published = [
        (run, run.state != RunState.PUBLISHED and _write_and_publish(reads, run, trainer))
        for run in _open(database, requests)
    ]
    return _summarise(database, published)


def _write_and_publish(reads: DatabaseReads, run: Run, trainer: Trainer) -> bool:
    """Forecast and write the shards of a run that are not written yet; publish it in the transaction of the last one.

    Returns False when it was published before.
    """
    *earlier_numbers, last_number = run.request.shard_numbers
    for number in earlier_numbers:
        _run_shard(reads, run, number, trainer)
    # Not skipped where it is written already: the same transaction publishes the run.
    result = forecast_shard(reads, run, run.request.shards[last_number], trainer)
    return reads.database.write(lambda connection: forecasts.write_last_shard(connection, run, last_number, result))


def read_run(database: Database, run_id: int) -> Run:
    """Return a stored run; raises RunRefused when there is none of that number."""
    with database.reading() as connection:
        return runs.read_run(connection, run_id)


def publish_run(database: Database, run: Run) -> RunSummary:
    """Make all rows of the run visible at once, when every series has its outcome."""
    published_now = database.write(lambda connection: runs.publish(connection, run))
    return summarise(database, run, published_now=published_now)


def summarise(database: Database, run: Run, *, published_now: bool) -> RunSummary:
    """Count how a published run ended."""
    return _summarise(database, [(run, published_now)])[0]


def summarise_earlier_run(database: Database, run_id: int) -> RunSummary:
    """Count how a run ended that was published before; raises RunRefused when there is none of that number."""
    return summarise(database, read_run(database, run_id), published_now=False)


def _summarise(database: Database, published: Sequence[tuple[Run, bool]]) -> list[RunSummary]:
    """Count how published runs ended; with each run, whether it was published just now."""
    run_ids = [run.run_id for run, _ in published]
    with database.reading() as connection:
        counts, reasons = count_outcomes(connection, run_ids), count_outcome_reasons(connection, run_ids)
    return [
        RunSummary(replace(run, state=RunState.PUBLISHED), now, counts[run.run_id], reasons[run.run_id])
        for run, now in published
    ]


def plan_run(database: Database, parameters: RunParameters) -> RunPlan:
    """Say what a run would do with each series, and why; nothing is written."""
    request = make_request(database, parameters)
    run, reads = Run(0, RunState.OPEN, request), DatabaseReads(database)
    with database.reading() as connection:
        published_run_id = runs.find_published_run(connection, request)
        global_verdict = global_models.decide_global(connection, run)[0] if request.has_global_networks else None
    names: list[str] = []
    verdicts: list[Verdict] = []
    for shard in request.shards:
        snapshot = read_snapshot(reads, run, shard)
        names += snapshot.panel.names
        verdicts += [case.verdict for case in decide_cases(request, snapshot, global_verdict=global_verdict)]
    retrained = sum(verdict.decision == Decision.RETRAIN for verdict in verdicts)
    with database.reading() as connection:
        seconds = estimate_seconds(connection, request.recipe.hash, series_count=len(names), retrained_count=retrained)
    return RunPlan(request, published_run_id, tuple(names), tuple(verdicts), seconds)


def newest_month(database: Database) -> Month:
    """Return the newest month of any active series; raises RunRefused when there is none."""
    return _active_series(database, None, None).newest_month


def _active_series(database: Database, names: tuple[str, ...] | None, due: Month | None) -> panels.ActiveSeries:
    with database.reading() as connection:
        return panels.read_active_series(connection, names, through=due)


def make_request(database: Database, parameters: RunParameters) -> Request:
    """Return the request that the parameters mean, by the data that are there; raises the errors of `open_run`."""
    return make_requests(database, parameters, [parameters.origin])[0]


def make_requests(database: Database, parameters: RunParameters, origins: Sequence[Month | None]) -> list[Request]:
    """Return the requests that the parameters mean, one for each origin, by the data that are there at one moment."""
    active = _active_series(database, parameters.series, parameters.due)
    usual = active.newest_month
    months = [origin or usual for origin in origins]
    for origin in months:
        if parameters.due is not None and origin > parameters.due:
            raise RunRefused(
                f"The origin {origin} is not over: its observations may still be parts of a month. The newest month that is "
                f"over is {parameters.due}."
            )
        if origin > active.newest_month:
            raise RunRefused(
                f"The origin {origin} lies after the newest observation {active.newest_month}: load the months up to it, "
                f"or run with --origin {active.newest_month}."
            )
    vintages = database.read(
        lambda connection: (
            [current_vintage(connection, active.series_ids, origin, is_due=origin >= usual) for origin in months]
            if parameters.kind == Kind.LIVE
            else historical_vintages(connection, active.series_ids, months, parameters.recipe.hash)
        )
    )
    return [_request(parameters, origin, vintage) for origin, vintage in zip(months, vintages, strict=True)]


def _request(parameters: RunParameters, origin: Month, vintage: Vintage) -> Request:
    return Request(
        kind=parameters.kind,
        origin=origin,
        as_of=vintage.as_of,
        vintages=vintage.vintages,
        recipe=parameters.recipe,
        policy=parameters.policy,
        series_ids=vintage.series_ids,
        scope=runs.scope_of(parameters.series),
        shard_size=parameters.shard_size,
        code_version=__version__,
        trigger=parameters.trigger.name,
        prefect_flow_run_id=parameters.trigger.prefect_flow_run_id,
        made_by=parameters.trigger.made_by,
        attempt=parameters.attempt,
    )


def run_parameters(
    settings: Settings,
    *,
    origin: str | None = None,
    series: Sequence[str] | None = None,
    recipe: str | Recipe | None = None,
    retrain: Retrain = RetrainPolicy.AUTO,
    late_months: int | None = None,
    moment: datetime | None = None,
    kind: Kind = Kind.LIVE,
    trigger: Trigger = Trigger(),
) -> RunParameters:
    """Turn the values of a form or of a command line into parameters; a value that is not given comes from the settings.

    recipe: its name, or the recipe itself. moment: when the run was due, in any time zone; the month before it, where the
    installation lies, is the newest origin. None: every observed month counts as over.
    Raises InputError and RecipeError naming what cannot be used.
    """
    if not isinstance(recipe, Recipe):
        recipe = find_recipe(recipe or settings.recipe, settings.recipes_folder)
    return RunParameters(
        recipe=recipe,
        policy=policy_of_run(settings, recipe.name, retrain=retrain, late_months=late_months),
        kind=kind,
        origin=Month.parse(origin) if origin else None,
        series=tuple(series) if series else None,
        due=due_month(moment, settings.timezone) if moment else None,
        shard_size=settings.shard_size,
        trigger=trigger,
    )
