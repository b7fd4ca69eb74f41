"""milkrun status: this month at a glance; and whether the newest month is published, for a monitor."""

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import click

from forecasting.cli.output import format_options, print_rows
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
    """Show this month at a glance, and the newest runs: state, outcomes, when published.

    With --check, the exit code is 0 when the newest observed month is published, 1 when it is overdue, 2 when it is
    published but some series failed, 3 when the database cannot be reached. It needs no Prefect: a server cannot report
    its own outage. The view month_health tells the same by SQL.
    """
    from forecasting.cli.month_summary import tell_newest_round
    from forecasting.domain.settings import Settings
    from forecasting.storage.db.schema import open_migrated_database
    from forecasting.storage.views.month_health import read_newest_month
    from forecasting.storage.views.run_summaries import newest_runs

    settings = Settings.from_environment()
    with open_migrated_database(settings) as database:
        if output_format == "table" and not check:
            tell_newest_round(database)
        with database.reading() as connection:
            if check:
                newest = read_newest_month(connection)
                return _report(newest, grace, _due(settings.timezone) if current else None, output_format)
            columns, rows = newest_runs(connection, last)
    if output_format == "table":
        # What the lines above tell, and what a trigger is called, would make the table too wide for a terminal.
        kept = columns.index("scored_on")
        columns, rows = [*columns[:kept], columns[-1]], [[*row[:kept], row[-1]] for row in rows]
    print_rows(columns, rows, output_format)
    return EXIT_DONE


def _due(timezone: str) -> "Month":
    """Return the month before this one, where the installation lies."""
    from zoneinfo import ZoneInfo

    from forecasting.domain.months import Month

    return Month.containing(datetime.now(ZoneInfo(timezone))) + -1


def _report(newest: Any, grace: float, due: "Month | None", output_format: str) -> int:
    from forecasting.domain.months import Month

    if newest is None:
        return _say("overdue", "There are no observations yet.", EXIT_OVERDUE, output_format)
    month = Month.containing(newest.month)
    if due is not None and month < due:
        return _say(
            "overdue", f"The newest observation is of {month}: {due} has not arrived.", EXIT_OVERDUE, output_format
        )
    if not newest.published:
        known = (datetime.now(UTC) - newest.observed_since).total_seconds() / 3600
        sentence = f"{month} has been known for {known:.1f} h and is not published"
        if known < grace:
            return _say("waiting", f"{sentence}; it has {grace:g} h.", EXIT_DONE, output_format)
        return _say("overdue", f"{sentence}: milkrun run publishes it.", EXIT_OVERDUE, output_format)
    sentence = f"{month} is published as run {newest.run_id}"
    if newest.failed:
        return _say("failed", f"{sentence}; {newest.failed} series failed.", EXIT_SOME_SERIES_FAILED, output_format)
    return _say("published", f"{sentence}, {newest.forecast + newest.fallback} series.", EXIT_DONE, output_format)


def _say(state: str, sentence: str, code: int, output_format: str) -> int:
    if output_format == "table":
        click.echo(sentence)
    else:
        print_rows(["state", "message", "exit_code"], [[state, sentence, code]], output_format)
    return code


COMMANDS: list[click.Command] = [status]
