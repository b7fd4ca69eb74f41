"""The first tables and views."""

from pathlib import Path

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0001"
down_revision = None

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


def upgrade() -> None:
    op.create_table(
        "load",
        sa.Column(
            "load_id", sa.BigInteger(), sa.Identity(always=True), nullable=False, comment="Ordered id: the vintage."
        ),
        sa.Column(
            "source", sa.Text(), nullable=False, comment="File name, or table or query of the source; never a password."
        ),
        sa.Column(
            "sealed_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
            comment="When the load was committed; a label only, the order is that of load_id.",
        ),
        sa.Column("rows_read", sa.BigInteger(), nullable=False, comment="Values met in the source."),
        sa.Column(
            "rows_added",
            sa.BigInteger(),
            nullable=False,
            comment="Values that were new or changed: the rows of this vintage.",
        ),
        sa.Column("rows_unchanged", sa.BigInteger(), nullable=False, comment="Values already known."),
        sa.Column("rows_collapsed", sa.BigInteger(), nullable=False, comment="Equal duplicates within the load."),
        sa.Column(
            "rows_rejected", sa.BigInteger(), nullable=False, comment="Values kept in rejected_row with a reason."
        ),
        sa.Column("sha256", sa.Text(), nullable=True, comment="Digest of the file, where the source is a file."),
        sa.CheckConstraint(
            "rows_read = rows_added + rows_unchanged + rows_collapsed + rows_rejected",
            name=op.f("load_accounted_check"),
        ),
        sa.PrimaryKeyConstraint("load_id", name=op.f("load_pkey")),
        schema="milkrun",
        comment="One intake of observations; committed whole or not at all.",
    )
    op.create_table(
        "recipe",
        sa.Column("recipe_hash", sa.Text(), nullable=False, comment="SHA-256 of the settings."),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("settings", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column(
            "created_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
            comment="When a run first used it.",
        ),
        sa.PrimaryKeyConstraint("recipe_hash", name=op.f("recipe_pkey")),
        schema="milkrun",
        comment="Named settings of networks, windows, scaling and training.",
    )
    op.create_table(
        "bundle",
        sa.Column("bundle_id", sa.Text(), nullable=False, comment="SHA-256 of content and manifest."),
        sa.Column("recipe_hash", sa.Text(), nullable=False),
        sa.Column("origin", sa.Date(), nullable=False, comment="Origin of the run that trained it."),
        sa.Column("as_of", sa.BigInteger(), nullable=False, comment="Newest load it could know."),
        sa.Column("payload", sa.LargeBinary(), nullable=False, comment="Little-endian float32 tensors back to back."),
        sa.Column(
            "manifest",
            postgresql.JSONB(astext_type=sa.Text()),
            nullable=False,
            comment="Names, shapes, digest, versions and seeds: plain JSON.",
        ),
        sa.Column(
            "created_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
            comment="When it was stored.",
        ),
        sa.CheckConstraint(
            "origin = date_trunc('month', origin) AND origin BETWEEN '1700-01-01' AND '2200-12-01'",
            name=op.f("bundle_origin_check"),
        ),
        sa.ForeignKeyConstraint(["as_of"], ["milkrun.load.load_id"], name=op.f("bundle_as_of_fkey")),
        sa.ForeignKeyConstraint(["recipe_hash"], ["milkrun.recipe.recipe_hash"], name=op.f("bundle_recipe_hash_fkey")),
        sa.PrimaryKeyConstraint("bundle_id", name=op.f("bundle_pkey")),
        schema="milkrun",
        comment="Networks of one shard with their provenance, as plain numbers.",
    )
    op.create_table(
        "rejected_row",
        sa.Column("load_id", sa.BigInteger(), nullable=False),
        sa.Column("position", sa.BigInteger(), nullable=False, comment="Running number of the value within the load."),
        sa.Column(
            "line",
            sa.BigInteger(),
            nullable=False,
            comment="Line of the file or row of the query, the header being line 1.",
        ),
        sa.Column(
            "raw", sa.Text(), nullable=False, comment="What was read, shortened and with control characters escaped."
        ),
        sa.Column("reason", sa.Text(), nullable=False, comment="Why it was rejected."),
        sa.ForeignKeyConstraint(["load_id"], ["milkrun.load.load_id"], name=op.f("rejected_row_load_id_fkey")),
        sa.PrimaryKeyConstraint("load_id", "position", name=op.f("rejected_row_pkey")),
        schema="milkrun",
        comment="Every value that a load did not accept.",
    )
    op.create_table(
        "run",
        sa.Column("run_id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False, comment="live or backfill."),
        sa.Column("origin", sa.Date(), nullable=False, comment="Last month whose observation the run may use."),
        sa.Column("as_of", sa.BigInteger(), nullable=False, comment="Newest load the run may use."),
        sa.Column(
            "vintages",
            sa.Text(),
            nullable=False,
            comment="as_of: values as known then; latest: as known at the time of the run.",
        ),
        sa.Column("recipe_hash", sa.Text(), nullable=False),
        sa.Column(
            "policy",
            postgresql.JSONB(astext_type=sa.Text()),
            nullable=False,
            comment="Rules of retraining, reuse and late series that the run follows.",
        ),
        sa.Column("scope", sa.Text(), nullable=False, comment="all, or a digest of the series asked for."),
        sa.Column(
            "series_ids",
            postgresql.ARRAY(sa.Integer()),
            nullable=False,
            comment="The series that must each have an outcome.",
        ),
        sa.Column(
            "shard_size",
            sa.Integer(),
            nullable=False,
            comment="Series per shard; shards are cut from series_ids in order.",
        ),
        sa.Column("code_version", sa.Text(), nullable=False),
        sa.Column("trigger", sa.Text(), nullable=False, comment="What started it: schedule, ui, command line."),
        sa.Column("prefect_flow_run_id", sa.Text(), nullable=True),
        sa.Column("state", sa.Text(), server_default="open", nullable=False, comment="open or published."),
        sa.Column(
            "started_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
            comment="When the run was opened.",
        ),
        sa.Column(
            "published_at",
            sa.DateTime(timezone=True),
            nullable=True,
            comment="When its rows became visible, all at once.",
        ),
        sa.CheckConstraint("(state = 'published') = (published_at IS NOT NULL)", name=op.f("run_published_at_check")),
        sa.CheckConstraint("kind IN ('live', 'backfill')", name=op.f("run_kind_check")),
        sa.CheckConstraint(
            "origin = date_trunc('month', origin) AND origin BETWEEN '1700-01-01' AND '2200-12-01'",
            name=op.f("run_origin_check"),
        ),
        sa.CheckConstraint("state IN ('open', 'published')", name=op.f("run_state_check")),
        sa.CheckConstraint("vintages IN ('as_of', 'latest')", name=op.f("run_vintages_check")),
        sa.CheckConstraint("cardinality(series_ids) > 0 AND shard_size > 0", name=op.f("run_shards_check")),
        sa.ForeignKeyConstraint(["as_of"], ["milkrun.load.load_id"], name=op.f("run_as_of_fkey")),
        sa.ForeignKeyConstraint(["recipe_hash"], ["milkrun.recipe.recipe_hash"], name=op.f("run_recipe_hash_fkey")),
        sa.PrimaryKeyConstraint("run_id", name=op.f("run_pkey")),
        sa.UniqueConstraint("kind", "origin", "as_of", "recipe_hash", "policy", "scope", name="run_request_key"),
        schema="milkrun",
        comment="One execution for one origin; its rows are invisible until it is published.",
    )
    op.create_table(
        "series",
        sa.Column("series_id", sa.Integer(), sa.Identity(always=True), nullable=False),
        sa.Column("name", sa.Text(), nullable=False, comment="Stable name, as analysts write it."),
        sa.Column("unit", sa.Text(), nullable=True, comment="Unit of the values, such as pounds per cow."),
        sa.Column(
            "active", sa.Boolean(), server_default=sa.text("true"), nullable=False, comment="Whether runs forecast it."
        ),
        sa.Column("first_load_id", sa.BigInteger(), nullable=False, comment="Load that brought it."),
        sa.CheckConstraint("length(name) BETWEEN 1 AND 200 AND name !~ '[[:cntrl:]]'", name=op.f("series_name_check")),
        sa.ForeignKeyConstraint(["first_load_id"], ["milkrun.load.load_id"], name=op.f("series_first_load_id_fkey")),
        sa.PrimaryKeyConstraint("series_id", name=op.f("series_pkey")),
        sa.UniqueConstraint("name", name=op.f("series_name_key")),
        schema="milkrun",
        comment="One monthly variable.",
    )
    op.create_table(
        "bundle_member",
        sa.Column("bundle_id", sa.Text(), nullable=False),
        sa.Column("series_id", sa.Integer(), nullable=False),
        sa.Column(
            "position", sa.Integer(), nullable=False, comment="Row of the tensors that holds this series' network."
        ),
        sa.Column(
            "scaler", postgresql.JSONB(astext_type=sa.Text()), nullable=False, comment="Fitted scaler, as numbers."
        ),
        sa.Column(
            "trained_through", sa.Date(), nullable=False, comment="Last month that the weights or the scaler have seen."
        ),
        sa.Column("origin", sa.Date(), nullable=False, comment="The series' own last month at training."),
        sa.Column("train_rmse", sa.Double(), nullable=False, comment="In the unit of the series, one month ahead."),
        sa.Column(
            "test_rmse", sa.Double(), nullable=False, comment="On the months after trained_through, one month ahead."
        ),
        sa.CheckConstraint(
            "origin = date_trunc('month', origin) AND origin BETWEEN '1700-01-01' AND '2200-12-01'",
            name=op.f("bundle_member_origin_check"),
        ),
        sa.CheckConstraint(
            "trained_through = date_trunc('month', trained_through) AND trained_through BETWEEN '1700-01-01' AND '2200-12-01'",
            name=op.f("bundle_member_trained_through_check"),
        ),
        sa.ForeignKeyConstraint(["bundle_id"], ["milkrun.bundle.bundle_id"], name=op.f("bundle_member_bundle_id_fkey")),
        sa.ForeignKeyConstraint(["series_id"], ["milkrun.series.series_id"], name=op.f("bundle_member_series_id_fkey")),
        sa.PrimaryKeyConstraint("bundle_id", "series_id", name=op.f("bundle_member_pkey")),
        schema="milkrun",
        comment="The network and the scaler of one series in a bundle.",
    )
    op.create_table(
        "filled_month",
        sa.Column("run_id", sa.BigInteger(), nullable=False),
        sa.Column("series_id", sa.Integer(), nullable=False),
        sa.Column("month", sa.Date(), nullable=False),
        sa.Column("value", sa.Double(), nullable=False),
        sa.Column("rule", sa.Text(), nullable=False, comment="year_before or last_value."),
        sa.CheckConstraint(
            "month = date_trunc('month', month) AND month BETWEEN '1700-01-01' AND '2200-12-01'",
            name=op.f("filled_month_month_check"),
        ),
        sa.CheckConstraint("value > '-Infinity' AND value < 'Infinity'", name=op.f("filled_month_value_check")),
        sa.ForeignKeyConstraint(["run_id"], ["milkrun.run.run_id"], name=op.f("filled_month_run_id_fkey")),
        sa.ForeignKeyConstraint(["series_id"], ["milkrun.series.series_id"], name=op.f("filled_month_series_id_fkey")),
        sa.PrimaryKeyConstraint("run_id", "series_id", "month", name=op.f("filled_month_pkey")),
        schema="milkrun",
        comment="Months missing in the observations that a run filled, and with what.",
    )
    op.create_table(
        "observation",
        sa.Column("series_id", sa.Integer(), nullable=False),
        sa.Column("month", sa.Date(), nullable=False, comment="First day of the calendar month."),
        sa.Column("load_id", sa.BigInteger(), nullable=False, comment="Vintage that brought it."),
        sa.Column("value", sa.Double(), nullable=False, comment="In the unit of the series."),
        sa.CheckConstraint(
            "month = date_trunc('month', month) AND month BETWEEN '1700-01-01' AND '2200-12-01'",
            name=op.f("observation_month_check"),
        ),
        sa.CheckConstraint("abs(value) <= 1e15", name=op.f("observation_value_check")),
        sa.ForeignKeyConstraint(["load_id"], ["milkrun.load.load_id"], name=op.f("observation_load_id_fkey")),
        sa.ForeignKeyConstraint(["series_id"], ["milkrun.series.series_id"], name=op.f("observation_series_id_fkey")),
        sa.PrimaryKeyConstraint("series_id", "month", "load_id", name=op.f("observation_pkey")),
        schema="milkrun",
        comment="Value of a series for a month as learned by a load; a revision is a new row.",
    )
    op.create_table(
        "run_shard",
        sa.Column("run_id", sa.BigInteger(), nullable=False),
        sa.Column("shard", sa.Integer(), nullable=False, comment="Position of the shard in series_ids, from 0."),
        sa.Column(
            "finished_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
            comment="When its rows were committed.",
        ),
        sa.ForeignKeyConstraint(["run_id"], ["milkrun.run.run_id"], name=op.f("run_shard_run_id_fkey")),
        sa.PrimaryKeyConstraint("run_id", "shard", name=op.f("run_shard_pkey")),
        schema="milkrun",
        comment="Claim of a shard, in the transaction that writes its rows: a shard is written once.",
    )
    op.create_table(
        "run_series",
        sa.Column("run_id", sa.BigInteger(), nullable=False),
        sa.Column("series_id", sa.Integer(), nullable=False),
        sa.Column(
            "origin",
            sa.Date(),
            nullable=True,
            comment="Last observed month that was used: the run's origin, or earlier where the series is late.",
        ),
        sa.Column("decision", sa.Text(), nullable=True, comment="retrain or reuse; empty where no network was needed."),
        sa.Column("decision_reason", sa.Text(), nullable=True),
        sa.Column("outcome", sa.Text(), nullable=False, comment="forecast, fallback, held, refused or failed."),
        sa.Column("reason", sa.Text(), nullable=False, comment="Short word for the reason of the outcome."),
        sa.Column("detail", sa.Text(), nullable=True, comment="The reason in a sentence, with months and numbers."),
        sa.Column("method", sa.Text(), nullable=True, comment="lstm, seasonal_naive or naive: what made the numbers."),
        sa.Column("bundle_id", sa.Text(), nullable=True, comment="Bundle whose network made the forecast."),
        sa.CheckConstraint(
            "(outcome IN ('forecast', 'fallback')) = (method IS NOT NULL)", name=op.f("run_series_method_check")
        ),
        sa.CheckConstraint("decision IN ('retrain', 'reuse')", name=op.f("run_series_decision_check")),
        sa.CheckConstraint(
            "origin = date_trunc('month', origin) AND origin BETWEEN '1700-01-01' AND '2200-12-01'",
            name=op.f("run_series_origin_check"),
        ),
        sa.CheckConstraint(
            "outcome <> 'forecast' OR (bundle_id IS NOT NULL AND method = 'lstm')", name=op.f("run_series_bundle_check")
        ),
        sa.CheckConstraint(
            "outcome IN ('forecast', 'fallback', 'held', 'refused', 'failed')", name=op.f("run_series_outcome_check")
        ),
        sa.CheckConstraint(
            "(decision IS NULL) = (decision_reason IS NULL)", name=op.f("run_series_decision_reason_check")
        ),
        sa.ForeignKeyConstraint(
            ["bundle_id", "series_id"],
            ["milkrun.bundle_member.bundle_id", "milkrun.bundle_member.series_id"],
            name=op.f("run_series_bundle_id_series_id_fkey"),
        ),
        sa.ForeignKeyConstraint(["run_id"], ["milkrun.run.run_id"], name=op.f("run_series_run_id_fkey")),
        sa.ForeignKeyConstraint(["series_id"], ["milkrun.series.series_id"], name=op.f("run_series_series_id_fkey")),
        sa.PrimaryKeyConstraint("run_id", "series_id", name=op.f("run_series_pkey")),
        schema="milkrun",
        comment="Decision and outcome of every series of a run, each with its reason.",
    )
    op.create_index("run_series_latest_idx", "run_series", ["series_id", "run_id"], unique=False, schema="milkrun")
    op.create_table(
        "forecast",
        sa.Column("run_id", sa.BigInteger(), nullable=False),
        sa.Column("series_id", sa.Integer(), nullable=False),
        sa.Column(
            "horizon", sa.SmallInteger(), nullable=False, comment="Months from the series' origin to the target month."
        ),
        sa.Column("month", sa.Date(), nullable=False, comment="Target month."),
        sa.Column("value", sa.Double(), nullable=False, comment="In the unit of the series."),
        sa.Column(
            "seasonal_naive",
            sa.Double(),
            nullable=True,
            comment="The baseline as known at the origin: the same month a year before.",
        ),
        sa.Column("lower_80", sa.Double(), nullable=True),
        sa.Column("upper_80", sa.Double(), nullable=True),
        sa.Column("lower_95", sa.Double(), nullable=True),
        sa.Column("upper_95", sa.Double(), nullable=True),
        sa.CheckConstraint(
            "lower_95 > '-Infinity' AND upper_95 < 'Infinity'", name=op.f("forecast_intervals_finite_check")
        ),
        sa.CheckConstraint(
            "month = date_trunc('month', month) AND month BETWEEN '1700-01-01' AND '2200-12-01'",
            name=op.f("forecast_month_check"),
        ),
        sa.CheckConstraint(
            "seasonal_naive > '-Infinity' AND seasonal_naive < 'Infinity'", name=op.f("forecast_seasonal_naive_check")
        ),
        sa.CheckConstraint("value > '-Infinity' AND value < 'Infinity'", name=op.f("forecast_value_check")),
        sa.CheckConstraint("horizon >= 1", name=op.f("forecast_horizon_check")),
        sa.CheckConstraint(
            "lower_95 <= lower_80 AND lower_80 <= upper_80 AND upper_80 <= upper_95",
            name=op.f("forecast_intervals_check"),
        ),
        sa.ForeignKeyConstraint(
            ["run_id", "series_id"],
            ["milkrun.run_series.run_id", "milkrun.run_series.series_id"],
            name=op.f("forecast_run_id_series_id_fkey"),
        ),
        sa.PrimaryKeyConstraint("run_id", "series_id", "horizon", name=op.f("forecast_pkey")),
        schema="milkrun",
        comment="Forecast of a series for a target month; a newer forecast is a new row.",
    )
    op.create_index("forecast_series_month_idx", "forecast", ["series_id", "month"], unique=False, schema="milkrun")
    op.create_table(
        "rmse_history",
        sa.Column("run_id", sa.BigInteger(), nullable=False),
        sa.Column("series_id", sa.Integer(), nullable=False),
        sa.Column("split", sa.Text(), nullable=False, comment="train, test or live."),
        sa.Column("horizon", sa.SmallInteger(), nullable=False),
        sa.Column("n", sa.Integer(), nullable=False, comment="Number of months scored."),
        sa.Column("rmse", sa.Double(), nullable=False, comment="Root mean squared error in the unit of the series."),
        sa.Column("baseline_rmse", sa.Double(), nullable=True, comment="The seasonal naive's, on the same months."),
        sa.Column(
            "skill",
            sa.Double(),
            nullable=True,
            comment="1 - rmse / baseline_rmse; 0 where both are 0; empty without a baseline.",
        ),
        sa.Column("coverage_80", sa.Double(), nullable=True, comment="Share of actuals inside the 80 % interval."),
        sa.Column("coverage_95", sa.Double(), nullable=True, comment="Share of actuals inside the 95 % interval."),
        sa.Column("actuals_as_of", sa.BigInteger(), nullable=False, comment="Newest load of the actuals."),
        sa.CheckConstraint(
            "baseline_rmse >= 0 AND baseline_rmse < 'Infinity'", name=op.f("rmse_history_baseline_rmse_check")
        ),
        sa.CheckConstraint("rmse >= 0 AND rmse < 'Infinity'", name=op.f("rmse_history_rmse_check")),
        sa.CheckConstraint("skill <= 1 AND skill >= '-Infinity'", name=op.f("rmse_history_skill_check")),
        sa.CheckConstraint("split IN ('train', 'test', 'live')", name=op.f("rmse_history_split_check")),
        sa.CheckConstraint("n >= 1 AND horizon >= 1", name=op.f("rmse_history_counts_check")),
        sa.ForeignKeyConstraint(
            ["actuals_as_of"], ["milkrun.load.load_id"], name=op.f("rmse_history_actuals_as_of_fkey")
        ),
        sa.ForeignKeyConstraint(
            ["run_id", "series_id"],
            ["milkrun.run_series.run_id", "milkrun.run_series.series_id"],
            name=op.f("rmse_history_run_id_series_id_fkey"),
        ),
        sa.PrimaryKeyConstraint("run_id", "series_id", "split", "horizon", name=op.f("rmse_history_pkey")),
        schema="milkrun",
        comment="RMSE per series, split and horizon as found by each run.",
    )
    op.execute(Path(__file__).with_name("0001_views.sql").read_text())


def downgrade() -> None:
    op.execute("DROP FUNCTION milkrun.forecast_as_of(timestamptz)")
    for view in VIEWS:
        op.execute(f"DROP VIEW milkrun.{view}")
    op.drop_table("rmse_history", schema="milkrun")
    op.drop_index("forecast_series_month_idx", table_name="forecast", schema="milkrun")
    op.drop_table("forecast", schema="milkrun")
    op.drop_index("run_series_latest_idx", table_name="run_series", schema="milkrun")
    op.drop_table("run_series", schema="milkrun")
    op.drop_table("run_shard", schema="milkrun")
    op.drop_table("observation", schema="milkrun")
    op.drop_table("filled_month", schema="milkrun")
    op.drop_table("bundle_member", schema="milkrun")
    op.drop_table("series", schema="milkrun")
    op.drop_table("run", schema="milkrun")
    op.drop_table("rejected_row", schema="milkrun")
    op.drop_table("bundle", schema="milkrun")
    op.drop_table("recipe", schema="milkrun")
    op.drop_table("load", schema="milkrun")
