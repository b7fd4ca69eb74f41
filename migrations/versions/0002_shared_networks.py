"""Networks that series share, intervals, and more baselines."""

from pathlib import Path

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0002"
down_revision = "0001"

# Dependants first.
VIEWS = (
    "run_outcome",
    "run_health",
    "series_health",
    "forecast_change",
    "latest_rmse",
    "rmse_trend",
    "forecast_versus_actual",
    "latest_observation",
    "latest_forecast",
    "forecast_history",
)
COMMENTS = (  # table, column, before, after
    ("bundle_member", "scaler", "Fitted scaler, as numbers.", "Fitted scaler and intervals, as numbers."),
    (
        "bundle_member",
        "train_rmse",
        "In the unit of the series, one month ahead.",
        "In the unit of the series, one month ahead; empty where too short to tell.",
    ),
    (
        "bundle_member",
        "test_rmse",
        "On the months after trained_through, one month ahead.",
        "On months that were held out, one month ahead; empty where too short to tell.",
    ),
    (
        "run_series",
        "method",
        "lstm, seasonal_naive or naive: what made the numbers.",
        "lstm, base_path or seasonal_naive: what made the numbers.",
    ),
)


def upgrade() -> None:
    _drop_views()
    for table, column, _, comment in COMMENTS:
        op.execute(f"COMMENT ON COLUMN milkrun.{table}.{column} IS '{comment}'")
    for column in ("train_rmse", "test_rmse"):
        op.alter_column("bundle_member", column, nullable=True, schema="milkrun")
    op.create_table(
        "run_network",
        sa.Column("run_id", sa.BigInteger(), nullable=False),
        sa.Column("decision", sa.Text(), nullable=True, comment="retrain or reuse; empty where neither is possible."),
        sa.Column("reason", sa.Text(), nullable=False, comment="Short word for the reason of the decision."),
        sa.Column("detail", sa.Text(), nullable=True, comment="The reason in a sentence, with months and numbers."),
        sa.Column("bundle_id", sa.Text(), nullable=True, comment="The networks; empty where training gave none."),
        sa.Column(
            "decided_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
            comment="When it was decided and, if so, trained.",
        ),
        sa.CheckConstraint("decision IN ('retrain', 'reuse')", name=op.f("run_network_decision_check")),
        sa.CheckConstraint("decision <> 'reuse' OR bundle_id IS NOT NULL", name=op.f("run_network_bundle_check")),
        sa.ForeignKeyConstraint(["run_id"], ["milkrun.run.run_id"], name=op.f("run_network_run_id_fkey")),
        sa.ForeignKeyConstraint(["bundle_id"], ["milkrun.bundle.bundle_id"], name=op.f("run_network_bundle_id_fkey")),
        sa.PrimaryKeyConstraint("run_id", name=op.f("run_network_pkey")),
        schema="milkrun",
        comment="The networks that all series of a run share, where they do: trained or reused once, before the shards.",
    )
    _add(
        "bundle_member",
        "scores",
        JSONB(),
        "Per split and horizon, of networks that series share: what rmse_history gets.",
    )
    op.drop_constraint("run_series_bundle_id_series_id_fkey", "run_series", schema="milkrun", type_="foreignkey")
    op.create_foreign_key(
        "run_series_bundle_id_fkey",
        "run_series",
        "bundle",
        ["bundle_id"],
        ["bundle_id"],
        source_schema="milkrun",
        referent_schema="milkrun",
    )
    _add_number("run_series", "last_value", "Value of the last month used: the naive forecast of every horizon.")
    _add_number("forecast", "base_path", "The base path of the recipe monthly: what its networks correct.")
    _add_number("rmse_history", "naive_rmse", "The naive's, on the same months.", least="0")
    _add_number(
        "rmse_history",
        "base_path_rmse",
        "The base path's, on the same months, where the recipe has one.",
        least="0",
    )
    op.execute(Path(__file__).with_name("0002_views.sql").read_text())


def downgrade() -> None:
    _drop_views()
    for table, column in (
        ("rmse_history", "base_path_rmse"),
        ("rmse_history", "naive_rmse"),
        ("forecast", "base_path"),
        ("run_series", "last_value"),
        ("bundle_member", "scores"),
    ):
        op.drop_column(table, column, schema="milkrun")
    op.drop_constraint("run_series_bundle_id_fkey", "run_series", schema="milkrun", type_="foreignkey")
    # Forecasts by shared networks name bundles that their series are no members of; the older release knows none such.
    op.execute("""
        ALTER TABLE milkrun.run_series ADD CONSTRAINT run_series_bundle_id_series_id_fkey
        FOREIGN KEY (bundle_id, series_id) REFERENCES milkrun.bundle_member (bundle_id, series_id) NOT VALID
    """)
    op.drop_table("run_network", schema="milkrun")
    for column in ("train_rmse", "test_rmse"):
        member = sa.table("bundle_member", sa.column(column), schema="milkrun")
        op.execute(member.update().where(member.c[column].is_(None)).values({column: float("nan")}))
        op.alter_column("bundle_member", column, nullable=False, schema="milkrun")
    for table, column, comment, _ in COMMENTS:
        op.execute(f"COMMENT ON COLUMN milkrun.{table}.{column} IS '{comment}'")
    op.execute(Path(__file__).with_name("0001_views.sql").read_text())


def _drop_views() -> None:
    op.execute("DROP FUNCTION milkrun.forecast_as_of(timestamptz)")
    for view in VIEWS:
        op.execute(f"DROP VIEW milkrun.{view}")


def _add(table: str, column: str, kind: sa.types.TypeEngine[object], comment: str) -> None:
    op.add_column(table, sa.Column(column, kind, nullable=True, comment=comment), schema="milkrun")


def _add_number(table: str, column: str, comment: str, *, least: str | None = None) -> None:
    """Add a finite number; NaN sorts above every number in PostgreSQL, so `< 'Infinity'` keeps it out as well."""
    _add(table, column, sa.Double(), comment)
    lower = f"{column} >= {least}" if least else f"{column} > '-Infinity'"
    op.create_check_constraint(
        op.f(f"{table}_{column}_check"), table, f"{lower} AND {column} < 'Infinity'", schema="milkrun"
    )
