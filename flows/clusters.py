"""Where the shards of a run are worked on: two at a time in this process, or on a Dask cluster."""

import logging
import os
from typing import Any

from prefect.context import FlowRunContext
from prefect.settings import get_current_settings
from prefect.task_runners import TaskRunner, ThreadPoolTaskRunner
from prefect.tasks import Task

from flows.progress import report
from forecasting.storage.runs import Run

# While the rows of one shard are on their way to or from the database, this process computes another. Training takes
# every core and one shard at a time (forecasting/runs/shard.py).
SHARDS_AT_ONCE = 2


def forecast_shards(task: Task[..., None], run: Run, cluster: str | None) -> None:
    """Submit every shard of a run, in order, and wait for all of them; the first failure is raised, the rest is dropped.

    cluster: None for threads of this process, `local` or `local:N` for N processes of one thread each, or the address
    of a scheduler, whose workers must be started with one thread each and with the same environment.
    """
    if cluster is None and len(run.request.shard_numbers) == 1:
        task(run.run_id, 0)
        report(0, len(run.request.series_ids))
        return
    with _runner(cluster) as runner:
        futures = [
            runner.submit(task, {"run_id": run.run_id, "number": number}) for number in run.request.shard_numbers
        ]
        for number, future in enumerate(futures):
            future.result()
            report(number, len(run.request.shards[number]))


def _runner(cluster: str | None) -> TaskRunner[Any]:
    if cluster is None:
        return ThreadPoolTaskRunner(max_workers=SHARDS_AT_ONCE)
    # Imported here: most installations run without a cluster and need not wait for it.
    from prefect_dask.task_runners import DaskTaskRunner

    if not cluster.startswith("local"):
        return DaskTaskRunner(address=cluster)
    _share_server()
    processes = int(cluster.partition(":")[2] or os.cpu_count() or 1)
    return DaskTaskRunner(
        cluster_kwargs={
            "n_workers": processes,
            "threads_per_worker": 1,
            "processes": True,
            "dashboard_address": None,
            "silence_logs": logging.ERROR,
        }
    )


def _share_server() -> None:
    """Tell the processes of a local cluster which Prefect server to use, and its password, or each would start its own."""
    context = FlowRunContext.get()
    if context is not None:
        if (password := get_current_settings().api.auth_string) is not None:
            os.environ["PREFECT_API_AUTH_STRING"] = password.get_secret_value()
        os.environ.setdefault("PREFECT_API_URL", str(context.client.api_url))
