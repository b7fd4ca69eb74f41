"""A run in Markdown, for the page of its flow run: outcomes, decisions and their reasons, the worst series, charts."""

import html
import re
from collections.abc import Mapping, Sequence
from typing import Any

Row = Mapping[str, Any]


def summarise_run(
    head: str,
    facts: Mapping[str, object],
    *,
    outcomes: Sequence[Row],
    decisions: Sequence[Row],
    worst: Sequence[Row],
    charts: Sequence[str] = (),
    report_url: str | None = None,
) -> str:
    """Return the summary of a run in Markdown.

    facts: written as a list. outcomes, decisions, worst: written as tables; the keys of their rows are the column heads. charts:
    Mermaid blocks.
    """
    sections = [
        f"# {_escaped(head)}",
        "\n".join(f"- {name}: **{_escaped(value)}**" for name, value in facts.items()),
        f"[Report]({report_url})" if report_url else "",
        _section("How the series ended", outcomes),
        _section("Retrained or reused, and why", decisions),
        _section("The worst series", worst, "Skill is 1 - RMSE / RMSE of the seasonal naive: below 0 it is beaten."),
        "\n\n".join(["## Forecasts", *charts]) if charts else "",
    ]
    return "\n\n".join(section for section in sections if section)


def _table(rows: Sequence[Row]) -> str:
    """Rows as a Markdown table; numbers have four digits and are right-aligned."""
    if not rows:
        return ""
    names = list(rows[0])
    is_numeric = [any(isinstance(row[name], int | float) for row in rows) for name in names]
    lines = [names, ["---:" if numeric else "---" for numeric in is_numeric]]
    lines += [[_cell(row[name]) for name in names] for row in rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def draw_charts(observations: Sequence[Row], forecasts: Sequence[Row]) -> list[str]:
    """One chart for each series that has a forecast, in the order of the forecasts."""
    return [
        _chart(
            name,
            next(row["unit"] for row in forecasts if row["series"] == name),
            [row for row in observations if row["series"] == name],
            [row for row in forecasts if row["series"] == name],
        )
        for name in dict.fromkeys(row["series"] for row in forecasts)
    ]


def _chart(series: str, unit: str | None, observations: Sequence[Row], forecasts: Sequence[Row]) -> str:
    """Return the observed months and the forecast of one series as a Mermaid chart.

    A line of Mermaid must begin at the first month. The first line is observed and forecast values in one; the second line has
    the observed values alone and covers the beginning of the first.
    """
    months = [row["month"] for row in (*observations, *forecasts)]
    observed_values = [row["value"] for row in observations]
    all_values = [*observed_values, *(row["forecast"] for row in forecasts)]
    low, high = min(all_values), max(all_values)
    margin = (high - low) * 0.05 or abs(high) * 0.05 or 1.0
    lines = [
        "```mermaid",
        '%%{init: {"themeVariables": {"xyChart": {"plotColorPalette": "#ff7f0e, #1f77b4"}}}}%%',
        "xychart-beta",
        f'    title "{_title_text(series)}{f", {_title_text(unit)}" if unit else ""}: observed (blue), forecast (orange)"',
        "    x-axis [" + ", ".join(f'"{label}"' for label in _labels(months)) + "]",
        f"    y-axis {low - margin:.6g} --> {high + margin:.6g}",
        "    line [" + ", ".join(f"{value:.6g}" for value in all_values) + "]",
        "    line [" + ", ".join(f"{value:.6g}" for value in observed_values) + "]" if observed_values else "",
        "```",
    ]
    return "\n".join(line for line in lines if line)


def _labels(months: Sequence[str]) -> list[str]:
    """Return the labels of an axis: the year at each January, and no visible text elsewhere.

    Mermaid needs a different label for each month: the others are 1, 2, 3, … spaces without width.
    """
    return [
        month[:4] if month.endswith("-01") else "\N{ZERO WIDTH SPACE}" * (place + 1)
        for place, month in enumerate(months)
    ]


def _escaped(value: object) -> str:
    """Text with the signs of Markdown and HTML escaped: a name of a series may have any printable sign."""
    return re.sub(r"([|`*_\[\]\\])", r"\\\1", html.escape(str(value), quote=False))


def _section(title: str, rows: Sequence[Row], remark: str = "") -> str:
    return "\n\n".join(part for part in (f"## {title}", remark, _table(rows)) if part) if rows else ""


def _cell(value: object) -> str:
    if isinstance(value, float):
        return f"{value:.4g}" if abs(value) < 1e4 else f"{value:.0f}"
    return "" if value is None else _escaped(value)


def _title_text(name: str) -> str:
    """Return a name with a dot for each sign that a Mermaid title cannot have."""
    return re.sub(r"[^\w .,:()/%+-]", "·", name)
