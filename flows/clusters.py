"""Shards on a Dask cluster: processes on this machine, or workers anywhere that reach the same database."""

import logging
import os
from typing import Any

from prefect.context import FlowRunContext
from prefect.tasks import Task

from flows.progress import report
from forecasting.storage.runs import Run


def forecast_shards(task: Task[..., None], run: Run, cluster: str) -> None:
    """Submit every shard of a run to a cluster and wait for all of them; the first failure is raised.

    cluster: `local` or `local:N` for N processes of one thread each, or the address of a scheduler, whose workers
    must be started with one thread each and with the same environment.
    """
    # Imported here: most installations run without a cluster and need not wait for it.
    from prefect_dask.task_runners import DaskTaskRunner

    with DaskTaskRunner(**_options(cluster)) as runner:
        futures = [runner.submit(task, {"run_id": run.run_id, "number": number}) for number in run.shards]
        for number, future in enumerate(futures):
            future.result()
            report(min((number + 1) * run.shard_size, len(run.series_ids)), len(run.series_ids))


def _options(cluster: str) -> dict[str, Any]:
    if not cluster.startswith("local"):
        return {"address": cluster}
    _share_server()
    processes = int(cluster.partition(":")[2] or os.cpu_count() or 1)
    return {
        "cluster_kwargs": {
            "n_workers": processes,
            "threads_per_worker": 1,
            "processes": True,
            "dashboard_address": None,
            "silence_logs": logging.ERROR,
        }
    }


def _share_server() -> None:
    """Tell the processes of a local cluster which Prefect server to use, or each would start one of its own."""
    context = FlowRunContext.get()
    if context is not None:
        os.environ.setdefault("PREFECT_API_URL", str(context.client.api_url))
