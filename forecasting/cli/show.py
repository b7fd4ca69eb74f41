"""milkrun show: how one series stands."""

import json
import shlex
from typing import Any

import click

from forecasting.cli.database import configured_database
from forecasting.cli.explain import change_sentence
from forecasting.cli.output import as_objects, filled_columns, print_rows
from forecasting.domain.vocabulary import Reason

_FORECAST_COLUMNS = ("month", "forecast", "lower_80", "upper_80", "lower_95", "upper_95", "seasonal_naive")
_PROMOTION_COLUMNS = ("kind", "bundle_id", "why", "made_by", "made_at", "run_id")
_SCORE_COLUMNS = ("n", "rmse", "seasonal_naive_rmse", "skill", "coverage_80", "coverage_95")
_RMSE_COLUMNS = ("recipe", "split", "horizon", *_SCORE_COLUMNS)


@click.command()
@click.argument("series")
@click.option("--json", "as_json", is_flag=True, help="Print a JSON object.")
def show(series: str, as_json: bool) -> None:
    """Show a SERIES: its months, how the newest run ended for it and why, its forecast, why that moved, and its RMSE."""
    from forecasting.storage.promotions import read_promotions
    from forecasting.storage.views.series import (
        read_changes_of_series,
        read_latest_forecast,
        read_latest_rmse,
        read_series_health,
    )

    with configured_database() as database, database.reading() as connection:
        health = read_series_health(connection, series)
        forecast_columns, forecasts = read_latest_forecast(connection, series)
        rmse_columns, scores = read_latest_rmse(connection, series)
        change_columns, changes = read_changes_of_series(connection, series, None)
        promotions = read_promotions(connection, series)
    if as_json:
        values = {
            **health,
            "forecast": as_objects(forecast_columns, forecasts),
            "changes": as_objects(change_columns, changes),
            "rmse": as_objects(rmse_columns, scores),
            "orders": as_objects(_PROMOTION_COLUMNS, promotions),
        }
        [json_object] = as_objects(list(values), [list(values.values())])
        click.echo(json.dumps(json_object, indent=2))
        return
    click.echo("\n".join(_health_sentences(health)))
    for kind, bundle_id, why, made_by, made_at, run_id in promotions:
        click.echo(
            f"After run {run_id}, {made_at:%Y-%m-%d %H:%M} UTC, {kind} by {made_by}: bundle {bundle_id[:12]}; {why}"
        )
    if forecasts:
        origin, published_at = (forecasts[0][forecast_columns.index(name)] for name in ("origin", "published_at"))
        title = f"\nForecast from {origin:%Y-%m}, in {health['unit'] or 'its unit'}, published {published_at:%Y-%m-%d %H:%M} UTC"
        print_rows(*filled_columns(forecast_columns, forecasts, _FORECAST_COLUMNS), title=title)
    if changes:
        sentence = change_sentence(dict(zip(change_columns, changes[0], strict=True)))
        click.echo(f"{sentence} More: milkrun explain {shlex.quote(series)}")
    if scores:
        title = "\nNewest RMSE; skill = 1 - rmse / rmse of the seasonal naive"
        print_rows(*filled_columns(rmse_columns, scores, _RMSE_COLUMNS), title=title)


def _health_sentences(health: dict[str, Any]) -> list[str]:
    """Describe the months of a series and the end of its newest run, in sentences; health: its row of series_health."""
    unit = f", in {health['unit']}" if health["unit"] else ""
    span = f"{health['months']} months from {health['first_month']:%Y-%m} to {health['last_month']:%Y-%m}"
    lines = [f"{health['series']}: {span}{unit}{'' if health['active'] else '; switched off'}."]
    if health["run_id"] is None:
        return [*lines, "No published run has had it yet: milkrun run forecasts it."]
    reason = "" if health["reason"] == Reason.OK else f" ({health['reason']})"
    decision = f", {health['decision']} ({health['decision_reason']})" if health["decision"] else ""
    lines.append(f"Run {health['run_id']}, origin {health['run_origin']:%Y-%m}: {health['outcome']}{reason}{decision}.")
    return [*lines, health["detail"]] if health["detail"] else lines
