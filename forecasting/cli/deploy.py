"""milkrun deploy, serve: Milkrun in a Prefect server, and one of its own; runs that are submitted to one."""

import os
import signal
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from forecasting.cli.output import format_options, print_rows
from forecasting.cli.own_flows import require_own_flows
from forecasting.cli.prefect_session import prefect_for_commands
from forecasting.domain.errors import InputError

if TYPE_CHECKING:
    from forecasting.domain.settings import Settings


_notify_option = click.option(
    "--notify",
    multiple=True,
    envvar="MILKRUN_NOTIFY",
    show_envvar=True,
    metavar="TYPE/NAME",
    help="Notification block of the server that is told of failed runs, such as slack-webhook/operations; repeatable.",
)


@click.command()
@click.option(
    "--file",
    type=click.Path(path_type=Path, dir_okay=False),
    help="A prefect.yaml of your own (default: the one of this release).",
)
@_notify_option
@click.option(
    "--stuck-after",
    type=click.IntRange(90),
    default=180,
    show_default=True,
    metavar="SECONDS",
    help="A run without a sign of life for so long is called crashed.",
)
@format_options
def deploy(file: Path | None, notify: tuple[str, ...], stuck_after: int, output_format: str) -> None:
    """Apply work pool, deployments, schedules and automations to the server at PREFECT_API_URL.

    It may be repeated: there is always one of each, and a schedule that was paused by hand stays paused. Deployments that an
    earlier state of Milkrun left under the flows `monthly` and `backfill` are replaced.
    """
    require_server("milkrun deploy")
    with prefect_for_commands(log_lines=False):
        from flows.deployments import deploy as apply
        from flows.deployments import packaged_file
        from forecasting.domain.settings import Settings

        deployments = apply(
            Settings.from_environment(),
            file or packaged_file(),
            announce=partial(click.echo, err=True),
            notify=notify,
            stuck_after=stuck_after,
        )
    rows = [[each.name, each.schedule, "paused" if each.paused else "active"] for each in deployments]
    print_rows(["deployment", "schedule", "state"], rows, output_format)
    if output_format == "table" and not notify:
        click.echo("Nobody is told of failed runs: name a notification block with --notify or MILKRUN_NOTIFY.")


@click.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen at; put TLS before any other.")
@click.option("--port", default=4200, show_default=True, type=click.IntRange(1, 65535), help="Port of the UI.")
@_notify_option
def serve(host: str, port: int, notify: tuple[str, ...]) -> None:
    """Host everything on this machine: a Prefect server, its UI, the schedule and a worker, until it is stopped.

    Forecasts go to DATABASE_URL or to the embedded database, which stays running meanwhile; the server keeps its own
    state under MILKRUN_HOME. The UI asks for a password, which is in a file there.
    """
    require_own_flows()
    from flows import hosting
    from forecasting.domain.settings import Settings
    from forecasting.storage.db.schema import open_migrated_database

    signal.signal(signal.SIGTERM, signal.default_int_handler)
    settings = Settings.from_environment()
    os.environ.update(hosting.environment(settings, host, port))
    with open_migrated_database(settings), hosting.running_server() as server:
        from flows.deployments import deploy as apply
        from flows.deployments import packaged_file

        # First, so that those of deployments under earlier names go on under the present ones.
        interrupted = hosting.resume_interrupted_runs()
        apply(settings, packaged_file(), announce=click.echo, notify=notify)
        with hosting.running_worker() as worker:
            if interrupted:
                click.echo(f"Interrupted runs that go on: {interrupted}.")
            click.echo(f"Serving at http://{host}:{port} until Ctrl-C. User and password: {_password_place(settings)}")
            hosting.wait_for_the_end(server, worker, announce=click.echo)


def _password_place(settings: "Settings") -> str:
    file = settings.home / "prefect" / "password"
    return str(file) if file.exists() else "PREFECT_SERVER_API_AUTH_STRING"


def submit(deployment: str, parameters: dict[str, Any], output_format: str) -> None:
    """Ask the server for a run of a deployment, and print the flow run that a worker will take up."""
    require_server("--submit")
    with prefect_for_commands(log_lines=False):
        from flows import deployments

        name, flow_run_id = deployments.submit(deployment, parameters)
    print_rows(["flow_run", "id", "deployment"], [[name, flow_run_id, deployment]], output_format)


def require_server(command: str) -> None:
    """Raise InputError unless the address of a Prefect server is set."""
    if not os.environ.get("PREFECT_API_URL"):
        raise InputError(
            f"{command} needs a Prefect server: set PREFECT_API_URL, such as http://127.0.0.1:4200/api, "
            "or start everything at once with milkrun serve."
        )


COMMANDS: list[click.Command] = [deploy, serve]
