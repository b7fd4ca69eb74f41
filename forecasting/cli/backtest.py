"""milkrun backtest: the errors of recipes on stored months."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from forecasting.cli.options import format_options
from forecasting.cli.output import guard_text, print_rows
from forecasting.domain.errors import InputError
from forecasting.domain.vocabulary import STATISTICAL_MODELS

if TYPE_CHECKING:
    from forecasting.operations.backtest import Backtest


@click.command()
@click.option(
    "--recipe", "recipes", multiple=True, metavar="NAME", help="Recipe to judge; may be repeated. [MILKRUN_RECIPE]"
)
@click.option(
    "--origins", default=12, show_default=True, type=click.IntRange(1), help="How many months to forecast from."
)
@click.option(
    "--refit",
    default=12,
    show_default=True,
    type=click.IntRange(1),
    metavar="N",
    help="Train at every N-th origin, reuse between.",
)
@click.option("--horizon", type=click.IntRange(1, 120), metavar="N", help="Months ahead. [the recipe's]")
@click.option("--series", multiple=True, metavar="NAME", help="Only this series; may be repeated.")
@click.option(
    "--model",
    "models",
    multiple=True,
    type=click.Choice(STATISTICAL_MODELS),
    help="Statistical model beside; may be repeated. Needs milkrun[classic].",
)
@click.option("--per-horizon", is_flag=True, help="Also print every horizon by itself.")
@click.option(
    "--out", type=click.Path(path_type=Path, dir_okay=False), help="Save every forecast: a CSV or Parquet file."
)
@format_options
def backtest(
    recipes: tuple[str, ...],
    origins: int,
    refit: int,
    horizon: int | None,
    series: tuple[str, ...],
    models: tuple[str, ...],
    per_horizon: bool,
    out: Path | None,
    output_format: str,
) -> None:
    """Judge recipes on the last months of the stored data; nothing is written to the database.

    Each of the last ORIGINS months is an origin: what is known up to it is forecast from, what came after it is
    compared. The seasonal naive, the naive and the base path stand beside. Skill is 1 - rmse / rmse of the seasonal
    naive; MASE and MSIS are in units of its error on the months before the first origin.
    """
    from dataclasses import replace

    from forecasting.domain.recipes import find_recipe
    from forecasting.domain.settings import Settings
    from forecasting.numerics.statistical import check_installed
    from forecasting.operations.backtest import run_backtest
    from forecasting.storage.db.schema import open_migrated_database

    if out is not None and out.suffix not in (".csv", ".parquet"):
        raise InputError(f"{out} ends in {out.suffix or 'nothing'}: name it .csv or .parquet.")
    settings = Settings.from_environment()
    chosen_recipes = [find_recipe(name, settings.recipes_folder) for name in recipes or (settings.recipe,)]
    chosen_recipes = [recipe if horizon is None else replace(recipe, horizon=horizon) for recipe in chosen_recipes]
    if models:
        check_installed()
    with open_migrated_database(settings) as database:
        result = run_backtest(
            database,
            chosen_recipes,
            origin_count=origins,
            refit_every=refit,
            late_months=settings.late_months,
            series=series or None,
            models=models,
            progress=None if output_format != "table" else lambda message: click.echo(f"  {message}", err=True),
        )
    if out is not None:
        _save(result, out, raw=output_format == "raw")
    _print(result, chosen_recipes[0].name, per_horizon, output_format)


def _print(result: "Backtest", first_recipe: str, per_horizon: bool, output_format: str) -> None:
    """Print one row per contestant, over all horizons and by horizon; below a table, the comparison with the first recipe.

    per_horizon: whether a table has the rows by horizon; JSON and CSV always have. output_format: table, json or csv.
    """
    from forecasting.numerics.comparison import MEASURES, compare, measures

    horizon_count = result.actual.shape[2]
    slices = {"all": slice(None)}
    if per_horizon or output_format != "table":
        slices |= {str(index + 1): slice(index, index + 1) for index in range(horizon_count)}
    rows: list[list[Any]] = []
    for label, horizon_slice in slices.items():
        naive_values = result.forecasts["seasonal_naive"].values[..., horizon_slice]
        actual = result.actual[..., horizon_slice]
        for name, forecasts in result.forecasts.items():
            bounds = {bound: bound_values[..., horizon_slice] for bound, bound_values in forecasts.bounds.items()}
            scores = measures(forecasts.values[..., horizon_slice], bounds, actual, result.scale, naive_values)
            if scores["rmse"] == scores["rmse"]:  # NaN where no month is known
                rows.append([label, name, *(scores.get(measure) for measure in MEASURES)])
    rows = [[None if value != value else value for value in row] for row in rows]
    origins = f"{len(result.origins)} origins from {result.origins[0]} to {result.origins[-1]}"
    title = f"Backtest: {len(result.names)} series, {origins}, up to {horizon_count} months ahead"
    print_rows(["horizon", "contestant", *MEASURES], rows, output_format, title=title)
    for name, forecasts in result.forecasts.items() if output_format == "table" else ():
        if name != first_recipe:
            comparison = compare(result.forecasts[first_recipe].values, forecasts.values, result.actual, result.scale)
            click.echo(
                f"{first_recipe} beside {name}: better in {comparison.better:.0%} of {comparison.pairs} pairs, "
                f"p = {comparison.p:.2g}"
            )


def _save(result: "Backtest", out: Path, *, raw: bool) -> None:
    """Write every forecast into a file, with the columns contestant, origin, series, month, horizon, forecast, bounds, actual.

    raw: in CSV, leave names of series as they are where a spreadsheet would take them for formulas.
    """
    import numpy as np
    import pandas as pd

    shape = result.actual.shape  # origins, series, horizons
    horizons = np.arange(1, shape[2] + 1)
    origins = np.array([origin.to_datetime64() for origin in result.origins])
    months = origins[:, None] + horizons
    frames = []
    for name, forecasts in result.forecasts.items():
        columns = {
            "contestant": name,
            "origin": np.broadcast_to(origins[:, None, None], shape).ravel().astype("datetime64[s]"),
            "series": np.broadcast_to(np.array(result.names, dtype=object)[None, :, None], shape).ravel(),
            "month": np.broadcast_to(months[:, None, :], shape).ravel().astype("datetime64[s]"),
            "horizon": np.broadcast_to(horizons, shape).ravel(),
            "forecast": forecasts.values.ravel(),
            **{
                bound: forecasts.bounds[bound].ravel() if forecasts.bounds else np.nan
                for bound in ("lower_80", "upper_80", "lower_95", "upper_95")
            },
            "actual": result.actual.ravel(),
        }
        frames.append(pd.DataFrame(columns).dropna(subset=["forecast"]))
    frame = pd.concat(frames, ignore_index=True)
    if out.suffix == ".csv":
        if not raw:
            frame["series"] = frame["series"].map(guard_text)
        frame.to_csv(out, index=False, date_format="%Y-%m")
    else:
        frame.to_parquet(out, index=False)
