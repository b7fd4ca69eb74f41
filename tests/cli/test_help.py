"""Tests of --help: every command answers at once, because nothing heavy is imported before a command runs."""

import resource
import subprocess
import sys

import pytest

from forecasting.cli import milkrun
from tests.cli.conftest import PROGRAM


@pytest.mark.parametrize("command", ["load", "pull", "sql"])
def test_help_is_quick(command: str) -> None:
    """Asking for help costs less than half a second of processor time."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(
        [*PROGRAM, command, "--help"],
        check=True,
        stdout=subprocess.DEVNULL,
    )
    after = resource.getrusage(resource.RUSAGE_CHILDREN)

    assert after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime < 0.5


@pytest.mark.parametrize("command", ["", *sorted(milkrun.commands)])
def test_help_imports_nothing_heavy(command: str) -> None:
    """Every command answers --help without TensorFlow, Prefect, SQLAlchemy, pandas or NumPy."""
    probe = (
        "import sys\nfrom forecasting.cli import milkrun\n"
        "milkrun(sys.argv[1:], standalone_mode=False)\n"
        "heavy = {'tensorflow', 'keras', 'prefect', 'sqlalchemy', 'pandas', 'numpy', 'pyarrow'} & set(sys.modules)\n"
        "sys.exit(f'imported {heavy}' if heavy else 0)"
    )
    arguments = [*([command] if command else []), "--help"]

    answer = subprocess.run([sys.executable, "-c", probe, *arguments], capture_output=True, text=True, check=False)

    assert (answer.returncode, answer.stderr) == (0, "")
    assert "Usage:" in answer.stdout


def test_the_library_does_not_import_prefect() -> None:
    """Forecasting is usable without Prefect, and a reuse run without TensorFlow."""
    modules = "forecasting.runs.job, forecasting.operations.series_review"
    probe = f"import sys, {modules}; sys.exit(str({{'prefect', 'tensorflow'}} & set(sys.modules)))"

    answer = subprocess.run([sys.executable, "-c", probe], capture_output=True, text=True, check=False)

    assert answer.stderr == "set()\n"
