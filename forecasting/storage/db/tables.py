"""The tables of schema `milkrun`. Facts are only ever added: the one row that changes is a run, when it is published."""

from datetime import datetime

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Date,
    DateTime,
    Double,
    ForeignKey,
    Identity,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    SmallInteger,
    Table,
    Text,
    UniqueConstraint,
    func,
    text,
    true,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

from forecasting.domain.vocabulary import (
    OUTCOMES_WITH_VALUES,
    Aggregate,
    Cause,
    Decision,
    ForecastMethod,
    Kind,
    Outcome,
    PromotionKind,
    RunState,
    Split,
    TriggerName,
    Vintages,
    alternatives,
    sql_list,
)

SCHEMA = "milkrun"

metadata = MetaData(
    schema=SCHEMA,
    naming_convention={
        "pk": "%(table_name)s_pkey",
        "fk": "%(table_name)s_%(column_0_N_name)s_fkey",
        "uq": "%(table_name)s_%(column_0_N_name)s_key",
        "ck": "%(table_name)s_%(constraint_name)s_check",
        "ix": "%(table_name)s_%(column_0_N_name)s_idx",
    },
)


def _is_month(column: str, name: str | None = None) -> CheckConstraint:
    rule = f"{column} = date_trunc('month', {column}) AND {column} BETWEEN '1700-01-01' AND '2200-12-01'"
    return CheckConstraint(rule, name=name or column)


def _is_finite(column: str, *, least: str | None = None) -> CheckConstraint:
    """NaN sorts above every number in PostgreSQL, so `< 'Infinity'` keeps it out as well."""
    lower = f"{column} >= {least}" if least else f"{column} > '-Infinity'"
    return CheckConstraint(f"{lower} AND {column} < 'Infinity'", name=column)


def _is_one_of(column: str, *words: str) -> CheckConstraint:
    return CheckConstraint(f"{column} IN ({sql_list(words)})", name=column)


def _now(name: str, comment: str) -> Column[datetime]:
    return Column(name, DateTime(timezone=True), nullable=False, server_default=func.now(), comment=comment)


load = Table(
    "load",
    metadata,
    Column("load_id", BigInteger, Identity(always=True), primary_key=True, comment="Ordered id: the vintage."),
    Column("source", Text, nullable=False, comment="File name, or table or query of the source; never a password."),
    _now("sealed_at", "When the load was committed; a label only, the order is that of load_id."),
    Column("rows_read", BigInteger, nullable=False, comment="Values met in the source."),
    Column(
        "rows_added", BigInteger, nullable=False, comment="Values that were new or changed: the rows of this vintage."
    ),
    Column("rows_unchanged", BigInteger, nullable=False, comment="Values already known."),
    Column("rows_collapsed", BigInteger, nullable=False, comment="Equal duplicates within the load."),
    Column("rows_rejected", BigInteger, nullable=False, comment="Values kept in rejected_row with a reason."),
    Column("sha256", Text, comment="Digest of the file, where the source is a file."),
    Column("made_by", Text, comment="Who asked for it; empty in rows of older releases."),
    Column(
        "aggregate", Text, comment="How several values of one month became one; empty where that was not asked for."
    ),
    CheckConstraint("rows_read = rows_added + rows_unchanged + rows_collapsed + rows_rejected", name="accounted"),
    _is_one_of("aggregate", *Aggregate),
    comment="One intake of observations; committed whole or not at all.",
)

series = Table(
    "series",
    metadata,
    Column("series_id", Integer, Identity(always=True), primary_key=True, comment="Running number of the series."),
    Column("name", Text, nullable=False, unique=True, comment="Stable name, as analysts write it."),
    Column("unit", Text, comment="Unit of the values, such as pounds per cow."),
    Column("active", Boolean, nullable=False, server_default=true(), comment="Whether runs forecast it."),
    Column("first_load_id", BigInteger, ForeignKey(load.c.load_id), nullable=False, comment="Load that brought it."),
    CheckConstraint("length(name) BETWEEN 1 AND 200 AND name !~ '[[:cntrl:]]'", name="name"),
    comment="One monthly variable.",
)

