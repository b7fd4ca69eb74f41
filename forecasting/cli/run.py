"""milkrun run, plan, backfill: the monthly round from the command line."""

import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

import click

from forecasting.cli import deploy as service
from forecasting.cli.output import format_options, print_rows
from forecasting.cli.prefect_session import prefect_for_commands, progress_bar
from forecasting.domain.errors import EXIT_DONE, EXIT_SOME_SERIES_FAILED

if TYPE_CHECKING:
    from forecasting.runs.job import Plan, Summary

Function = TypeVar("Function", bound=Callable[..., Any])


def _round_options(command: Function) -> Function:
    for option in (
        click.option("--late-months", type=click.IntRange(0), metavar="N", help="Months a series may be late."),
        click.option(
            "--retrain",
            type=click.Choice(["auto", "always", "never"]),
            default="auto",
            show_default=True,
            help="auto: where a network is missing, old or has become worse.",
        ),
        click.option("--recipe", metavar="NAME", help="Recipe (default: MILKRUN_RECIPE, or monthly)."),
        click.option("--series", multiple=True, metavar="NAME", help="Only this series; may be repeated."),
    ):
        command = option(command)
    return command


_submit_option = click.option(
    "--submit", is_flag=True, help="Leave it to a worker of the server at PREFECT_API_URL and return at once."
)
_origin_option = click.option("--origin", metavar="YYYY-MM", help="Last month that may be used (default: the newest).")


@click.command()
@_origin_option
@_round_options
@click.option("--dry-run", is_flag=True, help="Only say what would be done: the same as milkrun plan.")
@_submit_option
@format_options
@click.pass_context
def run(context: click.Context, /, dry_run: bool, submit: bool, output_format: str, **asked: Any) -> int:
    """Forecast the months after the newest one and publish the result.

    Repeating it for a month that is published does nothing. Runs the flow `milkrun-monthly`, in a Prefect of its own or on
    the server at PREFECT_API_URL.
    """
    if dry_run:
        context.invoke(plan, output_format=output_format, every_series=False, **asked)
        return EXIT_DONE
    parameters = _parameters(asked)
    if submit:
        service.submit("milkrun-monthly/monthly", parameters, output_format)
        return EXIT_DONE
    with prefect_for_commands():
        from flows.monthly import monthly_forecast

        with progress_bar(f"Run {asked['origin'] or 'for the newest month'}"):
            summary = monthly_forecast(**parameters)
    return _print_summaries([summary], output_format)


