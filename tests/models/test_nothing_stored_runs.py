"""Nothing stored is executed: while Milkrun loads, trains, reuses and verifies, it opens no pickle and executes no text."""

import json
import os
import subprocess
import sys

import pytest

from forecasting.domain.settings import Settings

# The hook gets what Python itself reports (PEP 578), whoever calls it. It cannot be removed, so the test has its own process.
SCRIPT = """
import json, pickle, sys
from pathlib import Path

ROOT = Path.cwd()
OURS = tuple(str(ROOT / part) for part in ("forecasting", "flows", "migrations"))
events = []

def record(event, arguments):
    if event in ("pickle.find_class", "code.__new__", "cpython.run_command"):
        events.append(event)
    elif event in ("exec", "compile", "os.system", "ctypes.dlopen"):
        caller = sys._getframe(1)
        if caller.f_code.co_filename.startswith(OURS):
            events.append(f"{event} in {caller.f_code.co_filename}:{caller.f_lineno}")

from forecasting.runs import job
from forecasting.domain.months import Month
from forecasting.domain.policy import Policy
from forecasting.domain.recipes import CLASSIC
from forecasting.operations.verification import replay_run
from forecasting.domain.settings import Settings
from forecasting.storage.db.database import open_database
from forecasting.intake.columns import ColumnRoles
from forecasting.intake.loads import load_observations
from forecasting.intake.files import open_file
from tests.runs.test_global_models import OWN

sys.addaudithook(record)
with open_database(Settings.from_environment()) as database:
    source = open_file(Path("forecasting/examples/milk.csv"), ColumnRoles(form="wide"))
    load_observations(database, source, source=source.name, today=Month.of(2200, 1))
    compared = 0
    for recipe in (CLASSIC, OWN):
        for origin in (Month.of(1975, 11), Month.of(1975, 12)):
            run = job.open_run(database, job.RunParameters(recipe=recipe, policy=Policy(), origin=origin))
            job.run_shard(database, run, 0)
            job.publish_run(database, run)
            compared += replay_run(database, job.read_run(database, run.run_id)).compared_count
during = list(events)
pickle.loads(pickle.dumps(Path("x")))
exec(compile("eval('1')", OURS[0] + "/made_up.py", "exec"))
print(json.dumps({"during": during, "after": events[len(during):], "compared": compared}))
"""


@pytest.mark.slow
def test_a_whole_run_opens_no_pickle_and_executes_no_text(settings: Settings) -> None:
    """Load, train, reuse and verify by both recipes; afterwards the same hook reports a pickle and an eval of the test."""
    environment = {**os.environ, "DATABASE_URL": str(settings.database_url), "MILKRUN_HOME": str(settings.home)}

    process = subprocess.run(
        [sys.executable, "-c", SCRIPT], env=environment, capture_output=True, text=True, check=False
    )

    assert process.returncode == 0, process.stderr[-3000:]
    report = json.loads(process.stdout.splitlines()[-1])
    assert report["during"] == []
    assert report["compared"] == 2 * (12 + 3)
    assert [event.split(" in ")[0] for event in report["after"]] == ["pickle.find_class", "compile", "exec"]
