"""Past origins, one run each, by the same steps as the monthly flow."""

from typing import Literal

from prefect import flow

from flows.steps import started_by, take
from forecasting import job
from forecasting.errors import InputError
from forecasting.months import Month, months_between
from forecasting.policy import Policy
from forecasting.recipes import find_recipe
from forecasting.settings import Settings


@flow(name="backfill", flow_run_name="backfill {start} to {end}", persist_result=False)
def backfill_forecasts(
    start: str,
    end: str,
    series: list[str] | None = None,
    recipe: str | None = None,
    retrain: Literal["auto", "always", "never"] = "auto",
    late_months: int | None = None,
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
    return [
        take(
            job.Round(
                recipe=find_recipe(recipe or settings.recipe, settings.recipes),
                policy=Policy(
                    retrain=retrain, late_months=settings.late_months if late_months is None else late_months
                ),
                kind="backfill",
                origin=origin,
                series=tuple(series) if series else None,
                shard_size=settings.shard_size,
                started_by=started_by(),
            )
        )
        for origin in origins
    ]
