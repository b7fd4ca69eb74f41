"""Past origins, one run each, by the steps of the monthly flow, or some origins in one."""

import logging
from collections.abc import Sequence

from prefect import flow

from flows import artifacts
from flows.form import MonthText, NumberText, RecipeName, SeriesNames, whole_number
from flows.steps import flow_trigger, run_name, scheduled_moment, take_run, take_runs_jointly
from forecasting.domain.months import Month
from forecasting.domain.settings import Settings
from forecasting.domain.vocabulary import Kind, ReprocessWord, RetrainWord
from forecasting.runs import job
from forecasting.runs.backfill import BackfillStep, group_steps, plan_backfill
from forecasting.storage.db.database import Database
from forecasting.storage.db.schema import open_migrated_database

logger = logging.getLogger(__name__)


@flow(name="milkrun-backfill", flow_run_name=run_name, persist_result=False)
def backfill_forecasts(
    start: MonthText,
    end: MonthText,
    series: SeriesNames = (),
    recipe: RecipeName = "",
    retrain: RetrainWord = "auto",
    late_months: NumberText = "",
    reprocess: ReprocessWord = "none",
    dry_run: bool = False,
) -> list[job.RunSummary]:
    """Forecast from past origins, oldest first; no run sees what was learned after its origin.

    Args:
        start: First origin, as YYYY-MM.
        end: Last origin, as YYYY-MM; included.
        series: Names of the series to forecast. Empty: all active series.
        recipe: Name of the recipe. Empty: the one of the settings.
        retrain: auto retrains where a network is missing, old or has become worse; always and never do as they say.
        late_months: How many months late a series may be and still be forecast. Empty: as in the settings.
        reprocess: none leaves published origins as they are; failed repeats series that failed, were held or refused;
            completed repeats everything, beside what is there.
        dry_run: Only say in the log what would be run.

    """
    settings = Settings.from_environment()
    parameters = job.run_parameters(
        settings,
        series=series,
        recipe=recipe,
        retrain=retrain,
        late_months=whole_number(late_months, "late_months"),
        kind=Kind.BACKFILL,
        moment=scheduled_moment(),
        trigger=flow_trigger(),
    )
    with open_migrated_database(settings) as database:
        steps = plan_backfill(database, parameters, Month.parse(start), Month.parse(end), reprocess)
        if dry_run:
            _say(steps)
            return []
        summaries: list[job.RunSummary] = []
        for group in group_steps(steps):
            first, last, number = group[0].request.origin, group[-1].request.origin, len(summaries) + 1
            title = f"Origin {first}, {number} of {len(steps)}"
            if len(group) > 1:
                title = f"Origins {first} to {last}, {number} to {number + len(group) - 1} of {len(steps)}"
            with artifacts.shown_progress(f"{title}: series forecast, in percent."):
                summaries += _take(database, group)
    artifacts.show_backfill(summaries)
    return summaries


def _take(database: Database, group: Sequence[BackfillStep]) -> list[job.RunSummary]:
    if len(group) > 1:
        return take_runs_jointly([step.request for step in group])
    [step] = group
    return [
        take_run(database, step.request)
        if step.published_run_id is None
        else job.summarise_earlier_run(database, step.published_run_id)
    ]


def _say(steps: Sequence[BackfillStep]) -> None:
    for number, step in enumerate(steps):
        inputs = f"load {step.request.as_of} ({step.request.vintages}), {len(step.request.series_ids)} series"
        state = "to run" if step.to_do else f"published as run {step.published_run_id}"
        logger.info("Origin %s, %d of %d: %s, %s.", step.request.origin, number + 1, len(steps), inputs, state)