observation = Table(
    "observation",
    metadata,
    Column("series_id", Integer, ForeignKey(series.c.series_id), primary_key=True, comment="Series that it is of."),
    Column("month", Date, primary_key=True, comment="First day of the calendar month."),
    Column("load_id", BigInteger, ForeignKey(load.c.load_id), primary_key=True, comment="Vintage that brought it."),
    Column("value", Double, nullable=False, comment="In the unit of the series."),
    _is_month("month"),
    CheckConstraint("abs(value) <= 1e15", name="value"),
    comment="Value of a series for a month as learned by a load; a revision is a new row.",
)

rejected_row = Table(
    "rejected_row",
    metadata,
    Column("load_id", BigInteger, ForeignKey(load.c.load_id), primary_key=True, comment="Load that rejected it."),
    Column("position", BigInteger, primary_key=True, comment="Running number of the value within the load."),
    Column(
        "line", BigInteger, nullable=False, comment="Line of the file or row of the query, the header being line 1."
    ),
    Column("raw", Text, nullable=False, comment="What was read, shortened and with control characters escaped."),
    Column("reason", Text, nullable=False, comment="Why it was rejected."),
    comment="Every value that a load did not accept.",
)

source_pull = Table(
    "source_pull",
    metadata,
    Column("pull_id", BigInteger, Identity(always=True), primary_key=True, comment="Running number of the pull."),
    Column("source", Text, nullable=False, comment="Name of the source: that of its file, sources/NAME.toml."),
    Column("settings", JSONB, nullable=False, comment="What the file says of the rows to read; it holds no secret."),
    Column("since", Date, comment="First month that was read; empty where all months were."),
    Column("load_id", BigInteger, ForeignKey(load.c.load_id), comment="The load that it made; empty where it failed."),
    Column("rows_read", BigInteger, comment="Values met in the source; empty where the pull failed."),
    Column("rows_added", BigInteger, comment="Values that were new or changed."),
    Column("rows_rejected", BigInteger, comment="Values that were not accepted; rejected_row has them."),
    Column("newest_month", Date, comment="Newest month of the accepted values, its first day."),
    Column("digest", Text, comment="SHA-256 of the rows that were read, or of the files; empty where there is none."),
    Column(
        "as_of",
        BigInteger,
        ForeignKey(load.c.load_id),
        comment="Newest load of any source then; empty where it failed.",
    ),
    Column("error", Text, comment="Why it failed; empty where it did not."),
    Column("started_at", DateTime(timezone=True), nullable=False, comment="When it began, before the rows were read."),
    Column(
        "ended_at",
        DateTime(timezone=True),
        nullable=False,
        server_default=func.clock_timestamp(),
        comment="When its rows were ready to be committed, or when it failed.",
    ),
    Column("made_by", Text, nullable=False, comment="Who asked for it."),
    Column("prefect_flow_run_id", Text, comment="Flow run in Prefect that pulled."),
    _is_month("since"),
    _is_month("newest_month"),
    CheckConstraint("(error IS NULL) = (load_id IS NOT NULL AND rows_read IS NOT NULL)", name="error"),
    Index("source_pull_source_idx", "source", "pull_id"),
    comment="One reading of a configured source; it is committed with its load, or says why there is none.",
)

recipe = Table(
    "recipe",
    metadata,
    Column("recipe_hash", Text, primary_key=True, comment="SHA-256 of the settings."),
    Column(
        "name",
        Text,
        nullable=False,
        comment="Name that runs are asked for by; two recipes of one name differ in their hash.",
    ),
    Column("settings", JSONB, nullable=False, comment="All settings, as plain JSON."),
    _now("created_at", "When a run first used it."),
    comment="Named settings of networks, windows, scaling and training.",
)

