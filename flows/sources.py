"""The pull of every configured source, a Prefect task each."""

import logging
from collections.abc import Sequence
from datetime import datetime
from time import perf_counter

from prefect import task

from flows.blocks import find_url
from flows.steps import STEP, unexpected
from forecasting.domain.errors import MilkrunError
from forecasting.domain.settings import Settings
from forecasting.intake.pulls import PullContext, PullResult, pull_source, record_failure
from forecasting.intake.source_settings import SourceSettings, find_source, read_sources
from forecasting.runs.job import Trigger
from forecasting.storage.db.database import Database, open_database

logger = logging.getLogger(__name__)


@task(name="pull source", task_run_name="pull source {name}", **STEP)
def pull(name: str, moment: datetime, made_by: str, flow_run_id: str | None) -> PullResult:
    """Pull one source: its load and its row of `source_pull` are committed together, or not at all."""
    settings = Settings.from_environment()
    context = PullContext(moment, settings.timezone, made_by, flow_run_id, find_url)
    with open_database(settings) as database:
        return pull_source(database, find_source(name, settings.sources_folder), context)


def pull_sources(database: Database, settings: Settings, moment: datetime, trigger: Trigger) -> list[PullResult]:
    """Pull every configured source, one after the other; a source that fails does not stop the others.

    moment: now, and not when a late flow was due: what a source has today is stored. Raises InputError for a file of a source
    that cannot be read, EnvironmentFailure where Milkrun's own database fails.
    """
    context = PullContext(moment, settings.timezone, str(trigger.made_by), trigger.prefect_flow_run_id, find_url)
    return [_pull_or_record(database, source, context) for source in read_sources(settings.sources_folder)]


def _pull_or_record(database: Database, source: SourceSettings, context: PullContext) -> PullResult:
    start = perf_counter()
    try:
        result = pull(source.name, context.moment, context.made_by, context.prefect_flow_run_id)
    except MilkrunError as failure:
        result = record_failure(database, source, context, failure, perf_counter() - start)
    except Exception as failure:  # noqa: BLE001 - one source stops no other
        result = record_failure(database, source, context, unexpected(failure), perf_counter() - start)
    logger.log(logging.INFO if result.error is None else logging.WARNING, "%s", result.sentence)
    return result


def held_message(pulls: Sequence[PullResult]) -> str | None:
    """Return why a run has to wait for its sources, and what happens next; None where it has not."""
    failed = [each for each in pulls if each.holds_the_run]
    if not failed:
        return None
    reasons = " ".join(each.sentence for each in failed)
    return f"{reasons} Nothing was forecast; the next run of the schedule pulls again."
