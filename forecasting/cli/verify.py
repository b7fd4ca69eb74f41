"""milkrun verify: published forecasts computed again from what is stored."""

import json
import math
from typing import TYPE_CHECKING, Any

import click

from forecasting.domain.errors import EXIT_DONE, EXIT_SOME_SERIES_FAILED

if TYPE_CHECKING:
    from forecasting.operations.verification import Difference, Replay


@click.command()
@click.option("--run", "run_id", type=click.IntRange(1), metavar="ID", help="A published run. [the newest]")
@click.option(
    "--tolerance",
    default=0.0,
    type=click.FloatRange(0),
    metavar="SHARE",
    help="By how much a number may differ, as a share of the series' largest forecast. [0: to the last bit]",
)
@click.option("--json", "as_json", is_flag=True, help="Print a JSON object.")
def verify(run_id: int | None, tolerance: float, as_json: bool) -> int:
    """Compute the forecasts of a published run again, from their stored bundles and the loads that the run knew.

    Values, baselines and intervals are compared with what is stored; nothing is written. The exit code is 2 when a number
    differs or a series cannot be replayed. Another release or another kind of processor may differ in the last
    digits of networks: --tolerance 1e-6 lets that pass.
    """
    from forecasting.domain.settings import Settings
    from forecasting.operations.verification import replay_run
    from forecasting.runs import job
    from forecasting.storage.db.schema import open_migrated_database
    from forecasting.storage.views.runs import find_newest_published_run

    with open_migrated_database(Settings.from_environment()) as database:
        if run_id is None:
            with database.reading() as connection:
                run_id = find_newest_published_run(connection)
        found = replay_run(database, job.read_run(database, run_id), tolerance=tolerance)
    if as_json:
        click.echo(json.dumps(_as_object(found), indent=2, allow_nan=False))
    else:
        click.echo("\n".join(_sentences(found)))
    return EXIT_SOME_SERIES_FAILED if found.mismatches or found.failures else EXIT_DONE


def _sentences(found: "Replay") -> list[str]:
    run = found.run
    name = f"Run {run.run_id}, origin {run.request.origin}, recipe {run.request.recipe.name}"
    lines = [
        f"{name}: {found.compared_count:,} of {found.forecasts:,} forecasts computed again from their bundles and loads."
    ]
    if found.largest is not None:
        lines.append(
            f"Largest difference: {_of(found.largest)}." if found.largest.absolute else "Largest difference: 0.0."
        )
    if found.mismatches:
        lines.append(f"{found.mismatches:,} forecasts are not what was published; the farthest from it:")
        lines += [f"  {_of(one)}" for one in found.named]
    if found.intervals_open:
        since = ", ".join(map(str, found.later_runs[:5])) + (", …" if len(found.later_runs) > 5 else "")
        lines.append(
            f"The intervals of {found.intervals_open:,} forecasts could not be compared: what was published since the run "
            f"was opened (run {since}) would widen them now. Their values are the same."
        )
    for why, series in found.failures.items():
        lines.append(f"{len(series):,} series could not be replayed ({series[0]}). {why}")
    return lines


def _of(one: "Difference") -> str:
    sides = [f"{side!r}" if side is not None else "nothing" for side in (one.stored, one.computed)]
    size = f" ({one.absolute:.3g}, {one.relative:.1e} of the series' largest)" if math.isfinite(one.absolute) else ""
    return f"{one.series}, {one.month}, {one.number}: stored {sides[0]}, computed {sides[1]}{size}"


def _as_object(found: "Replay") -> dict[str, Any]:
    return {
        "run_id": found.run.run_id,
        "origin": str(found.run.request.origin),
        "recipe": found.run.request.recipe.name,
        "forecasts": found.forecasts,
        "compared": found.compared_count,
        "mismatches": found.mismatches,
        "largest_difference": _plain(found.largest) if found.largest else None,
        "differences": [_plain(one) for one in found.named],
        "intervals_not_compared": found.intervals_open,
        "not_replayed": [{"reason": why, "series": series} for why, series in found.failures.items()],
    }


def _plain(one: "Difference") -> dict[str, Any]:
    """Return a difference as JSON values; where one side has no number, the difference has none either."""
    finite = math.isfinite(one.absolute)
    return {
        "series": one.series,
        "month": str(one.month),
        "number": one.number,
        "stored": one.stored,
        "computed": one.computed,
        "absolute": one.absolute if finite else None,
        "relative": one.relative if finite else None,
    }
