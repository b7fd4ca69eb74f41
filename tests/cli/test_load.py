"""Tests of milkrun load, as a user meets it: output, messages and exit codes."""

import json
from pathlib import Path

from tests.cli.conftest import Milkrun

MILK = Path(__file__).parents[2] / "forecasting" / "examples" / "milk.csv"


def write(folder: Path, content: str, name: str = "rows.csv") -> Path:
    """Write a file."""
    (folder / name).write_text(content)
    return folder / name


def test_the_milk_file_loads_once(milkrun: Milkrun) -> None:
    """The example gives 168 observations of one series, and nothing more the second time."""
    first, second = milkrun("load", MILK), milkrun("load", MILK)

    assert (first.code, second.code, first.err) == (0, 0, "")
    assert "168 observations read, stored as load 1" in first.out
    assert "New series: 1. Newest month: 1975-12." in first.out
    assert "168 unchanged" in second.out


def test_a_load_as_json_is_one_object(milkrun: Milkrun, tmp_path: Path) -> None:
    """For programs the result is one JSON object on the output; the warning goes elsewhere."""
    outcome = milkrun("load", write(tmp_path, "month,milk\n1962-01,1\n1962-02,x\n"), "--json")

    assert json.loads(outcome.out) == {
        "load_id": 1,
        "rows_read": 2,
        "rows_added": 1,
        "rows_unchanged": 0,
        "rows_collapsed": 0,
        "rows_rejected": 1,
        "new_series": 1,
        "newest_month": "1962-01",
        "rejected": [{"line": 3, "raw": "milk,1962-02,x", "reason": "not_a_number: write it like 1234.5"}],
        "is_repetition": False,
    }


def test_rejected_rows_are_shown_and_do_not_fail_a_load(milkrun: Milkrun, tmp_path: Path) -> None:
    """Some rejected rows end with a warning that names line, reason and the query for all of them; the query works."""
    content = (
        "month,milk\n" + "".join(f"1962-{month:02d},{month % 2 or 'x'}\n" for month in range(1, 13)) + "x,1\n" * 20
    )
    outcome = milkrun("load", write(tmp_path, content))

    assert outcome.code == 0
    assert "26 of 32 rows were rejected" in outcome.err
    assert "line 3: milk,1962-02,x\n    not_a_number" in outcome.err
    assert "16 more" in outcome.err
    query = outcome.err.split('milkrun sql "')[1].split('"')[0]
    assert len(json.loads(milkrun("sql", query, "--json").out)) == 26


def test_nothing_accepted_is_a_refusal(milkrun: Milkrun, tmp_path: Path) -> None:
    """When every row is rejected the command is refused with the reasons, which are stored."""
    outcome = milkrun("load", write(tmp_path, "month,milk\n2999-01,1\n2100-01,1\n"))

    assert outcome.code == 4
    assert "No row was accepted" in outcome.err
    assert "future_month" in outcome.err
    assert json.loads(milkrun("sql", "select count(*) from rejected_row", "--json").out) == [{"count": 2}]


def test_strict_and_dry_run_store_nothing(milkrun: Milkrun, tmp_path: Path) -> None:
    """A strict load with a rejected row is refused; a dry run reports; neither leaves anything."""
    path = write(tmp_path, "month,milk\n1962-01,1\n1962-02,x\n")
    strict, dry = milkrun("load", path, "--strict"), milkrun("load", path, "--dry-run")

    assert (strict.code, dry.code) == (4, 0)
    assert "Nothing was stored" in strict.err
    assert "not stored" in dry.out
    assert milkrun("sql", "select * from load", "--json").out == "[]\n"


def test_escape_sequences_never_reach_the_terminal(milkrun: Milkrun, tmp_path: Path) -> None:
    """Names that would move the cursor or colour the screen are shown escaped."""
    outcome = milkrun("load", write(tmp_path, "series,month,value\n\x1b[2Jmilk,1962-01,1\nmilk,1962-01,\x1b]0;x\x07\n"))

    assert outcome.code == 4
    assert "\\x1b[2Jmilk" in outcome.err
    assert "\x1b" not in outcome.out + outcome.err
    assert "\x07" not in outcome.out + outcome.err


def test_columns_form_and_rows_are_chosen_by_option(milkrun: Milkrun, tmp_path: Path) -> None:
    """The options of a load reach the file."""
    path = write(tmp_path, "when,pounds,part\n1962-01,1,train\n1962-02,2,test\n")
    options = (
        "--month-column",
        "when",
        "--series",
        "milk",
        "--value-column",
        "pounds",
        "--unit",
        "lb",
        "--where",
        "part=train",
    )

    assert milkrun("load", path, *options).code == 0
    assert json.loads(milkrun("sql", "select name, unit from series", "--json").out) == [{"name": "milk", "unit": "lb"}]


def test_the_name_of_a_file_does_not_act_on_the_terminal(milkrun: Milkrun, tmp_path: Path) -> None:
    """Who writes a file chooses its name: its control characters are shown as codes, and are not stored."""
    name = "rows\x1b]0;title\x07\n99 added.csv"
    path = write(tmp_path, "month,milk\n1962-01,1\n", name)
    accepted = milkrun("load", path)
    refused = milkrun("load", write(tmp_path, "", f"empty{name}"))
    stored = milkrun("sql", "select source, e'\\x1b[31mred' as text from load")

    assert (accepted.code, refused.code) == (0, 4)
    for text in (accepted.out, refused.err, stored.out):
        assert "\x1b" not in text
        assert r"\x1b" in text
    assert r"rows\x1b]0;title\x07\n99 added.csv: 1 observations" in accepted.out
