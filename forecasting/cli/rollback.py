"""milkrun rollback, promote: put a bundle in charge of a series."""

import getpass
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

import click

from forecasting.domain.errors import InputError

if TYPE_CHECKING:
    from forecasting.storage.promotions import Promotion

Function = TypeVar("Function", bound=Callable[..., Any])


def _order_options(command: Function) -> Function:
    for option in (
        click.option("--by", metavar="NAME", help="Who orders it. [the user of the system]"),
        click.option("--why", required=True, metavar="TEXT", help="Why; kept with the order."),
        click.option("--shared", is_flag=True, help="Instead of a SERIES: the networks that all series share."),
        click.argument("series", required=False),
    ):
        command = option(command)
    return command


@click.command()
@_order_options
@click.option("--bundle", metavar="ID", help="Bundle to return to, or the beginning of its id. [the one before]")
def rollback(**asked: Any) -> None:
    """Return a SERIES to an earlier bundle: the next runs go on with it. Published forecasts stay as they are."""
    from forecasting.operations.promotions import rollback as order

    _print(*_made(order, **asked))


@click.command()
@_order_options
@click.option("--bundle", metavar="ID", help="Bundle, or the beginning of its id. [the newest that was refused]")
def promote(**asked: Any) -> None:
    """Put a bundle in charge of a SERIES, although it was refused: the next runs go on with it."""
    from forecasting.operations.promotions import promote as order

    _print(*_made(order, **asked))


def _made(
    order: "Callable[..., Promotion]", series: str | None, shared: bool, why: str, by: str | None, bundle: str | None
) -> "tuple[str, Promotion]":
    from forecasting.domain.settings import Settings
    from forecasting.storage.db.schema import open_migrated_database

    if shared == (series is not None):
        raise InputError("Name a SERIES, or give --shared for the networks that all series share.")
    if not why.strip():
        raise InputError("--why is empty: say why, so that others can tell.")
    with open_migrated_database(Settings.from_environment()) as database:
        made = order(database, series, why=why.strip(), made_by=by or getpass.getuser(), bundle=bundle)
    return series or "The shared networks", made


def _print(whose: str, made: "Promotion") -> None:
    click.echo(f"{whose}: bundle {made.bundle_id[:12]} is in charge from run {made.run_id} on; the next run uses it.")


COMMANDS: list[click.Command] = [rollback, promote]
