"""Tests of a folder with a package flows of its own: a command that would import it ends in one sentence."""

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.cli.conftest import PROGRAM

ROOT = Path.cwd()


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """Give the folder of a project with a package flows."""
    folder = tmp_path / "project"
    (folder / "flows").mkdir(parents=True)
    (folder / "flows" / "__init__.py").touch()
    return folder


def milkrun_in(
    folder: Path, *arguments: str, program: tuple[str | Path, ...] = PROGRAM, **extra: str
) -> subprocess.CompletedProcess[str]:
    """Run `milkrun …` in a folder, without a server and with this checkout on the path, unless `extra` says otherwise."""
    names = ("PREFECT_API_URL", "PYTHONSAFEPATH", "DATABASE_URL")
    environment: Mapping[str, str] = {
        **{name: value for name, value in os.environ.items() if name not in names},
        "MILKRUN_HOME": str(folder.parent / "home"),
        "PYTHONPATH": str(ROOT),
        **extra,
    }
    return subprocess.run(
        [*program, *arguments], env=environment, cwd=folder, capture_output=True, text=True, timeout=300, check=False
    )


@pytest.mark.parametrize(
    "arguments",
    [("run",), ("run", "--submit"), ("deploy",), ("serve", "--port", "1")],
    ids=lambda words: " ".join(words),
)
def test_a_command_that_would_import_a_foreign_package_is_refused(project: Path, arguments: tuple[str, ...]) -> None:
    """Exit code 4, and one sentence with both places and the way out."""
    answer = milkrun_in(project, *arguments, PREFECT_API_URL="http://127.0.0.1:9/api")

    assert (answer.returncode, answer.stdout) == (4, "")
    assert answer.stderr == (
        f"Error: {project}/flows hides Milkrun's own package {ROOT}/flows: run the command from another folder, "
        "or set PYTHONSAFEPATH=1.\n"
    )


def test_the_way_out_is_that_of_the_path(project: Path, tmp_path: Path) -> None:
    """A folder named by PYTHONPATH, and a single file; neither a plain folder nor a safe path hides anything."""
    (tmp_path / "single").mkdir()
    (tmp_path / "single" / "flows.py").touch()
    (tmp_path / "plain" / "flows").mkdir(parents=True)

    by_path = milkrun_in(tmp_path, "run", PYTHONPATH=f"{project}{os.pathsep}{ROOT}")
    single = milkrun_in(tmp_path / "single", "run")
    # An address without a server ends the command right after flows would have been imported.
    plain = milkrun_in(tmp_path / "plain", "run", PREFECT_API_URL="http://127.0.0.1:9/api")
    safe = milkrun_in(project, "run", PREFECT_API_URL="http://127.0.0.1:9/api", PYTHONSAFEPATH="1")

    assert by_path.stderr.endswith(f"unset PYTHONPATH, or take {project} out of it, then repeat the command.\n")
    assert f"{tmp_path}/single/flows.py hides" in single.stderr
    assert [each.returncode for each in (by_path, single, plain, safe)] == [4, 4, 3, 3]
    assert "hides" not in plain.stderr + safe.stderr


def test_the_doctor_names_it(project: Path) -> None:
    """The finding is an error, beside the others."""
    answer = milkrun_in(project, "doctor", DATABASE_URL="postgresql://127.0.0.1:9/nothing")

    assert answer.returncode == 3
    assert f"ERROR   prefect: {project}/flows hides" in answer.stdout


def test_a_worker_looks_in_the_folder_of_the_run_first(project: Path) -> None:
    """As Prefect does, whatever PYTHONSAFEPATH says: the pull step of the deployments refuses it."""
    step = "from forecasting.cli.own_flows import require_own_flows_of_worker as step; step()"

    answer = milkrun_in(project, program=(sys.executable, "-c", step), PYTHONSAFEPATH="1")

    assert answer.returncode == 1
    assert f"{project}/flows hides Milkrun's own package" in answer.stderr
    assert answer.stderr.endswith("give the work pool another working directory.\n")


@pytest.mark.slow
def test_an_installed_wheel_beside_a_foreign_package(project: Path, tmp_path: Path) -> None:
    """The program of a wheel is refused with the project on its path, and forecasts from the project's folder without it."""
    pip = (sys.executable, "-m", "pip", "--disable-pip-version-check", "--quiet")
    site = tmp_path / "site"
    for arguments in (
        ("wheel", "--no-deps", "--no-build-isolation", "--no-index", "--wheel-dir", str(tmp_path), str(ROOT)),
        ("install", "--no-deps", "--no-index", "--find-links", str(tmp_path), "--target", str(site), "milkrun"),
    ):
        subprocess.run([*pip, *arguments], check=True)
    tmp_path.chmod(0o755)  # so that root's server account reaches the embedded database
    (tmp_path / "home").mkdir()
    program = (site / "bin" / "milkrun",)
    milk = str(ROOT / "forecasting" / "examples" / "milk.csv")
    assert milkrun_in(project, "load", milk, program=program, PYTHONPATH=str(site)).returncode == 0

    refused = milkrun_in(project, "run", program=program, PYTHONPATH=f"{project}{os.pathsep}{site}")
    forecast = milkrun_in(project, "run", PYTHONPATH=str(site), PYTHONSAFEPATH="1", MILKRUN_RECIPE="classic")

    assert (refused.returncode, refused.stdout) == (4, "")
    assert refused.stderr.startswith(f"Error: {project}/flows hides Milkrun's own package {site}/flows: ")
    assert forecast.returncode == 0, forecast.stderr
    assert "published" in forecast.stdout
