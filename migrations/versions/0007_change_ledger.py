"""The change ledger: why forecasts moved from run to run; live RMSE against first releases beside the latest values."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import ARRAY

revision = "0007"
down_revision = "0006"

PARTS = {
    "new_months": "months observed since",
    "revisions": "changed values of months that were known",
    "network": "another network, scaler or method",
    "recipe_change": "another recipe",
}
FIRST = {
    "rmse_first": "Of live forecasts, against the value of each month that was released first; empty where none was revised.",
    "baseline_rmse_first": "The seasonal naive's, against the values released first.",
}

# Runs from before the ledger keep their rows in the view; each is compared with the run that came before it.
_OLDER = """
INSERT INTO milkrun.forecast_change_part (run_id, series_id, previous_run_id, reason)
SELECT run_id, series_id, previous_run_id, 'older_release'
FROM (
    SELECT x.run_id, x.series_id, coalesce(
               lag(x.run_id) OVER (PARTITION BY x.series_id, r.kind, r.vintages, r.recipe_hash ORDER BY r.origin, r.run_id),
               lag(x.run_id) OVER (PARTITION BY x.series_id, r.kind, r.vintages ORDER BY r.origin, r.run_id)
           ) AS previous_run_id
    FROM milkrun.run_series x JOIN milkrun.run r USING (run_id)
    WHERE r.state = 'published' AND x.outcome IN ('forecast', 'fallback')
) moved
WHERE previous_run_id IS NOT NULL
"""
_CHANGE = """
SELECT s.name AS series, f.month, x.origin, f.value, before.origin AS previous_origin, p.value AS previous_value,
       f.value - p.value AS change, s.unit, c.name AS recipe, earlier_recipe.name AS previous_recipe, r.published_at,
       r.run_id, g.previous_run_id, {parts}, g.reason
FROM milkrun.forecast_change_part g
JOIN milkrun.run r USING (run_id)
JOIN milkrun.recipe c USING (recipe_hash)
JOIN milkrun.series s USING (series_id)
JOIN milkrun.run_series x USING (run_id, series_id)
JOIN milkrun.forecast f USING (run_id, series_id)
JOIN milkrun.run earlier ON earlier.run_id = g.previous_run_id
JOIN milkrun.recipe earlier_recipe ON earlier_recipe.recipe_hash = earlier.recipe_hash
JOIN milkrun.run_series before ON before.run_id = g.previous_run_id AND before.series_id = g.series_id
JOIN milkrun.forecast p ON p.run_id = g.previous_run_id AND p.series_id = g.series_id AND p.month = f.month
WHERE r.state = 'published' AND r.kind = 'live'
""".format(
    parts=", ".join(f"CASE WHEN g.reason IS NULL THEN coalesce(g.{part}[f.horizon], 0) END AS {part}" for part in PARTS)
)
_CHANGE_BEFORE = """
SELECT series, month, origin, value, previous_origin, previous_value, value - previous_value AS change, unit,
       recipe, previous_recipe, published_at, run_id, previous_run_id
FROM (
    SELECT h.*, lag(value) OVER earlier AS previous_value, lag(origin) OVER earlier AS previous_origin,
           lag(recipe) OVER earlier AS previous_recipe, lag(run_id) OVER earlier AS previous_run_id
    FROM milkrun.forecast_history h
    WHERE kind = 'live'
    WINDOW earlier AS (PARTITION BY series, month, vintages ORDER BY run_origin, run_id)
) moved
WHERE previous_run_id IS NOT NULL
"""
_TREND = """
SELECT s.name AS series, r.origin AS run_origin, e.split, e.horizon, e.n, e.rmse, e.baseline_rmse, e.naive_rmse,
       e.base_path_rmse, e.skill, e.coverage_80, e.coverage_95, s.unit, c.name AS recipe, r.kind, r.vintages,
       r.published_at, r.run_id{first}
