"""milkrun rollback: put an earlier bundle in charge of a series."""

from typing import Any

import click

from forecasting.cli.options import promotion_options
from forecasting.cli.promote import store_promotion


@click.command()
@promotion_options
@click.option("--bundle", metavar="ID", help="Bundle to return to, or the beginning of its id. [the one before]")
def rollback(**options: Any) -> None:
    """Return a SERIES to an earlier bundle: the next runs go on with it. Published forecasts stay as they are."""
    from forecasting.operations import promotions

    store_promotion(promotions.rollback, **options)
