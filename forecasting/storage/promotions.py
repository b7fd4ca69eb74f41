"""Promotions: bundles that a user made the champion of a series, or of all series with global networks."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, text
from sqlalchemy.dialects.postgresql import insert

from forecasting.domain.vocabulary import PromotionKind
from forecasting.storage.db import tables


@dataclass(frozen=True)
class BundleUse:
    """The use of a bundle in one published live run.

    bundle_id: the bundle that made the forecast. champion_id: the bundle that the next run reuses; another one after a
    promotion. promotion_kind: of the newest promotion since the run, None where there was none. refused_id: the bundle of the
    challenger that the run refused, None where there was none. is_global: whether its networks are global.
    """

    run_id: int
    recipe_hash: str
    bundle_id: str
    champion_id: str
    promotion_kind: str | None
    refused_id: str | None
    is_global: bool


@dataclass(frozen=True)
class Promotion:
    """A user's order to make a bundle the champion of a series; series_id None: of all series with global networks."""

    run_id: int
    series_id: int | None
    bundle_id: str
    kind: PromotionKind
    why: str
    made_by: str


def read_bundle_uses(connection: Connection, series_id: int | None) -> list[BundleUse]:
    """Return the bundles of a series (None: of global networks) in the published live runs, the newest run first.

    Only runs by the recipe of the newest one, and with vintages `as_of`, count.
    """
    source = (
        "SELECT run_id, bundle_id, evidence FROM milkrun.run_network WHERE bundle_id IS NOT NULL"
        if series_id is None
        else "SELECT run_id, bundle_id, evidence FROM milkrun.run_series WHERE series_id = :series AND outcome = 'forecast'"
    )
    rows = connection.execute(
        text(f"""
            SELECT run_id, r.recipe_hash, x.bundle_id, coalesce(p.bundle_id, x.bundle_id) AS in_charge, p.kind,
                   CASE x.evidence -> 'challenge' ->> 'result'
                       WHEN 'champion_kept' THEN x.evidence -> 'challenge' ->> 'challenger' END AS refused,
                   coalesce((b.manifest -> 'state' ->> 'shared')::boolean, false) AS shared
            FROM ({source}) x JOIN milkrun.run r USING (run_id) JOIN milkrun.bundle b ON b.bundle_id = x.bundle_id
            LEFT JOIN LATERAL (
                SELECT bundle_id, kind FROM milkrun.promotion
                WHERE run_id = x.run_id AND series_id IS NOT DISTINCT FROM CAST(:series AS integer)
                ORDER BY promotion_id DESC LIMIT 1) p ON true
            WHERE r.state = 'published' AND r.kind = 'live' AND r.vintages = 'as_of'
            ORDER BY r.origin DESC, run_id DESC
        """),
        {"series": series_id},
    )
    uses = [BundleUse(*row) for row in rows]
    return [use for use in uses if use.recipe_hash == uses[0].recipe_hash]


def find_bundles(connection: Connection, beginning: str, series_id: int | None) -> list[tuple[str, str]]:
    """Return (bundle id, recipe hash) of the bundles whose id starts with `beginning` and that have a network of a series.

    series_id None: of the bundles with global networks.
    """
    has_network = (
        "(manifest -> 'state' ->> 'shared')::boolean"
        if series_id is None
        else "EXISTS (SELECT FROM milkrun.bundle_member m WHERE m.bundle_id = b.bundle_id AND m.series_id = :series)"
    )
    rows = connection.execute(
        text(
            f"SELECT bundle_id, recipe_hash FROM milkrun.bundle b WHERE starts_with(bundle_id, :beginning) AND {has_network}"
        ),
        {"beginning": beginning, "series": series_id},
    )
    return [(row.bundle_id, row.recipe_hash) for row in rows]


def write_promotion(connection: Connection, promotion: Promotion) -> None:
    """Store a promotion."""
    connection.execute(insert(tables.promotion).values(**vars(promotion)))


def read_promotions(connection: Connection, name: str) -> Sequence[tuple[str, str, str, str, datetime, int]]:
    """Return the promotions of a series, the newest first: (kind, bundle_id, why, made_by, made_at, run_id)."""
    rows = connection.execute(
        text("""
            SELECT kind, bundle_id, why, made_by, made_at, run_id FROM milkrun.promotion_history
            WHERE series = :name ORDER BY made_at DESC
        """),
        {"name": name},
    )
    return [(row.kind, row.bundle_id, row.why, row.made_by, row.made_at, row.run_id) for row in rows]
