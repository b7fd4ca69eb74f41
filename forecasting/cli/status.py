"""milkrun status: the newest runs; and whether the newest month is published, for a monitor."""

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import click

from forecasting.cli.options import format_options
from forecasting.cli.output import print_rows
from forecasting.domain.errors import EXIT_DONE, EXIT_OVERDUE, EXIT_SOME_SERIES_FAILED

if TYPE_CHECKING:
    from forecasting.domain.months import Month


@click.command()
@click.option("--last", default=5, show_default=True, type=click.IntRange(1), help="How many runs.")
@click.option("--check", is_flag=True, help="Only say whether the newest month is published, by exit code as well.")
@click.option(
    "--grace",
    default=0.0,
    type=click.FloatRange(0),
    metavar="HOURS",
    help="With --check: how long a month may be known before it must be published.",
)
@click.option(
    "--current", is_flag=True, help="With --check: the month before this one must have been observed as well."
)
@format_options
def status(last: int, check: bool, grace: float, current: bool, output_format: str) -> int:
    """Show how the newest run ended, and a table of the newest runs: state, outcomes, when published.

    With --check, the exit code is 0 when the newest observed month is published, 1 when it is overdue, 2 when it is
    published but some series failed, 3 when the database cannot be reached. It needs no Prefect: a server cannot report
    its own outage. The view month_health has the same for SQL.
    """
    from forecasting.cli.newest_run import print_newest_run
    from forecasting.domain.months import due_month
    from forecasting.domain.settings import Settings
    from forecasting.storage.db.schema import open_migrated_database
    from forecasting.storage.views.months import read_newest_month_health
    from forecasting.storage.views.runs import read_run_summaries

    settings = Settings.from_environment()
    with open_migrated_database(settings) as database:
        if output_format == "table" and not check:
            print_newest_run(database)
        with database.reading() as connection:
            if check:
                health = read_newest_month_health(connection)
                due = due_month(datetime.now(UTC), settings.timezone) if current else None
                return _print_check(health, grace, due, output_format)
            columns, rows = read_run_summaries(connection, last)
    if output_format == "table":
        # The other columns would make the table too wide for a terminal; the lines above have their values.
        scored_on_index = columns.index("scored_on")
        columns, rows = [*columns[:scored_on_index], columns[-1]], [[*row[:scored_on_index], row[-1]] for row in rows]
    print_rows(columns, rows, output_format)
    return EXIT_DONE


def _print_check(health: Any, grace_hours: float, due: "Month | None", output_format: str) -> int:
    """Print whether the newest observed month is published; returns the exit code.

    health: its row of month_health, None without observations. grace_hours: how long the month may be known before it must be
    published. due: the month that must have been observed, None where any will do.
    """
    from forecasting.domain.months import Month

    if health is None:
        return _print_state("overdue", "There are no observations yet.", EXIT_OVERDUE, output_format)
    month = Month.containing(health.month)
    if due is not None and month < due:
        return _print_state(
            "overdue", f"The newest observation is of {month}: {due} has not arrived.", EXIT_OVERDUE, output_format
        )
    if not health.published:
        hours = (datetime.now(UTC) - health.observed_since).total_seconds() / 3600
        sentence = f"{month} has been known for {hours:.1f} h and is not published"
        if hours < grace_hours:
            return _print_state("waiting", f"{sentence}; it has {grace_hours:g} h.", EXIT_DONE, output_format)
        return _print_state("overdue", f"{sentence}: milkrun run publishes it.", EXIT_OVERDUE, output_format)
    sentence = f"{month} is published as run {health.run_id}"
    if health.failed:
        return _print_state(
            "failed", f"{sentence}; {health.failed} series failed.", EXIT_SOME_SERIES_FAILED, output_format
        )
    return _print_state(
        "published", f"{sentence}, {health.forecast + health.fallback} series.", EXIT_DONE, output_format
    )


def _print_state(state: str, sentence: str, exit_code: int, output_format: str) -> int:
    if output_format == "table":
        click.echo(sentence)
    else:
        print_rows(["state", "message", "exit_code"], [[state, sentence, exit_code]], output_format)
    return exit_code
