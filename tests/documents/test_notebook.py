"""Test of the notebook: every cell runs, in order, and the last one draws the tutorial's plot."""

import json
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
import pytest

NOTEBOOK = Path(__file__).parents[2] / "docs" / "tutorial" / "milk.ipynb"


@pytest.mark.slow
def test_the_notebook_walks_through_the_tutorial(capsys: pytest.CaptureFixture[str]) -> None:
    """Each step runs; the RMSE lie where the README says; Keras agrees; blue, orange and green are at their months."""
    cells = json.loads(NOTEBOOK.read_text())["cells"]
    names: dict[str, Any] = {}
    mpl.use("agg")

    for cell in cells:
        if cell["cell_type"] == "code":
            exec(compile("".join(cell["source"]), f"milk.ipynb, {cell['id']}", "exec"), names)  # noqa: S102

    scores = names["scores"]
    assert 42 < scores.loc["training", "rmse"] < 44
    assert 44 < scores.loc["test", "rmse"] < 55
    assert (scores["skill"] < 0).all()
    np.testing.assert_allclose(names["by_keras"][0], names["predictions"][1].values[0], rtol=1e-5)
    observed, train, test = names["axes"].get_lines()
    assert [line.get_color() for line in (observed, train, test)] == ["tab:blue", "tab:orange", "tab:green"]
    assert [len(line.get_xdata()) for line in (observed, train, test)] == [168, 111, 56]
    assert "published: 43.06, 47.65" in capsys.readouterr().out
    names["plt"].close("all")


def test_the_notebook_is_kept_without_outputs() -> None:
    """What a machine printed once is not stored; the cells are numbered and in the format that Jupyter reads."""
    notebook = json.loads(NOTEBOOK.read_text())

    assert (notebook["nbformat"], len({cell["id"] for cell in notebook["cells"]})) == (4, len(notebook["cells"]))
    assert [cell for cell in notebook["cells"] if cell.get("outputs") or cell.get("execution_count")] == []
