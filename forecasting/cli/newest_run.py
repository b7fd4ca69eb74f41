"""The lines above the table of milkrun status: the newest live run."""

import shlex
from typing import TYPE_CHECKING, Any

import click

from forecasting.domain.vocabulary import DECISION_COUNTS, Outcome, RunState, Split

if TYPE_CHECKING:
    from forecasting.storage.db.database import Database


def print_newest_run(database: "Database") -> None:
    """Print the state of the newest live run, its counts, skill and coverage, and each reason with an example."""
    from forecasting.storage.views.runs import explain_outcomes, read_newest_live_run

    with database.reading() as connection:
        run = read_newest_live_run(connection)
        reasons = explain_outcomes(connection, [run["run"]])[run["run"]] if run else ()
    if run is None:
        click.echo("No run yet: milkrun plan says what one would do.\n")
        return
    lines = [_state_line(run), _count_line(run), *_quality_lines(run)]
    for outcome, reason, count, example in reasons:
        if outcome != Outcome.FORECAST:
            lines.append(f"  {count:,} {outcome}, {reason}; one of them: milkrun show {shlex.quote(example)}")
    click.echo("\n".join([*lines, ""]))


def _state_line(run: dict[str, Any]) -> str:
    name = f"{run['origin']}: run {run['run']}, recipe {run['recipe']}"
    if run["state"] == RunState.PUBLISHED:
        return f"{name}, published {run['published_at']:%Y-%m-%d %H:%M} UTC"
    return (
        f"{name}, NOT published: {run['written']:,} of {run['shards']:,} shards written since "
        f"{run['started_at']:%Y-%m-%d %H:%M} UTC; milkrun run goes on with it"
    )


def _count_line(run: dict[str, Any]) -> str:
    counts = ", ".join(f"{run[name]:,} {name}" for name in Outcome if run[name])
    decisions = ", ".join(f"{run[name]:,} {name}" for name in DECISION_COUNTS.values() if run[name])
    return f"  {run['series']:,} series: {counts or 'none has ended yet'}{'; ' + decisions if decisions else ''}"


def _quality_lines(run: dict[str, Any]) -> list[str]:
    lines = []
    if run["median_skill"] is not None:
        evaluation = "live" if run["scored_on"] == Split.LIVE else "on the test part"
        lines.append(
            f"  Skill against the seasonal naive, one month ahead, {evaluation}: median {run['median_skill']:.2f}, "
            f"better in {run['better']:,} of {run['scored']:,}"
        )
    if run["coverage_80"] is not None:
        shares = (f"{100 * run[name]:.0f} %" for name in ("coverage_80", "coverage_95"))
        lines.append("  Inside the 80 % interval: {}; inside the 95 %: {}".format(*shares))
    return lines
