"""Promotions by order: a person puts a bundle in charge, an earlier one or one that was refused; the next runs reuse it."""

from dataclasses import replace

from forecasting.domain.errors import RunRefused
from forecasting.domain.vocabulary import PromotionKind
from forecasting.runs.model_store import ModelStore
from forecasting.runs.snapshot import DatabaseReads
from forecasting.storage import promotions
from forecasting.storage.db.database import Database
from forecasting.storage.panels import require_series
from forecasting.storage.promotions import BundleUse, Promotion


def rollback(database: Database, series: str | None, *, why: str, made_by: str, bundle: str | None = None) -> Promotion:
    """Return a series, or all that share global networks (None), to the bundle before the present one, or to a given one.

    bundle: the beginning of its id. A repeated rollback goes back no further: it may repeat a command that was killed before it
    could answer. Raises InputError for an unknown series, RunRefused where there is no such bundle.
    """
    series_id, uses = _read_uses(database, series)
    if bundle is None:
        present = uses[0].champion_id
        if uses[0].promotion_kind == PromotionKind.ROLLBACK:
            raise RunRefused(
                f"Bundle {present[:12]} is in charge already, by a rollback since the newest run: "
                "name an earlier one with --bundle."
            )
        bundle_ids = [use.bundle_id for use in uses]
        start = bundle_ids.index(present) + 1 if present in bundle_ids else 0
        bundle = next((bundle_id for bundle_id in bundle_ids[start:] if bundle_id != present), None)
        if bundle is None:
            owner = series or "The shared networks"
            raise RunRefused(f"{owner}: no bundle but {present[:12]} has spoken in a published run.")
    promotion = Promotion(uses[0].run_id, series_id, bundle, PromotionKind.ROLLBACK, why, made_by)
    return _promote(database, promotion, uses[0])


def promote(database: Database, series: str | None, *, why: str, made_by: str, bundle: str | None = None) -> Promotion:
    """Put a bundle in charge, by default the newest that was refused; otherwise as `rollback`."""
    series_id, uses = _read_uses(database, series)
    bundle = bundle or next((use.refused_id for use in uses if use.refused_id is not None), None)
    if bundle is None:
        owner = series or "the shared networks"
        raise RunRefused(f"No new network of {owner} was refused in a published run: name one with --bundle.")
    promotion = Promotion(uses[0].run_id, series_id, bundle, PromotionKind.PROMOTE, why, made_by)
    return _promote(database, promotion, uses[0])


def _read_uses(database: Database, series: str | None) -> tuple[int | None, list[BundleUse]]:
    with database.reading() as connection:
        series_id = None if series is None else require_series(connection, series)
        uses = promotions.read_bundle_uses(connection, series_id)
    if not uses:
        owner = "any series by shared networks" if series is None else series
        raise RunRefused(f"No published live run has forecast {owner} yet: there is nothing to go back to.")
    if series is not None and uses[0].is_global:
        raise RunRefused(
            f"{series} shares its networks with all series of its runs: use --shared, which is for all of them."
        )
    return series_id, uses


def _promote(database: Database, promotion: Promotion, newest_use: BundleUse) -> Promotion:
    """Check and store a promotion, whose bundle_id may be the beginning of one; returns it with the whole id."""
    with database.reading() as connection:
        candidates = promotions.find_bundles(connection, promotion.bundle_id, promotion.series_id)
    if len(candidates) != 1:
        problem = "more than one bundle" if candidates else "no bundle that holds it"
        raise RunRefused(
            f"There is {problem} whose id begins with {promotion.bundle_id!r}: name one as run_series has it."
        )
    [(bundle_id, recipe_hash)] = candidates
    if recipe_hash != newest_use.recipe_hash:
        raise RunRefused(
            f"Bundle {bundle_id[:12]} is of another recipe than the newest run: the next run would train anew."
        )
    if bundle_id == newest_use.champion_id:
        raise RunRefused(f"Bundle {bundle_id[:12]} is in charge already.")
    damage = ModelStore(DatabaseReads(database).read_bundles).damage(bundle_id)
    if damage is not None:
        raise RunRefused(f"This bundle cannot be put in charge. {damage}")
    promotion = replace(promotion, bundle_id=bundle_id)
    database.write(lambda connection: promotions.write_promotion(connection, promotion))
    return promotion
