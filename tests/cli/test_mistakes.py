"""Tests of mistakes in the use of commands: each ends in one message and exit code 4."""

import pytest

from tests.cli.conftest import Milkrun
from tests.cli.test_load import MILK


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("load", "nowhere.csv"), "There is no file nowhere.csv"),
        (("load",), "Missing argument"),
        (("load", MILK, "--where", "split"), "write it as COLUMN=TEXT"),
        (("load", MILK, "--form", "tall"), "Invalid value"),
        (("load", MILK, "--month-column", "when"), "'when' of --month-column does not exist"),
        (("pull", "--from", "own"), "Give either --table or --query"),
        (("pull", "--table", "x"), "MILKRUN_SOURCE_URL"),
        (("pull", "--from", "own", "--table", "nothing"), "has no table 'nothing'"),
        (("pull", "--from", "own", "--table", "x", "--since", "spring"), "is not a month"),
        (("sql",), "Give either a query or --file"),
        (("sql", ""), "There is no query"),
        (("sql", "/* nothing */ ;"), "Give one statement at a time"),
        (("run", "--origin", "1974-13"), "is not a date of the calendar"),
        (("run", "--recipe", "best"), "There is no recipe 'best'"),
        (("run", "--retrain", "often"), "'often' is not one of"),
        (("backfill", "--start", "1975-01", "--end", "never"), "'never' is not a month"),
        (("backfill", "--start", "1975-01"), "Missing option '--end'"),
        (("plan",), "milkrun load"),
        (("plot", "milk"), "There is no series named 'milk'"),
        (("plot", "milk", "--out", "milk.gif"), "name it .png or .svg"),
        (("sql", "select * from nowhere"), "nowhere"),
        (("walk",), "No such command 'walk'"),
        (("show", "buttermilk"), "There is no series named 'buttermilk'"),
        (("history", "buttermilk"), "There is no series named 'buttermilk'"),
        (("history", "buttermilk", "--rmse"), "There is no series named 'buttermilk'"),
        (("report", "--run", "99"), "There is no run 99"),
        (("history", "milk", "--horizon", "0"), "0 is not in the range"),
    ],
)
def test_a_mistake_ends_in_one_message(milkrun: Milkrun, arguments: tuple[object, ...], message: str) -> None:
    """Wrong files, options and names are refused: exit code 4, the remedy on standard error, no traceback."""
    outcome = milkrun(*arguments)

    assert (outcome.code, outcome.out) == (4, "")
    assert message in outcome.err
