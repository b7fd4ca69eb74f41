"""milkrun plan: what a run would do."""

from typing import TYPE_CHECKING, Any

import click

from forecasting.cli.options import format_options, origin_option, run_options
from forecasting.cli.output import print_rows
from forecasting.domain.vocabulary import Decision

if TYPE_CHECKING:
    from forecasting.domain.settings import Settings
    from forecasting.runs.job import RunPlan
    from forecasting.storage.db.database import Database


@click.command()
@origin_option
@run_options
@click.option("--every-series", is_flag=True, help="List each series instead of counting them.")
@click.option("--pull/--no-pull", default=True, help="Whether to say what the sources would be asked for. [--pull]")
@format_options
def plan(every_series: bool, pull: bool, output_format: str, **options: Any) -> None:
    """Say what a run would do with each series, and why, and how long that takes; nothing is written.

    challenge: a new network will be trained, and replaces the present one only if it is no worse.
    """
    from datetime import UTC, datetime

    from forecasting.domain.settings import Settings
    from forecasting.runs import job
    from forecasting.storage.db.schema import open_migrated_database

    settings = Settings.from_environment()
    parameters = job.run_parameters(settings, moment=datetime.now(UTC), **options)
    with open_migrated_database(settings) as database:
        if pull and output_format == "table":
            _print_pulls(database, settings)
        run_plan = job.plan_run(database, parameters)
    title = f"Origin {run_plan.request.origin}, recipe {run_plan.request.recipe.name}, {len(run_plan.names)} series"
    if run_plan.published_run_id is not None:
        title += f": published as run {run_plan.published_run_id}, so that a run would do nothing"
    elif run_plan.seconds is not None:
        title += f"; about {_duration_text(run_plan.seconds)}, as earlier runs took"
    print_rows(*plan_rows(run_plan, every_series, output_format), output_format, title=title)


def _print_pulls(database: "Database", settings: "Settings") -> None:
    """Print which months a run would read from each configured source; no source is asked."""
    from datetime import UTC, datetime

    from forecasting.domain.settings import user_name
    from forecasting.intake.pulls import PullContext, first_month_to_read
    from forecasting.intake.source_settings import read_sources

    context = PullContext(datetime.now(UTC), settings.timezone, user_name())
    for source in read_sources(settings.sources_folder):
        since = first_month_to_read(database, source, context)
        click.echo(
            f"Source {source.name} would be read first: {'all months' if since is None else f'from {since} on'}."
        )


def plan_rows(run_plan: "RunPlan", every_series: bool, output_format: str) -> tuple[list[str], list[list[Any]]]:
    """Return the columns and the rows of a plan: one row per series, or one per decision and reason.

    JSON and CSV have the origin, the recipe and the seconds in each row; a table has them in its title.
    """
    from forecasting.domain.promotion_rules import CHALLENGE_REASONS

    if every_series:
        columns = ["series", "decision", "reason", "challenge", "detail"]
        rows: list[list[Any]] = [
            [name, *verdict.summary, verdict.decision_reason in CHALLENGE_REASONS, verdict.detail]
            for name, verdict in zip(run_plan.names, run_plan.verdicts, strict=True)
        ]
    else:
        columns = ["decision", "reason", "challenge", "series", "such as"]
        rows = [
            [decision, reason, decision == Decision.RETRAIN and reason in CHALLENGE_REASONS, len(names), names[0]]
            for (decision, reason), names in run_plan.series_by_verdict.items()
        ]
        rows.sort(key=lambda row: -row[3])
    if output_format == "table":
        column_index = columns.index("challenge")
        for row in rows:
            row[column_index] = "yes" if row[column_index] else ""
        return columns, rows
    request = run_plan.request
    run_values = [str(request.origin), request.recipe.name, run_plan.published_run_id, run_plan.seconds]
    return [*columns, "origin", "recipe", "published_as_run", "seconds"], [[*row, *run_values] for row in rows]


def _duration_text(seconds: float) -> str:
    return f"{seconds:.1f} seconds" if seconds < 100 else f"{seconds / 60:.0f} minutes"
