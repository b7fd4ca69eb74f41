"""Play a fixed scenario on a fresh database and print a digest of every table and view: python -m tests.scenario.

    python -m tests.scenario [--home FOLDER] [--data FILE] [--write FILE | --check FILE]

It shows that a change of the code, such as a move or a new name, changes no stored number. Before the change, --write keeps
the digests; after it, --check compares, names what differs, and returns 1. The scenario holds loads with revisions and
rejected rows, networks of a series' own and shared ones, reuse, challenges, a backfill and orders, on series that are
whole, late, short, constant, sparse or have gaps.

Only the command line and SQL are used, so that the same file runs on both sides of the change. Digests hold on one machine:
another kind of processor may differ in the last bits of a network. The database is an embedded one in a folder that is
removed at the end, in --home, which stays, or at DATABASE_URL; it must be empty.
"""

import argparse
import csv
import hashlib
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow.compute
import pyarrow.parquet

ROOT = Path(__file__).resolve().parent.parent
PANEL = ROOT.parent / "shared" / "data" / "m3_monthly.parquet"
PANEL_SERIES = 60
# The panel's runs are by a recipe from a file, which trains less than `monthly` to save minutes.
BRISK = 'base = "monthly"\nupdates = 300\n'
PROGRAM = "from forecasting.cli import main; main()"

# What two plays of the same code may differ in, besides every column that holds a time.
CLOCKS = ("timestamp with time zone", "timestamp without time zone")
LEFT_OUT = {
    "prefect_flow_run_id": "Prefect draws it at random for each flow run",
}
LEFT_OUT_RELATIONS = {
    "alembic_version": "it names the newest migration, which a change of the code may add to",
}
FUNCTIONS = {"forecast_as_of": ("forecast_history", "milkrun.forecast_as_of('infinity')")}

MILK = """
    589 561 640 656 727 697 640 599 568 577 553 582
    600 566 653 673 742 716 660 617 583 587 565 598
    628 618 688 705 770 736 678 639 604 611 594 634
    658 622 709 722 782 756 702 653 615 621 602 635
    677 635 736 755 811 798 735 697 661 667 645 688
    713 667 762 784 837 817 767 722 681 687 660 698
    717 696 775 796 858 826 783 740 701 706 677 711
    734 690 785 805 871 845 801 764 725 723 690 734
    750 707 807 824 886 859 819 783 740 747 711 751
    804 756 860 878 942 913 869 834 790 800 763 800
    826 799 890 900 961 935 894 855 809 810 766 805
    821 773 883 898 957 924 881 837 784 791 760 802
    828 778 889 902 969 947 908 867 815 812 773 813
    834 782 892 903 966 937 896 858 817 827 797 843
"""
SEASON = (0, -30, 20, 35, 70, 50, 25, 0, -20, -15, -35, -5)

Row = tuple[str, str, str]  # series, month, value
Relation = dict[str, Any]  # rows, sha256, columns


def month_after(first: str, steps: int) -> str:
    """Return the month so many months after another, as YYYY-MM."""
    year, month = map(int, first.split("-"))
    return f"{year + (month - 1 + steps) // 12:04d}-{(month - 1 + steps) % 12 + 1:02d}"


def milk_rows() -> list[Row]:
    """Return the 168 months of the milk series."""
    return [("milk", month_after("1962-01", step), value) for step, value in enumerate(MILK.split())]


def odd_rows(first: str, last: str) -> list[Row]:
    """Return the months from first to last of the series that a recipe treats apart, which begin in 1990-01."""
    rows: list[Row] = []
    for step in range(72):
        month, value = month_after("1990-01", step), 300 + step + SEASON[step % 12] + step * 7919 % 13
        if not first <= month <= last:
            continue
        values = {
            "gap": value if month not in ("1992-05", "1992-06") else None,
            "chasm": 2 * value if not "1993-02" <= month <= "1993-07" else None,
            "flat": 5,
            "brief": 3 * value if month >= "1994-01" else None,
            "silent": value if month <= "1993-06" else None,
            "sparse": step % 7 if step % 3 == 0 else 0,
        }
        rows += [(name, month, str(number)) for name, number in values.items() if number is not None]
    return rows


