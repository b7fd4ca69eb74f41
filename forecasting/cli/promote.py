"""milkrun promote: put a bundle in charge of a series."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import click

from forecasting.cli.database import configured_database
from forecasting.cli.options import promotion_options
from forecasting.domain.errors import InputError

if TYPE_CHECKING:
    from forecasting.storage.promotions import Promotion


@click.command()
@promotion_options
@click.option("--bundle", metavar="ID", help="Bundle, or the beginning of its id. [the newest that was refused]")
def promote(**options: Any) -> None:
    """Put a bundle in charge of a SERIES, although it was refused: the next runs go on with it."""
    from forecasting.operations import promotions

    store_promotion(promotions.promote, **options)


def store_promotion(
    operation: "Callable[..., Promotion]",
    series: str | None,
    shared: bool,
    why: str,
    by: str | None,
    bundle: str | None,
) -> None:
    """Store a promotion or a rollback, by the function of forecasting/operations/promotions.py, and print its result.

    shared: for the global networks instead of a series. Raises InputError for options that contradict one another.
    """
    if shared == (series is not None):
        raise InputError("Name a SERIES, or give --shared for the networks that all series share.")
    if not why.strip():
        raise InputError("--why is empty: say why, so that others can tell.")
    from forecasting.domain.settings import user_name

    with configured_database() as database:
        promotion = operation(database, series, why=why.strip(), made_by=by or user_name(), bundle=bundle)
    click.echo(
        f"{series or 'The shared networks'}: bundle {promotion.bundle_id[:12]} is in charge from run {promotion.run_id} on; "
        "the next run uses it."
    )
