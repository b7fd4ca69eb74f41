"""Options that several commands share."""

import functools
from collections.abc import Callable
from typing import Any, TypeVar

import click

from forecasting.domain.vocabulary import Aggregate, RetrainPolicy

Command = TypeVar("Command", bound=Callable[..., Any])


def _decorator(*options: Callable[[Any], Any]) -> Callable[[Command], Command]:
    """Join options into one decorator; --help lists them in this order."""

    def decorate(command: Command) -> Command:
        for option in reversed(options):
            command = option(command)
        return command

    return decorate


def format_options(command: Command) -> Command:
    """Add --table, --json, --csv and --raw; the command receives `output_format`: table, json, csv or raw, which is CSV too."""

    @functools.wraps(command)
    def with_format(*arguments: Any, output_format: str, raw: bool, **options: Any) -> Any:
        is_raw = raw and output_format != "json"  # JSON always is
        return command(*arguments, output_format="raw" if is_raw else output_format, **options)

    return _format_options(with_format)  # type: ignore[return-value]


_format_options = _decorator(
    click.option("--table", "output_format", flag_value="table", default="table", help="Print a table (default)."),
    click.option("--json", "output_format", flag_value="json", help="Print a JSON array of objects."),
    click.option(
        "--csv",
        "output_format",
        flag_value="csv",
        help="Print CSV; text that a spreadsheet would take for a formula begins with '.",
    ),
    click.option("--raw", is_flag=True, help="CSV for programs: all text as it is."),
)
column_options = _decorator(
    click.option(
        "--form",
        type=click.Choice(["long", "wide"]),
        help="One row per observation, or one column per series. [found from the columns]",
    ),
    click.option("--series-column", help="Column with the name of the series. [series, unique_id, id or name]"),
    click.option("--month-column", help="Column with the month. [month, ds or date]"),
    click.option("--value-column", help="Column with the value. [value or y]"),
    click.option("--unit-column", help="Column with the unit. [unit]"),
    click.option("--series", metavar="NAME", help="The one series of a source without a column for it."),
    click.option("--unit", help="The unit of every value."),
    click.option("--where", multiple=True, metavar="COLUMN=TEXT", help="Take only these rows; may be repeated."),
    click.option("--time-zone", metavar="NAME", help="Where moments that state their offset from UTC get their month."),
    click.option(
        "--aggregate",
        type=click.Choice([*map(str, Aggregate)]),
        help="Join the values of one month, such as those of its days. [different values are rejected]",
    ),
)
_load_options = _decorator(
    click.option("--strict", is_flag=True, help="Store nothing if any row is rejected."),
    click.option("--dry-run", is_flag=True, help="Check everything and report; store nothing."),
    click.option("--json", "as_json", is_flag=True, help="Print the result as a JSON object."),
)


def intake_options(command: Command) -> Command:
    """Add the options of load and pull."""
    return column_options(_load_options(command))


origin_option = click.option("--origin", metavar="YYYY-MM", help="Last month that may be used (default: the newest).")
run_options = _decorator(
    click.option("--series", multiple=True, metavar="NAME", help="Only this series; may be repeated."),
    click.option("--recipe", metavar="NAME", help="Recipe (default: MILKRUN_RECIPE, or monthly)."),
    click.option(
        "--retrain",
        type=click.Choice([*map(str, RetrainPolicy)]),
        default=str(RetrainPolicy.AUTO),
        show_default=True,
        help="auto: where a network is missing, old or has become worse.",
    ),
    click.option("--late-months", type=click.IntRange(0), metavar="N", help="Months a series may be late."),
)
submit_option = click.option(
    "--submit", is_flag=True, help="Leave it to a worker of the server at PREFECT_API_URL and return at once."
)
promotion_options = _decorator(
    click.argument("series", required=False),
    click.option("--shared", is_flag=True, help="Instead of a SERIES: the networks that all series share."),
    click.option("--why", required=True, metavar="TEXT", help="Why; kept with the order."),
    click.option("--by", metavar="NAME", help="Who orders it. [the user of the system]"),
)
notify_option = click.option(
    "--notify",
    multiple=True,
    envvar="MILKRUN_NOTIFY",
    show_envvar=True,
    metavar="TYPE/NAME",
    help="Notification block of the server that is told of failed runs, such as slack-webhook/operations; repeatable.",
)
