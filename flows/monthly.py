"""The scheduled flow: one live run for the newest month."""

import logging
from dataclasses import replace
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from prefect import flow
from prefect.client.schemas.objects import State
from prefect.states import Completed, Failed

from flows import artifacts
from flows.deliveries import deliver_runs, failure_message
from flows.events import announce_publication
from flows.form import MonthText, NumberText, RecipeName, SeriesNames, whole_number
from flows.sources import held_message, pull_sources
from flows.steps import flow_trigger, run_name, scheduled_moment, take_run
from forecasting.domain.errors import EnvironmentFailure
from forecasting.domain.settings import Settings
from forecasting.domain.vocabulary import RetrainWord
from forecasting.intake.pulls import PullResult
from forecasting.intake.source_settings import read_sources
from forecasting.operations.data_gate import check_gate
from forecasting.operations.deliveries import read_deliveries
from forecasting.runs import job
from forecasting.storage.db.schema import open_migrated_database

logger = logging.getLogger(__name__)


@flow(name="milkrun-monthly", flow_run_name=run_name, persist_result=False)
def monthly_forecast(
    origin: MonthText = "",
    series: SeriesNames = (),
    recipe: RecipeName = "",
    retrain: RetrainWord = "auto",
    late_months: NumberText = "",
    dry_run: bool = False,
    wait_for_data: bool = False,
    pull: bool = True,
) -> job.RunSummary | job.RunPlan | State[None]:
    """Pull the sources, forecast the months after the newest one, publish forecasts and RMSE history, and deliver them.

    Args:
        origin: Last month that may be used, as YYYY-MM. Empty: the newest month observed, but not after the month
            before the one this run was scheduled for.
        series: Names of the series to forecast. Empty: all active series.
        recipe: Name of the recipe. Empty: the one of the settings.
        retrain: auto retrains where a network is missing, old or has become worse; always and never do as they say.
        late_months: How many months late a series may be and still be forecast. Empty: as in the settings.
        dry_run: Only say what would be done, and why.
        wait_for_data: End at once, in state Waiting, where too few series have arrived and it is not the deadline yet;
            MILKRUN_ARRIVAL_SHARE and MILKRUN_ARRIVAL_DEADLINE say so. The next run of the schedule looks again.
        pull: First pull the sources of the folder MILKRUN_SOURCES. A required source that fails ends the run, in state Held.

    """
    settings = Settings.from_environment()
    trigger, moment = flow_trigger(), scheduled_moment()
    parameters = job.run_parameters(
        settings,
        origin=origin,
        series=series,
        recipe=recipe,
        retrain=retrain,
        late_months=whole_number(late_months, "late_months"),
        moment=moment,
        trigger=trigger,
    )
    # A mistake in a file ends the run here, before anything is pulled or published.
    read_sources(settings.sources_folder)
    read_deliveries(settings.deliveries_folder)
    pulls: list[PullResult] = []
    if pull and not dry_run:
        with open_migrated_database(settings) as database:
            pulls = pull_sources(database, settings, datetime.now(UTC), trigger)
        if message := held_message(pulls):
            return Failed(name="Held", message=message, data=EnvironmentFailure(message))
    if wait_for_data and parameters.due is not None and settings.arrival_share:
        day = moment.astimezone(ZoneInfo(settings.timezone)).day
        with open_migrated_database(settings) as database:
            gate = check_gate(database, settings, parameters.due, day, series=parameters.series)
        logger.info("%s", gate.message)
        if not gate.is_open:
            return Completed(name="Waiting", message=gate.message)
    if not dry_run:
        with open_migrated_database(settings) as database, artifacts.shown_progress("Series forecast, in percent."):
            summary = take_run(database, parameters)
        if summary.published_now:
            announce_publication(summary)
        with open_migrated_database(settings) as database:
            deliveries = deliver_runs(database, settings, str(trigger.made_by))
        summary = replace(
            summary, other_steps=(*(each.sentence for each in pulls), *(each.sentence for each in deliveries))
        )
        artifacts.show_run(settings, summary)
        if message := failure_message(deliveries):
            return Failed(name="Undelivered", message=message, data=EnvironmentFailure(message))
        return summary
    with open_migrated_database(settings) as database:
        plan = job.plan_run(database, parameters)
    counts = {f"{decision} ({reason})": len(names) for (decision, reason), names in plan.series_by_verdict.items()}
    logger.info("Plan for origin %s: %s.", plan.request.origin, counts)
    artifacts.show_plan(plan)
    return plan
