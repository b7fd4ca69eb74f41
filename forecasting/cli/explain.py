"""milkrun explain: why the forecasts of a series moved."""

import json
from collections.abc import Sequence
from typing import Any

import click

from forecasting.cli.database import configured_database
from forecasting.cli.output import as_objects, month_text, print_rows
from forecasting.domain.vocabulary import Cause
from forecasting.reports.labels import CAUSE_LABELS, UNEXPLAINED_LABELS

_COLUMNS = ("month", "previous_origin", "origin", "previous_value", "value", "change", *CAUSE_LABELS)


@click.command()
@click.argument("series")
@click.option(
    "--month", help="A target month, YYYY-MM: how every run moved its forecast. [all months of the newest run]"
)
@click.option("--json", "as_json", is_flag=True, help="Print a JSON array of objects.")
def explain(series: str, month: str | None, as_json: bool) -> None:
    """Explain why the forecasts of a SERIES moved from run to run: as parts that add up to the change."""
    from forecasting.domain.months import Month
    from forecasting.storage.views.series import read_changes_of_series

    target_month = Month.parse(month) if month else None
    with configured_database() as database, database.reading() as connection:
        columns, rows = read_changes_of_series(connection, series, target_month)
    if as_json:
        click.echo(json.dumps(as_objects(columns, rows), indent=2))
        return
    if not rows:
        subject = f"the forecast of {target_month}" if target_month else "its newest forecast"
        click.echo(
            f"{series}: nothing to explain; no two runs in a row made {subject}. milkrun history {series} lists them."
        )
        return
    changes = [dict(zip(columns, row, strict=True)) for row in rows]
    click.echo("\n".join([_heading(series, changes[-1]), *(f"  {change_sentence(change)}" for change in changes), ""]))
    names = [name for name in _COLUMNS if name not in CAUSE_LABELS or any(change[name] for change in changes)]
    print_rows(names, [[month_text(change[name]) for name in names] for change in changes])


def _heading(series: str, newest: dict[str, Any]) -> str:
    unit = f", in {newest['unit']}" if newest["unit"] else ""
    return f"{series}{unit}: how its forecasts moved, up to run {newest['run_id']}:"


def change_sentence(row: dict[str, Any]) -> str:
    """How one forecast moved and why, in a sentence; the largest part comes first.

    row: of the view forecast_change, by column. month: the target month. previous_value, value, change and one column per
    cause: in the unit of the series. reason: why the change is not explained, None where it is.
    """
    movement = f"{row['month']:%Y-%m}: {row['previous_value']:,.6g} → {row['value']:,.6g}, {row['change']:+,.4g}"
    since = f"since the run from {row['previous_origin']:%Y-%m}"
    unexplained_reason = row["reason"]
    if unexplained_reason:
        return f"{movement} {since}; not explained: {UNEXPLAINED_LABELS.get(unexplained_reason, unexplained_reason)}."
    causes = sorted((name for name in CAUSE_LABELS if row[name]), key=lambda name: -abs(row[name]))
    return f"{movement} {since}: {_cause_list(row, causes) or 'nothing moved it'}."


def _cause_list(row: dict[str, Any], causes: Sequence[str]) -> str:
    recipes = f" ({row['recipe']} instead of {row['previous_recipe']})"
    return ", ".join(
        f"{CAUSE_LABELS[name]}{recipes if name == Cause.RECIPE_CHANGE else ''} {row[name]:+,.4g}" for name in causes
    )
