"""Prefect under the command line: its set-up, its end on Ctrl-C, and a bar that shows how far a flow is."""

import logging
import os
import shutil
import signal
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path

import click

from forecasting.cli.own_flows import require_own_flows
from forecasting.domain.errors import EXIT_INTERRUPTED, EnvironmentFailure, InputError

_ROOM = 16 << 20  # bytes that Prefect's own state needs to begin with


@contextmanager
def prefect_for_commands(*, log_lines: bool = True) -> Iterator[None]:
    """Set Prefect up for a run from the command line; whatever the user has set already stays."""
    from forecasting.domain.settings import Settings

    require_own_flows()
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
        check_server(os.environ["PREFECT_API_URL"])
    else:
        os.environ.pop("PREFECT_API_URL", None)
        os.environ.setdefault("PREFECT_HOME", str(Settings.from_environment().home / "prefect"))
        _require_room(Path(os.environ["PREFECT_HOME"]))
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
    except RuntimeError as failure:
        if "ephemeral" not in str(failure):
            raise
        raise EnvironmentFailure(
            f"Prefect's own server did not start; its state is in {os.environ['PREFECT_HOME']}. Repeat the command, or "
            "start a server and set PREFECT_API_URL."
        ) from None
    finally:
        signal.signal(signal.SIGINT, before)


@contextmanager
def _without_heartbeats() -> Iterator[None]:
    """Send no heartbeats to a server that ends with this command; a flow run would wait up to a second to stop them."""
    from prefect.settings import PREFECT_FLOWS_HEARTBEAT_FREQUENCY, temporary_settings

    with temporary_settings(set_defaults={PREFECT_FLOWS_HEARTBEAT_FREQUENCY: None}):
        yield


def _require_room(home: Path) -> None:
    """Raise EnvironmentFailure where Prefect's own server could not keep its state: it would be waited for for minutes."""
    home.mkdir(parents=True, exist_ok=True)
    for folder, name in ((home, "PREFECT_HOME"), (Path(tempfile.gettempdir()), "TMPDIR")):
        if shutil.disk_usage(folder).free < _ROOM:
            raise EnvironmentFailure(
                f"There is no room for Prefect's state in {folder}: free {_ROOM >> 20} MiB there, or set {name} to a folder "
                "on another disk, then repeat the command."
            )


def _stop(*_: object) -> None:
    """End at once on Ctrl-C, which ends Prefect's own server as well: unwinding would wait for it in vain."""
    from flows.server import stop_own_server
    from forecasting.storage.db.database import close_all

    signal.signal(signal.SIGINT, signal.SIG_IGN)
    click.echo("Stopped. The same command goes on where this one ended.", err=True)
    close_all()
    stop_own_server()
    os._exit(EXIT_INTERRUPTED)


def check_server(url: str) -> None:
    """Raise EnvironmentFailure unless a Prefect server answers at its address, InputError where it keeps us out."""
    import base64
    import urllib.error
    import urllib.request

    from flows.server import public_address

    secret = os.environ.get("PREFECT_API_AUTH_STRING")
    key = {"Authorization": f"Basic {base64.b64encode(secret.encode()).decode()}"} if secret else {}
    try:
        if not url.startswith(("http://", "https://")):
            raise ValueError("not a web address")
        request = urllib.request.Request(f"{url.rstrip('/')}/admin/version", headers=key)  # noqa: S310 - checked above
        urllib.request.urlopen(request, timeout=10).close()  # noqa: S310
    except urllib.error.HTTPError as refusal:
        if refusal.code == 401:
            raise InputError(
                "The Prefect server refused the credentials: set PREFECT_API_AUTH_STRING to the one it was started with."
            ) from None
    except (OSError, ValueError):
        raise EnvironmentFailure(
            f"No Prefect server answers at PREFECT_API_URL, {public_address()}: start it, correct the address "
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
