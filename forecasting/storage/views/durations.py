"""How long runs took, to say how long the next one will take."""

from statistics import median

from sqlalchemy import Connection, text

RUNS = 12  # the newest ones, which ran on what there is now


def estimate_seconds(connection: Connection, recipe_hash: str, *, series: int, trained: int) -> float | None:
    """Estimate how long a run takes that trains networks for some of its series; None where no earlier run tells.

    As published runs by the recipe took, medians: a second per so many series where nothing is trained, and what runs that
    trained took beyond that per series trained for. A run that was interrupted counts from its start; runs that were opened
    together do not count, as their networks were trained before, with those of one another.
    """
    rows = connection.execute(
        text("""
            SELECT count(*) AS series, extract(epoch FROM newest.published_at - newest.started_at)::float AS seconds,
                   count(*) FILTER (WHERE decision = 'retrain' OR decision_reason = 'champion_kept') AS trained
            FROM (SELECT * FROM milkrun.run r WHERE state = 'published' AND recipe_hash = :recipe_hash AND NOT EXISTS (
                      SELECT 1 FROM milkrun.run o WHERE o.started_at = r.started_at AND o.run_id <> r.run_id)
                  ORDER BY run_id DESC LIMIT :runs) newest
            JOIN milkrun.run_series USING (run_id)
            GROUP BY newest.run_id, newest.published_at, newest.started_at
        """),
        {"recipe_hash": recipe_hash, "runs": RUNS},
    ).all()
    plain = [row.seconds / row.series for row in rows if not row.trained]
    each = median(plain) if plain else 0.0
    training = [max(row.seconds - each * row.series, 0.0) / row.trained for row in rows if row.trained]
    if (trained and not training) or not (plain or training):
        return None
    return each * series + (median(training) * trained if trained else 0.0)