def panel_rows(file: Path) -> list[Row]:
    """Return all months of the first series, by name, of a Parquet file with unique_id, ds and y; none without the file."""
    if not file.is_file():
        return []
    table = pyarrow.parquet.read_table(file, columns=["unique_id", "ds", "y"])
    names = sorted(set(table["unique_id"].to_pylist()))[:PANEL_SERIES]
    part = table.filter(pyarrow.compute.is_in(table["unique_id"], pyarrow.array(names))).to_pydict()
    columns = zip(part["unique_id"], part["ds"], part["y"], strict=True)
    return sorted((name, f"{day:%Y-%m}", repr(value)) for name, day, value in columns)


def revised_rows(panel: list[Row]) -> list[Row]:
    """Return later words on the panel and on `gap`: changed values of the past, one more month, and one series more."""
    names = sorted({name for name, _, _ in panel})[::10]
    changed = [row for row in panel if row[0] in names and row[1] in ("1993-06", "1994-03", "1994-08")]
    return [
        ("gap", "1994-06", "400"),
        *between(panel, "1994-09", "1994-09"),
        *((name, month, repr(1.1 * float(value))) for name, month, value in changed),
        *(("newcomer", month, value) for name, month, value in odd_rows("1990-01", "1994-09") if name == "gap"),
    ]


def between(rows: list[Row], first: str, last: str) -> list[Row]:
    """Return the rows of the months from first to last."""
    return [row for row in rows if first <= row[1] <= last]


class Unforeseen(Exception):
    """A command has ended otherwise than the scenario foresees."""


@dataclass(frozen=True)
class Installation:
    """The command line of the checkout, on one database."""

    home: Path

    def command(self, *arguments: str, codes: Sequence[int] = (0,)) -> str:
        """Run one command and return what it prints.

        Raises Unforeseen for an exit code that is not among `codes`.
        """
        kept = {name: text for name, text in os.environ.items() if not name.startswith(("MILKRUN_", "PREFECT_"))}
        environment = {
            **kept,
            "MILKRUN_HOME": str(self.home),
            "MILKRUN_SHARD_SIZE": "25",
            "PREFECT_HOME": str(self.home / "prefect"),
            "PYTHONPATH": str(ROOT),
            "DO_NOT_TRACK": "1",
        }
        start = time.monotonic()
        result = subprocess.run(
            [sys.executable, "-c", PROGRAM, *arguments],
            cwd=ROOT,
            env=environment,
            check=False,
            capture_output=True,
            text=True,
        )
        words = " ".join(arguments)[:90].replace("\n", " ")
        print(f"{time.monotonic() - start:6.1f} s  {result.returncode}  milkrun {words}", file=sys.stderr, flush=True)
        if result.returncode not in codes:
            raise Unforeseen(f"milkrun {words} ended with {result.returncode}:\n{result.stderr[-4000:]}")
        return result.stdout

    def query(self, query: str) -> list[dict[str, Any]]:
        """Return the rows of a query."""
        rows: list[dict[str, Any]] = json.loads(self.command("sql", query, "--json", "--timeout", "600"))
        return rows

    def load(self, name: str, rows: Iterable[Row], *options: str) -> None:
        """Load rows as one file of that name."""
        file = self.home / name
        with file.open("w", newline="", encoding="utf-8") as stream:
            csv.writer(stream, lineterminator="\n").writerows([("series", "month", "value"), *rows])
        self.command("load", str(file), *options)

    def run(self, origin: str, recipe: str, *options: str) -> None:
        """Run for one origin."""
        self.command("run", "--origin", origin, "--recipe", recipe, *options)

    def order(self, whose: str, kind: str) -> None:
        """Put another network in charge; refused, with exit code 4, where there is none or it is in charge already."""
        self.command(kind, whose, "--why", f"{kind} of the scenario", "--by", "scenario", codes=(0, 4))

    def reverse(self, whose: str) -> None:
        """Put the loser of a challenge in charge: of the two orders one is possible, the other is refused."""
        self.order(whose, "rollback")
        self.order(whose, "promote")


