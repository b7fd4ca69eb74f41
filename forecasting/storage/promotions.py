"""Bundles that somebody put in charge of a series, or of the series that share networks: what may be, and what was."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from sqlalchemy import Connection, text
from sqlalchemy.dialects.postgresql import insert

from forecasting.storage.db import tables


@dataclass(frozen=True)
class Term:
    """One run in which a bundle spoke, or was refused: the published live runs of a series, the newest first.

    bundle_id: the one that spoke; in_charge: the one that the next run goes on with. refused: the challenger's.
    """

    run_id: int
    recipe_hash: str
    bundle_id: str
    in_charge: str
    refused: str | None
    shared: bool


@dataclass(frozen=True)
class Promotion:
    """A bundle put in charge; series_id is None for networks that all series of the run share."""

    run_id: int
    series_id: int | None
    bundle_id: str
    kind: Literal["rollback", "promote"]
    why: str
    made_by: str


def read_terms(connection: Connection, series_id: int | None) -> list[Term]:
    """Return in which runs by the newest one's recipe which bundle spoke for a series; None: for all that share networks.

    Only runs count that live runs build on.
    """
    source = (
        "SELECT run_id, bundle_id, evidence FROM milkrun.run_network WHERE bundle_id IS NOT NULL"
        if series_id is None
        else "SELECT run_id, bundle_id, evidence FROM milkrun.run_series WHERE series_id = :series AND outcome = 'forecast'"
    )
    rows = connection.execute(
        text(f"""
            SELECT run_id, r.recipe_hash, x.bundle_id, coalesce((
                       SELECT p.bundle_id FROM milkrun.promotion p
                       WHERE p.run_id = x.run_id AND p.series_id IS NOT DISTINCT FROM CAST(:series AS integer)
                       ORDER BY promotion_id DESC LIMIT 1), x.bundle_id) AS in_charge,
                   CASE x.evidence -> 'challenge' ->> 'result'
                       WHEN 'champion_kept' THEN x.evidence -> 'challenge' ->> 'challenger' END AS refused,
                   coalesce((b.manifest -> 'state' ->> 'shared')::boolean, false) AS shared
            FROM ({source}) x JOIN milkrun.run r USING (run_id) JOIN milkrun.bundle b ON b.bundle_id = x.bundle_id
            WHERE r.state = 'published' AND r.kind = 'live' AND r.vintages = 'as_of'
            ORDER BY r.origin DESC, run_id DESC
        """),
        {"series": series_id},
    )
    terms = [Term(*row) for row in rows]
    return [term for term in terms if term.recipe_hash == terms[0].recipe_hash]


def find_bundles(connection: Connection, beginning: str, series_id: int | None) -> list[tuple[str, str]]:
    """Return the bundles, with their recipes' hashes, whose id begins so and that hold a series; None: shared networks."""
    holds = (
        "(manifest -> 'state' ->> 'shared')::boolean"
        if series_id is None
        else "EXISTS (SELECT FROM milkrun.bundle_member m WHERE m.bundle_id = b.bundle_id AND m.series_id = :series)"
    )
    rows = connection.execute(
        text(
            f"SELECT bundle_id, recipe_hash FROM milkrun.bundle b WHERE starts_with(bundle_id, :beginning) AND {holds}"
        ),
        {"beginning": beginning, "series": series_id},
    )
    return [(row.bundle_id, row.recipe_hash) for row in rows]


def write_promotion(connection: Connection, promotion: Promotion) -> None:
    """Record a bundle as put in charge."""
    connection.execute(insert(tables.promotion).values(**vars(promotion)))


def read_promotions(connection: Connection, name: str) -> Sequence[tuple[str, str, str, str, datetime, int]]:
    """Return kind, bundle, reason, by whom, when and after which run a series got a bundle by order, the newest first."""
    rows = connection.execute(
        text("""
            SELECT kind, bundle_id, why, made_by, made_at, run_id FROM milkrun.promotion_history
            WHERE series = :name ORDER BY made_at DESC
        """),
        {"name": name},
    )
    return [(row.kind, row.bundle_id, row.why, row.made_by, row.made_at, row.run_id) for row in rows]
