"""Orders: somebody puts a bundle in charge, an earlier one or one that was refused; the next runs go on with it."""

from forecasting.domain.errors import BundleError, RunRefused
from forecasting.runs.model_store import networks_from
from forecasting.storage import bundles, promotions
from forecasting.storage.db.database import Database
from forecasting.storage.panels import require_series
from forecasting.storage.promotions import Promotion, Term


def rollback(database: Database, series: str | None, *, why: str, made_by: str, bundle: str | None = None) -> Promotion:
    """Return a series, or all that share networks (None), to the bundle before the present one, or to a given one.

    bundle: the beginning of its id. Raises InputError for an unknown series, RunRefused where there is no such bundle.
    """
    series_id, terms = _terms(database, series)
    if bundle is not None:
        return _order(database, Promotion(terms[0].run_id, series_id, bundle, "rollback", why, made_by), terms)
    present = terms[0].in_charge
    ids = [term.bundle_id for term in terms]
    since = ids.index(present) if present in ids else -1
    earlier = next((bundle_id for bundle_id in ids[since + 1 :] if bundle_id != present), None)
    if earlier is None:
        raise RunRefused(
            f"{series or 'The shared networks'}: no bundle but {present[:12]} has spoken in a published run."
        )
    return _order(database, Promotion(terms[0].run_id, series_id, earlier, "rollback", why, made_by), terms)


def promote(database: Database, series: str | None, *, why: str, made_by: str, bundle: str | None = None) -> Promotion:
    """Put a bundle in charge, by default the newest that was refused; otherwise as rollback."""
    series_id, terms = _terms(database, series)
    wanted = bundle or next((term.refused for term in terms if term.refused is not None), None)
    if wanted is None:
        who = series or "the shared networks"
        raise RunRefused(f"No new network of {who} was refused in a published run: name one with --bundle.")
    return _order(database, Promotion(terms[0].run_id, series_id, wanted, "promote", why, made_by), terms)


def _terms(database: Database, series: str | None) -> tuple[int | None, list[Term]]:
    with database.reading() as connection:
        series_id = None if series is None else require_series(connection, series)
        terms = promotions.read_terms(connection, series_id)
    if not terms:
        whom = "any series by shared networks" if series is None else series
        raise RunRefused(f"No published live run has forecast {whom} yet: there is nothing to go back to.")
    if series is not None and terms[0].shared:
        raise RunRefused(
            f"{series} shares its networks with all series of its runs: use --shared, which is for all of them."
        )
    return series_id, terms


def _order(database: Database, wanted: Promotion, terms: list[Term]) -> Promotion:
    """Check and record an order; bundle_id of `wanted` may be the beginning of one."""
    with database.reading() as connection:
        found = promotions.find_bundles(connection, wanted.bundle_id, wanted.series_id)
        if len(found) != 1:
            told = "more than one bundle" if found else "no bundle that holds it"
            raise RunRefused(
                f"There is {told} whose id begins with {wanted.bundle_id!r}: name one as run_series has it."
            )
        [(bundle_id, recipe_hash)] = found
        stored = bundles.read_bundles(connection, [bundle_id])[bundle_id]
    if recipe_hash != terms[0].recipe_hash:
        raise RunRefused(
            f"Bundle {bundle_id[:12]} is of another recipe than the newest run: the next run would train anew."
        )
    if bundle_id == terms[0].in_charge:
        raise RunRefused(f"Bundle {bundle_id[:12]} is in charge already.")
    try:
        networks_from(bundle_id, stored, [])
    except BundleError as damage:
        raise RunRefused(f"Bundle {bundle_id[:12]} cannot be put in charge: {damage}") from None
    order = Promotion(wanted.run_id, wanted.series_id, bundle_id, wanted.kind, wanted.why, wanted.made_by)
    database.write(lambda connection: promotions.write_promotion(connection, order))
    return order
