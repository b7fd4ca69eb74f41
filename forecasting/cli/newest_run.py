"""The lines above the table of milkrun status: the newest live run."""

import shlex
from typing import TYPE_CHECKING, Any

import click

from forecasting.domain.vocabulary import DECISION_COUNTS, Outcome, RunState, Split

if TYPE_CHECKING:
    from forecasting.storage.db.database import Database


def print_newest_run(database: "Database") -> None:
    """Print the state of the newest live run, its counts, skill and coverage, and each reason with an example."""
    from forecasting.storage.views.runs import count_outcome_reasons, read_newest_live_run

    with database.reading() as connection:
        summary = read_newest_live_run(connection)
        reasons = count_outcome_reasons(connection, [summary["run"]])[summary["run"]] if summary else ()
    if summary is None:
        click.echo("No run yet: milkrun plan says what one would do.\n")
        return
    lines = [_state_line(summary), _count_line(summary), *_quality_lines(summary)]
    for outcome, reason, series_count, example in reasons:
        if outcome != Outcome.FORECAST:
            lines.append(f"  {series_count:,} {outcome}, {reason}; one of them: milkrun show {shlex.quote(example)}")
    click.echo("\n".join([*lines, ""]))


def _state_line(summary: dict[str, Any]) -> str:
    name = f"{summary['origin']}: run {summary['run']}, recipe {summary['recipe']}"
    if summary["state"] == RunState.PUBLISHED:
        return f"{name}, published {summary['published_at']:%Y-%m-%d %H:%M} UTC"
    return (
        f"{name}, NOT published: {summary['written']:,} of {summary['shards']:,} shards written since "
        f"{summary['started_at']:%Y-%m-%d %H:%M} UTC; milkrun run goes on with it"
    )


def _count_line(summary: dict[str, Any]) -> str:
    counts = ", ".join(f"{summary[name]:,} {name}" for name in Outcome if summary[name])
    decisions = ", ".join(f"{summary[name]:,} {name}" for name in DECISION_COUNTS.values() if summary[name])
    return f"  {summary['series']:,} series: {counts or 'none has ended yet'}{'; ' + decisions if decisions else ''}"


def _quality_lines(summary: dict[str, Any]) -> list[str]:
    lines = []
    if summary["median_skill"] is not None:
        evaluation = "live" if summary["scored_on"] == Split.LIVE else "on the test part"
        lines.append(
            f"  Skill against the seasonal naive, one month ahead, {evaluation}: median {summary['median_skill']:.2f}, "
            f"better in {summary['better']:,} of {summary['scored']:,}"
        )
    if summary["coverage_80"] is not None:
        shares = (f"{100 * summary[name]:.0f} %" for name in ("coverage_80", "coverage_95"))
        lines.append("  Inside the 80 % interval: {}; inside the 95 %: {}".format(*shares))
    return lines