def play(milkrun: Installation, panel: list[Row]) -> None:
    """Play the scenario; every run has its origin, so that nothing depends on the day it is played on.

    An origin is the newest month that is loaded, so that runs build on those before them and orders are possible.
    """
    milkrun.load("milk.csv", between(milk_rows(), "1962-01", "1974-12"), "--unit", "pounds per cow")
    milkrun.run("1974-12", "monthly", "--series", "milk")
    milkrun.run("1974-12", "classic", "--series", "milk")
    revision = [("milk", "1974-07", "905.5"), ("milk", "1974-11", "780")]
    milkrun.load("milk.csv", [*between(milk_rows(), "1975-01", "1975-12"), *revision])
    milkrun.run("1975-12", "classic", "--series", "milk")
    backfill = ("backfill", "--series", "milk", "--recipe", "classic", "--yes")
    milkrun.command(*backfill, "--start", "1974-08", "--end", "1975-01")
    milkrun.command(*backfill, "--start", "1974-12", "--end", "1974-12", "--reprocess", "completed")
    milkrun.reverse("milk")
    milkrun.load("milk.csv", [("milk", "1975-03", "900"), ("milk", "1975-12", "840"), ("milk", "1976-01", "840")])
    milkrun.run("1976-01", "classic", "--series", "milk")

    odd = odd_rows("1990-01", "1994-08")
    rejections = [("gap", "1993-13", "5"), ("gap", "1993-01", "unknown"), ("flat", "1993-01", "inf")]
    milkrun.load("panel.csv", [*between(panel, "1990-01", "1994-08"), *odd, *rejections, odd[-1]])
    milkrun.run("1994-08", "brisk")
    milkrun.load("revision.csv", [*revised_rows(panel), *odd_rows("1994-09", "1994-09")])
    milkrun.run("1994-09", "brisk")
    milkrun.load("year.csv", [*between(panel, "1994-10", "1995-08"), *odd_rows("1994-10", "1995-08")])
    milkrun.run("1995-08", "brisk")
    milkrun.reverse("--shared" if panel else "gap")
    milkrun.load("month.csv", [*between(panel, "1995-09", "1995-09"), *odd_rows("1995-09", "1995-09")])
    milkrun.run("1995-09", "brisk")


def read_columns(milkrun: Installation) -> dict[str, dict[str, str]]:
    """Return the columns to compare of every table and view, and of the functions that give rows, with their types."""
    columns: dict[str, dict[str, str]] = {}
    for row in milkrun.query(
        "SELECT table_name, column_name, data_type FROM information_schema.columns WHERE table_schema = 'milkrun' "
        "ORDER BY table_name, ordinal_position"
    ):
        if row["table_name"] not in LEFT_OUT_RELATIONS:
            compared = row["data_type"] not in CLOCKS and row["column_name"] not in LEFT_OUT
            columns.setdefault(row["table_name"], {}).update({row["column_name"]: row["data_type"]} if compared else {})
    return columns | {name: columns[view] for name, (view, _) in FUNCTIONS.items()}


def read_digests(milkrun: Installation) -> dict[str, Relation]:
    """Return number of rows and digest of every relation, and a digest of each of its columns."""
    columns = read_columns(milkrun)
    # Every value travels as PostgreSQL's own text, in which no digit is lost; a network only as its digest.
    parts = [
        f"SELECT '{name}' AS relation, "
        f"CAST(to_json(ARRAY[{', '.join(_as_text(*column) for column in columns[name].items())}]) AS text) AS cells "
        f"FROM {FUNCTIONS[name][1] if name in FUNCTIONS else f'milkrun.{name}'}"
        for name in sorted(columns)
    ]
    rows: dict[str, list[list[str | None]]] = {name: [] for name in sorted(columns)}
    for row in milkrun.query(" UNION ALL ".join(parts)):
        rows[row["relation"]].append(json.loads(row["cells"]))
    return {name: digest_relation(columns[name], cells) for name, cells in rows.items()}


