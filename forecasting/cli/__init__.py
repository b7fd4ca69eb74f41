"""milkrun …: the command line. Nothing heavy is imported before a command runs."""

import sys
from importlib import import_module

import click

from forecasting.cli.output import printable
from forecasting.cli.signals import stop_on_signals
from forecasting.domain.errors import EXIT_ENVIRONMENT, EXIT_INTERRUPTED, EXIT_REFUSED, MilkrunError
from forecasting.domain.version import __version__

# `milkrun load` is the function `load` in load.py, and so on.
COMMANDS = (
    "backfill", "backtest", "backup", "delivery", "demo", "deploy", "doctor", "explain", "history", "load", "migrate", "plan",
    "plot", "policy", "promote", "prune", "pull", "recipe", "report", "restore", "rollback", "run", "serve", "show", "source",
    "sql", "status", "verify",
)  # fmt: skip


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.version_option(__version__, prog_name="milkrun")
def milkrun() -> None:
    """Forecast monthly series with one LSTM each, on a schedule, into tables that anyone can query.

    The database is DATABASE_URL, or an embedded PostgreSQL under MILKRUN_HOME.
    Exit codes: 0 done, 2 some series failed, 3 environment failure (repeat the command), 4 refused, 128 + n ended by signal n.
    """


for name in COMMANDS:
    milkrun.add_command(getattr(import_module(f"forecasting.cli.{name}"), name))


def main() -> None:
    """Run the command line; a user's mistake ends in one message and an exit code, never in a traceback."""
    stop_on_signals()
    try:
        sys.exit(milkrun(standalone_mode=False) or 0)
    except click.exceptions.Abort:
        click.echo("Stopped. The same command goes on where this one ended.", err=True)
        sys.exit(EXIT_INTERRUPTED)
    except click.ClickException as mistake:
        mistake.show()
        sys.exit(EXIT_REFUSED)
    except MilkrunError as refusal:
        click.echo(printable(f"Error: {refusal}"), err=True)
        sys.exit(refusal.exit_code)
    except OSError as failure:
        click.echo(printable(f"Error: {failure.filename or 'the system'}: {failure.strerror or failure}."), err=True)
        sys.exit(EXIT_ENVIRONMENT)