bundle = Table(
    "bundle",
    metadata,
    Column("bundle_id", Text, primary_key=True, comment="SHA-256 of content and manifest."),
    Column("recipe_hash", Text, ForeignKey(recipe.c.recipe_hash), nullable=False, comment="Recipe of its networks."),
    Column("origin", Date, nullable=False, comment="Origin of the run that trained it."),
    Column("as_of", BigInteger, ForeignKey(load.c.load_id), nullable=False, comment="Newest load it could know."),
    Column(
        "payload",
        LargeBinary,
        nullable=False,
        comment="Little-endian float32 tensors back to back; empty where milkrun prune removed them.",
    ),
    Column("manifest", JSONB, nullable=False, comment="Names, shapes, digest, versions and seeds: plain JSON."),
    _now("created_at", "When it was stored."),
    _is_month("origin"),
    comment="Networks of one shard with their provenance, as plain numbers.",
)

bundle_member = Table(
    "bundle_member",
    metadata,
    Column(
        "bundle_id", Text, ForeignKey(bundle.c.bundle_id), primary_key=True, comment="Bundle that holds the network."
    ),
    Column(
        "series_id", Integer, ForeignKey(series.c.series_id), primary_key=True, comment="Series that the network is of."
    ),
    Column("position", Integer, nullable=False, comment="Row of the tensors that holds this series' network."),
    Column("scaler", JSONB, nullable=False, comment="Fitted scaler and intervals, as numbers."),
    Column("trained_through", Date, nullable=False, comment="Last month that the weights or the scaler have seen."),
    Column("origin", Date, nullable=False, comment="The series' own last month at training."),
    Column("train_rmse", Double, comment="In the unit of the series, one month ahead; empty where too short to tell."),
    Column(
        "test_rmse", Double, comment="On months that were held out, one month ahead; empty where too short to tell."
    ),
    Column("scores", JSONB, comment="Per split and horizon, of networks that series share: what rmse_history gets."),
    _is_month("trained_through"),
    _is_month("origin"),
    comment="The network and the scaler of one series in a bundle.",
)

run = Table(
    "run",
    metadata,
    Column("run_id", BigInteger, Identity(always=True), primary_key=True, comment="Running number of the run."),
    Column("kind", Text, nullable=False, comment=f"{alternatives(Kind)}."),
    Column("origin", Date, nullable=False, comment="Last month whose observation the run may use."),
    Column("as_of", BigInteger, ForeignKey(load.c.load_id), nullable=False, comment="Newest load the run may use."),
    Column(
        "vintages",
        Text,
        nullable=False,
        comment="as_of: values as known then; latest: as known at the time of the run.",
    ),
    Column(
        "recipe_hash", Text, ForeignKey(recipe.c.recipe_hash), nullable=False, comment="Recipe that it forecasts by."
    ),
    Column("policy", JSONB, nullable=False, comment="Rules of retraining, reuse and late series that the run follows."),
    Column("scope", Text, nullable=False, comment="all, or a digest of the series asked for."),
    Column(
        "attempt",
        Integer,
        nullable=False,
        server_default="1",
        comment="1, or more where the same request was asked for again: milkrun backfill --reprocess.",
    ),
    Column("series_ids", ARRAY(Integer), nullable=False, comment="The series that must each have an outcome."),
    Column("shard_size", Integer, nullable=False, comment="Series per shard; shards are cut from series_ids in order."),
    Column("code_version", Text, nullable=False, comment="Version of Milkrun that opened it."),
    Column(
        "trigger",
        Text,
        nullable=False,
        comment=f"What started it: {alternatives(TriggerName)}; a deployment is started in the UI or by the API.",
    ),
    Column("prefect_flow_run_id", Text, comment="Flow run in Prefect that opened it."),
    Column("state", Text, nullable=False, server_default=RunState.OPEN, comment=f"{alternatives(RunState)}."),
    _now("started_at", "When the run was opened."),
    Column("published_at", DateTime(timezone=True), comment="When its rows became visible, all at once."),
    Column("made_by", Text, comment="Who asked for it; empty in rows of older releases."),
    UniqueConstraint("kind", "origin", "as_of", "recipe_hash", "policy", "scope", "attempt", name="run_request_key"),
    _is_month("origin"),
    _is_one_of("kind", *Kind),
    _is_one_of("vintages", *Vintages),
    _is_one_of("state", *RunState),
    CheckConstraint("(state = 'published') = (published_at IS NOT NULL)", name="published_at"),
    CheckConstraint("cardinality(series_ids) > 0 AND shard_size > 0", name="shards"),
    CheckConstraint("attempt >= 1", name="attempt"),
    comment="One execution for one origin; its rows are invisible until it is published.",
)

