"""A run in Markdown, for the page of its flow run: what was decided and why, the worst series, a chart of each forecast."""

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
    """Put a summary together; facts are shown as a list, rows as tables with their keys as heads."""
    parts = [
        f"# {escaped(head)}",
        "\n".join(f"- {name}: **{escaped(value)}**" for name, value in facts.items()),
        f"[Report]({report_url})" if report_url else "",
        _section("How the series ended", outcomes),
        _section("Retrained or reused, and why", decisions),
        _section("The worst series", worst, "Skill is 1 - RMSE / RMSE of the seasonal naive: below 0 it is beaten."),
        "\n\n".join(["## Forecasts", *charts]) if charts else "",
    ]
    return "\n\n".join(part for part in parts if part)


def table(rows: Sequence[Row]) -> str:
    """Write rows as a Markdown table; numbers with four figures and right-aligned."""
    if not rows:
        return ""
    names = list(rows[0])
    numeric = [any(isinstance(row[name], int | float) for row in rows) for name in names]
    lines = [names, ["---:" if number else "---" for number in numeric]]
    lines += [[_cell(row[name]) for name in names] for row in rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def draw_charts(observed: Sequence[Row], forecasts: Sequence[Row]) -> list[str]:
    """Draw one chart for each series that has a forecast, in the order of the forecasts."""
    return [
        chart(
            name,
            next(row["unit"] for row in forecasts if row["series"] == name),
            [row for row in observed if row["series"] == name],
            [row for row in forecasts if row["series"] == name],
        )
        for name in dict.fromkeys(row["series"] for row in forecasts)
    ]


def chart(series: str, unit: str | None, observed: Sequence[Row], forecasts: Sequence[Row]) -> str:
    """Draw the observed months and the forecast of one series as a Mermaid chart.

    Two lines from the same first month: one runs on into the forecast, the other covers it as far as was observed.
    """
    months = [row["month"] for row in (*observed, *forecasts)]
    known = [row["value"] for row in observed]
    all_values = [*known, *(row["forecast"] for row in forecasts)]
    low, high = min(all_values), max(all_values)
    margin = (high - low) * 0.05 or abs(high) * 0.05 or 1.0
    lines = [
        "```mermaid",
        '%%{init: {"themeVariables": {"xyChart": {"plotColorPalette": "#ff7f0e, #1f77b4"}}}}%%',
        "xychart-beta",
        f'    title "{_plain(series)}{f", {_plain(unit)}" if unit else ""}: observed (blue), forecast (orange)"',
        "    x-axis [" + ", ".join(f'"{label}"' for label in _labels(months)) + "]",
        f"    y-axis {low - margin:.6g} --> {high + margin:.6g}",
        "    line [" + ", ".join(f"{value:.6g}" for value in all_values) + "]",
        "    line [" + ", ".join(f"{value:.6g}" for value in known) + "]" if known else "",
        "```",
    ]
    return "\n".join(line for line in lines if line)


def _labels(months: Sequence[str]) -> list[str]:
    """Write a year at its January and nothing elsewhere, where "nothing" must differ from month to month."""
    return [
        month[:4] if month.endswith("-01") else "\N{ZERO WIDTH SPACE}" * (place + 1)
        for place, month in enumerate(months)
    ]


def escaped(value: object) -> str:
    """Make text safe inside Markdown: names of series are the user's and may hold anything printable."""
    return re.sub(r"([|`*_\[\]\\])", r"\\\1", html.escape(str(value), quote=False))


def _section(title: str, rows: Sequence[Row], remark: str = "") -> str:
    return "\n\n".join(part for part in (f"## {title}", remark, table(rows)) if part) if rows else ""


def _cell(value: object) -> str:
    if isinstance(value, float):
        return f"{value:.4g}" if abs(value) < 1e4 else f"{value:.0f}"
    return "" if value is None else escaped(value)


def _plain(name: str) -> str:
    """Keep what a Mermaid title can hold."""
    return re.sub(r"[^\w .,:()/%+-]", "·", name)
