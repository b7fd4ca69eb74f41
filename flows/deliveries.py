"""The delivery of published runs to every configured target, a Prefect task each."""

import logging
from collections.abc import Sequence
from functools import partial

from prefect import task

from flows.blocks import find_url
from flows.steps import STEP, unexpected
from forecasting.domain.errors import MilkrunError
from forecasting.domain.settings import Settings
from forecasting.operations.deliveries import (
    DeliveryResult,
    deliver,
    deliver_missing,
    find_delivery,
    read_deliveries,
    undelivered_runs,
)
from forecasting.storage.db.database import Database, open_database
from forecasting.storage.deliveries import PublishedRun

logger = logging.getLogger(__name__)


@task(name="deliver", task_run_name="deliver run {run_id} to {name}", **STEP)
def deliver_run(name: str, run_id: int, made_by: str) -> DeliveryResult | None:
    """Deliver one run to one target; None where it was delivered meanwhile."""
    settings = Settings.from_environment()
    delivery = find_delivery(name, settings.deliveries_folder)
    with open_database(settings) as database:
        run = next((run for run in undelivered_runs(database, delivery) if run.run_id == run_id), None)
        return None if run is None else deliver(database, delivery, run, made_by=made_by, find_url=find_url)


def deliver_runs(database: Database, settings: Settings, made_by: str) -> list[DeliveryResult]:
    """Deliver to every target the published runs that it lacks; a target that fails does not stop the others.

    Raises InputError for a file of a delivery that cannot be read, EnvironmentFailure where Milkrun's own database fails.
    """
    results: list[DeliveryResult] = []
    for delivery in read_deliveries(settings.deliveries_folder):
        deliver_one = partial(_deliver, delivery.name, made_by)
        for result in deliver_missing(database, delivery, deliver_one, made_by=made_by):
            logger.log(logging.INFO if result.error is None else logging.WARNING, "%s", result.sentence)
            results.append(result)
    return results


def _deliver(name: str, made_by: str, run: PublishedRun) -> DeliveryResult | None:
    try:
        return deliver_run(name, run.run_id, made_by)
    except MilkrunError:
        raise
    except Exception as failure:  # noqa: BLE001 - one target stops no other, and the run is published
        raise unexpected(failure) from None


def failure_message(results: Sequence[DeliveryResult]) -> str | None:
    """Return which deliveries failed, and what happens next; None where none did."""
    return " ".join(result.sentence for result in results if result.error is not None) or None