delivery = Table(
    "delivery",
    metadata,
    Column(
        "delivery_id", BigInteger, Identity(always=True), primary_key=True, comment="Running number of the attempt."
    ),
    Column("target", Text, nullable=False, comment="Name of the target: that of its file, deliveries/NAME.toml."),
    Column("run_id", BigInteger, ForeignKey(run.c.run_id), nullable=False, comment="Published run that was delivered."),
    Column("place", Text, nullable=False, comment="Where to: database and tables, or folder; never a password."),
    Column("forecast_rows", BigInteger, comment="Forecasts that the target has of the run; empty where it failed."),
    Column("rmse_rows", BigInteger, comment="Rows of the RMSE history that the target has of the run."),
    Column("error", Text, comment="Why it failed; empty where it did not."),
    _now("ended_at", "When it was on record."),
    Column("made_by", Text, nullable=False, comment="Who asked for it."),
    CheckConstraint("(error IS NULL) = (forecast_rows IS NOT NULL AND rmse_rows IS NOT NULL)", name="error"),
    Index("delivery_once_idx", "target", "place", "run_id", unique=True, postgresql_where=text("error IS NULL")),
    comment="Attempts to write a published run where people look; a run is delivered to a target once.",
)

run_network = Table(
    "run_network",
    metadata,
    Column("run_id", BigInteger, ForeignKey(run.c.run_id), primary_key=True, comment="Run whose series share them."),
    Column("decision", Text, comment=f"{alternatives(Decision)}; empty where neither is possible."),
    Column("reason", Text, nullable=False, comment="Short word for the reason of the decision."),
    Column("detail", Text, comment="The reason in a sentence, with months and numbers."),
    Column("bundle_id", Text, ForeignKey(bundle.c.bundle_id), comment="The networks; empty where training gave none."),
    _now("decided_at", "When it was decided and, if so, trained."),
    Column(
        "evidence", JSONB, comment="What the decision was made from, as plain JSON; empty in rows of older releases."
    ),
    _is_one_of("decision", *Decision),
    CheckConstraint("decision <> 'reuse' OR bundle_id IS NOT NULL", name="bundle"),
    comment="The networks that all series of a run share, where they do: trained or reused once, before the shards.",
)

run_shard = Table(
    "run_shard",
    metadata,
    Column("run_id", BigInteger, ForeignKey(run.c.run_id), primary_key=True, comment="Run that the shard is of."),
    Column("shard", Integer, primary_key=True, comment="Position of the shard in series_ids, from 0."),
    _now("finished_at", "When its rows were committed."),
    comment="Claim of a shard, in the transaction that writes its rows: a shard is written once.",
)