@click.command()
@click.option("--start", required=True, metavar="YYYY-MM", help="First origin.")
@click.option("--end", required=True, metavar="YYYY-MM", help="Last origin, included.")
@_round_options
@click.option(
    "--reprocess",
    type=click.Choice(["none", "failed", "completed"]),
    default="none",
    show_default=True,
    help="Published origins: left as they are; series that failed, were held or refused again; or all of them again.",
)
@click.option("--dry-run", is_flag=True, help="Only print the plan.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@_submit_option
@format_options
def backfill(submit: bool, output_format: str, dry_run: bool, yes: bool, **asked: Any) -> int:
    """Forecast from past origins, oldest first, each from what was known then.

    Prints what it would do and asks, on a terminal; with --submit the worker does neither. Origins that are published
    are left as they are, an interrupted backfill goes on, and live forecasts are never touched.
    """
    parameters = _parameters(asked)
    if dry_run or not submit:
        to_do = _print_backfill_plan(parameters, output_format, shown=dry_run or output_format == "table")
        if dry_run:
            return EXIT_DONE
        if to_do and not yes and sys.stdin.isatty():
            click.confirm(f"Origins to run: {to_do}. Go on?", abort=True, err=True)
    if submit:
        service.submit("milkrun-backfill/backfill", parameters, output_format)
        return EXIT_DONE
    with prefect_for_commands():
        from flows.backfill import backfill_forecasts

        with progress_bar(f"Backfill {asked['start']} to {asked['end']}"):
            summaries = backfill_forecasts(**parameters)
    return _print_summaries(summaries, output_format)


@click.command()
@_origin_option
@_round_options
@click.option("--every-series", is_flag=True, help="List each series instead of counting them.")
@format_options
def plan(every_series: bool, output_format: str, **asked: Any) -> None:
    """Say what a run would do with each series, and why, and how long that takes; nothing is written.

    challenge: a new network will be trained, and replaces the present one only if it is no worse.
    """
    from datetime import UTC, datetime

    from forecasting.domain.settings import Settings
    from forecasting.runs import job
    from forecasting.storage.db.schema import open_migrated_database

    settings = Settings.from_environment()
    wanted = job.round_from(settings, moment=datetime.now(UTC), **asked)
    with open_migrated_database(settings) as database:
        planned = job.plan_run(database, wanted)
    title = f"Origin {planned.request.origin}, recipe {planned.request.recipe.name}, {len(planned.names)} series"
    if planned.done is not None:
        title += f": published as run {planned.done}, so that a run would do nothing"
    elif planned.seconds is not None:
        title += f"; about {_time(planned.seconds)}, as earlier runs took"
    print_rows(*_plan_rows(planned, every_series, output_format), output_format, title=title)


def _print_backfill_plan(parameters: dict[str, Any], output_format: str, *, shown: bool) -> int:
    """Print what a backfill would do, where it is to be shown; returns how many origins it would run."""
    from forecasting.domain.months import Month
    from forecasting.domain.settings import Settings
    from forecasting.runs import job
    from forecasting.runs.backfill import plan_backfill, plan_first
    from forecasting.storage.db.schema import open_migrated_database

    asked = dict(parameters)
    start, end, reprocess = (asked.pop(name) for name in ("start", "end", "reprocess"))
    settings = Settings.from_environment()
    wanted = job.round_from(settings, kind="backfill", **asked)
    with open_migrated_database(settings) as database:
        steps = plan_backfill(database, wanted, Month.parse(start), Month.parse(end), reprocess)
        first = plan_first(database, steps) if shown and output_format == "table" else None
    rows = [
        [
            str(step.request.origin),
            step.request.as_of,
            step.request.vintages,
            len(step.request.series_ids),
            step.request.attempt,
            step.published,
        ]
        for step in steps
    ]
    if shown:
        title = f"Backfill {start} to {end}, recipe {wanted.recipe.name}"
        columns = ["origin", "as_of", "vintages", "series", "attempt", "published_as_run"]
        print_rows(columns, rows, output_format, title=title)
    if first is not None:
        print_rows(
            *_plan_rows(first, False, output_format), title=f"At the first origin to run, {first.request.origin}"
        )
    return sum(step.to_do for step in steps)


def _parameters(asked: dict[str, Any]) -> dict[str, Any]:
    """Turn options into parameters of a flow, once they are known to make sense: Prefect takes seconds to start."""
    from forecasting.domain.months import Month
    from forecasting.domain.recipes import find_recipe
    from forecasting.domain.settings import Settings

    for name in ("origin", "start", "end"):
        if asked.get(name):
            Month.parse(asked[name])
    if asked["recipe"]:
        find_recipe(asked["recipe"], Settings.from_environment().recipes)
    return {**asked, "series": list(asked["series"]) or None}


def _plan_rows(planned: "Plan", every_series: bool, output_format: str) -> tuple[list[str], list[list[Any]]]:
    from forecasting.domain.promotion_rules import CHALLENGED

    if every_series:
        columns = ["series", "decision", "reason", "challenge", "detail"]
        rows: list[list[Any]] = [
            [name, *verdict.in_short, verdict.decision_reason in CHALLENGED, verdict.detail]
            for name, verdict in zip(planned.names, planned.verdicts, strict=True)
        ]
    else:
        columns = ["decision", "reason", "challenge", "series", "such as"]
        rows = [
            [decision, reason, decision == "retrain" and reason in CHALLENGED, len(names), names[0]]
            for (decision, reason), names in planned.counted().items()
        ]
        rows.sort(key=lambda row: -row[3])
    if output_format == "table":
        place = columns.index("challenge")
        for row in rows:
            row[place] = "yes" if row[place] else ""
        return columns, rows
    about = [str(planned.request.origin), planned.request.recipe.name, planned.done, planned.seconds]
    return [*columns, "origin", "recipe", "published_as_run", "seconds"], [[*row, *about] for row in rows]


def _time(seconds: float) -> str:
    return f"{seconds:.1f} seconds" if seconds < 100 else f"{seconds / 60:.0f} minutes"


def _print_summaries(summaries: "list[Summary]", output_format: str) -> int:
    heads = [
        [
            summary.run.run_id,
            str(summary.run.origin),
            summary.run.recipe.name,
            "published" if summary.published_now else "published before: nothing to do",
        ]
        for summary in summaries
    ]
    if output_format == "table":
        rows = [[*head, _counted(summary.counts)] for head, summary in zip(heads, summaries, strict=True)]
        print_rows(["run", "origin", "recipe", "state", "series"], rows)
        for summary in summaries:
            for outcome, reason, count, example in summary.reasons:
                if outcome != "forecast" and summary.published_now:
                    click.echo(f"Run {summary.run.run_id}: {count} {outcome}, {reason}, such as {example}")
    else:
        rows = [[*head, *summary.counts.values()] for head, summary in zip(heads, summaries, strict=True)]
        print_rows(["run", "origin", "recipe", "state", *summaries[0].counts], rows, output_format)
    return EXIT_SOME_SERIES_FAILED if any(summary.counts["failed"] for summary in summaries) else EXIT_DONE


def _counted(counts: dict[str, int]) -> str:
    """Say how series ended and where their networks came from, leaving out what did not occur."""
    return ", ".join(f"{count:,} {name}" for name, count in counts.items() if count)


COMMANDS: list[click.Command] = [run, plan, backfill]
