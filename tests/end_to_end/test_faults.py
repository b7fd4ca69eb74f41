"""Tests of double triggers and kills on a hosted Milkrun: each ends in one publication, with an undisturbed run's numbers."""

import os
import signal
import threading
from collections.abc import Callable, Iterator, Sequence
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from forecasting.domain.settings import Settings
from forecasting.intake.loads import LoadResult
from forecasting.runs import job
from forecasting.storage.db.database import Database
from tests.end_to_end.hosting import DEPLOY, Api, Hosting, Process, wait_until

pytestmark = [pytest.mark.slow, pytest.mark.long, pytest.mark.timeout(1800)]
Arrive = Callable[..., LoadResult]
SERIES, SHARD = 24, "1"
SECONDS_UNTIL_STUCK = 90


def read(database: Database, query: str) -> Sequence[Any]:
    """Read rows."""
    with database.reading() as connection:
        return connection.execute(text(query)).all()


@pytest.fixture
def panel(arrive: Arrive, milk: list[float]) -> None:
    """Load a panel of many shards, so that there is time to disturb its run."""
    arrive("1962-01", **{f"region {number}": [value + number for value in milk] for number in range(SERIES)})


@pytest.fixture
def publish_undisturbed(database: Database, settings: Settings) -> Callable[[], str]:
    """Give a function that trains and publishes the same month again, undisturbed and in one shard; it returns the digest."""

    def publish() -> str:
        asked = job.run_parameters(settings, recipe="classic", retrain="always")
        run = job.open_run(database, asked)
        for number in run.request.shard_numbers:
            job.run_shard(database, run, number)
        job.publish_run(database, run)
        return digest(database, run.run_id)

    return publish


def digest(database: Database, run_id: int) -> str:
    """Digest the forecasts, scores and outcomes of a run; decisions aside, which know what was there before."""
    [row] = read(
        database,
        f"""
        SELECT md5(string_agg(line, '|' ORDER BY line)) AS digest FROM (
            SELECT concat_ws(',', series_id, horizon, month, value, seasonal_naive) AS line
            FROM milkrun.forecast WHERE run_id = {run_id}
            UNION ALL SELECT concat_ws(',', series_id, split, horizon, n, rmse, baseline_rmse, skill)
            FROM milkrun.rmse_history WHERE run_id = {run_id}
            UNION ALL SELECT concat_ws(',', series_id, outcome, reason, method)
            FROM milkrun.run_series WHERE run_id = {run_id}) lines
        """,
    )
    return str(row.digest)


def shards_written(database: Database) -> int:
    """Count the shards committed so far."""
    return len(read(database, "SELECT 1 FROM milkrun.run_shard"))


def assert_published_once(database: Database, publish_undisturbed: Callable[[], str]) -> None:
    """Check that one live run exists, is published and complete, and has the numbers of an undisturbed one."""
    [run] = read(database, "SELECT * FROM milkrun.run_health WHERE kind = 'live'")
    assert (run.state, run.series, run.forecast) == ("published", SERIES, SERIES)
    assert len(read(database, f"SELECT 1 FROM milkrun.forecast WHERE run_id = {run.run_id}")) == 12 * SERIES
    assert digest(database, run.run_id) == publish_undisturbed()


def child_of(worker: Process) -> int:
    """Return the process that runs the flow under a worker."""
    found: list[int] = []

    def look() -> bool:
        children = Path(f"/proc/{worker.pid}/task/{worker.pid}/children").read_text().split()
        threads = Path(f"/proc/{worker.pid}/task").iterdir()
        children += [child for thread in threads for child in (thread / "children").read_text().split()]
        found.extend(int(child) for child in children if b"prefect" in Path(f"/proc/{child}/cmdline").read_bytes())
        return bool(found)

    wait_until(look, "the worker has started the flow's process")
    return found[0]


def finish(api: Api, flow_run: str) -> None:
    """Wait until a disturbed run has ended, and press Retry unless it ended well."""
    if api.wait_for(flow_run, "COMPLETED", "FAILED", "CRASHED", seconds=400)["state_type"] != "COMPLETED":
        api.retry(flow_run)
        api.wait_for(flow_run, "COMPLETED", seconds=400)


def begin(
    work: Callable[..., Process], api: Api, database: Database, *, name: str = "milkrun-monthly/monthly"
) -> tuple[Process, str]:
    """Start a worker and a run, and wait until some of its shards are written."""
    worker = work(MILKRUN_SHARD_SIZE=SHARD)
    flow_run = api.run(name)
    wait_until(lambda: shards_written(database) >= 2, "two shards are written", 400)
    return worker, flow_run


