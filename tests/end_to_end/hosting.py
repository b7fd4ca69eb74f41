"""A hosted Milkrun for tests: processes as an installation has them, and the API as the UI speaks to it."""

import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import yaml
from sqlalchemy import URL

from forecasting.domain.settings import Settings

AUTHENTICATION = "milkrun:correct horse"
DEPLOY = ("deploy", "--notify", "custom-webhook/operations")
PATIENCE = 300.0  # seconds, for whatever takes a few on an idle machine
Process = subprocess.Popen[bytes]


@dataclass
class Hosting:
    """A server's address and state, and the processes started so far."""

    folder: Path
    database: URL
    port: int
    processes: list[Process] = field(default_factory=list)

    @property
    def api_url(self) -> str:
        """The address that workers and commands are given."""
        return f"http://127.0.0.1:{self.port}/api"

    def environment(self, settings: Settings | None = None, **extra: str) -> dict[str, str]:
        """Return the environment of a worker or a command, of the forecast database of `settings`."""
        own = {name: value for name, value in os.environ.items() if not name.startswith(("PREFECT_", "MILKRUN_"))}
        if settings is not None:
            own |= {
                "DATABASE_URL": str(settings.database_url),
                "MILKRUN_HOME": str(settings.home),
                "MILKRUN_RECIPE": "classic",
            }
        return {
            **own,
            "PATH": f"{Path(sys.executable).parent}:{own['PATH']}",
            "PREFECT_HOME": str(self.folder),
            "PREFECT_API_URL": self.api_url,
            "PREFECT_API_AUTH_STRING": AUTHENTICATION,
            "PREFECT_SERVER_ALLOW_EPHEMERAL_MODE": "false",
            "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
            "PREFECT_WORKER_QUERY_SECONDS": "1",
            "DO_NOT_TRACK": "1",
            **extra,
        }

    def start_server(self) -> Process:
        """Start the server and wait until it answers; its state lies in PostgreSQL, so it may be started again."""
        known = {name: self.database.query[name] for name in ("host", "port") if name in self.database.query}
        url = self.database.set(drivername="postgresql+asyncpg", query=known)  # it takes no other options of libpq
        replaced = {"0.0.0.0": "127.0.0.1", "4200": str(self.port)}  # noqa: S104 - inside a container
        server = self.start(
            "server",
            [replaced.get(word, word) for word in shipped_command("server")],
            self.environment(
                PREFECT_SERVER_API_AUTH_STRING_FILE=self.secret("prefect_password", AUTHENTICATION),
                PREFECT_SERVER_CSRF_PROTECTION_ENABLED="true",
                PREFECT_SERVER_DATABASE_CONNECTION_URL_FILE=self.secret(
                    "prefect_database_url", url.render_as_string(hide_password=False)
                ),
                PREFECT_SERVER_SERVICES_SCHEDULER_LOOP_SECONDS="5",
                PREFECT_SERVER_CONCURRENCY_INITIAL_DEPLOYMENT_LEASE_DURATION="30",
                PREFECT_SERVER_CONCURRENCY_LEASE_STORAGE="prefect.server.concurrency.lease_storage.filesystem",
                PREFECT_SERVER_DEPLOYMENTS_CONCURRENCY_SLOT_WAIT_SECONDS="2",
            ),
        )
        wait_until(lambda: server.poll() is not None or self._answers(), "the server answers")
        assert server.poll() is None, self.log("server")
        return server

    def start_worker(self, settings: Settings, **extra: str) -> Process:
        """Start a process worker for the forecast database of `settings`."""
        environment = self.environment(settings, **extra)
        for name in ("DATABASE_URL", "PREFECT_API_AUTH_STRING"):
            environment[f"{name}_FILE"] = self.secret(name.lower(), environment.pop(name))
        return self.start("worker", shipped_command("worker"), environment)

    def secret(self, name: str, value: str) -> str:
        """Write a secret into a file, as compose.yaml hands it over, and return its path."""
        file = self.folder / name
        file.write_text(value)
        return str(file)

    def start(self, name: str, command: list[str], environment: dict[str, str]) -> Process:
        """Start a process in a session of its own, its output in a log file."""
        with (self.folder / f"{name}.log").open("ab") as log:
            process = subprocess.Popen(command, env=environment, stdout=log, stderr=log, start_new_session=True)
        self.processes.append(process)
        return process

    def stop(self, process: Process, how: signal.Signals = signal.SIGTERM) -> None:
        """End a process and what it has started."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, how)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(timeout=20)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait(timeout=20)

    def milkrun(self, settings: Settings | None, *arguments: str, **extra: str) -> subprocess.CompletedProcess[str]:
        """Run `milkrun …` against this server."""
        command = [sys.executable, "-c", "from forecasting.cli import main; main()", *arguments]
        environment = self.environment(settings, **extra)
        return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=300, check=False)

    def log(self, name: str) -> str:
        """Return what a kind of process has printed."""
        return (self.folder / f"{name}.log").read_text(errors="replace")

    def _answers(self) -> bool:
        try:
            return httpx.get(f"{self.api_url}/health", timeout=2).status_code == 200
        except httpx.TransportError:
            return False


def shipped_command(service: str) -> list[str]:
    """Return the command that a service of compose.yaml runs in its container, entry point included."""
    services = yaml.safe_load(Path("deploy/compose.yaml").read_text())["services"]
    return [str(Path("deploy/with-secrets").resolve()), *map(str, services[service]["command"])]


class Api:
    """The server's API with the credentials and the CSRF token that the UI sends."""

    def __init__(self, hosting: Hosting) -> None:
        user, password = AUTHENTICATION.split(":")
        self.client = httpx.Client(base_url=hosting.api_url, auth=(user, password), timeout=30)
        visitor = str(uuid.uuid4())
        token = self.client.get("/csrf-token", params={"client": visitor}).json()["token"]
        self.client.headers.update({"Prefect-Csrf-Client": visitor, "Prefect-Csrf-Token": token})

    def get(self, path: str) -> Any:
        """Read one object."""
        return self.client.get(path).raise_for_status().json()

    def find(self, kind: str, **filters: Any) -> Any:
        """Read the objects that a filter gives."""
        return self.client.post(f"/{kind}/filter", json=filters).raise_for_status().json()

    def deployment(self, name: str) -> Any:
        """Read a deployment by flow/name."""
        return self.get(f"/deployments/name/{name}")

    def trigger(self, name: str, **parameters: Any) -> httpx.Response:
        """Press Submit on the form of a deployment."""
        path = f"/deployments/{self.deployment(name)['id']}/create_flow_run"
        return self.client.post(
            path, json={"parameters": parameters, "enforce_parameter_schema": True, "state": {"type": "SCHEDULED"}}
        )

    def run(self, name: str, **parameters: Any) -> str:
        """Press Submit and return the id of the flow run."""
        return str(self.trigger(name, **parameters).raise_for_status().json()["id"])

    def retry(self, flow_run_id: str) -> None:
        """Press Retry on the page of a flow run."""
        state = {"type": "SCHEDULED", "name": "AwaitingRetry", "message": "Retry from the UI"}
        path = f"/flow_runs/{flow_run_id}/set_state"
        self.client.post(path, json={"state": state, "force": True}).raise_for_status()

    def state(self, flow_run_id: str) -> str:
        """Return the type of a flow run's state, such as COMPLETED."""
        return str(self.get(f"/flow_runs/{flow_run_id}")["state_type"])

    def wait_for(self, flow_run_id: str, *states: str, seconds: float = PATIENCE) -> Any:
        """Wait until a flow run is in one of the states, and return it."""
        wait_until(lambda: self.state(flow_run_id) in states, f"the run is {' or '.join(states)}", seconds)
        return self.get(f"/flow_runs/{flow_run_id}")

    def artifacts(self, flow_run_id: str) -> dict[str, Any]:
        """Return the artifacts of a flow run by key."""
        found = self.find("artifacts", artifacts={"flow_run_id": {"any_": [flow_run_id]}})
        return {artifact["key"]: artifact for artifact in found}

    def save_webhook(self, name: str, data: dict[str, Any]) -> None:
        """Make a notification block as the page Blocks of the UI does."""
        kind = self.get("/block_types/slug/custom-webhook")
        [schema] = self.find("block_schemas", block_schemas={"block_type_id": {"any_": [kind["id"]]}})[:1]
        document = {"name": name, "data": data, "block_type_id": kind["id"], "block_schema_id": schema["id"]}
        self.client.post("/block_documents/", json=document).raise_for_status()

    def close(self) -> None:
        """End the visit."""
        self.client.close()

    def log(self, flow_run_id: str) -> list[str]:
        """Return the log lines of a flow run."""
        return [line["message"] for line in self.find("logs", logs={"flow_run_id": {"any_": [flow_run_id]}})]


def wait_until(happened: Callable[[], object], what: str, seconds: float = PATIENCE) -> None:
    """Wait for something, and say what did not happen in time."""
    deadline = time.monotonic() + seconds
    while not happened():
        assert time.monotonic() < deadline, f"In {seconds:.0f} s this did not happen: {what}."
        time.sleep(0.25)


@contextlib.contextmanager
def hosted(folder: Path, database: URL) -> Iterator[Hosting]:
    """Host a server on an empty database, and end every process that was started."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    hosting = Hosting(folder, database, port)
    try:
        hosting.start_server()
        yield hosting
    finally:
        for process in reversed(hosting.processes):
            hosting.stop(process, signal.SIGTERM)
