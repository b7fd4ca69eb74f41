"""One run, step by step: open it, settle its shared networks, forecast its shards, publish it. Read this file first.

Schedule, UI, command line and backfill all take this road. Training happens outside any transaction; the rows of a
shard are written in one; the last transaction makes the whole run visible.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Literal
from zoneinfo import ZoneInfo

from forecasting import __version__
from forecasting.domain.errors import RunRefused
from forecasting.domain.months import Month
from forecasting.domain.policy import Policy, Retrain, Verdict
from forecasting.domain.recipes import Recipe, find_recipe
from forecasting.domain.settings import Settings
from forecasting.runs import global_models as shared
from forecasting.runs import snapshot as outlook
from forecasting.runs.joint_training import PretrainedNetworks, pretrain
from forecasting.runs.shard import forecast_shard
from forecasting.storage import forecasts, panels, run_networks, runs
from forecasting.storage.db.database import Database
from forecasting.storage.runs import Request, Run
from forecasting.storage.views.durations import estimate_seconds
from forecasting.storage.vintages import Vintage, current_vintage, historical_vintages


@dataclass(frozen=True)
class Trigger:
    """What started a run: schedule, deployment (the UI or the API) or command line, and Prefect's flow run."""

    trigger: str = "command line"
    prefect_flow_run_id: str | None = None


@dataclass(frozen=True)
class RunParameters:
    """What is asked for: everything that decides a run, before it meets the data.

    origin: the last month that may be used; None means the newest month observed, but not after `due`.
    attempt: from 2 on, the same request once more.
    series: names, None for all active series. due: the newest month that may be the origin (from the schedule).
    """

    recipe: Recipe
    policy: Policy
    kind: Literal["live", "backfill"] = "live"
    origin: Month | None = None
    series: tuple[str, ...] | None = None
    due: Month | None = None
    shard_size: int = 1000
    started_by: Trigger = Trigger()
    attempt: int = 1


@dataclass(frozen=True)
class RunPlan:
    """What a run would do: one verdict per series; done: the published run that leaves nothing to do, if there is one.

    seconds: how long it would take, as earlier runs did; None where there was none to go by.
    """

    request: Request
    done: int | None
    names: tuple[str, ...]
    verdicts: tuple[Verdict, ...]
    seconds: float | None = None

    def counted(self) -> dict[tuple[str, str], list[str]]:
        """Return the series of each decision (or outcome, where no network is needed) and reason."""
        found: dict[tuple[str, str], list[str]] = {}
        for name, verdict in zip(self.names, self.verdicts, strict=True):
            found.setdefault(verdict.in_short, []).append(name)
        return found


@dataclass(frozen=True)
class RunSummary:
    """How a run ended: counts per outcome and decision, and the reasons with one example each."""

    run: Run
    published_now: bool
    counts: dict[str, int]
    reasons: tuple[tuple[str, str, int, str], ...]


def open_run(database: Database, asked: RunParameters | Request) -> Run:
    """Store the run that was asked for, or find it where it was asked for before.

    Raises RunRefused when there is nothing to forecast, InputError for unknown series.
    """
    request = make_request(database, asked) if isinstance(asked, RunParameters) else asked
    return _open(database, [request])[0]


def _open(database: Database, requests: Sequence[Request]) -> list[Run]:
    return database.write(lambda connection: runs.open_runs(connection, requests))


def prepare_global_networks(database: Database, run: Run, *, progress: Callable[[int], None] | None = None) -> None:
    """Decide about the networks that all series of a run share, where its recipe has such, and train them if need be.

    What was decided before, by this process or another, stays. progress: called with the number of networks done since
    the last call.
    """
    if not run.recipe.shares(len(run.series_ids)):
        return
    with database.reading() as connection:
        if run_networks.read_global_decision(connection, run) is not None:
            return
    network, bundle = shared.prepare_global(database, run, progress=progress)
    database.write(lambda connection: run_networks.write_global_decision(connection, run, network, bundle))


def run_shard(
    database: Database,
    run: Run,
    number: int,
    *,
    ahead: PretrainedNetworks | None = None,
    workers: int | None = None,
    progress: Callable[[int], None] | None = None,
) -> bool:
    """Forecast one shard and write it; False when it had been written before, by this process or another.

    ahead: networks that were trained before (together.train_together).
    """
    with database.reading() as connection:
        if number in runs.finished_shards(connection, run.run_id):
            return False
    result = forecast_shard(database, run, run.shard(number), ahead=ahead, workers=workers, progress=progress)
    return database.write(lambda connection: forecasts.write_shard(connection, run, number, result))


def run_jointly(
    database: Database,
    requests: Sequence[Request],
    *,
    workers: int | None = None,
    progress: Callable[[int], None] | None = None,
) -> list[RunSummary]:
    """Take the runs of some requests, in order, whose networks are trained as one program (together.py).

    The last shard of each is written and published at once. What was done before, by this process or another, stays.
    progress: called with the number of networks trained since the last call.
    """
    seen: outlook.ObservationCache = {}
    ahead = pretrain(database, requests, seen=seen, workers=workers, progress=progress)
    opened = _open(database, requests)
    return _summaries(
        database,
        [(run, run.state != "published" and _run_through(database, run, ahead, seen, workers)) for run in opened],
    )


