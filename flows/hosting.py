"""Milkrun on a single machine: a Prefect server, a worker and the deployments, as processes of one command."""

import asyncio
import contextlib
import os
import secrets
import signal
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

from flows.server import prepare_state_folder
from forecasting.domain.errors import EnvironmentFailure
from forecasting.domain.settings import Settings

Process = subprocess.Popen[bytes]
POOL = "milkrun"
STARTED_WITHIN = 240.0  # seconds; the first start makes the server's tables
STOPPED_WITHIN = 30.0


def environment(settings: Settings, host: str, port: int) -> dict[str, str]:
    """Return the variables of server, worker and commands; what the user has set already stays, but for the address.

    The server's state is a SQLite file under `home`, unless PREFECT_SERVER_DATABASE_CONNECTION_URL names PostgreSQL.
    """
    state = prepare_state_folder(settings.home)
    secret = os.environ.get("PREFECT_SERVER_API_AUTH_STRING") or _secret(settings.home / "prefect" / "password")
    defaults = {
        **state,
        "PREFECT_LOGGING_SERVER_LEVEL": "WARNING",
        "PREFECT_RESULTS_DEFAULT_SERIALIZER": "json",
        "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
        "PREFECT_SERVER_CONCURRENCY_LEASE_STORAGE": "prefect.server.concurrency.lease_storage.filesystem",
        "PREFECT_SERVER_SERVICES_DB_VACUUM_ENABLED": "events,flow_runs",
        "PREFECT_SERVER_SERVICES_DB_VACUUM_RETENTION_PERIOD": str(400 * 86_400),
        "PREFECT_WORKER_QUERY_SECONDS": "5",
        "PYTHONSAFEPATH": "1",  # no module of the folder it is started in stands before an installed one
    }
    return {
        **{name: os.environ.get(name, value) for name, value in defaults.items()},
        "PREFECT_API_URL": f"http://{'127.0.0.1' if host == '0.0.0.0' else host}:{port}/api",  # noqa: S104 - a comparison
        "PREFECT_API_AUTH_STRING": secret,
        "PREFECT_SERVER_API_AUTH_STRING": secret,
        "PREFECT_SERVER_API_HOST": host,
        "PREFECT_SERVER_API_PORT": str(port),
        "PREFECT_SERVER_CSRF_PROTECTION_ENABLED": "true",
        "PREFECT_SERVER_ALLOW_EPHEMERAL_MODE": "false",
    }


@contextlib.contextmanager
def running_server() -> Iterator[Process]:
    """Keep a server with the variables of this process running; raises EnvironmentFailure when it does not start."""
    with _process("server", "start") as server:
        address = f"{os.environ['PREFECT_API_URL']}/health"
        deadline = time.monotonic() + STARTED_WITHIN
        while not _answers(address):
            if server.poll() is not None or time.monotonic() > deadline:
                raise EnvironmentFailure(
                    f"The Prefect server did not start at {address}: its lines above say why. "
                    "Where the port is taken, choose another with --port."
                )
            time.sleep(0.2)
        yield server


def running_worker() -> contextlib.AbstractContextManager[Process]:
    """Keep a worker of the pool running."""
    return _process("worker", "start", "--pool", POOL, "--type", "process")


def resume_interrupted_runs() -> int:
    """Put runs that were under way when this machine or its last worker stopped back into the queue; return how many.

    To be called while no worker runs: every run that seems to be under way is then such a one.
    """
    from prefect import get_client
    from prefect.client.schemas.filters import (
        FlowRunFilter,
        FlowRunFilterState,
        FlowRunFilterStateType,
        WorkPoolFilter,
        WorkPoolFilterName,
    )
    from prefect.client.schemas.objects import StateType
    from prefect.states import AwaitingRetry

    under_way = FlowRunFilterStateType(any_=[StateType.RUNNING, StateType.PENDING, StateType.CANCELLING])

    async def resume() -> int:
        async with get_client() as client:
            flow_runs = await client.read_flow_runs(
                flow_run_filter=FlowRunFilter(state=FlowRunFilterState(type=under_way)),
                work_pool_filter=WorkPoolFilter(name=WorkPoolFilterName(any_=[POOL])),
            )
            for run in flow_runs:
                await client.set_flow_run_state(
                    run.id, AwaitingRetry(message="It was interrupted and goes on where it ended."), force=True
                )
            return len(flow_runs)

    return asyncio.run(resume())


def wait_for_the_end(stop: threading.Event, *processes: Process, announce: Callable[[str], None]) -> None:
    """Return when `stop` is set; raises EnvironmentFailure when one of the processes ends by itself."""
    while not stop.wait(0.5):
        for process in processes:
            if process.poll() is not None:
                raise EnvironmentFailure(
                    f"{' '.join(map(str, process.args[3:5]))} ended by itself with code {process.returncode}: "  # type: ignore[index]
                    "its lines above say why. Start milkrun serve again."
                )
    announce("Stopping: a run that is under way goes on at the next start.")


@contextlib.contextmanager
def _process(*arguments: str) -> Iterator[Process]:
    """Keep `prefect …` running, and end it with everything it has started."""
    command = [sys.executable, "-m", "prefect", *arguments]
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL, start_new_session=True, umask=0o077)  # noqa: S603 - our own interpreter
    try:
        yield process
    finally:
        _signal(process, signal.SIGTERM)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(STOPPED_WITHIN)
        _signal(process, signal.SIGKILL)
        process.wait()


def _signal(process: Process, number: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, number)


def _answers(address: str) -> bool:
    try:
        urllib.request.urlopen(address, timeout=5).close()  # noqa: S310 - our own server
    except (OSError, urllib.error.URLError):
        return False
    return True


def _secret(file: Path) -> str:
    """Return the user and password of the server, made at the first start and readable to its owner only."""
    try:
        if not file.exists():
            with os.fdopen(os.open(file, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "w") as stream:
                stream.write(f"milkrun:{secrets.token_urlsafe(24)}\n")
        return file.read_text().strip()
    except OSError as failure:
        raise EnvironmentFailure(
            f"The password file {file} cannot be used ({failure.strerror}): set MILKRUN_HOME to a folder you own."
        ) from None
