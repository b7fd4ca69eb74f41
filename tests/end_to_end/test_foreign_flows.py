"""Test of a worker whose path leads to somebody else's package flows: the log of the run says so in one sentence."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.end_to_end.hosting import Api, Hosting, Process


@pytest.mark.slow
def test_a_worker_that_finds_a_foreign_package_says_so(
    deployed: Hosting, api: Api, work: Callable[..., Process], tmp_path: Path
) -> None:
    """The run crashes before anything is done; its log names both packages and the way out."""
    foreign = tmp_path / "project" / "flows"
    foreign.mkdir(parents=True)
    (foreign / "__init__.py").touch()
    work(PYTHONPATH=os.pathsep.join([str(foreign.parent), os.environ.get("PYTHONPATH", "")]))

    flow_run = api.run("milkrun-monthly/monthly")

    assert api.wait_for(flow_run, "COMPLETED", "FAILED", "CRASHED")["state_type"] == "CRASHED"
    [line] = [line for line in api.log(flow_run) if "hides" in line]
    assert line == (
        f"{foreign} hides Milkrun's own package {Path('flows').resolve()}: unset PYTHONPATH, or take {foreign.parent} out of it, "
        "then start the worker again."
    )
