"""Every column of every table and view explains itself.

Revision ID: 0005
Revises: 0004
"""

from alembic import op
from sqlalchemy import text

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

TABLES = {
    ("bundle", "recipe_hash"): "Recipe of its networks.",
    ("bundle_member", "bundle_id"): "Bundle that holds the network.",
    ("bundle_member", "series_id"): "Series that the network is of.",
    ("filled_month", "run_id"): "Run that filled it.",
    ("filled_month", "series_id"): "Series that lacks the month.",
    ("filled_month", "month"): "The missing month, its first day.",
    ("filled_month", "value"): "What the run took instead, in the unit of the series.",
    ("forecast", "run_id"): "Run that made it.",
    ("forecast", "series_id"): "Series that it is of.",
    (
        "forecast",
        "lower_80",
    ): "Lower end of the 80 % interval, in the unit of the series; empty where the recipe gives none.",
    ("forecast", "upper_80"): "Upper end of the 80 % interval.",
    (
        "forecast",
        "lower_95",
    ): "Lower end of the 95 % interval, in the unit of the series; empty where the recipe gives none.",
    ("forecast", "upper_95"): "Upper end of the 95 % interval.",
    ("observation", "series_id"): "Series that it is of.",
    ("recipe", "name"): "Name that runs are asked for by; two recipes of one name differ in their hash.",
    ("recipe", "settings"): "All settings, as plain JSON.",
    ("rejected_row", "load_id"): "Load that rejected it.",
    ("rmse_history", "run_id"): "Run that found it.",
    ("rmse_history", "series_id"): "Series that it is of.",
    ("rmse_history", "horizon"): "Months ahead.",
    ("run", "run_id"): "Running number of the run.",
    ("run", "recipe_hash"): "Recipe that it forecasts by.",
    ("run", "code_version"): "Version of Milkrun that opened it.",
    ("run", "prefect_flow_run_id"): "Flow run in Prefect that opened it.",
    ("run_network", "run_id"): "Run whose series share them.",
    ("run_series", "run_id"): "Run that decided.",
    ("run_series", "series_id"): "Series decided about.",
    ("run_series", "decision_reason"): "Short word for the reason of the decision.",
    ("run_shard", "run_id"): "Run that the shard is of.",
    ("series", "series_id"): "Running number of the series.",
}