@pytest.mark.usefixtures("panel")
def test_a_schedule_twice_a_click_and_a_command_at_once(
    deployed: Hosting,
    api: Api,
    work: Callable[..., Process],
    database: Database,
    settings: Settings,
    publish_undisturbed: Callable[[], str],
) -> None:
    """Two runs of one deployment, one of another and one from the command line share the work of one publication."""
    _, first = begin(work, api, database)
    others = [api.run("milkrun-monthly/monthly"), api.run("milkrun-monthly/retrain", retrain="auto")]

    by_command = deployed.milkrun(settings, "run", MILKRUN_SHARD_SIZE=SHARD)

    assert by_command.returncode == 0, by_command.stderr
    for flow_run in (first, *others):
        assert api.wait_for(flow_run, "COMPLETED", "FAILED", "CRASHED", seconds=400)["state_type"] == "COMPLETED"
    assert_published_once(database, publish_undisturbed)


@pytest.mark.usefixtures("panel")
def test_a_killed_flow_process(
    deployed: Hosting,
    api: Api,
    work: Callable[..., Process],
    database: Database,
    publish_undisturbed: Callable[[], str],
) -> None:
    """The worker reports it crashed; Retry goes on with the shards that are missing."""
    worker, flow_run = begin(work, api, database)
    before = len(deployed.log("worker"))
    os.kill(child_of(worker), signal.SIGKILL)
    assert api.wait_for(flow_run, "CRASHED", "COMPLETED")["state_type"] == "CRASHED"
    written = shards_written(database)
    # Runner and worker report it one after the other; the second report would end a retry that came before it.
    wait_until(lambda: "flow_runs.worker - Check whether" in deployed.log("worker")[before:], "both have reported")

    api.retry(flow_run)
    api.wait_for(flow_run, "COMPLETED")

    assert 2 <= written < SERIES // int(SHARD)
    wait_until(lambda: sum("was written before" in line for line in api.log(flow_run)) == written, "its log says so")
    assert_published_once(database, publish_undisturbed)


@pytest.mark.usefixtures("panel", "deployed")
def test_a_killed_worker(
    api: Api, work: Callable[..., Process], database: Database, publish_undisturbed: Callable[[], str]
) -> None:
    """The run goes on without its worker, or is called crashed and goes on at Retry; nothing is left to do after it."""
    worker, flow_run = begin(work, api, database)
    os.kill(worker.pid, signal.SIGKILL)
    work(MILKRUN_SHARD_SIZE=SHARD)

    finish(api, flow_run)

    again = api.run("milkrun-monthly/monthly")
    api.wait_for(again, "COMPLETED")
    assert "nothing to do" in api.artifacts(again)["milkrun-summary"]["data"]
    assert_published_once(database, publish_undisturbed)


@pytest.fixture
def hook() -> Iterator[tuple[str, list[bytes]]]:
    """Give the address of a webhook and what it has received."""
    received: list[bytes] = []

    class Receiver(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            received.append(self.rfile.read(int(self.headers["Content-Length"])))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Print nothing."""

    server = HTTPServer(("127.0.0.1", 0), Receiver)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/hook", received
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.mark.usefixtures("panel")
def test_a_lost_machine_is_found_and_told(
    deployed: Hosting,
    api: Api,
    work: Callable[..., Process],
    database: Database,
    hook: tuple[str, list[bytes]],
    publish_undisturbed: Callable[[], str],
) -> None:
    """Worker and flow die together: the automations call the run crashed and tell the webhook; Retry finishes it."""
    url, received = hook
    body = {"text": "{{subject}} {{body}}"}
    api.save_webhook("pager", {"url": url, "name": "pager", "json_data": body, "allow_private_urls": True})
    stuck_after = ("--stuck-after", str(SECONDS_UNTIL_STUCK))
    assert deployed.milkrun(None, "deploy", "--notify", "custom-webhook/pager", *stuck_after).returncode == 0
    worker, flow_run = begin(work, api, database)
    flow = child_of(worker)
    os.kill(worker.pid, signal.SIGKILL)
    os.kill(flow, signal.SIGKILL)
    assert api.state(flow_run) == "RUNNING"

    crashed = api.wait_for(flow_run, "CRASHED", seconds=400)

    assert f"No sign of life for {SECONDS_UNTIL_STUCK} s" in crashed["state"]["message"]
    wait_until(lambda: received, "the webhook is told")
    assert b"is Crashed" in received[0]
    assert str(database.engine.url.password).encode() not in received[0]
    work(MILKRUN_SHARD_SIZE=SHARD)
    finish(api, flow_run)
    assert_published_once(database, publish_undisturbed)
    assert deployed.milkrun(None, *DEPLOY).returncode == 0


@pytest.mark.usefixtures("panel")
def test_a_restarted_server(
    deployed: Hosting,
    api: Api,
    work: Callable[..., Process],
    database: Database,
    publish_undisturbed: Callable[[], str],
) -> None:
    """The server is killed in the middle of a run and started again: the run or its retry ends as if it had not been."""
    _, flow_run = begin(work, api, database)
    server = deployed.processes[0]
    deployed.stop(server, signal.SIGKILL)
    deployed.processes[0] = deployed.start_server()

    finish(api, flow_run)

    assert_published_once(database, publish_undisturbed)
