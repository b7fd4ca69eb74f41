"""milkrun verify: published forecasts computed again from what is stored."""

import json
import math
from typing import TYPE_CHECKING, Any

import click

from forecasting.cli.database import configured_database
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
    from forecasting.operations.verification import replay_run
    from forecasting.runs import job
    from forecasting.storage.views.runs import find_newest_published_run

    with configured_database() as database:
        if run_id is None:
            with database.reading() as connection:
                run_id = find_newest_published_run(connection)
        replay = replay_run(database, job.read_run(database, run_id), tolerance=tolerance)
    if as_json:
        click.echo(json.dumps(_json_object(replay), indent=2, allow_nan=False))
    else:
        click.echo("\n".join(_sentences(replay)))
    return EXIT_SOME_SERIES_FAILED if replay.mismatches or replay.failures else EXIT_DONE


def _sentences(replay: "Replay") -> list[str]:
    run = replay.run
    run_text = f"Run {run.run_id}, origin {run.request.origin}, recipe {run.request.recipe.name}"
    lines = [
        f"{run_text}: {replay.compared_count:,} of {replay.forecasts:,} forecasts computed again from their bundles and loads."
    ]
    if replay.largest is not None:
        largest_text = _difference_text(replay.largest) if replay.largest.absolute else "0.0"
        lines.append(f"Largest difference: {largest_text}.")
    if replay.mismatches:
        lines.append(f"{replay.mismatches:,} forecasts are not what was published; the farthest from it:")
        lines += [f"  {_difference_text(difference)}" for difference in replay.named]
    if replay.intervals_open:
        run_ids = ", ".join(map(str, replay.later_runs[:5])) + (", …" if len(replay.later_runs) > 5 else "")
        lines.append(
            f"The intervals of {replay.intervals_open:,} forecasts could not be compared: what was published since the run "
            f"was opened (run {run_ids}) would widen them now. Their values are the same."
        )
    for reason, names in replay.failures.items():
        lines.append(f"{len(names):,} series could not be replayed ({names[0]}). {reason}")
    return lines


def _difference_text(difference: "Difference") -> str:
    sides = [f"{side!r}" if side is not None else "nothing" for side in (difference.stored, difference.computed)]
    is_finite = math.isfinite(difference.absolute)
    size = f" ({difference.absolute:.3g}, {difference.relative:.1e} of the series' largest)" if is_finite else ""
    return f"{difference.series}, {difference.month}, {difference.number}: stored {sides[0]}, computed {sides[1]}{size}"


def _json_object(replay: "Replay") -> dict[str, Any]:
    return {
        "run_id": replay.run.run_id,
        "origin": str(replay.run.request.origin),
        "recipe": replay.run.request.recipe.name,
        "forecasts": replay.forecasts,
        "compared": replay.compared_count,
        "mismatches": replay.mismatches,
        "largest_difference": _json_difference(replay.largest) if replay.largest else None,
        "differences": [_json_difference(difference) for difference in replay.named],
        "intervals_not_compared": replay.intervals_open,
        "not_replayed": [{"reason": reason, "series": names} for reason, names in replay.failures.items()],
    }


def _json_difference(difference: "Difference") -> dict[str, Any]:
    """Return a difference as JSON values; `absolute` and `relative` are null where one of the two numbers is missing."""
    is_finite = math.isfinite(difference.absolute)
    return {
        "series": difference.series,
        "month": str(difference.month),
        "number": difference.number,
        "stored": difference.stored,
        "computed": difference.computed,
        "absolute": difference.absolute if is_finite else None,
        "relative": difference.relative if is_finite else None,
    }
