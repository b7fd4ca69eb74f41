"""milkrun …: the command line. Nothing heavy is imported before a command runs."""

import sys

import click

from forecasting import __version__
from forecasting.cli import backtest, demo, doctor, explain, prune, recipe, report, verify
from forecasting.cli import deploy as service
from forecasting.cli import load as data
from forecasting.cli import migrate as upkeep
from forecasting.cli import rollback as orders
from forecasting.cli import run as rounds
from forecasting.cli import show as series
from forecasting.cli import status as health
from forecasting.domain.errors import EXIT_ENVIRONMENT, EXIT_INTERRUPTED, EXIT_REFUSED, MilkrunError


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.version_option(__version__, prog_name="milkrun")
def milkrun() -> None:
    """Forecast monthly series with one LSTM each, on a schedule, into tables that anyone can query.

    The database is DATABASE_URL, or an embedded PostgreSQL under MILKRUN_HOME.
    Exit codes: 0 done, 2 some series failed, 3 environment failure (repeat the command), 4 refused.
    """


for module in (
    data,
    rounds,
    health,
    backtest,
    report,
    series,
    explain,
    orders,
    recipe,
    demo,
    service,
    upkeep,
    verify,
    doctor,
    prune,
):
    for command in module.COMMANDS:
        milkrun.add_command(command)


def main() -> None:
    """Run the command line; a user's mistake ends in one message and an exit code, never in a traceback."""
    try:
        sys.exit(milkrun(standalone_mode=False) or 0)
    except click.exceptions.Abort:
        click.echo("Stopped. The same command goes on where this one ended.", err=True)
        sys.exit(EXIT_INTERRUPTED)
    except click.ClickException as mistake:
        mistake.show()
        sys.exit(EXIT_REFUSED)
    except MilkrunError as refusal:
        click.echo(f"Error: {refusal}", err=True)
        sys.exit(refusal.exit_code)
    except OSError as failure:
        click.echo(f"Error: {failure.filename or 'the system'}: {failure.strerror or failure}.", err=True)
        sys.exit(EXIT_ENVIRONMENT)
