"""Prefect within a command: its set-up, and a bar that shows the progress of a flow."""

import logging
import os
import secrets
import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from functools import cache
from pathlib import Path

from forecasting.cli.own_flows import require_own_flows
from forecasting.cli.prefect_server import check_server
from forecasting.domain.errors import EnvironmentFailure

_SERVER_FAILURES = ("Failed to reach API", "ephemeral")  # in a RuntimeError of Prefect, which has no type of its own
_FREE_BYTES = 16 << 20  # the space on disk that the state of a new Prefect server needs


@contextmanager
def prefect_for_commands(*, log_lines: bool = True) -> Iterator[None]:
    """Set Prefect up for the flows of a command; variables that the user has set stay as they are.

    log_lines: also write the log lines of flows to standard error, where that is no terminal. Raises EnvironmentFailure where
    Prefect's own server does not start, or a server does not answer, at the beginning or later.
    """
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
    has_server = bool(os.environ.get("PREFECT_API_URL"))
    if has_server:
        os.environ.setdefault("PREFECT_API_REQUEST_TIMEOUT", "15")  # seconds; Prefect asks six times
        check_server(os.environ["PREFECT_API_URL"])
    else:
        os.environ.pop("PREFECT_API_URL", None)
        if "PREFECT_HOME" not in os.environ:
            from flows.server import prepare_state_folder

            for name, value in prepare_state_folder(Settings.from_environment().home).items():
                os.environ.setdefault(name, value)
        _require_free_space(Path(os.environ["PREFECT_HOME"]))
    if log_lines and not sys.stderr.isatty():
        handler = logging.StreamHandler(sys.stderr)
        handler.setFormatter(logging.Formatter("%(asctime)s %(message)s"))
        for package in ("flows", "forecasting"):
            logger = logging.getLogger(package)
            logger.addHandler(handler)
            logger.setLevel(logging.INFO)
            logger.propagate = False  # Prefect's handlers would print each line again
    import httpx

    try:
        with nullcontext() if has_server else _own_server_settings():
            yield
    except (httpx.HTTPError, RuntimeError) as failure:
        if isinstance(failure, RuntimeError) and not any(words in str(failure) for words in _SERVER_FAILURES):
            raise
        raise _server_failure(failure, has_server) from None


def _server_failure(failure: Exception, has_server: bool) -> EnvironmentFailure:
    """Return the failure of a Prefect server that did not start, vanished, or answers no longer, as an error of Milkrun."""
    if has_server:
        from flows.server import public_address

        return EnvironmentFailure(
            f"The Prefect server at PREFECT_API_URL, {public_address()}, answers no longer ({type(failure).__name__}): see "
            "that it runs, then repeat the command. It goes on where this one ended."
        )
    return EnvironmentFailure(
        f"Prefect's own server did not start or ended; its state is in {os.environ['PREFECT_HOME']}. Repeat the command, or "
        "start a server and set PREFECT_API_URL."
    )


@contextmanager
def _own_server_settings() -> Iterator[None]:
    """Give the server that ends with this command a random password, which the environment of that server has alone.

    Heartbeats are not sent to it: a flow run waits up to a second to stop them.
    """
    from prefect import settings

    passwords = {
        settings.PREFECT_API_AUTH_STRING: _own_password(),
        settings.PREFECT_SERVER_API_AUTH_STRING: _own_password(),
    }
    heartbeats = {settings.PREFECT_FLOWS_HEARTBEAT_FREQUENCY: None}
    with settings.temporary_settings(updates=passwords, set_defaults=heartbeats):
        yield


@cache
def _own_password() -> str:
    return f"milkrun:{secrets.token_urlsafe(24)}"


def _require_free_space(home: Path) -> None:
    """Raise EnvironmentFailure without space for the state of Prefect's own server: its start would hang for minutes."""
    home.mkdir(parents=True, exist_ok=True)
    for folder, name in ((home, "PREFECT_HOME"), (Path(tempfile.gettempdir()), "TMPDIR")):
        if shutil.disk_usage(folder).free < _FREE_BYTES:
            raise EnvironmentFailure(
                f"There is no room for Prefect's state in {folder}: free {_FREE_BYTES >> 20} MiB there, or set {name} to a "
                "folder on another disk, then repeat the command."
            )


@contextmanager
def progress_bar(title: str) -> Iterator[None]:
    """Draw a progress bar on a terminal; elsewhere the log lines of the flow show the progress."""
    if not sys.stderr.isatty():
        yield
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    from flows.progress import listener

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("series"),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(title, total=None)
        token = listener.set(lambda completed, total: bar.update(task, completed=completed, total=total))
        try:
            yield
        finally:
            listener.reset(token)