def _as_text(column: str, kind: str) -> str:
    if kind == "bytea":
        return f"encode(sha256(\"{column}\"), 'hex')"
    return f'CAST("{column}" AS text)'


def digest_relation(columns: dict[str, str], rows: list[list[str | None]]) -> Relation:
    """Digest a relation, whatever the order of its rows, and each of its columns, whatever the order of its values."""
    return {
        "rows": len(rows),
        "sha256": digest([columns, sorted(json.dumps(row) for row in rows)]),
        "columns": {
            name: digest([kind, sorted(json.dumps(row[place]) for row in rows)])
            for place, (name, kind) in enumerate(columns.items())
        },
    }


def digest(content: Any) -> str:
    """Return the SHA-256 of plain values."""
    return hashlib.sha256(json.dumps(content, ensure_ascii=False).encode()).hexdigest()


def compare(before: dict[str, Any], after: dict[str, Any]) -> list[str]:
    """Say what differs between two sets of digests, a line for each relation."""
    if before["panel"] != after["panel"]:
        return ["One of the two was played without the panel: compare like with like."]
    lines = []
    for name in sorted(before["relations"].keys() | after["relations"].keys()):
        old, new = before["relations"].get(name), after["relations"].get(name)
        if old is None or new is None:
            lines.append(f"{name}: {'new' if old is None else 'gone'}")
        elif old["sha256"] != new["sha256"]:
            names = old["columns"].keys() | new["columns"].keys()
            unlike = sorted(column for column in names if old["columns"].get(column) != new["columns"].get(column))
            where = ", ".join(unlike) or "order of columns, or which values stand in one row"
            lines.append(f"{name}: {old['rows']} rows before, {new['rows']} after; unlike: {where}")
    return lines


def play_in(home: Path, data: Path) -> dict[str, Any]:
    """Play the scenario on the database of a folder; returns the digests.

    Raises Unforeseen where the database holds something already.
    """
    milkrun = Installation(home)
    panel = panel_rows(data)
    if not panel:
        print(f"There is no file {data}: played without the panel and its shared networks.", file=sys.stderr)
    if milkrun.query("SELECT count(*) AS loads FROM milkrun.load") != [{"loads": 0}]:
        raise Unforeseen("The database holds loads already: give an empty one.")
    recipes = home / "recipes"
    recipes.mkdir(exist_ok=True)
    (recipes / "brisk.toml").write_text(BRISK)
    play(milkrun, panel)
    relations = read_digests(milkrun)
    return {"panel": bool(panel), "relations": relations, "all": digest({n: r["sha256"] for n, r in relations.items()})}


def main() -> int:
    """Print the digests; 1 where they differ from those of a file, or where the scenario could not be played."""
    parser = argparse.ArgumentParser(prog="python -m tests.scenario", description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("--home", type=Path, help="folder of the database, which stays; else a temporary one")
    parser.add_argument("--data", type=Path, default=PANEL, help=f"M3's monthly series as Parquet [{PANEL}]")
    parser.add_argument("--write", type=Path, metavar="FILE", help="keep the digests as JSON")
    parser.add_argument("--check", type=Path, metavar="FILE", help="compare with digests that --write has kept")
    options = parser.parse_args()
    before = json.loads(options.check.read_text()) if options.check else None
    try:
        with tempfile.TemporaryDirectory(prefix="milkrun-scenario-") as temporary:
            home = (options.home or Path(temporary)).resolve()
            home.mkdir(parents=True, exist_ok=True)
            home.chmod(0o755)  # so that the account that root gives the server to reaches it
            digests = play_in(home, options.data)
    except Unforeseen as failure:
        print(failure, file=sys.stderr)
        return 1
    for name, relation in digests["relations"].items():
        print(f"{name:24}{relation['rows']:>8}  {relation['sha256']}")
    print(f"{'all':34}{digests['all']}")
    if options.write:
        options.write.write_text(json.dumps(digests, indent=1) + "\n")
    if before is None:
        return 0
    lines = compare(before, digests)
    print("\n".join(lines) if lines else f"Equal to {options.check}.")
    return int(bool(lines))


if __name__ == "__main__":
    sys.exit(main())
