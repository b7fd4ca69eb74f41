"""What milkrun status says above its table: how the newest month went."""

import shlex
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from forecasting.storage.db.database import Database


def tell_newest_round(database: "Database") -> None:
    """Print how the newest live run went: state, counts, skill, coverage, and each reason with an example."""
    from forecasting.storage.runs import explain_outcomes
    from forecasting.storage.views.run_summaries import read_newest_round

    with database.reading() as connection:
        found = read_newest_round(connection)
        reasons = explain_outcomes(connection, [found["run"]])[found["run"]] if found else ()
    if found is None:
        click.echo("No run yet: milkrun plan says what one would do.\n")
        return
    lines = [_state(found), _counts(found), *_quality(found)]
    for outcome, reason, count, example in reasons:
        if outcome != "forecast":
            lines.append(f"  {count:,} {outcome}, {reason}; one of them: milkrun show {shlex.quote(example)}")
    click.echo("\n".join([*lines, ""]))


def _state(found: dict[str, Any]) -> str:
    name = f"{found['origin']}: run {found['run']}, recipe {found['recipe']}"
    if found["state"] == "published":
        return f"{name}, published {found['published_at']:%Y-%m-%d %H:%M} UTC"
    return (
        f"{name}, NOT published: {found['written']:,} of {found['shards']:,} shards written since "
        f"{found['started_at']:%Y-%m-%d %H:%M} UTC; milkrun run goes on with it"
    )


def _counts(found: dict[str, Any]) -> str:
    outcomes = ("forecast", "fallback", "held", "refused", "failed")
    counts = ", ".join(f"{found[name]:,} {name}" for name in outcomes if found[name])
    decided = ", ".join(f"{found[name]:,} {name}" for name in ("retrained", "reused") if found[name])
    return f"  {found['series']:,} series: {counts or 'none has ended yet'}{'; ' + decided if decided else ''}"


def _quality(found: dict[str, Any]) -> list[str]:
    lines = []
    if found["median_skill"] is not None:
        judged = "live" if found["scored_on"] == "live" else "on the test part"
        lines.append(
            f"  Skill against the seasonal naive, one month ahead, {judged}: median {found['median_skill']:.2f}, "
            f"better in {found['better']:,} of {found['scored']:,}"
        )
    if found["coverage_80"] is not None:
        inside = (f"{100 * found[name]:.0f} %" for name in ("coverage_80", "coverage_95"))
        lines.append("  Inside the 80 % interval: {}; inside the 95 %: {}".format(*inside))
    return lines
