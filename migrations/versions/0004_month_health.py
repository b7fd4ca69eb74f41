"""The view month_health: which months have been published."""

from alembic import op

revision = "0004"
down_revision = "0003"

_VIEW = """
CREATE VIEW milkrun.month_health AS
WITH observed AS (
    SELECT max(month) AS newest FROM milkrun.observation JOIN milkrun.series USING (series_id) WHERE active
), published AS (
    SELECT DISTINCT ON (origin) origin, run_id, published_at
    FROM milkrun.run
    WHERE state = 'published' AND kind = 'live' AND scope = 'all'
    ORDER BY origin, run_id DESC
), month AS (
    SELECT generate_series(least((SELECT min(origin) FROM published), newest), newest, '1 month')::date AS month
    FROM observed WHERE newest IS NOT NULL
)
SELECT m.month, p.run_id IS NOT NULL AS published, p.run_id, p.published_at, h.recipe, h.series, h.forecast, h.fallback,
       h.held, h.refused, h.failed, m.month = o.newest AS newest,
       (SELECT min(l.sealed_at) FROM milkrun.observation x JOIN milkrun.load l USING (load_id)
        WHERE m.month = o.newest AND x.month = o.newest) AS observed_since
FROM month m
CROSS JOIN observed o
LEFT JOIN published p ON p.origin = m.month
LEFT JOIN milkrun.run_health h ON h.run_id = p.run_id
"""
_COMMENTS = {
    "month": "The origin: forecasts from it are for the months after it.",
    "published": "Whether a live run of all series from this month is published.",
    "run_id": "The newest such run.",
    "newest": "Whether this is the newest month that any active series has: the one that should be published.",
    "published_at": "When it was published.",
    "recipe": "Recipe of that run.",
    "series": "Number of series that the run had to account for.",
    "forecast": "Series forecast by a network.",
    "fallback": "Series forecast otherwise, with the reason stored.",
    "held": "Series that were held.",
    "refused": "Series that were refused.",
    "failed": "Series that failed.",
    "observed_since": "When the newest month was first loaded; empty for older months.",
}


def upgrade() -> None:
    op.execute(_VIEW)
    op.execute(
        "COMMENT ON VIEW milkrun.month_health IS 'Every month from the first published one to the newest observed one, "
        "and whether a live run of all series was published for it: WHERE newest AND NOT published is the alarm.'"
    )
    for column, comment in _COMMENTS.items():
        op.execute(f"COMMENT ON COLUMN milkrun.month_health.{column} IS '{comment}'")


def downgrade() -> None:
    op.execute("DROP VIEW milkrun.month_health")