# What a column of this name means in every view; what differs stands below, by view.
EVERYWHERE = {
    "series": "Name of the series.",
    "unit": "Unit of the values, where it is known.",
    "active": "Whether runs forecast the series.",
    "run_id": "Number of the run.",
    "kind": "live, or backfill: a run for a past month, made later.",
    "vintages": "as_of: from values as they were known at the origin; latest: from values as known when the run was made.",
    "state": "open, or published: only published runs show in the other views.",
    "recipe": "Name of the recipe: the settings of networks, windows, scaling and training.",
    "retrain": "auto, always or never: what the run was asked to do with networks.",
    "scope": "all, or a digest of the series that were asked for.",
    "trigger": "What started the run: schedule, ui, command line.",
    "as_of": "Newest load that the run could know.",
    "code_version": "Version of Milkrun.",
    "run_origin": "Last month whose observation the run could use, its first day.",
    "origin": "Last month of the series that was used: the run's origin, or earlier where the series is late.",
    "month": "Target month, its first day.",
    "horizon": "Months ahead: from the origin to the target month.",
    "value": "The forecast, in the unit of the series.",
    "forecast": "The forecast, in the unit of the series.",
    "base_path": "The base path of the recipe monthly, which its networks correct; empty where the recipe has none.",
    "naive": "The baseline that repeats the last observed value.",
    "naive_error": "naive - actual.",
    "base_path_error": "base_path - actual.",
    "lower_80": "Lower end of the 80 % interval; empty where the recipe gives none.",
    "upper_80": "Upper end of the 80 % interval.",
    "lower_95": "Lower end of the 95 % interval; empty where the recipe gives none.",
    "upper_95": "Upper end of the 95 % interval.",
    "seasonal_naive": "The baseline: the value of the same month a year before, as known at the origin.",
    "outcome": "forecast, fallback (a baseline instead of the network), held, refused or failed.",
    "reason": "Short word for the reason of the outcome; ok where there is nothing to say.",
    "detail": "The reason in a sentence, with months and numbers.",
    "decision": "retrain or reuse; empty where no network was needed.",
    "decision_reason": "Short word for the reason of the decision.",
    "method": "What made the numbers: lstm, seasonal_naive or another.",
    "bundle_id": "Bundle whose network made the forecast.",
    "published_at": "When the run became visible, all at once.",
    "started_at": "When the run was opened.",
    "split": "train and test: the network on the months it was, and was not, trained on; live: published forecasts, answered.",
    "n": "Number of months scored.",
    "rmse": "Root mean squared error, in the unit of the series.",
    "baseline_rmse": "RMSE of the seasonal naive on the same months.",
    "naive_rmse": "RMSE of the naive on the same months.",
    "base_path_rmse": "RMSE of the base path on the same months; empty where the recipe has none.",
    "skill": "1 - rmse / baseline_rmse: above 0 the forecast beats the seasonal naive; empty without a baseline.",
    "coverage_80": "Share of actuals inside the 80 % interval.",
    "coverage_95": "Share of actuals inside the 95 % interval.",
    "actual": "What happened: the newest known value of the month.",
    "error": "forecast - actual: positive where the forecast was too high.",
    "seasonal_naive_error": "seasonal_naive - actual.",
    "inside_80": "Whether the actual lies inside the 80 % interval.",
    "inside_95": "Whether the actual lies inside the 95 % interval.",
    "load_id": "Load that brought the value: its vintage.",
    "known_since": "When that load was committed.",
    "previous_origin": "Origin of the forecast before.",
    "previous_value": "What the run before forecast for the month.",
    "change": "value - previous_value.",
    "previous_recipe": "Recipe of the run before.",
    "previous_run_id": "Number of the run before.",
    "first_month": "First observed month.",
    "last_month": "Newest observed month.",
    "months": "Number of observed months.",
}

BY_VIEW = {
    ("latest_observation", "month"): "Observed month, its first day.",
    ("latest_observation", "value"): "The newest known value, in the unit of the series.",
    ("series_health", "run_id"): "Newest published live run that had the series.",
    ("run_health", "origin"): "Last month whose observation the run could use, its first day.",
    ("run_health", "series"): "Number of series that it had to end.",
    ("run_health", "forecast"): "Number of series forecast by their network.",
    ("run_health", "fallback"): "Number of series forecast by a baseline instead.",
    ("run_health", "held"): "Number of series without a forecast because they are late or have too long a gap.",
    ("run_health", "refused"): "Number of series without a forecast because they have too few observations.",
    ("run_health", "failed"): "Number of series without a forecast because something broke.",
    ("run_health", "retrained"): "Number of series whose network was trained.",
    ("run_health", "reused"): "Number of series whose stored network was used again.",
}

_VIEW_COLUMNS = text("""
    SELECT c.relname, a.attname FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid
    WHERE c.relnamespace = 'milkrun'::regnamespace AND c.relkind = 'v' AND a.attnum > 0 AND NOT a.attisdropped
      AND (col_description(c.oid, a.attnum) IS NULL) = :silent
""")


def upgrade() -> None:
    for (table, column), comment in TABLES.items():
        _comment(table, column, comment)
    for view, column in op.get_bind().execute(_VIEW_COLUMNS, {"silent": True}).all():
        meaning = BY_VIEW.get((view, column), EVERYWHERE.get(column))
        if meaning is not None:
            _comment(view, column, meaning)


def downgrade() -> None:
    for table, column in TABLES:
        _comment(table, column, None)
    for view, column in op.get_bind().execute(_VIEW_COLUMNS, {"silent": False}).all():
        _comment(view, column, None)


def _comment(relation: str, column: str, comment: str | None) -> None:
    quoted = "NULL" if comment is None else "'" + comment.replace("'", "''") + "'"
    op.get_bind().exec_driver_sql(f"COMMENT ON COLUMN milkrun.{relation}.{column} IS {quoted}".replace("%", "%%"))
