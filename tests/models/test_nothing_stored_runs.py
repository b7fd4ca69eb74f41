"""Nothing that is stored can run: while Milkrun reads, trains, reuses and verifies, no pickle is opened and no text executed."""

import json
import os
import subprocess
import sys

import pytest

from forecasting.domain.settings import Settings

# The hook sees what Python itself reports (PEP 578), whoever calls it; it cannot be taken off again, hence a process of its own.
SCRIPT = """
import json, pickle, sys
from pathlib import Path

ROOT = Path.cwd()
OURS = tuple(str(ROOT / part) for part in ("forecasting", "flows", "migrations"))
seen = []

def listen(event, arguments):
    if event in ("pickle.find_class", "code.__new__", "cpython.run_command"):
        seen.append(event)
    elif event in ("exec", "compile", "os.system", "ctypes.dlopen"):
        caller = sys._getframe(1)
        if caller.f_code.co_filename.startswith(OURS):
            seen.append(f"{event} in {caller.f_code.co_filename}:{caller.f_lineno}")

from forecasting.runs import job
from forecasting.domain.months import Month
from forecasting.domain.policy import Policy
from forecasting.domain.recipes import CLASSIC
from forecasting.operations.verification import replay_run
from forecasting.domain.settings import Settings
from forecasting.storage.db.database import open_database
from forecasting.intake.columns import ColumnLayout
from forecasting.intake.loads import load_observations
from forecasting.intake.files import open_file
from tests.runs.test_global_models import OWN

sys.addaudithook(listen)
with open_database(Settings.from_environment()) as database:
    source = open_file(Path("forecasting/examples/milk.csv"), ColumnLayout(form="wide"))
    load_observations(database, source, source=source.name, today=Month.of(2200, 1))
    compared = 0
    for recipe in (CLASSIC, OWN):
        for origin in (Month.of(1975, 11), Month.of(1975, 12)):
            run = job.open_run(database, job.RunParameters(recipe=recipe, policy=Policy(), origin=origin))
            job.run_shard(database, run, 0)
            job.publish_run(database, run)
            compared += replay_run(database, job.read_run(database, run.run_id)).compared_count
during = list(seen)
pickle.loads(pickle.dumps(Path("x")))
exec(compile("eval('1')", OURS[0] + "/made_up.py", "exec"))
print(json.dumps({"during": during, "after": seen[len(during):], "compared": compared}))
"""


@pytest.mark.slow
def test_a_whole_run_opens_no_pickle_and_executes_no_text(settings: Settings) -> None:
    """Load, train, reuse and verify by both recipes; afterwards the same hook does see a pickle and an eval of our own."""
    environment = {**os.environ, "DATABASE_URL": str(settings.database_url), "MILKRUN_HOME": str(settings.home)}

    done = subprocess.run([sys.executable, "-c", SCRIPT], env=environment, capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stderr[-3000:]
    said = json.loads(done.stdout.splitlines()[-1])
    assert said["during"] == []
    assert said["compared"] == 2 * (12 + 3)
    assert [event.split(" in ")[0] for event in said["after"]] == ["pickle.find_class", "compile", "exec"]
