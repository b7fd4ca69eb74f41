"""milkrun history: past forecasts of one series, beside what happened."""

import click

from forecasting.cli.database import configured_database
from forecasting.cli.options import format_options
from forecasting.cli.output import filled_columns, print_rows
from forecasting.domain.vocabulary import Kind


@click.command()
@click.argument("series")
@click.option("--horizon", type=click.IntRange(min=1), default=1, show_default=True, help="Months ahead.")
@click.option("--rmse", is_flag=True, help="The RMSE that each run found, instead of the forecasts.")
@click.option(
    "--kind", type=click.Choice([*map(str, Kind)]), default=str(Kind.LIVE), show_default=True, help="Kind of runs."
)
@format_options
def history(series: str, horizon: int, rmse: bool, kind: str, output_format: str) -> None:
    """Show what was forecast of a SERIES, beside what happened; error = forecast - actual."""
    from forecasting.storage.views.series import read_forecasts_and_actuals, read_rmse_trend

    read_rows = read_rmse_trend if rmse else read_forecasts_and_actuals
    with configured_database() as database, database.reading() as connection:
        columns, rows = read_rows(connection, series, kind=kind, horizon=horizon)
    if output_format == "table":
        column_names = [name for name in columns if name not in ("unit", "published_at")]
        columns, rows = filled_columns(columns, rows, column_names) if rows else (column_names, [])
    print_rows(columns, rows, output_format, title=f"{series}, {horizon} months ahead" if horizon > 1 else "")