def _run_through(
    database: Database, run: Run, ahead: PretrainedNetworks, seen: outlook.ObservationCache, workers: int | None
) -> bool:
    """Forecast and write every shard of a run, and publish it with the last one; False when it is published already."""
    *others, last = run.shards
    for number in others:
        run_shard(database, run, number, ahead=ahead, workers=workers)
    result = forecast_shard(database, run, run.shard(last), ahead=ahead, seen=seen, workers=workers)
    return database.write(lambda connection: forecasts.write_last_shard(connection, run, last, result))


def find_run(database: Database, run_id: int) -> Run:
    """Return a stored run; raises RunRefused when there is none of that number."""
    with database.reading() as connection:
        return runs.read_run(connection, run_id)


def publish_run(database: Database, run: Run) -> RunSummary:
    """Make all rows of the run visible at once, when every series has its outcome."""
    published_now = database.write(lambda connection: runs.publish(connection, run))
    return summarise(database, run, published_now=published_now)


def summarise(database: Database, run: Run, *, published_now: bool) -> RunSummary:
    """Count how a published run ended."""
    return _summaries(database, [(run, published_now)])[0]


def _summaries(database: Database, ended: Sequence[tuple[Run, bool]]) -> list[RunSummary]:
    """Count how published runs ended; with each, whether it was published just now."""
    run_ids = [run.run_id for run, _ in ended]
    with database.reading() as connection:
        counts, reasons = runs.count_outcomes(connection, run_ids), runs.explain_outcomes(connection, run_ids)
    return [
        RunSummary(replace(run, state="published"), now, counts[run.run_id], reasons[run.run_id]) for run, now in ended
    ]


def plan_run(database: Database, asked: RunParameters) -> RunPlan:
    """Say what a run would do with each series, and why; nothing is written."""
    request = make_request(database, asked)
    with database.reading() as connection:
        done = runs.find_published(connection, request)
        common = (
            outlook.decide_global(connection, request)[0] if request.recipe.shares(len(request.series_ids)) else None
        )
    names: list[str] = []
    verdicts: list[Verdict] = []
    for part in request.parts:
        known = outlook.read_snapshot(database, request, part, shared=common)
        names += known.panel.names
        verdicts += known.verdicts
    trained = sum(verdict.decision == "retrain" for verdict in verdicts)
    with database.reading() as connection:
        seconds = estimate_seconds(connection, request.recipe.hash, series=len(names), trained=trained)
    return RunPlan(request, done, tuple(names), tuple(verdicts), seconds)


def newest_month(database: Database) -> Month:
    """Return the newest month of any active series; raises RunRefused when there is none."""
    return _known(database, None).newest_month


def _known(database: Database, series: tuple[str, ...] | None) -> panels.ActiveSeries:
    with database.reading() as connection:
        return panels.read_active_series(connection, series)


def make_request(database: Database, asked: RunParameters) -> Request:
    """Say which run is meant by what is asked for, by the data that are there; the rest as open_run."""
    return make_requests(database, asked, [asked.origin])[0]


def make_requests(database: Database, asked: RunParameters, origins: Sequence[Month | None]) -> list[Request]:
    """Say which runs are meant by what is asked for, from each of some origins, by the data that are there at one moment."""
    known = _known(database, asked.series)
    usual = min(known.newest_month, asked.due) if asked.due else known.newest_month
    wanted = [origin or usual for origin in origins]
    for origin in wanted:
        if origin > known.newest_month:
            raise RunRefused(
                f"The origin {origin} lies after the newest observation {known.newest_month}: load the months up to it, "
                f"or run with --origin {known.newest_month}."
            )
    knowledge = database.write(
        lambda connection: (
            [current_vintage(connection, known.series_ids, origin, usual=origin >= usual) for origin in wanted]
            if asked.kind == "live"
            else historical_vintages(connection, known.series_ids, wanted, asked.recipe.hash)
        )
    )
    return [_request(asked, origin, then) for origin, then in zip(wanted, knowledge, strict=True)]


def _request(asked: RunParameters, origin: Month, knowledge: Vintage) -> Request:
    return Request(
        kind=asked.kind,
        origin=origin,
        as_of=knowledge.as_of,
        vintages=knowledge.vintages,
        recipe=asked.recipe,
        policy=asked.policy.settings,
        series_ids=knowledge.series_ids,
        names=asked.series,
        shard_size=asked.shard_size,
        code_version=__version__,
        trigger=asked.started_by.trigger,
        prefect_flow_run_id=asked.started_by.prefect_flow_run_id,
        attempt=asked.attempt,
    )


def run_parameters(
    settings: Settings,
    *,
    origin: str | None = None,
    series: Sequence[str] | None = None,
    recipe: str | None = None,
    retrain: Retrain = "auto",
    late_months: int | None = None,
    moment: datetime | None = None,
    kind: Literal["live", "backfill"] = "live",
    started_by: Trigger = Trigger(),
) -> RunParameters:
    """Turn what a form or a command line gives into a round; what is not given comes from the settings.

    moment: when the run was due, in any time zone; the month before it, where the installation lies, is the newest origin.
    Raises InputError and RecipeError naming what cannot be used.
    """
    due = Month.containing(moment.astimezone(ZoneInfo(settings.timezone))) + -1 if moment else None
    return RunParameters(
        recipe=find_recipe(recipe or settings.recipe, settings.recipes),
        policy=Policy(retrain=retrain, late_months=settings.late_months if late_months is None else late_months),
        kind=kind,
        origin=Month.parse(origin) if origin else None,
        series=tuple(series) if series else None,
        due=due,
        shard_size=settings.shard_size,
        started_by=started_by,
    )