run_series = Table(
    "run_series",
    metadata,
    Column("run_id", BigInteger, ForeignKey(run.c.run_id), primary_key=True, comment="Run that decided."),
    Column("series_id", Integer, ForeignKey(series.c.series_id), primary_key=True, comment="Series decided about."),
    Column(
        "origin",
        Date,
        comment="Last observed month that was used: the run's origin, or earlier where the series is late.",
    ),
    Column("decision", Text, comment=f"{alternatives(Decision)}; empty where no network was needed."),
    Column("decision_reason", Text, comment="Short word for the reason of the decision."),
    Column("outcome", Text, nullable=False, comment=f"{alternatives(Outcome)}."),
    Column("reason", Text, nullable=False, comment="Short word for the reason of the outcome."),
    Column("detail", Text, comment="The reason in a sentence, with months and numbers."),
    Column("method", Text, comment=f"{alternatives(ForecastMethod)}: what made the numbers."),
    Column("bundle_id", Text, ForeignKey(bundle.c.bundle_id), comment="Bundle whose network made the forecast."),
    Column("last_value", Double, comment="Value of the last month used: the naive forecast of every horizon."),
    Column(
        "evidence", JSONB, comment="What the decision was made from, as plain JSON; empty in rows of older releases."
    ),
    _is_month("origin"),
    _is_one_of("decision", *Decision),
    _is_one_of("outcome", *Outcome),
    CheckConstraint("(decision IS NULL) = (decision_reason IS NULL)", name="decision_reason"),
    CheckConstraint(f"(outcome IN ({sql_list(OUTCOMES_WITH_VALUES)})) = (method IS NOT NULL)", name="method"),
    _is_finite("last_value"),
    CheckConstraint("outcome <> 'forecast' OR (bundle_id IS NOT NULL AND method = 'lstm')", name="bundle"),
    Index("run_series_latest_idx", "series_id", "run_id"),
    comment="Decision and outcome of every series of a run, each with its reason.",
)

promotion = Table(
    "promotion",
    metadata,
    Column(
        "promotion_id", BigInteger, Identity(always=True), primary_key=True, comment="Running number; the last counts."
    ),
    Column(
        "run_id",
        BigInteger,
        ForeignKey(run.c.run_id),
        nullable=False,
        comment="Newest run when it was ordered: what builds on that run goes on with this bundle instead.",
    ),
    Column(
        "series_id",
        Integer,
        ForeignKey(series.c.series_id),
        comment="Series that it is for; empty for the networks that all series of the run share.",
    ),
    Column("bundle_id", Text, ForeignKey(bundle.c.bundle_id), nullable=False, comment="Bundle that was put in charge."),
    Column("kind", Text, nullable=False, comment=f"{alternatives(PromotionKind)}."),
    Column("why", Text, nullable=False, comment="Reason, as it was given."),
    Column("made_by", Text, nullable=False, comment="Who ordered it."),
    _now("made_at", "When it was ordered."),
    _is_one_of("kind", *PromotionKind),
    CheckConstraint("length(why) > 0", name="why"),
    Index("promotion_run_idx", "run_id", "series_id"),
    comment="Bundles that somebody put in charge, by milkrun rollback or milkrun promote.",
)

filled_month = Table(
    "filled_month",
    metadata,
    Column("run_id", BigInteger, ForeignKey(run.c.run_id), primary_key=True, comment="Run that filled it."),
    Column(
        "series_id", Integer, ForeignKey(series.c.series_id), primary_key=True, comment="Series that lacks the month."
    ),
    Column("month", Date, primary_key=True, comment="The missing month, its first day."),
    Column("value", Double, nullable=False, comment="What the run took instead, in the unit of the series."),
    Column("rule", Text, nullable=False, comment="year_before or last_value."),
    _is_month("month"),
    _is_finite("value"),
    comment="Months missing in the observations that a run filled, and with what.",
)

# What forecast and rmse_history refer to, outcomes and loads, is checked once per statement, by triggers of
# migrations/schema/guards: a foreign key would look up each of a run's hundred thousand rows.
forecast = Table(
    "forecast",
    metadata,
    Column("run_id", BigInteger, primary_key=True, comment="Run that made it."),
    Column("series_id", Integer, primary_key=True, comment="Series that it is of."),
    Column("horizon", SmallInteger, primary_key=True, comment="Months from the series' origin to the target month."),
    Column("month", Date, nullable=False, comment="Target month."),
    Column("value", Double, nullable=False, comment="In the unit of the series."),
    Column("seasonal_naive", Double, comment="The baseline as known at the origin: the same month a year before."),
    Column("base_path", Double, comment="The base path of the recipe monthly: what its networks correct."),
    Column(
        "lower_80",
        Double,
        comment="Lower end of the 80 % interval, in the unit of the series; empty where the recipe gives none.",
    ),
    Column("upper_80", Double, comment="Upper end of the 80 % interval."),
    Column(
        "lower_95",
        Double,
        comment="Lower end of the 95 % interval, in the unit of the series; empty where the recipe gives none.",
    ),
    Column("upper_95", Double, comment="Upper end of the 95 % interval."),
    CheckConstraint("horizon >= 1", name="horizon"),
    _is_month("month"),
    _is_finite("value"),
    _is_finite("seasonal_naive"),
    _is_finite("base_path"),
    CheckConstraint("lower_95 <= lower_80 AND lower_80 <= upper_80 AND upper_80 <= upper_95", name="intervals"),
    CheckConstraint("lower_95 > '-Infinity' AND upper_95 < 'Infinity'", name="intervals_finite"),
    comment="Forecast of a series for a target month; a newer forecast is a new row.",
)

