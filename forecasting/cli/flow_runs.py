"""Prefect under the command line: its set-up, its end on Ctrl-C, and a bar that shows how far a flow is."""

import logging
import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext

import click

from forecasting.errors import EXIT_INTERRUPTED, EnvironmentFailure


@contextmanager
def prefect_for_commands(*, log_lines: bool = True) -> Iterator[None]:
    """Set Prefect up for a run from the command line; whatever the user has set already stays."""
    from forecasting.settings import Settings

    for name, value in (
        ("PREFECT_LOGGING_LEVEL", "CRITICAL"),
        ("PREFECT_LOGGING_INTERNAL_LEVEL", "CRITICAL"),
        ("PREFECT_SERVER_EPHEMERAL_STARTUP_TIMEOUT_SECONDS", "240"),
        ("PREFECT_SERVER_ANALYTICS_ENABLED", "false"),
        ("TF_CPP_MIN_LOG_LEVEL", "3"),
    ):
        os.environ.setdefault(name, value)
    watched = bool(os.environ.get("PREFECT_API_URL"))
    if watched:
        _check_server(os.environ["PREFECT_API_URL"])
    else:
        os.environ.pop("PREFECT_API_URL", None)
        os.environ.setdefault("PREFECT_HOME", str(Settings.from_environment().home / "prefect"))
    if log_lines and not sys.stderr.isatty():
        lines = logging.StreamHandler(sys.stderr)
        lines.setFormatter(logging.Formatter("%(asctime)s %(message)s"))
        for package in ("flows", "forecasting"):
            logger = logging.getLogger(package)
            logger.addHandler(lines)
            logger.setLevel(logging.INFO)
            logger.propagate = False  # Prefect's handlers would print each line again
    before = signal.signal(signal.SIGINT, _stop)
    try:
        with nullcontext() if watched else _without_heartbeats():
            yield
    finally:
        signal.signal(signal.SIGINT, before)


@contextmanager
def _without_heartbeats() -> Iterator[None]:
    """Send no heartbeats to a server that ends with this command; a flow run would wait up to a second to stop them."""
    from prefect.settings import PREFECT_FLOWS_HEARTBEAT_FREQUENCY, temporary_settings

    with temporary_settings(set_defaults={PREFECT_FLOWS_HEARTBEAT_FREQUENCY: None}):
        yield


def _stop(*_: object) -> None:
    """End at once on Ctrl-C, which ends Prefect's own server as well: unwinding would wait for it in vain."""
    from flows.server import stop_own_server
    from forecasting.storage.database import close_all

    signal.signal(signal.SIGINT, signal.SIG_IGN)
    click.echo("Stopped. The same command goes on where this one ended.", err=True)
    close_all()
    stop_own_server()
    os._exit(EXIT_INTERRUPTED)


def _check_server(url: str) -> None:
    """Raise EnvironmentFailure unless something answers at the address of a Prefect server."""
    import urllib.error
    import urllib.request

    try:
        if not url.startswith(("http://", "https://")):
            raise ValueError(url)
        urllib.request.urlopen(f"{url.rstrip('/')}/health", timeout=10).close()  # noqa: S310 - the scheme is checked
    except urllib.error.HTTPError:
        return  # it answers; what it thinks of the visitor is for Prefect's client to find out
    except (OSError, ValueError):
        raise EnvironmentFailure(
            f"No Prefect server answers at PREFECT_API_URL, {url}: start it, correct the address "
            "(http://host:4200/api), or unset the variable to run without a server."
        ) from None


@contextmanager
def progress_bar(title: str) -> Iterator[None]:
    """Draw a bar on a terminal; elsewhere the log lines of the flow tell the progress."""
    if not sys.stderr.isatty():
        yield
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    from flows.progress import listener

    words, count = TextColumn("{task.description}"), (MofNCompleteColumn(), TextColumn("series"), TimeElapsedColumn())
    with Progress(words, BarColumn(), *count, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(title, total=None)
        token = listener.set(lambda done, total: bar.update(task, completed=done, total=total))
        try:
            yield
        finally:
            listener.reset(token)
