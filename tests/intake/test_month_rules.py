"""Tests of the rules by which moments become months, and the values of a month become one."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from pathlib import Path
from zoneinfo import ZoneInfo

import pyarrow
import pyarrow.parquet
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import text

from forecasting.domain.months import Month
from forecasting.domain.vocabulary import Aggregate
from forecasting.intake.columns import ColumnRoles
from forecasting.intake.files import open_file
from forecasting.intake.loads import LoadResult, load_observations
from forecasting.storage.db.database import Database

MOMENTS = st.integers(0, 2_145_830_400).map(lambda second: datetime.fromtimestamp(second, UTC))
ZONES = st.sampled_from(["UTC", "Europe/Berlin", "America/New_York", "Asia/Kolkata", "Pacific/Auckland"])


def load(database: Database, file: Path, roles: ColumnRoles) -> LoadResult:
    """Load a file without keeping anything of the load before."""
    with database.engine.begin() as connection:
        connection.execute(text("TRUNCATE milkrun.load CASCADE"))
    source = open_file(file, roles)
    return load_observations(database, source, source=source.name, today=Month.of(2200, 1), rules=source.rules)


def months_of(database: Database) -> dict[str, float]:
    """Return the stored values by month."""
    with database.reading() as connection:
        rows = connection.execute(text("SELECT to_char(month, 'YYYY-MM'), value FROM milkrun.latest_observation"))
        return {str(row[0]): float(row[1]) for row in rows}


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=25)
@given(
    moments=st.lists(st.tuples(MOMENTS, st.integers(-840, 840)), min_size=1, max_size=8),
    zone=ZONES,
    form=st.sampled_from(["csv", "parquet"]),
)
def test_moments_get_the_month_of_the_time_zone(
    database: Database, tmp_path: Path, moments: list[tuple[datetime, int]], zone: str, form: str
) -> None:
    """Whatever the offset a moment is written with, its month is the one that a calendar in the zone shows."""
    aware = [moment for moment, _ in moments]
    file = tmp_path / f"moments.{form}"
    if form == "csv":
        written = [
            (moment + timedelta(minutes=offset)).replace(tzinfo=None).isoformat()
            + f"{'-' if offset < 0 else '+'}{abs(offset) // 60:02}:{abs(offset) % 60:02}"
            for moment, (_, offset) in zip(aware, moments, strict=True)
        ]
        file.write_text("\n".join(["month,value", *(f"{moment},1" for moment in written)]) + "\n")
    else:
        columns = {"month": pyarrow.array(aware, pyarrow.timestamp("s", "UTC")), "value": [1.0] * len(aware)}
        pyarrow.parquet.write_table(pyarrow.table(columns), file)

    load(database, file, ColumnRoles(series="milk", time_zone=zone, aggregate=Aggregate.SUM))

    expected: dict[str, float] = defaultdict(float)
    for moment in aware:
        expected[f"{moment.astimezone(ZoneInfo(zone)):%Y-%m}"] += 1
    assert months_of(database) == expected


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=25)
@given(
    days=st.lists(st.tuples(st.integers(1, 3), st.integers(1, 28), st.integers(-9, 9)), min_size=1, max_size=12),
    how=st.sampled_from(list(Aggregate)),
)
def test_the_values_of_a_month_become_one(
    database: Database, tmp_path: Path, days: list[tuple[int, int, int]], how: Aggregate
) -> None:
    """As an exact computation gives it; last and first keep out rows of one day that differ."""
    file = tmp_path / "days.csv"
    file.write_text("\n".join(["month,value", *(f"2020-{month:02}-{day:02},{value}" for month, day, value in days)]))

    result = load(database, file, ColumnRoles(series="milk", aggregate=how))

    expected = {}
    for month in {month for month, _, _ in days}:
        rows = sorted((day, value) for each, day, value in days if each == month)
        if (value := _joined(rows, how)) is not None:
            expected[f"2020-{month:02}"] = float(value)
    assert months_of(database) == pytest.approx(expected, abs=1e-12)
    assert result.rows_read == len(days) == result.rows_added + result.rows_collapsed + result.rows_rejected


def _joined(rows: Sequence[tuple[int, int]], how: Aggregate) -> Fraction | None:
    values = [Fraction(value) for _, value in rows]
    if how == Aggregate.SUM:
        return sum(values, Fraction(0))
    if how == Aggregate.MEAN:
        return sum(values, Fraction(0)) / len(values)
    day = (max if how == Aggregate.LAST else min)(day for day, _ in rows)
    of_day = {Fraction(value) for each, value in rows if each == day}
    return of_day.pop() if len(of_day) == 1 else None


def test_what_cannot_be_joined_is_rejected_with_its_reason(database: Database, tmp_path: Path) -> None:
    """A sum beyond the range, and two values for the last day; without a rule, different values of a month."""
    file = tmp_path / "days.csv"
    for how, rows, reason in (
        (Aggregate.SUM, ["2020-01-01,9e14", "2020-01-02,9e14"], "have a sum that does not lie between"),
        (Aggregate.SUM, ["2020-01-01,-9e14", "2020-01-02,-9e14"], "have a sum that does not lie between"),
        (Aggregate.LAST, ["2020-01-31,1", "2020-01-31,2"], "different values for the last day"),
        (None, ["2020-01-01,1", "2020-01-02,2"], "give different values for the month"),
    ):
        file.write_text("\n".join(["month,value", *rows]))
        result = load(database, file, ColumnRoles(series="milk", aggregate=how))
        assert result.rows_rejected == 2
        assert all(reason in row.reason for row in result.rejected)


def test_the_rule_is_on_record(database: Database, tmp_path: Path) -> None:
    """The table `load` says how values were joined; the same file by another rule is another load."""
    file = tmp_path / "days.csv"
    file.write_text("month,value\n2020-01-01,1\n2020-01-02,2\n")
    ids = []
    for how in (Aggregate.SUM, Aggregate.SUM, Aggregate.MEAN):
        source = open_file(file, ColumnRoles(series="milk", aggregate=how))
        result = load_observations(
            database, source, source="days", sha256=source.sha256, today=Month.of(2200, 1), rules=source.rules
        )
        ids.append(result.load_id)
    with database.reading() as connection:
        rules = connection.scalars(text("SELECT aggregate FROM milkrun.load ORDER BY load_id")).all()

    assert rules == ["sum", "mean"]
    assert ids[0] == ids[1] != ids[2]