# One row per series, not per month, so that what explains a run costs a fraction of its forecasts.
forecast_change_part = Table(
    "forecast_change_part",
    metadata,
    Column("run_id", BigInteger, primary_key=True, comment="Run whose forecasts moved."),
    Column("series_id", Integer, primary_key=True, comment="Series that they are of."),
    Column(
        "previous_run_id", BigInteger, ForeignKey(run.c.run_id), nullable=False, comment="Run that it is compared with."
    ),
    Column("reason", Text, comment="Short word for why the parts are not known; empty where they are."),
    *(
        Column(
            name, ARRAY(Double), comment=f"What {cause} moved, by horizon, in the unit of the series; empty: nothing."
        )
        for name, cause in {
            Cause.NEW_MONTHS: "months observed since",
            Cause.REVISIONS: "changed values of months that were known",
            Cause.NETWORK: "another network, scaler or method",
            Cause.RECIPE_CHANGE: "another recipe",
        }.items()
    ),
    *(CheckConstraint(f"'Infinity' > ALL ({name}) AND '-Infinity' < ALL ({name})", name=name) for name in Cause),
    CheckConstraint(f"reason IS NULL OR num_nulls({', '.join(Cause)}) = {len(Cause)}", name="reason"),
    comment="Why forecasts differ from those of the series' previous run: parts that add up to the difference.",
)

rmse_history = Table(
    "rmse_history",
    metadata,
    Column("run_id", BigInteger, primary_key=True, comment="Run that found it."),
    Column("series_id", Integer, primary_key=True, comment="Series that it is of."),
    Column("split", Text, primary_key=True, comment=f"{alternatives(Split)}."),
    Column("horizon", SmallInteger, primary_key=True, comment="Months ahead."),
    Column("n", Integer, nullable=False, comment="Number of months scored."),
    Column("rmse", Double, nullable=False, comment="Root mean squared error in the unit of the series."),
    Column(
        "rmse_first",
        Double,
        comment="Of live forecasts, against the value of each month that was released first; empty where none was revised.",
    ),
    Column("baseline_rmse", Double, comment="The seasonal naive's, on the same months."),
    Column("baseline_rmse_first", Double, comment="The seasonal naive's, against the values released first."),
    Column("naive_rmse", Double, comment="The naive's, on the same months."),
    Column("base_path_rmse", Double, comment="The base path's, on the same months, where the recipe has one."),
    Column("skill", Double, comment="1 - rmse / baseline_rmse; 0 where both are 0; empty without a baseline."),
    Column("coverage_80", Double, comment="Share of actuals inside the 80 % interval."),
    Column("coverage_95", Double, comment="Share of actuals inside the 95 % interval."),
    Column("actuals_as_of", BigInteger, nullable=False, comment="Newest load of the actuals."),
    _is_one_of("split", *Split),
    CheckConstraint("n >= 1 AND horizon >= 1", name="counts"),
    _is_finite("rmse", least="0"),
    _is_finite("rmse_first", least="0"),
    _is_finite("baseline_rmse", least="0"),
    _is_finite("baseline_rmse_first", least="0"),
    _is_finite("naive_rmse", least="0"),
    _is_finite("base_path_rmse", least="0"),
    CheckConstraint("skill <= 1 AND skill >= '-Infinity'", name="skill"),
    comment="RMSE per series, split and horizon as found by each run.",
)
