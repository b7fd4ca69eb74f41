"""milkrun backfill: forecast from past origins."""

import sys
from typing import Any

import click

from forecasting.cli.options import format_options, run_options, submit_option
from forecasting.cli.output import print_rows
from forecasting.cli.plan import plan_rows
from forecasting.cli.prefect_session import prefect_for_commands, progress_bar
from forecasting.cli.run import flow_parameters, print_summaries, submit_run
from forecasting.domain.errors import EXIT_DONE
from forecasting.domain.vocabulary import Reprocessing


@click.command()
@click.option("--start", required=True, metavar="YYYY-MM", help="First origin.")
@click.option("--end", required=True, metavar="YYYY-MM", help="Last origin, included.")
@run_options
@click.option(
    "--reprocess",
    type=click.Choice([*map(str, Reprocessing)]),
    default=str(Reprocessing.NONE),
    show_default=True,
    help="Published origins: left as they are; series that failed, were held or refused again; or all of them again.",
)
@click.option("--dry-run", is_flag=True, help="Only print the plan.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@submit_option
@format_options
def backfill(submit: bool, output_format: str, dry_run: bool, yes: bool, **options: Any) -> int:
    """Forecast from past origins, oldest first, each from what was known then.

    Prints what it would do and asks, on a terminal; with --submit the worker does neither. Origins that are published
    are left as they are, an interrupted backfill goes on, and live forecasts are never touched.
    """
    parameters = flow_parameters(options)
    if dry_run or not submit:
        to_do = _print_plan(parameters, output_format, quiet=not dry_run and output_format != "table")
        if dry_run:
            return EXIT_DONE
        if to_do and not yes and sys.stdin.isatty():
            click.confirm(f"Origins to run: {to_do}. Go on?", abort=True, err=True)
    if submit:
        submit_run("milkrun-backfill/backfill", parameters, output_format)
        return EXIT_DONE
    with prefect_for_commands():
        from flows.backfill import backfill_forecasts

        with progress_bar(f"Backfill {options['start']} to {options['end']}"):
            summaries = backfill_forecasts(**parameters)
    return print_summaries(summaries, output_format)


def _print_plan(parameters: dict[str, Any], output_format: str, *, quiet: bool) -> int:
    """Print what a backfill would do, unless quiet; returns how many origins it would run."""
    from datetime import UTC, datetime

    from forecasting.domain.months import Month
    from forecasting.domain.settings import Settings
    from forecasting.domain.vocabulary import Kind
    from forecasting.runs import job
    from forecasting.runs.backfill import plan_backfill, plan_first
    from forecasting.storage.db.schema import open_migrated_database

    options = dict(parameters)
    start, end, reprocess = (options.pop(name) for name in ("start", "end", "reprocess"))
    settings = Settings.from_environment()
    run_parameters = job.run_parameters(settings, kind=Kind.BACKFILL, moment=datetime.now(UTC), **options)
    with open_migrated_database(settings) as database:
        steps = plan_backfill(database, run_parameters, Month.parse(start), Month.parse(end), reprocess)
        first_plan = plan_first(database, steps) if output_format == "table" and not quiet else None
    rows = [
        [
            str(step.request.origin),
            step.request.as_of,
            step.request.vintages,
            len(step.request.series_ids),
            step.request.attempt,
            step.published_run_id,
        ]
        for step in steps
    ]
    if not quiet:
        title = f"Backfill {start} to {end}, recipe {run_parameters.recipe.name}"
        columns = ["origin", "as_of", "vintages", "series", "attempt", "published_as_run"]
        print_rows(columns, rows, output_format, title=title)
    if first_plan is not None:
        title = f"At the first origin to run, {first_plan.request.origin}"
        print_rows(*plan_rows(first_plan, False, output_format), title=title)
    return sum(step.to_do for step in steps)
