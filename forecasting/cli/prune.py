"""milkrun prune: removal of unpublished runs and of networks that are no longer needed."""

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import click

from forecasting.cli.database import configured_database

if TYPE_CHECKING:
    from forecasting.storage.pruning import Prunable


@click.command()
@click.option(
    "--keep-months",
    default=24,
    show_default=True,
    type=click.IntRange(1),
    metavar="N",
    help="Keep what was opened, published or needed in the last N months.",
)
@click.option("--dry-run", is_flag=True, help="Only say what would be removed.")
@click.option("--yes", is_flag=True, help="Remove without asking.")
def prune(keep_months: int, dry_run: bool, yes: bool) -> None:
    """Remove old runs that were never published, and networks that are no longer needed.

    Removed are runs that were opened more than N months ago and never published, and networks that neither a forecast of the
    last N months nor a future run needs.

    What was published stays: every forecast, score, outcome and reason, with the name and the manifest of its bundle; and
    every load, observation and rejected row. Forecasts published before the months kept, by networks that were replaced
    since, can then no longer be verified. Needs the owner's DATABASE_URL.
    """
    from forecasting.storage import pruning

    cutoff = _months_ago(datetime.now(UTC), keep_months)
    with configured_database() as database:
        with database.reading() as connection:
            prunable = pruning.find_prunable(connection, cutoff)
        if not prunable:
            click.echo(f"Nothing to remove: all is in use, or younger than {keep_months} months ({cutoff:%Y-%m-%d}).")
            return
        if dry_run:
            click.echo(_removal_text(prunable, "would be removed"))
            return
        if not yes:
            click.confirm(f"{_removal_text(prunable, 'will be removed')} Go on?", abort=True)
        prunable = database.write(lambda connection: pruning.prune(connection, cutoff))
        click.echo(_removal_text(prunable, "were removed"))


def _months_ago(moment: datetime, months: int) -> datetime:
    """Return the start of the month that lies so many months before the month of a moment."""
    months_since_0 = moment.year * 12 + moment.month - 1 - months
    return datetime(months_since_0 // 12, months_since_0 % 12 + 1, 1, tzinfo=UTC)


def _removal_text(prunable: "Prunable", verb_phrase: str) -> str:
    run_count, unused_count, old_count = (
        len(ids) for ids in (prunable.run_ids, prunable.unused_bundle_ids, prunable.old_bundle_ids)
    )
    return (
        f"Runs that were never published: {run_count:,}; bundles that no run refers to: {unused_count:,}; "
        f"bundles replaced long ago, whose weights are removed: {old_count:,}. "
        f"{prunable.payload_bytes / (1 << 20):,.1f} MiB of networks {verb_phrase}."
    )