FROM milkrun.rmse_history e
JOIN milkrun.run r USING (run_id)
JOIN milkrun.series s USING (series_id)
JOIN milkrun.recipe c USING (recipe_hash)
WHERE r.state = 'published'
"""
_LATEST = """
SELECT DISTINCT ON (series, recipe, split, horizon) *
FROM milkrun.rmse_trend
WHERE kind = 'live'
ORDER BY series, recipe, split, horizon, run_origin DESC, run_id DESC
"""
_FIRST_COLUMNS = """,
       CASE e.split WHEN 'live' THEN coalesce(e.rmse_first, e.rmse) END AS rmse_first,
       CASE e.split WHEN 'live' THEN coalesce(e.baseline_rmse_first, e.baseline_rmse) END AS baseline_rmse_first"""
_MEANINGS = {
    ("forecast_change", "new_months"): "Part of the change that comes from months observed since the run before.",
    ("forecast_change", "revisions"): "Part that comes from changed values of months that the run before knew.",
    ("forecast_change", "network"): "Part that comes from another network or scaler, or from none: another method.",
    ("forecast_change", "recipe_change"): "Part that comes from another recipe, with its network.",
    ("forecast_change", "reason"): "Why the parts are empty, in a word; empty where they add up to the change.",
    **{
        (view, column): f"{what} of live forecasts against the values released first; {column.removesuffix('_first')} "
        "is against the latest values that the run knew."
        for view in ("rmse_trend", "latest_rmse")
        for column, what in {"rmse_first": "RMSE", "baseline_rmse_first": "RMSE of the seasonal naive"}.items()
    },
}


def upgrade() -> None:
    op.create_table(
        "forecast_change_part",
        sa.Column("run_id", sa.BigInteger(), nullable=False, comment="Run whose forecasts moved."),
        sa.Column("series_id", sa.Integer(), nullable=False, comment="Series that they are of."),
        sa.Column("previous_run_id", sa.BigInteger(), nullable=False, comment="Run that it is compared with."),
        sa.Column("reason", sa.Text(), comment="Short word for why the parts are not known; empty where they are."),
        *(
            sa.Column(
                name,
                ARRAY(sa.Double()),
                comment=f"What {cause} moved, by horizon, in the unit of the series; empty: nothing.",
            )
            for name, cause in PARTS.items()
        ),
        *(
            sa.CheckConstraint(
                f"'Infinity' > ALL ({name}) AND '-Infinity' < ALL ({name})",
                name=op.f(f"forecast_change_part_{name}_check"),
            )
            for name in PARTS
        ),
        sa.CheckConstraint(
            "reason IS NULL OR num_nulls(new_months, revisions, network, recipe_change) = 4",
            name=op.f("forecast_change_part_reason_check"),
        ),
        sa.ForeignKeyConstraint(
            ["previous_run_id"], ["milkrun.run.run_id"], name=op.f("forecast_change_part_previous_run_id_fkey")
        ),
        sa.PrimaryKeyConstraint("run_id", "series_id", name=op.f("forecast_change_part_pkey")),
        schema="milkrun",
        comment="Why forecasts differ from those of the series' previous run: parts that add up to the difference.",
    )
    op.execute(_OLDER)
    for column, comment in FIRST.items():
        op.add_column("rmse_history", sa.Column(column, sa.Double(), comment=comment), schema="milkrun")
        op.create_check_constraint(
            op.f(f"rmse_history_{column}_check"),
            "rmse_history",
            f"{column} >= 0 AND {column} < 'Infinity'",
            schema="milkrun",
        )
    op.execute(f"CREATE OR REPLACE VIEW milkrun.forecast_change AS {_CHANGE}")
    op.execute(
        "COMMENT ON VIEW milkrun.forecast_change IS 'How the forecast of a target month moved from the series'' previous "
        "published live run to the next, and why: new_months + revisions + network + recipe_change = change.'"
    )
    op.execute(f"CREATE OR REPLACE VIEW milkrun.rmse_trend AS {_TREND.format(first=_FIRST_COLUMNS)}")
    op.execute(f"CREATE OR REPLACE VIEW milkrun.latest_rmse AS {_LATEST}")
    for (view, column), meaning in _MEANINGS.items():
        _comment(view, column, meaning)


def downgrade() -> None:
    views = {"forecast_change": _CHANGE_BEFORE, "rmse_trend": _TREND.format(first=""), "latest_rmse": _LATEST}
    comments = {view: _comments(view) for view in views}
    for view in reversed(views):
        op.execute(f"DROP VIEW milkrun.{view}")
    for view, query in views.items():
        op.execute(f"CREATE VIEW milkrun.{view} AS {query}")
        for column, meaning in comments[view]:
            if (view, column) not in _MEANINGS:
                _comment(view, column, meaning)
    op.execute(
        "COMMENT ON VIEW milkrun.forecast_change IS "
        "'How the forecast of a target month moved from one published live run to the next.'"
    )
    for column in FIRST:
        op.drop_column("rmse_history", column, schema="milkrun")
    op.drop_table("forecast_change_part", schema="milkrun")


def _comments(view: str) -> list[tuple[str | None, str]]:
    """Return the comments of a view, under None, and of its columns."""
    found = op.get_bind().execute(
        sa.text("""
            SELECT a.attname, d.description FROM pg_description d
            LEFT JOIN pg_attribute a ON a.attrelid = d.objoid AND a.attnum = d.objsubid AND d.objsubid > 0
            WHERE d.classoid = 'pg_class'::regclass AND d.objoid = CAST(:view AS regclass)
        """),
        {"view": f"milkrun.{view}"},
    )
    return [(row.attname, row.description) for row in found]


def _comment(view: str, column: str | None, comment: str) -> None:
    target = f"VIEW milkrun.{view}" if column is None else f"COLUMN milkrun.{view}.{column}"
    quoted = comment.replace("'", "''").replace("%", "%%")
    op.get_bind().exec_driver_sql(f"COMMENT ON {target} IS '{quoted}'")
