"""Past origins, one run each, by the same steps as the monthly flow."""

from typing import Literal

from prefect import flow

from flows import artifacts
from flows.form import LateMonths, MonthText
from flows.steps import run_name, started_by, take
from forecasting import job
from forecasting.errors import InputError
from forecasting.months import Month, months_between
from forecasting.settings import Settings
from forecasting.storage.schema import open_migrated_database


@flow(name="backfill", flow_run_name=run_name, persist_result=False)
def backfill_forecasts(
    start: MonthText,
    end: MonthText,
    series: list[str] | None = None,
    recipe: str | None = None,
    retrain: Literal["auto", "always", "never"] = "auto",
    late_months: LateMonths | None = None,
) -> list[job.Summary]:
    """Forecast from past origins, oldest first; no run sees a month after its origin.

    Args:
        start: First origin, as YYYY-MM.
        end: Last origin, as YYYY-MM; included.
        series: Names of the series to forecast. Empty: all active series.
        recipe: Name of the recipe. Empty: the one of the settings.
        retrain: auto retrains where a network is missing, old or has become worse; always and never do as they say.
        late_months: How many months late a series may be and still be forecast. Empty: as in the settings.

    """
    settings = Settings.from_environment()
    origins = months_between(Month.parse(start), Month.parse(end))
    if not origins:
        raise InputError(f"The backfill ends at {end}, before it starts at {start}: exchange the two.")
    with open_migrated_database(settings) as database:
        newest = job.newest_month(database)
    if origins[-1] > newest:
        raise InputError(f"The backfill ends at {end}, after the newest observation {newest}: nothing was run.")
    summaries = []
    for number, origin in enumerate(origins):
        asked = job.round_from(
            settings,
            origin=str(origin),
            series=series,
            recipe=recipe,
            retrain=retrain,
            late_months=late_months,
            kind="backfill",
            started_by=started_by(),
        )
        with artifacts.shown_progress(f"Origin {origin}, {number + 1} of {len(origins)}: series forecast, in percent."):
            summaries.append(take(asked))
    artifacts.show_backfill(summaries)
    return summaries
