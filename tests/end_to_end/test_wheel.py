"""The wheel: what is installed works wherever it is called from, whatever other packages are called."""

import functools
import os
import subprocess
import sys
from pathlib import Path

import pytest
from sqlalchemy import URL

ROOT = Path(__file__).parents[2]


def call(*command: object, folder: Path, **variables: str) -> str:
    """Call Python in a folder and return what it prints; fail with what it says where it fails."""
    environment = {**os.environ, **variables}
    line = [sys.executable, *map(str, command)]
    process = subprocess.run(line, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    assert process.returncode == 0, process.stderr
    return process.stdout


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give a folder into which the wheel of this checkout is installed, without what it depends on."""
    pytest.importorskip("hatchling")
    folder = tmp_path_factory.mktemp("wheel")
    call("-m", "hatchling", "build", "-t", "wheel", "-d", folder, folder=ROOT)
    [wheel] = folder.glob("*.whl")
    install = ("-m", "pip", "install", "--quiet", "--no-deps", "--no-index", "--disable-pip-version-check")
    call(*install, "--target", folder / "site", wheel, folder=folder)
    return folder / "site"


def test_the_wheel_brings_no_package_of_a_common_name(site: Path) -> None:
    """Beside its own packages the wheel puts nothing where another distribution might put the same."""
    assert {entry.name for entry in site.iterdir()} - {"bin", "milkrun-0.1.0.dist-info"} == {"flows", "forecasting"}


def test_a_foreign_package_migrations_is_not_in_the_way(site: Path, empty_database_url: URL, tmp_path: Path) -> None:
    """In a folder with a package migrations, which stands first on the path: tables are made, loaded and read."""
    foreign = tmp_path / "foreign"
    for package in ("migrations", "migrations/versions"):
        (foreign / package).mkdir(parents=True)
        (foreign / package / "__init__.py").write_text("raise SystemExit('foreign')\n")
    (foreign / "migrations" / "env.py").write_text("raise SystemExit('foreign')\n")
    (foreign / "milk.csv").write_text("month,milk\n1974-01,1.5\n1974-02,2.5\n")
    variables = {
        "PYTHONPATH": f"{foreign}{os.pathsep}{site}",
        "DATABASE_URL": empty_database_url.render_as_string(hide_password=False),
        "MILKRUN_HOME": str(tmp_path),
    }
    milkrun = functools.partial(call, site / "bin" / "milkrun", folder=foreign, **variables)

    migrated = milkrun("migrate")
    milkrun("load", "milk.csv")
    answer = milkrun("sql", "SELECT sum(value) FROM milkrun.latest_observation", "--csv")

    where = call("-c", "import forecasting; print(forecasting.__file__)", folder=foreign, **variables)
    assert where.startswith(str(site))
    assert "are at revision" in migrated
    assert answer.split() == ["sum", "4.0"]
