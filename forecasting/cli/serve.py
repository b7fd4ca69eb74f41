"""milkrun serve: a Prefect server with its schedule and a worker, on this machine."""

import os
import threading
from typing import TYPE_CHECKING

import click

from forecasting.cli.options import notify_option
from forecasting.cli.own_flows import require_own_flows
from forecasting.cli.signals import end_orderly_by

if TYPE_CHECKING:
    from forecasting.domain.settings import Settings


@click.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen at; put TLS before any other.")
@click.option("--port", default=4200, show_default=True, type=click.IntRange(1, 65535), help="Port of the UI.")
@notify_option
def serve(host: str, port: int, notify: tuple[str, ...]) -> None:
    """Host everything on this machine: a Prefect server, its UI, the schedule and a worker, until it is stopped.

    Forecasts go to DATABASE_URL or to the embedded database, which stays running meanwhile; the server keeps its own
    state under MILKRUN_HOME. The UI asks for a password, which is in a file there.
    """
    require_own_flows()
    from flows import hosting
    from forecasting.domain.settings import Settings
    from forecasting.storage.db.schema import open_migrated_database

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
            stop = threading.Event()
            end_orderly_by(stop.set)
            hosting.wait_for_the_end(stop, server, worker, announce=click.echo)


def _password_place(settings: "Settings") -> str:
    file = settings.home / "prefect" / "password"
    return str(file) if file.exists() else "PREFECT_SERVER_API_AUTH_STRING"
