"""Test of the demo, as `make demo` starts it."""

import os
import subprocess
import tempfile
from pathlib import Path

import pytest

from tests.cli.conftest import PROGRAM


def test_the_demo_never_empties_a_database_that_is_not_its_own() -> None:
    """A folder with a series of the user's, even one named milk, is refused, and its data stay."""
    with tempfile.TemporaryDirectory(prefix="milkrun-demo-") as folder:
        Path(folder).chmod(0o755)
        environment = {**os.environ, "MILKRUN_HOME": folder, "DATABASE_URL": ""}

        def call(*arguments: str) -> subprocess.CompletedProcess[str]:
            return subprocess.run([*PROGRAM, *arguments], env=environment, capture_output=True, text=True, check=False)

        assert call("load", "forecasting/examples/milk.csv").returncode == 0
        refused = call("demo", "--home", folder)
        count = call("sql", "select count(*) from observation", "--csv")

    assert refused.returncode == 4
    assert "holds series of yours, such as 'milk'" in refused.stderr
    assert count.stdout == "count\n168\n"


@pytest.mark.slow
def test_the_demo_prints_its_results_and_may_be_repeated() -> None:
    """Reuse, live RMSE, forecasts beside the seasonal naive, a picture, three commands that work as printed; twice."""
    with tempfile.TemporaryDirectory(prefix="milkrun-demo-") as folder:
        Path(folder).chmod(0o755)
        home = Path(folder) / "demo"
        command = [*PROGRAM, "demo", "--home", str(home)]
        environment = {**os.environ, "DATABASE_URL": "postgresql://nobody@127.0.0.1:1/untouched"}
        outcomes = [
            subprocess.run(command, env=environment, capture_output=True, text=True, timeout=300, check=False)
            for _ in range(2)
        ]

        for outcome in outcomes:
            assert outcome.returncode == 0, outcome.stderr
        assert outcomes[0].stdout == outcomes[1].stdout
        text = outcomes[0].stdout
        for expected in (
            "1974-12: 156 loaded, retrain (recipe_changed)",
            "reuse (young)",
            "classic",
            "live",
            "1976-12",
            "seasonal_naive",
        ):
            assert expected in text
        assert (home / "milk.png").read_bytes().startswith(b"\x89PNG")
        assert f"The picture: {home / 'milk.png'}" in text
        commands = [line.strip() for line in text.split("Try next:")[1].splitlines() if line.strip()]
        assert len(commands) == 3
        first = subprocess.run(
            commands[0],
            shell=True,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert first.returncode == 0, first.stderr
        assert "1976-01-01" in first.stdout
