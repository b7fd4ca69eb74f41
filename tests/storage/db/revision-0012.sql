-- A database at revision 0012: six months of milk, butter and salt, seven published runs, one of them by networks that series
-- share, and one that is open; a month that was filled, a revision, a rejected row and a rollback. Written by pg_dump 15.
SET statement_timeout = 0;
SET lock_timeout = 0;
SET idle_in_transaction_session_timeout = 0;
SET client_encoding = 'UTF8';
SET standard_conforming_strings = on;
SELECT pg_catalog.set_config('search_path', '', false);
SET check_function_bodies = false;
SET client_min_messages = warning;
SET row_security = off;
CREATE SCHEMA milkrun;
CREATE FUNCTION milkrun.bundle_payload_stays() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
BEGIN
    IF OLD.payload <> '' AND NOT has_table_privilege(session_user, 'milkrun.bundle', 'DELETE') THEN
        RAISE insufficient_privilege USING SCHEMA = 'milkrun', TABLE = 'bundle', COLUMN = 'payload',
            MESSAGE = format('bundle %s has its numbers, and keeps them', OLD.bundle_id);
    END IF;
    RETURN NEW;
END $$;
COMMENT ON FUNCTION milkrun.bundle_payload_stays() IS 'Refuses to change the numbers of a bundle that has some, unless the user may delete bundles.';
CREATE TABLE milkrun.forecast (
    run_id bigint NOT NULL,
    series_id integer NOT NULL,
    horizon smallint NOT NULL,
    month date NOT NULL,
    value double precision NOT NULL,
    seasonal_naive double precision,
    lower_80 double precision,
    upper_80 double precision,
    lower_95 double precision,
    upper_95 double precision,
    base_path double precision,
    CONSTRAINT forecast_base_path_check CHECK (((base_path > '-Infinity'::double precision) AND (base_path < 'Infinity'::double precision))),
    CONSTRAINT forecast_horizon_check CHECK ((horizon >= 1)),
    CONSTRAINT forecast_intervals_check CHECK (((lower_95 <= lower_80) AND (lower_80 <= upper_80) AND (upper_80 <= upper_95))),
    CONSTRAINT forecast_intervals_finite_check CHECK (((lower_95 > '-Infinity'::double precision) AND (upper_95 < 'Infinity'::double precision))),
    CONSTRAINT forecast_month_check CHECK (((month = date_trunc('month'::text, (month)::timestamp with time zone)) AND ((month >= '1700-01-01'::date) AND (month <= '2200-12-01'::date)))),
    CONSTRAINT forecast_seasonal_naive_check CHECK (((seasonal_naive > '-Infinity'::double precision) AND (seasonal_naive < 'Infinity'::double precision))),
    CONSTRAINT forecast_value_check CHECK (((value > '-Infinity'::double precision) AND (value < 'Infinity'::double precision)))
);
COMMENT ON TABLE milkrun.forecast IS 'Forecast of a series for a target month; a newer forecast is a new row.';
COMMENT ON COLUMN milkrun.forecast.run_id IS 'Run that made it.';
COMMENT ON COLUMN milkrun.forecast.series_id IS 'Series that it is of.';
COMMENT ON COLUMN milkrun.forecast.horizon IS 'Months from the series'' origin to the target month.';
COMMENT ON COLUMN milkrun.forecast.month IS 'Target month.';
COMMENT ON COLUMN milkrun.forecast.value IS 'In the unit of the series.';
COMMENT ON COLUMN milkrun.forecast.seasonal_naive IS 'The baseline as known at the origin: the same month a year before.';
COMMENT ON COLUMN milkrun.forecast.lower_80 IS 'Lower end of the 80 % interval, in the unit of the series; empty where the recipe gives none.';
COMMENT ON COLUMN milkrun.forecast.upper_80 IS 'Upper end of the 80 % interval.';
COMMENT ON COLUMN milkrun.forecast.lower_95 IS 'Lower end of the 95 % interval, in the unit of the series; empty where the recipe gives none.';
COMMENT ON COLUMN milkrun.forecast.upper_95 IS 'Upper end of the 95 % interval.';
COMMENT ON COLUMN milkrun.forecast.base_path IS 'The base path of the recipe monthly: what its networks correct.';
CREATE TABLE milkrun.recipe (
    recipe_hash text NOT NULL,
    name text NOT NULL,
    settings jsonb NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL
);
COMMENT ON TABLE milkrun.recipe IS 'Named settings of networks, windows, scaling and training.';
COMMENT ON COLUMN milkrun.recipe.recipe_hash IS 'SHA-256 of the settings.';
COMMENT ON COLUMN milkrun.recipe.name IS 'Name that runs are asked for by; two recipes of one name differ in their hash.';
COMMENT ON COLUMN milkrun.recipe.settings IS 'All settings, as plain JSON.';
COMMENT ON COLUMN milkrun.recipe.created_at IS 'When a run first used it.';
CREATE TABLE milkrun.run (
    run_id bigint NOT NULL,
    kind text NOT NULL,
    origin date NOT NULL,
    as_of bigint NOT NULL,
    vintages text NOT NULL,
    recipe_hash text NOT NULL,
    policy jsonb NOT NULL,
    scope text NOT NULL,
    series_ids integer[] NOT NULL,
    shard_size integer NOT NULL,
    code_version text NOT NULL,
    trigger text NOT NULL,
    prefect_flow_run_id text,
    state text DEFAULT 'open'::text NOT NULL,
    started_at timestamp with time zone DEFAULT now() NOT NULL,
    published_at timestamp with time zone,
    attempt integer DEFAULT 1 NOT NULL,
    CONSTRAINT run_attempt_check CHECK ((attempt >= 1)),
    CONSTRAINT run_kind_check CHECK ((kind = ANY (ARRAY['live'::text, 'backfill'::text]))),
    CONSTRAINT run_origin_check CHECK (((origin = date_trunc('month'::text, (origin)::timestamp with time zone)) AND ((origin >= '1700-01-01'::date) AND (origin <= '2200-12-01'::date)))),
    CONSTRAINT run_published_at_check CHECK (((state = 'published'::text) = (published_at IS NOT NULL))),
    CONSTRAINT run_shards_check CHECK (((cardinality(series_ids) > 0) AND (shard_size > 0))),
    CONSTRAINT run_state_check CHECK ((state = ANY (ARRAY['open'::text, 'published'::text]))),
    CONSTRAINT run_vintages_check CHECK ((vintages = ANY (ARRAY['as_of'::text, 'latest'::text])))
);
COMMENT ON TABLE milkrun.run IS 'One execution for one origin; its rows are invisible until it is published.';
COMMENT ON COLUMN milkrun.run.run_id IS 'Running number of the run.';
COMMENT ON COLUMN milkrun.run.kind IS 'live or backfill.';
COMMENT ON COLUMN milkrun.run.origin IS 'Last month whose observation the run may use.';
COMMENT ON COLUMN milkrun.run.as_of IS 'Newest load the run may use.';
COMMENT ON COLUMN milkrun.run.vintages IS 'as_of: values as known then; latest: as known at the time of the run.';
COMMENT ON COLUMN milkrun.run.recipe_hash IS 'Recipe that it forecasts by.';
COMMENT ON COLUMN milkrun.run.policy IS 'Rules of retraining, reuse and late series that the run follows.';
COMMENT ON COLUMN milkrun.run.scope IS 'all, or a digest of the series asked for.';
COMMENT ON COLUMN milkrun.run.series_ids IS 'The series that must each have an outcome.';
COMMENT ON COLUMN milkrun.run.shard_size IS 'Series per shard; shards are cut from series_ids in order.';
COMMENT ON COLUMN milkrun.run.code_version IS 'Version of Milkrun that opened it.';
COMMENT ON COLUMN milkrun.run.trigger IS 'What started it: schedule, deployment (the UI or the API) or command line.';
COMMENT ON COLUMN milkrun.run.prefect_flow_run_id IS 'Flow run in Prefect that opened it.';
COMMENT ON COLUMN milkrun.run.state IS 'open or published.';
COMMENT ON COLUMN milkrun.run.started_at IS 'When the run was opened.';
COMMENT ON COLUMN milkrun.run.published_at IS 'When its rows became visible, all at once.';
COMMENT ON COLUMN milkrun.run.attempt IS '1, or more where the same request was asked for again: milkrun backfill --reprocess.';
CREATE TABLE milkrun.run_series (
    run_id bigint NOT NULL,
    series_id integer NOT NULL,
    origin date,
    decision text,
    decision_reason text,
    outcome text NOT NULL,
    reason text NOT NULL,
    detail text,
    method text,
    bundle_id text,
    last_value double precision,
    evidence jsonb,
    CONSTRAINT run_series_bundle_check CHECK (((outcome <> 'forecast'::text) OR ((bundle_id IS NOT NULL) AND (method = 'lstm'::text)))),
    CONSTRAINT run_series_decision_check CHECK ((decision = ANY (ARRAY['retrain'::text, 'reuse'::text]))),
    CONSTRAINT run_series_decision_reason_check CHECK (((decision IS NULL) = (decision_reason IS NULL))),
    CONSTRAINT run_series_last_value_check CHECK (((last_value > '-Infinity'::double precision) AND (last_value < 'Infinity'::double precision))),
    CONSTRAINT run_series_method_check CHECK (((outcome = ANY (ARRAY['forecast'::text, 'fallback'::text])) = (method IS NOT NULL))),
    CONSTRAINT run_series_origin_check CHECK (((origin = date_trunc('month'::text, (origin)::timestamp with time zone)) AND ((origin >= '1700-01-01'::date) AND (origin <= '2200-12-01'::date)))),
    CONSTRAINT run_series_outcome_check CHECK ((outcome = ANY (ARRAY['forecast'::text, 'fallback'::text, 'held'::text, 'refused'::text, 'failed'::text])))
);
COMMENT ON TABLE milkrun.run_series IS 'Decision and outcome of every series of a run, each with its reason.';
COMMENT ON COLUMN milkrun.run_series.run_id IS 'Run that decided.';
COMMENT ON COLUMN milkrun.run_series.series_id IS 'Series decided about.';
COMMENT ON COLUMN milkrun.run_series.origin IS 'Last observed month that was used: the run''s origin, or earlier where the series is late.';
COMMENT ON COLUMN milkrun.run_series.decision IS 'retrain or reuse; empty where no network was needed.';
COMMENT ON COLUMN milkrun.run_series.decision_reason IS 'Short word for the reason of the decision.';
COMMENT ON COLUMN milkrun.run_series.outcome IS 'forecast, fallback, held, refused or failed.';
COMMENT ON COLUMN milkrun.run_series.reason IS 'Short word for the reason of the outcome.';
COMMENT ON COLUMN milkrun.run_series.detail IS 'The reason in a sentence, with months and numbers.';
COMMENT ON COLUMN milkrun.run_series.method IS 'lstm, base_path or seasonal_naive: what made the numbers.';
COMMENT ON COLUMN milkrun.run_series.bundle_id IS 'Bundle whose network made the forecast.';
COMMENT ON COLUMN milkrun.run_series.last_value IS 'Value of the last month used: the naive forecast of every horizon.';
COMMENT ON COLUMN milkrun.run_series.evidence IS 'What the decision was made from, as plain JSON; empty in rows of older releases.';
CREATE TABLE milkrun.series (
    series_id integer NOT NULL,
    name text NOT NULL,
    unit text,
    active boolean DEFAULT true NOT NULL,
    first_load_id bigint NOT NULL,
    CONSTRAINT series_name_check CHECK ((((length(name) >= 1) AND (length(name) <= 200)) AND (name !~ '[[:cntrl:]]'::text)))
);
COMMENT ON TABLE milkrun.series IS 'One monthly variable.';
COMMENT ON COLUMN milkrun.series.series_id IS 'Running number of the series.';
COMMENT ON COLUMN milkrun.series.name IS 'Stable name, as analysts write it.';
COMMENT ON COLUMN milkrun.series.unit IS 'Unit of the values, such as pounds per cow.';
COMMENT ON COLUMN milkrun.series.active IS 'Whether runs forecast it.';
COMMENT ON COLUMN milkrun.series.first_load_id IS 'Load that brought it.';
CREATE VIEW milkrun.forecast_history AS
 SELECT s.name AS series,
    r.origin AS run_origin,
    rs.origin,
    f.month,
    f.horizon,
    f.value,
    f.lower_80,
    f.upper_80,
    f.lower_95,
    f.upper_95,
    f.seasonal_naive,
    rs.last_value AS naive,
    f.base_path,
    s.unit,
    rs.outcome,
    rs.reason,
    rs.method,
    c.name AS recipe,
    r.kind,
    r.vintages,
    r.published_at,
    r.run_id
   FROM ((((milkrun.forecast f
     JOIN milkrun.run r USING (run_id))
     JOIN milkrun.run_series rs USING (run_id, series_id))
     JOIN milkrun.series s USING (series_id))
     JOIN milkrun.recipe c USING (recipe_hash))
  WHERE (r.state = 'published'::text);
COMMENT ON VIEW milkrun.forecast_history IS 'Every published forecast, live and backfill, newest and older: nothing is ever overwritten.';
COMMENT ON COLUMN milkrun.forecast_history.series IS 'Name of the series.';
COMMENT ON COLUMN milkrun.forecast_history.run_origin IS 'Last month whose observation the run could use, its first day.';
COMMENT ON COLUMN milkrun.forecast_history.origin IS 'Last month of the series that was used: the run''s origin, or earlier where the series is late.';
COMMENT ON COLUMN milkrun.forecast_history.month IS 'Target month, its first day.';
COMMENT ON COLUMN milkrun.forecast_history.horizon IS 'Months ahead: from the origin to the target month.';
COMMENT ON COLUMN milkrun.forecast_history.value IS 'The forecast, in the unit of the series.';
COMMENT ON COLUMN milkrun.forecast_history.lower_80 IS 'Lower end of the 80 % interval; empty where the recipe gives none.';
COMMENT ON COLUMN milkrun.forecast_history.upper_80 IS 'Upper end of the 80 % interval.';
COMMENT ON COLUMN milkrun.forecast_history.lower_95 IS 'Lower end of the 95 % interval; empty where the recipe gives none.';
COMMENT ON COLUMN milkrun.forecast_history.upper_95 IS 'Upper end of the 95 % interval.';
COMMENT ON COLUMN milkrun.forecast_history.seasonal_naive IS 'The baseline: the value of the same month a year before, as known at the origin.';
COMMENT ON COLUMN milkrun.forecast_history.naive IS 'The baseline that repeats the last observed value.';
COMMENT ON COLUMN milkrun.forecast_history.base_path IS 'The base path of the recipe monthly, which its networks correct; empty where the recipe has none.';
COMMENT ON COLUMN milkrun.forecast_history.unit IS 'Unit of the values, where it is known.';
COMMENT ON COLUMN milkrun.forecast_history.outcome IS 'forecast, fallback (a baseline instead of the network), held, refused or failed.';
COMMENT ON COLUMN milkrun.forecast_history.reason IS 'Short word for the reason of the outcome; ok where there is nothing to say.';
COMMENT ON COLUMN milkrun.forecast_history.method IS 'What made the numbers: lstm, seasonal_naive or another.';
COMMENT ON COLUMN milkrun.forecast_history.recipe IS 'Name of the recipe: the settings of networks, windows, scaling and training.';
COMMENT ON COLUMN milkrun.forecast_history.kind IS 'live, or backfill: a run for a past month, made later.';
COMMENT ON COLUMN milkrun.forecast_history.vintages IS 'as_of: from values as they were known at the origin; latest: from values as known when the run was made.';
COMMENT ON COLUMN milkrun.forecast_history.published_at IS 'When the run became visible, all at once.';
COMMENT ON COLUMN milkrun.forecast_history.run_id IS 'Number of the run.';
CREATE FUNCTION milkrun.forecast_as_of(moment timestamp with time zone) RETURNS SETOF milkrun.forecast_history
    LANGUAGE sql STABLE
    AS $$
    SELECT h.*
    FROM milkrun.series s
    CROSS JOIN LATERAL (
        SELECT rs.run_id
        FROM milkrun.run_series rs JOIN milkrun.run r USING (run_id)
        WHERE rs.series_id = s.series_id AND r.state = 'published' AND r.kind = 'live'
          AND r.published_at <= moment AND rs.outcome IN ('forecast', 'fallback')
        ORDER BY r.origin DESC, r.run_id DESC
        LIMIT 1
    ) newest
    JOIN milkrun.forecast_history h ON h.run_id = newest.run_id AND h.series = s.name
$$;
COMMENT ON FUNCTION milkrun.forecast_as_of(moment timestamp with time zone) IS 'The forecasts that an analyst would have read at that moment: latest_forecast as it was then, series included that have been switched off since.';
CREATE FUNCTION milkrun.forecast_run_id_series_id_keep() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
DECLARE needed text;
BEGIN
    IF TG_OP = 'TRUNCATE' THEN
        SELECT 'all of them' INTO needed FROM milkrun.forecast LIMIT 1;
    ELSE
        SELECT concat_ws(', ', run_id, series_id) INTO needed FROM removed AS parent
        WHERE (SELECT true FROM milkrun.forecast AS child WHERE child.run_id = parent.run_id AND child.series_id = parent.series_id LIMIT 1)
          AND (SELECT true FROM milkrun.run_series AS still WHERE still.run_id = parent.run_id AND still.series_id = parent.series_id) IS NULL LIMIT 1;
    END IF;
    IF FOUND THEN
        RAISE foreign_key_violation USING SCHEMA = 'milkrun', TABLE = 'forecast', CONSTRAINT = 'forecast_run_id_series_id_fkey',
            MESSAGE = format('forecast still refers to run_series (%s)', needed);
    END IF;
    RETURN NULL;
END $$;
COMMENT ON FUNCTION milkrun.forecast_run_id_series_id_keep() IS 'Refuses a statement that takes away a run_series that a forecast refers to.';
CREATE FUNCTION milkrun.forecast_run_id_series_id_refer() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
DECLARE missing text;
BEGIN
    SELECT concat_ws(', ', run_id, series_id) INTO missing FROM (SELECT DISTINCT run_id, series_id FROM written) AS child
    WHERE (SELECT true FROM milkrun.run_series WHERE run_series.run_id = child.run_id AND run_series.series_id = child.series_id FOR KEY SHARE) IS NULL LIMIT 1;
    IF FOUND THEN
        RAISE foreign_key_violation USING SCHEMA = 'milkrun', TABLE = 'forecast', CONSTRAINT = 'forecast_run_id_series_id_fkey',
            MESSAGE = format('forecast refers to run_series (%s), which is not there', missing);
    END IF;
    RETURN NULL;
END $$;
COMMENT ON FUNCTION milkrun.forecast_run_id_series_id_refer() IS 'Refuses a statement that writes a forecast whose run_series (run_id, series_id) is not there.';
CREATE FUNCTION milkrun.rmse_history_actuals_as_of_keep() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
DECLARE needed text;
BEGIN
    IF TG_OP = 'TRUNCATE' THEN
        SELECT 'all of them' INTO needed FROM milkrun.rmse_history LIMIT 1;
    ELSE
        SELECT concat_ws(', ', load_id) INTO needed FROM removed AS parent
        WHERE (SELECT true FROM milkrun.rmse_history AS child WHERE child.actuals_as_of = parent.load_id LIMIT 1)
          AND (SELECT true FROM milkrun.load AS still WHERE still.load_id = parent.load_id) IS NULL LIMIT 1;
    END IF;
    IF FOUND THEN
        RAISE foreign_key_violation USING SCHEMA = 'milkrun', TABLE = 'rmse_history', CONSTRAINT = 'rmse_history_actuals_as_of_fkey',
            MESSAGE = format('rmse_history still refers to load (%s)', needed);
    END IF;
    RETURN NULL;
END $$;
COMMENT ON FUNCTION milkrun.rmse_history_actuals_as_of_keep() IS 'Refuses a statement that takes away a load that a rmse_history refers to.';
CREATE FUNCTION milkrun.rmse_history_actuals_as_of_refer() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
DECLARE missing text;
BEGIN
    SELECT concat_ws(', ', actuals_as_of) INTO missing FROM (SELECT DISTINCT actuals_as_of FROM written) AS child
    WHERE (SELECT true FROM milkrun.load WHERE load.load_id = child.actuals_as_of FOR KEY SHARE) IS NULL LIMIT 1;
    IF FOUND THEN
        RAISE foreign_key_violation USING SCHEMA = 'milkrun', TABLE = 'rmse_history', CONSTRAINT = 'rmse_history_actuals_as_of_fkey',
            MESSAGE = format('rmse_history refers to load (%s), which is not there', missing);
    END IF;
    RETURN NULL;
END $$;
COMMENT ON FUNCTION milkrun.rmse_history_actuals_as_of_refer() IS 'Refuses a statement that writes a rmse_history whose load (actuals_as_of) is not there.';
CREATE FUNCTION milkrun.rmse_history_run_id_series_id_keep() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
DECLARE needed text;
BEGIN
    IF TG_OP = 'TRUNCATE' THEN
        SELECT 'all of them' INTO needed FROM milkrun.rmse_history LIMIT 1;
    ELSE
        SELECT concat_ws(', ', run_id, series_id) INTO needed FROM removed AS parent
        WHERE (SELECT true FROM milkrun.rmse_history AS child WHERE child.run_id = parent.run_id AND child.series_id = parent.series_id LIMIT 1)
          AND (SELECT true FROM milkrun.run_series AS still WHERE still.run_id = parent.run_id AND still.series_id = parent.series_id) IS NULL LIMIT 1;
    END IF;
    IF FOUND THEN
        RAISE foreign_key_violation USING SCHEMA = 'milkrun', TABLE = 'rmse_history', CONSTRAINT = 'rmse_history_run_id_series_id_fkey',
            MESSAGE = format('rmse_history still refers to run_series (%s)', needed);
    END IF;
    RETURN NULL;
END $$;
COMMENT ON FUNCTION milkrun.rmse_history_run_id_series_id_keep() IS 'Refuses a statement that takes away a run_series that a rmse_history refers to.';
CREATE FUNCTION milkrun.rmse_history_run_id_series_id_refer() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
DECLARE missing text;
BEGIN
    SELECT concat_ws(', ', run_id, series_id) INTO missing FROM (SELECT DISTINCT run_id, series_id FROM written) AS child
    WHERE (SELECT true FROM milkrun.run_series WHERE run_series.run_id = child.run_id AND run_series.series_id = child.series_id FOR KEY SHARE) IS NULL LIMIT 1;
    IF FOUND THEN
        RAISE foreign_key_violation USING SCHEMA = 'milkrun', TABLE = 'rmse_history', CONSTRAINT = 'rmse_history_run_id_series_id_fkey',
            MESSAGE = format('rmse_history refers to run_series (%s), which is not there', missing);
    END IF;
    RETURN NULL;
END $$;
COMMENT ON FUNCTION milkrun.rmse_history_run_id_series_id_refer() IS 'Refuses a statement that writes a rmse_history whose run_series (run_id, series_id) is not there.';
CREATE FUNCTION milkrun.run_stays_published() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
BEGIN
    IF NOT has_table_privilege(session_user, 'milkrun.run', 'DELETE') THEN
        RAISE insufficient_privilege USING SCHEMA = 'milkrun', TABLE = 'run',
            MESSAGE = format('run %s is published, and stays so', OLD.run_id);
    END IF;
    RETURN NEW;
END $$;
COMMENT ON FUNCTION milkrun.run_stays_published() IS 'Refuses to change a run that was published, unless the user may delete runs.';
CREATE TABLE milkrun.alembic_version (
    version_num character varying(32) NOT NULL
);
CREATE TABLE milkrun.bundle (
    bundle_id text NOT NULL,
    recipe_hash text NOT NULL,
    origin date NOT NULL,
    as_of bigint NOT NULL,
    payload bytea NOT NULL,
    manifest jsonb NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT bundle_origin_check CHECK (((origin = date_trunc('month'::text, (origin)::timestamp with time zone)) AND ((origin >= '1700-01-01'::date) AND (origin <= '2200-12-01'::date))))
);
COMMENT ON TABLE milkrun.bundle IS 'Networks of one shard with their provenance, as plain numbers.';
COMMENT ON COLUMN milkrun.bundle.bundle_id IS 'SHA-256 of content and manifest.';
COMMENT ON COLUMN milkrun.bundle.recipe_hash IS 'Recipe of its networks.';
COMMENT ON COLUMN milkrun.bundle.origin IS 'Origin of the run that trained it.';
COMMENT ON COLUMN milkrun.bundle.as_of IS 'Newest load it could know.';
COMMENT ON COLUMN milkrun.bundle.payload IS 'Little-endian float32 tensors back to back; empty where milkrun prune removed them.';
COMMENT ON COLUMN milkrun.bundle.manifest IS 'Names, shapes, digest, versions and seeds: plain JSON.';
COMMENT ON COLUMN milkrun.bundle.created_at IS 'When it was stored.';
CREATE TABLE milkrun.bundle_member (
    bundle_id text NOT NULL,
    series_id integer NOT NULL,
    "position" integer NOT NULL,
    scaler jsonb NOT NULL,
    trained_through date NOT NULL,
    origin date NOT NULL,
    train_rmse double precision,
    test_rmse double precision,
    scores jsonb,
    CONSTRAINT bundle_member_origin_check CHECK (((origin = date_trunc('month'::text, (origin)::timestamp with time zone)) AND ((origin >= '1700-01-01'::date) AND (origin <= '2200-12-01'::date)))),
    CONSTRAINT bundle_member_trained_through_check CHECK (((trained_through = date_trunc('month'::text, (trained_through)::timestamp with time zone)) AND ((trained_through >= '1700-01-01'::date) AND (trained_through <= '2200-12-01'::date))))
);
COMMENT ON TABLE milkrun.bundle_member IS 'The network and the scaler of one series in a bundle.';
COMMENT ON COLUMN milkrun.bundle_member.bundle_id IS 'Bundle that holds the network.';
COMMENT ON COLUMN milkrun.bundle_member.series_id IS 'Series that the network is of.';
COMMENT ON COLUMN milkrun.bundle_member."position" IS 'Row of the tensors that holds this series'' network.';
COMMENT ON COLUMN milkrun.bundle_member.scaler IS 'Fitted scaler and intervals, as numbers.';
COMMENT ON COLUMN milkrun.bundle_member.trained_through IS 'Last month that the weights or the scaler have seen.';
COMMENT ON COLUMN milkrun.bundle_member.origin IS 'The series'' own last month at training.';
COMMENT ON COLUMN milkrun.bundle_member.train_rmse IS 'In the unit of the series, one month ahead; empty where too short to tell.';
COMMENT ON COLUMN milkrun.bundle_member.test_rmse IS 'On months that were held out, one month ahead; empty where too short to tell.';
COMMENT ON COLUMN milkrun.bundle_member.scores IS 'Per split and horizon, of networks that series share: what rmse_history gets.';
CREATE TABLE milkrun.filled_month (
    run_id bigint NOT NULL,
    series_id integer NOT NULL,
    month date NOT NULL,
    value double precision NOT NULL,
    rule text NOT NULL,
    CONSTRAINT filled_month_month_check CHECK (((month = date_trunc('month'::text, (month)::timestamp with time zone)) AND ((month >= '1700-01-01'::date) AND (month <= '2200-12-01'::date)))),
    CONSTRAINT filled_month_value_check CHECK (((value > '-Infinity'::double precision) AND (value < 'Infinity'::double precision)))
);
COMMENT ON TABLE milkrun.filled_month IS 'Months missing in the observations that a run filled, and with what.';
COMMENT ON COLUMN milkrun.filled_month.run_id IS 'Run that filled it.';
COMMENT ON COLUMN milkrun.filled_month.series_id IS 'Series that lacks the month.';
COMMENT ON COLUMN milkrun.filled_month.month IS 'The missing month, its first day.';
COMMENT ON COLUMN milkrun.filled_month.value IS 'What the run took instead, in the unit of the series.';
COMMENT ON COLUMN milkrun.filled_month.rule IS 'year_before or last_value.';
CREATE TABLE milkrun.forecast_change_part (
    run_id bigint NOT NULL,
    series_id integer NOT NULL,
    previous_run_id bigint NOT NULL,
    reason text,
    new_months double precision[],
    revisions double precision[],
    network double precision[],
    recipe_change double precision[],
    CONSTRAINT forecast_change_part_network_check CHECK ((('Infinity'::double precision > ALL (network)) AND ('-Infinity'::double precision < ALL (network)))),
    CONSTRAINT forecast_change_part_new_months_check CHECK ((('Infinity'::double precision > ALL (new_months)) AND ('-Infinity'::double precision < ALL (new_months)))),
    CONSTRAINT forecast_change_part_reason_check CHECK (((reason IS NULL) OR (num_nulls(new_months, revisions, network, recipe_change) = 4))),
    CONSTRAINT forecast_change_part_recipe_change_check CHECK ((('Infinity'::double precision > ALL (recipe_change)) AND ('-Infinity'::double precision < ALL (recipe_change)))),
    CONSTRAINT forecast_change_part_revisions_check CHECK ((('Infinity'::double precision > ALL (revisions)) AND ('-Infinity'::double precision < ALL (revisions))))
);
COMMENT ON TABLE milkrun.forecast_change_part IS 'Why forecasts differ from those of the series'' previous run: parts that add up to the difference.';
COMMENT ON COLUMN milkrun.forecast_change_part.run_id IS 'Run whose forecasts moved.';
COMMENT ON COLUMN milkrun.forecast_change_part.series_id IS 'Series that they are of.';
COMMENT ON COLUMN milkrun.forecast_change_part.previous_run_id IS 'Run that it is compared with.';
COMMENT ON COLUMN milkrun.forecast_change_part.reason IS 'Short word for why the parts are not known; empty where they are.';
COMMENT ON COLUMN milkrun.forecast_change_part.new_months IS 'What months observed since moved, by horizon, in the unit of the series; empty: nothing.';
COMMENT ON COLUMN milkrun.forecast_change_part.revisions IS 'What changed values of months that were known moved, by horizon, in the unit of the series; empty: nothing.';
COMMENT ON COLUMN milkrun.forecast_change_part.network IS 'What another network, scaler or method moved, by horizon, in the unit of the series; empty: nothing.';
COMMENT ON COLUMN milkrun.forecast_change_part.recipe_change IS 'What another recipe moved, by horizon, in the unit of the series; empty: nothing.';
CREATE VIEW milkrun.forecast_change AS
 SELECT s.name AS series,
    f.month,
    x.origin,
    f.value,
    before.origin AS previous_origin,
    p.value AS previous_value,
    (f.value - p.value) AS change,
    s.unit,
    c.name AS recipe,
    earlier_recipe.name AS previous_recipe,
    r.published_at,
    r.run_id,
    g.previous_run_id,
        CASE
            WHEN (g.reason IS NULL) THEN COALESCE(g.new_months[f.horizon], (0)::double precision)
            ELSE NULL::double precision
        END AS new_months,
        CASE
            WHEN (g.reason IS NULL) THEN COALESCE(g.revisions[f.horizon], (0)::double precision)
            ELSE NULL::double precision
        END AS revisions,
        CASE
            WHEN (g.reason IS NULL) THEN COALESCE(g.network[f.horizon], (0)::double precision)
            ELSE NULL::double precision
        END AS network,
        CASE
            WHEN (g.reason IS NULL) THEN COALESCE(g.recipe_change[f.horizon], (0)::double precision)
            ELSE NULL::double precision
        END AS recipe_change,
    g.reason
   FROM (((((((((milkrun.forecast_change_part g
     JOIN milkrun.run r USING (run_id))
     JOIN milkrun.recipe c USING (recipe_hash))
     JOIN milkrun.series s USING (series_id))
     JOIN milkrun.run_series x USING (run_id, series_id))
     JOIN milkrun.forecast f USING (run_id, series_id))
     JOIN milkrun.run earlier ON ((earlier.run_id = g.previous_run_id)))
     JOIN milkrun.recipe earlier_recipe ON ((earlier_recipe.recipe_hash = earlier.recipe_hash)))
     JOIN milkrun.run_series before ON (((before.run_id = g.previous_run_id) AND (before.series_id = g.series_id))))
     JOIN milkrun.forecast p ON (((p.run_id = g.previous_run_id) AND (p.series_id = g.series_id) AND (p.month = f.month))))
  WHERE ((r.state = 'published'::text) AND (r.kind = 'live'::text));
COMMENT ON VIEW milkrun.forecast_change IS 'How the forecast of a target month moved from the series'' previous published live run to the next, and why: new_months + revisions + network + recipe_change = change.';
COMMENT ON COLUMN milkrun.forecast_change.series IS 'Name of the series.';
COMMENT ON COLUMN milkrun.forecast_change.month IS 'Target month, its first day.';
COMMENT ON COLUMN milkrun.forecast_change.origin IS 'Last month of the series that was used: the run''s origin, or earlier where the series is late.';
COMMENT ON COLUMN milkrun.forecast_change.value IS 'The forecast, in the unit of the series.';
COMMENT ON COLUMN milkrun.forecast_change.previous_origin IS 'Origin of the forecast before.';
COMMENT ON COLUMN milkrun.forecast_change.previous_value IS 'What the run before forecast for the month.';
COMMENT ON COLUMN milkrun.forecast_change.change IS 'value - previous_value.';
COMMENT ON COLUMN milkrun.forecast_change.unit IS 'Unit of the values, where it is known.';
COMMENT ON COLUMN milkrun.forecast_change.recipe IS 'Name of the recipe: the settings of networks, windows, scaling and training.';
COMMENT ON COLUMN milkrun.forecast_change.previous_recipe IS 'Recipe of the run before.';
COMMENT ON COLUMN milkrun.forecast_change.published_at IS 'When the run became visible, all at once.';
COMMENT ON COLUMN milkrun.forecast_change.run_id IS 'Number of the run.';
COMMENT ON COLUMN milkrun.forecast_change.previous_run_id IS 'Number of the run before.';
COMMENT ON COLUMN milkrun.forecast_change.new_months IS 'Part of the change that comes from months observed since the run before.';
COMMENT ON COLUMN milkrun.forecast_change.revisions IS 'Part that comes from changed values of months that the run before knew.';
COMMENT ON COLUMN milkrun.forecast_change.network IS 'Part that comes from another network or scaler, or from none: another method.';
COMMENT ON COLUMN milkrun.forecast_change.recipe_change IS 'Part that comes from another recipe, with its network.';
COMMENT ON COLUMN milkrun.forecast_change.reason IS 'Why the parts are empty, in a word; empty where they add up to the change.';
CREATE TABLE milkrun.load (
    load_id bigint NOT NULL,
    source text NOT NULL,
    sealed_at timestamp with time zone DEFAULT now() NOT NULL,
    rows_read bigint NOT NULL,
    rows_added bigint NOT NULL,
    rows_unchanged bigint NOT NULL,
    rows_collapsed bigint NOT NULL,
    rows_rejected bigint NOT NULL,
    sha256 text,
    CONSTRAINT load_accounted_check CHECK ((rows_read = (((rows_added + rows_unchanged) + rows_collapsed) + rows_rejected)))
);
COMMENT ON TABLE milkrun.load IS 'One intake of observations; committed whole or not at all.';
COMMENT ON COLUMN milkrun.load.load_id IS 'Ordered id: the vintage.';
COMMENT ON COLUMN milkrun.load.source IS 'File name, or table or query of the source; never a password.';
COMMENT ON COLUMN milkrun.load.sealed_at IS 'When the load was committed; a label only, the order is that of load_id.';
COMMENT ON COLUMN milkrun.load.rows_read IS 'Values met in the source.';
COMMENT ON COLUMN milkrun.load.rows_added IS 'Values that were new or changed: the rows of this vintage.';
COMMENT ON COLUMN milkrun.load.rows_unchanged IS 'Values already known.';
COMMENT ON COLUMN milkrun.load.rows_collapsed IS 'Equal duplicates within the load.';
COMMENT ON COLUMN milkrun.load.rows_rejected IS 'Values kept in rejected_row with a reason.';
COMMENT ON COLUMN milkrun.load.sha256 IS 'Digest of the file, where the source is a file.';
CREATE TABLE milkrun.observation (
    series_id integer NOT NULL,
    month date NOT NULL,
    load_id bigint NOT NULL,
    value double precision NOT NULL,
    CONSTRAINT observation_month_check CHECK (((month = date_trunc('month'::text, (month)::timestamp with time zone)) AND ((month >= '1700-01-01'::date) AND (month <= '2200-12-01'::date)))),
    CONSTRAINT observation_value_check CHECK ((abs(value) <= ('1000000000000000'::numeric)::double precision))
);
COMMENT ON TABLE milkrun.observation IS 'Value of a series for a month as learned by a load; a revision is a new row.';
COMMENT ON COLUMN milkrun.observation.series_id IS 'Series that it is of.';
COMMENT ON COLUMN milkrun.observation.month IS 'First day of the calendar month.';
COMMENT ON COLUMN milkrun.observation.load_id IS 'Vintage that brought it.';
COMMENT ON COLUMN milkrun.observation.value IS 'In the unit of the series.';
CREATE VIEW milkrun.latest_observation AS
 SELECT s.name AS series,
    o.month,
    o.value,
    s.unit,
    o.load_id,
    l.sealed_at AS known_since
   FROM ((milkrun.series s
     CROSS JOIN LATERAL ( SELECT DISTINCT ON (observation.month) observation.month,
            observation.value,
            observation.load_id
           FROM milkrun.observation
          WHERE (observation.series_id = s.series_id)
          ORDER BY observation.month, observation.load_id DESC) o)
     JOIN milkrun.load l ON ((l.load_id = o.load_id)));
COMMENT ON VIEW milkrun.latest_observation IS 'The newest known value of every series and month.';
COMMENT ON COLUMN milkrun.latest_observation.series IS 'Name of the series.';
COMMENT ON COLUMN milkrun.latest_observation.month IS 'Observed month, its first day.';
COMMENT ON COLUMN milkrun.latest_observation.value IS 'The newest known value, in the unit of the series.';
COMMENT ON COLUMN milkrun.latest_observation.unit IS 'Unit of the values, where it is known.';
COMMENT ON COLUMN milkrun.latest_observation.load_id IS 'Load that brought the value: its vintage.';
COMMENT ON COLUMN milkrun.latest_observation.known_since IS 'When that load was committed.';
CREATE VIEW milkrun.forecast_versus_actual AS
 SELECT h.series,
    h.origin,
    h.month,
    h.horizon,
    h.value AS forecast,
    a.value AS actual,
    (h.value - a.value) AS error,
    h.seasonal_naive,
    (h.seasonal_naive - a.value) AS seasonal_naive_error,
    h.naive,
    (h.naive - a.value) AS naive_error,
    h.base_path,
    (h.base_path - a.value) AS base_path_error,
    ((a.value >= h.lower_80) AND (a.value <= h.upper_80)) AS inside_80,
    ((a.value >= h.lower_95) AND (a.value <= h.upper_95)) AS inside_95,
    h.unit,
    h.outcome,
    h.method,
    h.recipe,
    h.kind,
    h.vintages,
    h.published_at,
    h.run_id
   FROM (milkrun.forecast_history h
     JOIN milkrun.latest_observation a ON (((a.series = h.series) AND (a.month = h.month))));
COMMENT ON VIEW milkrun.forecast_versus_actual IS 'Published forecasts beside the newest value of what happened; error = forecast - actual.';
COMMENT ON COLUMN milkrun.forecast_versus_actual.series IS 'Name of the series.';
COMMENT ON COLUMN milkrun.forecast_versus_actual.origin IS 'Last month of the series that was used: the run''s origin, or earlier where the series is late.';
COMMENT ON COLUMN milkrun.forecast_versus_actual.month IS 'Target month, its first day.';
COMMENT ON COLUMN milkrun.forecast_versus_actual.horizon IS 'Months ahead: from the origin to the target month.';
COMMENT ON COLUMN milkrun.forecast_versus_actual.forecast IS 'The forecast, in the unit of the series.';
COMMENT ON COLUMN milkrun.forecast_versus_actual.actual IS 'What happened: the newest known value of the month.';
COMMENT ON COLUMN milkrun.forecast_versus_actual.error IS 'forecast - actual: positive where the forecast was too high.';
COMMENT ON COLUMN milkrun.forecast_versus_actual.seasonal_naive IS 'The baseline: the value of the same month a year before, as known at the origin.';
COMMENT ON COLUMN milkrun.forecast_versus_actual.seasonal_naive_error IS 'seasonal_naive - actual.';
COMMENT ON COLUMN milkrun.forecast_versus_actual.naive IS 'The baseline that repeats the last observed value.';
COMMENT ON COLUMN milkrun.forecast_versus_actual.naive_error IS 'naive - actual.';
COMMENT ON COLUMN milkrun.forecast_versus_actual.base_path IS 'The base path of the recipe monthly, which its networks correct; empty where the recipe has none.';
COMMENT ON COLUMN milkrun.forecast_versus_actual.base_path_error IS 'base_path - actual.';
COMMENT ON COLUMN milkrun.forecast_versus_actual.inside_80 IS 'Whether the actual lies inside the 80 % interval.';
COMMENT ON COLUMN milkrun.forecast_versus_actual.inside_95 IS 'Whether the actual lies inside the 95 % interval.';
COMMENT ON COLUMN milkrun.forecast_versus_actual.unit IS 'Unit of the values, where it is known.';
COMMENT ON COLUMN milkrun.forecast_versus_actual.outcome IS 'forecast, fallback (a baseline instead of the network), held, refused or failed.';
COMMENT ON COLUMN milkrun.forecast_versus_actual.method IS 'What made the numbers: lstm, seasonal_naive or another.';
COMMENT ON COLUMN milkrun.forecast_versus_actual.recipe IS 'Name of the recipe: the settings of networks, windows, scaling and training.';
COMMENT ON COLUMN milkrun.forecast_versus_actual.kind IS 'live, or backfill: a run for a past month, made later.';
COMMENT ON COLUMN milkrun.forecast_versus_actual.vintages IS 'as_of: from values as they were known at the origin; latest: from values as known when the run was made.';
COMMENT ON COLUMN milkrun.forecast_versus_actual.published_at IS 'When the run became visible, all at once.';
COMMENT ON COLUMN milkrun.forecast_versus_actual.run_id IS 'Number of the run.';
CREATE VIEW milkrun.latest_forecast AS
 SELECT s.name AS series,
    rs.origin,
    f.month,
    f.horizon,
    f.value,
    f.lower_80,
    f.upper_80,
    f.lower_95,
    f.upper_95,
    f.seasonal_naive,
    rs.last_value AS naive,
    f.base_path,
    s.unit,
    rs.outcome,
    rs.reason,
    rs.method,
    c.name AS recipe,
    r.published_at,
    r.run_id
   FROM (((((milkrun.series s
     CROSS JOIN LATERAL ( SELECT x.run_id
           FROM (milkrun.run_series x
             JOIN milkrun.run y USING (run_id))
          WHERE ((x.series_id = s.series_id) AND (y.state = 'published'::text) AND (y.kind = 'live'::text) AND (x.outcome = ANY (ARRAY['forecast'::text, 'fallback'::text])))
          ORDER BY y.origin DESC, y.run_id DESC
         LIMIT 1) newest)
     JOIN milkrun.run r ON ((r.run_id = newest.run_id)))
     JOIN milkrun.run_series rs ON (((rs.run_id = r.run_id) AND (rs.series_id = s.series_id))))
     JOIN milkrun.forecast f ON (((f.run_id = r.run_id) AND (f.series_id = s.series_id))))
     JOIN milkrun.recipe c USING (recipe_hash))
  WHERE s.active;
COMMENT ON VIEW milkrun.latest_forecast IS 'The newest published live forecast of every active series, one row per target month; of two runs from the same origin, whatever their recipes, the one published last.';
COMMENT ON COLUMN milkrun.latest_forecast.series IS 'Name of the series.';
COMMENT ON COLUMN milkrun.latest_forecast.origin IS 'Last month of the series that was used: the run''s origin, or earlier where the series is late.';
COMMENT ON COLUMN milkrun.latest_forecast.month IS 'Target month, its first day.';
COMMENT ON COLUMN milkrun.latest_forecast.horizon IS 'Months ahead: from the origin to the target month.';
COMMENT ON COLUMN milkrun.latest_forecast.value IS 'The forecast, in the unit of the series.';
COMMENT ON COLUMN milkrun.latest_forecast.lower_80 IS 'Lower end of the 80 % interval; empty where the recipe gives none.';
COMMENT ON COLUMN milkrun.latest_forecast.upper_80 IS 'Upper end of the 80 % interval.';
COMMENT ON COLUMN milkrun.latest_forecast.lower_95 IS 'Lower end of the 95 % interval; empty where the recipe gives none.';
COMMENT ON COLUMN milkrun.latest_forecast.upper_95 IS 'Upper end of the 95 % interval.';
COMMENT ON COLUMN milkrun.latest_forecast.seasonal_naive IS 'The baseline: the value of the same month a year before, as known at the origin.';
COMMENT ON COLUMN milkrun.latest_forecast.naive IS 'The baseline that repeats the last observed value.';
COMMENT ON COLUMN milkrun.latest_forecast.base_path IS 'The base path of the recipe monthly, which its networks correct; empty where the recipe has none.';
COMMENT ON COLUMN milkrun.latest_forecast.unit IS 'Unit of the values, where it is known.';
COMMENT ON COLUMN milkrun.latest_forecast.outcome IS 'forecast, fallback (a baseline instead of the network), held, refused or failed.';
COMMENT ON COLUMN milkrun.latest_forecast.reason IS 'Short word for the reason of the outcome; ok where there is nothing to say.';
COMMENT ON COLUMN milkrun.latest_forecast.method IS 'What made the numbers: lstm, seasonal_naive or another.';
COMMENT ON COLUMN milkrun.latest_forecast.recipe IS 'Name of the recipe: the settings of networks, windows, scaling and training.';
COMMENT ON COLUMN milkrun.latest_forecast.published_at IS 'When the run became visible, all at once.';
COMMENT ON COLUMN milkrun.latest_forecast.run_id IS 'Number of the run.';
CREATE TABLE milkrun.rmse_history (
    run_id bigint NOT NULL,
    series_id integer NOT NULL,
    split text NOT NULL,
    horizon smallint NOT NULL,
    n integer NOT NULL,
    rmse double precision NOT NULL,
    baseline_rmse double precision,
    skill double precision,
    coverage_80 double precision,
    coverage_95 double precision,
    actuals_as_of bigint NOT NULL,
    naive_rmse double precision,
    base_path_rmse double precision,
    rmse_first double precision,
    baseline_rmse_first double precision,
    CONSTRAINT rmse_history_base_path_rmse_check CHECK (((base_path_rmse >= (0)::double precision) AND (base_path_rmse < 'Infinity'::double precision))),
    CONSTRAINT rmse_history_baseline_rmse_check CHECK (((baseline_rmse >= (0)::double precision) AND (baseline_rmse < 'Infinity'::double precision))),
    CONSTRAINT rmse_history_baseline_rmse_first_check CHECK (((baseline_rmse_first >= (0)::double precision) AND (baseline_rmse_first < 'Infinity'::double precision))),
    CONSTRAINT rmse_history_counts_check CHECK (((n >= 1) AND (horizon >= 1))),
    CONSTRAINT rmse_history_naive_rmse_check CHECK (((naive_rmse >= (0)::double precision) AND (naive_rmse < 'Infinity'::double precision))),
    CONSTRAINT rmse_history_rmse_check CHECK (((rmse >= (0)::double precision) AND (rmse < 'Infinity'::double precision))),
    CONSTRAINT rmse_history_rmse_first_check CHECK (((rmse_first >= (0)::double precision) AND (rmse_first < 'Infinity'::double precision))),
    CONSTRAINT rmse_history_skill_check CHECK (((skill <= (1)::double precision) AND (skill >= '-Infinity'::double precision))),
    CONSTRAINT rmse_history_split_check CHECK ((split = ANY (ARRAY['train'::text, 'test'::text, 'live'::text])))
);
COMMENT ON TABLE milkrun.rmse_history IS 'RMSE per series, split and horizon as found by each run.';
COMMENT ON COLUMN milkrun.rmse_history.run_id IS 'Run that found it.';
COMMENT ON COLUMN milkrun.rmse_history.series_id IS 'Series that it is of.';
COMMENT ON COLUMN milkrun.rmse_history.split IS 'train, test or live.';
COMMENT ON COLUMN milkrun.rmse_history.horizon IS 'Months ahead.';
COMMENT ON COLUMN milkrun.rmse_history.n IS 'Number of months scored.';
COMMENT ON COLUMN milkrun.rmse_history.rmse IS 'Root mean squared error in the unit of the series.';
COMMENT ON COLUMN milkrun.rmse_history.baseline_rmse IS 'The seasonal naive''s, on the same months.';
COMMENT ON COLUMN milkrun.rmse_history.skill IS '1 - rmse / baseline_rmse; 0 where both are 0; empty without a baseline.';
COMMENT ON COLUMN milkrun.rmse_history.coverage_80 IS 'Share of actuals inside the 80 % interval.';
COMMENT ON COLUMN milkrun.rmse_history.coverage_95 IS 'Share of actuals inside the 95 % interval.';
COMMENT ON COLUMN milkrun.rmse_history.actuals_as_of IS 'Newest load of the actuals.';
COMMENT ON COLUMN milkrun.rmse_history.naive_rmse IS 'The naive''s, on the same months.';
COMMENT ON COLUMN milkrun.rmse_history.base_path_rmse IS 'The base path''s, on the same months, where the recipe has one.';
COMMENT ON COLUMN milkrun.rmse_history.rmse_first IS 'Of live forecasts, against the value of each month that was released first; empty where none was revised.';
COMMENT ON COLUMN milkrun.rmse_history.baseline_rmse_first IS 'The seasonal naive''s, against the values released first.';
CREATE VIEW milkrun.rmse_trend AS
 SELECT s.name AS series,
    r.origin AS run_origin,
    e.split,
    e.horizon,
    e.n,
    e.rmse,
    e.baseline_rmse,
    e.naive_rmse,
    e.base_path_rmse,
    e.skill,
    e.coverage_80,
    e.coverage_95,
    s.unit,
    c.name AS recipe,
    r.kind,
    r.vintages,
    r.published_at,
    r.run_id,
        CASE e.split
            WHEN 'live'::text THEN COALESCE(e.rmse_first, e.rmse)
            ELSE NULL::double precision
        END AS rmse_first,
        CASE e.split
            WHEN 'live'::text THEN COALESCE(e.baseline_rmse_first, e.baseline_rmse)
            ELSE NULL::double precision
        END AS baseline_rmse_first
   FROM (((milkrun.rmse_history e
     JOIN milkrun.run r USING (run_id))
     JOIN milkrun.series s USING (series_id))
     JOIN milkrun.recipe c USING (recipe_hash))
  WHERE (r.state = 'published'::text);
COMMENT ON VIEW milkrun.rmse_trend IS 'RMSE and skill of every series as found by each published run: train and test when it trained, live every month.';
COMMENT ON COLUMN milkrun.rmse_trend.series IS 'Name of the series.';
COMMENT ON COLUMN milkrun.rmse_trend.run_origin IS 'Last month whose observation the run could use, its first day.';
COMMENT ON COLUMN milkrun.rmse_trend.split IS 'train and test: the network on the months it was, and was not, trained on; live: published forecasts, answered.';
COMMENT ON COLUMN milkrun.rmse_trend.horizon IS 'Months ahead: from the origin to the target month.';
COMMENT ON COLUMN milkrun.rmse_trend.n IS 'Number of months scored.';
COMMENT ON COLUMN milkrun.rmse_trend.rmse IS 'Root mean squared error, in the unit of the series.';
COMMENT ON COLUMN milkrun.rmse_trend.baseline_rmse IS 'RMSE of the seasonal naive on the same months.';
COMMENT ON COLUMN milkrun.rmse_trend.naive_rmse IS 'RMSE of the naive on the same months.';
COMMENT ON COLUMN milkrun.rmse_trend.base_path_rmse IS 'RMSE of the base path on the same months; empty where the recipe has none.';
COMMENT ON COLUMN milkrun.rmse_trend.skill IS '1 - rmse / baseline_rmse: above 0 the forecast beats the seasonal naive; empty without a baseline.';
COMMENT ON COLUMN milkrun.rmse_trend.coverage_80 IS 'Share of actuals inside the 80 % interval.';
COMMENT ON COLUMN milkrun.rmse_trend.coverage_95 IS 'Share of actuals inside the 95 % interval.';
COMMENT ON COLUMN milkrun.rmse_trend.unit IS 'Unit of the values, where it is known.';
COMMENT ON COLUMN milkrun.rmse_trend.recipe IS 'Name of the recipe: the settings of networks, windows, scaling and training.';
COMMENT ON COLUMN milkrun.rmse_trend.kind IS 'live, or backfill: a run for a past month, made later.';
COMMENT ON COLUMN milkrun.rmse_trend.vintages IS 'as_of: from values as they were known at the origin; latest: from values as known when the run was made.';
COMMENT ON COLUMN milkrun.rmse_trend.published_at IS 'When the run became visible, all at once.';
COMMENT ON COLUMN milkrun.rmse_trend.run_id IS 'Number of the run.';
COMMENT ON COLUMN milkrun.rmse_trend.rmse_first IS 'RMSE of live forecasts against the values released first; rmse is against the latest values that the run knew.';
COMMENT ON COLUMN milkrun.rmse_trend.baseline_rmse_first IS 'RMSE of the seasonal naive of live forecasts against the values released first; baseline_rmse is against the latest values that the run knew.';
CREATE VIEW milkrun.latest_rmse AS
 SELECT DISTINCT ON (rmse_trend.series, rmse_trend.recipe, rmse_trend.split, rmse_trend.horizon) rmse_trend.series,
    rmse_trend.run_origin,
    rmse_trend.split,
    rmse_trend.horizon,
    rmse_trend.n,
    rmse_trend.rmse,
    rmse_trend.baseline_rmse,
    rmse_trend.naive_rmse,
    rmse_trend.base_path_rmse,
    rmse_trend.skill,
    rmse_trend.coverage_80,
    rmse_trend.coverage_95,
    rmse_trend.unit,
    rmse_trend.recipe,
    rmse_trend.kind,
    rmse_trend.vintages,
    rmse_trend.published_at,
    rmse_trend.run_id,
    rmse_trend.rmse_first,
    rmse_trend.baseline_rmse_first
   FROM milkrun.rmse_trend
  WHERE (rmse_trend.kind = 'live'::text)
  ORDER BY rmse_trend.series, rmse_trend.recipe, rmse_trend.split, rmse_trend.horizon, rmse_trend.run_origin DESC, rmse_trend.run_id DESC;
COMMENT ON VIEW milkrun.latest_rmse IS 'The newest RMSE of every series, recipe, split and horizon, with the seasonal naive beside it.';
COMMENT ON COLUMN milkrun.latest_rmse.series IS 'Name of the series.';
COMMENT ON COLUMN milkrun.latest_rmse.run_origin IS 'Last month whose observation the run could use, its first day.';
COMMENT ON COLUMN milkrun.latest_rmse.split IS 'train and test: the network on the months it was, and was not, trained on; live: published forecasts, answered.';
COMMENT ON COLUMN milkrun.latest_rmse.horizon IS 'Months ahead: from the origin to the target month.';
COMMENT ON COLUMN milkrun.latest_rmse.n IS 'Number of months scored.';
COMMENT ON COLUMN milkrun.latest_rmse.rmse IS 'Root mean squared error, in the unit of the series.';
COMMENT ON COLUMN milkrun.latest_rmse.baseline_rmse IS 'RMSE of the seasonal naive on the same months.';
COMMENT ON COLUMN milkrun.latest_rmse.naive_rmse IS 'RMSE of the naive on the same months.';
COMMENT ON COLUMN milkrun.latest_rmse.base_path_rmse IS 'RMSE of the base path on the same months; empty where the recipe has none.';
COMMENT ON COLUMN milkrun.latest_rmse.skill IS '1 - rmse / baseline_rmse: above 0 the forecast beats the seasonal naive; empty without a baseline.';
COMMENT ON COLUMN milkrun.latest_rmse.coverage_80 IS 'Share of actuals inside the 80 % interval.';
COMMENT ON COLUMN milkrun.latest_rmse.coverage_95 IS 'Share of actuals inside the 95 % interval.';
COMMENT ON COLUMN milkrun.latest_rmse.unit IS 'Unit of the values, where it is known.';
COMMENT ON COLUMN milkrun.latest_rmse.recipe IS 'Name of the recipe: the settings of networks, windows, scaling and training.';
COMMENT ON COLUMN milkrun.latest_rmse.kind IS 'live, or backfill: a run for a past month, made later.';
COMMENT ON COLUMN milkrun.latest_rmse.vintages IS 'as_of: from values as they were known at the origin; latest: from values as known when the run was made.';
COMMENT ON COLUMN milkrun.latest_rmse.published_at IS 'When the run became visible, all at once.';
COMMENT ON COLUMN milkrun.latest_rmse.run_id IS 'Number of the run.';
COMMENT ON COLUMN milkrun.latest_rmse.rmse_first IS 'RMSE of live forecasts against the values released first; rmse is against the latest values that the run knew.';
COMMENT ON COLUMN milkrun.latest_rmse.baseline_rmse_first IS 'RMSE of the seasonal naive of live forecasts against the values released first; baseline_rmse is against the latest values that the run knew.';
ALTER TABLE milkrun.load ALTER COLUMN load_id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME milkrun.load_load_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);
CREATE VIEW milkrun.run_health AS
 SELECT r.run_id,
    r.kind,
    r.origin,
    r.state,
    c.name AS recipe,
    (r.policy ->> 'retrain'::text) AS retrain,
    r.scope,
    r.trigger,
    r.vintages,
    r.as_of,
    cardinality(r.series_ids) AS series,
    n.forecast,
    n.fallback,
    n.held,
    n.refused,
    n.failed,
    n.retrained,
    n.reused,
    r.started_at,
    r.published_at,
    r.code_version
   FROM ((milkrun.run r
     JOIN milkrun.recipe c USING (recipe_hash))
     CROSS JOIN LATERAL ( SELECT count(*) FILTER (WHERE (x.outcome = 'forecast'::text)) AS forecast,
            count(*) FILTER (WHERE (x.outcome = 'fallback'::text)) AS fallback,
            count(*) FILTER (WHERE (x.outcome = 'held'::text)) AS held,
            count(*) FILTER (WHERE (x.outcome = 'refused'::text)) AS refused,
            count(*) FILTER (WHERE (x.outcome = 'failed'::text)) AS failed,
            count(*) FILTER (WHERE (x.decision = 'retrain'::text)) AS retrained,
            count(*) FILTER (WHERE (x.decision = 'reuse'::text)) AS reused
           FROM milkrun.run_series x
          WHERE (x.run_id = r.run_id)) n);
COMMENT ON VIEW milkrun.run_health IS 'Every run, published or not, with its counts of outcomes and decisions.';
COMMENT ON COLUMN milkrun.run_health.run_id IS 'Number of the run.';
COMMENT ON COLUMN milkrun.run_health.kind IS 'live, or backfill: a run for a past month, made later.';
COMMENT ON COLUMN milkrun.run_health.origin IS 'Last month whose observation the run could use, its first day.';
COMMENT ON COLUMN milkrun.run_health.state IS 'open, or published: only published runs show in the other views.';
COMMENT ON COLUMN milkrun.run_health.recipe IS 'Name of the recipe: the settings of networks, windows, scaling and training.';
COMMENT ON COLUMN milkrun.run_health.retrain IS 'auto, always or never: what the run was asked to do with networks.';
COMMENT ON COLUMN milkrun.run_health.scope IS 'all, or a digest of the series that were asked for.';
COMMENT ON COLUMN milkrun.run_health.trigger IS 'What started the run: schedule, deployment (the UI or the API) or command line.';
COMMENT ON COLUMN milkrun.run_health.vintages IS 'as_of: from values as they were known at the origin; latest: from values as known when the run was made.';
COMMENT ON COLUMN milkrun.run_health.as_of IS 'Newest load that the run could know.';
COMMENT ON COLUMN milkrun.run_health.series IS 'Number of series that it had to end.';
COMMENT ON COLUMN milkrun.run_health.forecast IS 'Number of series forecast by their network.';
COMMENT ON COLUMN milkrun.run_health.fallback IS 'Number of series forecast by a baseline instead.';
COMMENT ON COLUMN milkrun.run_health.held IS 'Number of series without a forecast because they are late or have too long a gap.';
COMMENT ON COLUMN milkrun.run_health.refused IS 'Number of series without a forecast because they have too few observations.';
COMMENT ON COLUMN milkrun.run_health.failed IS 'Number of series without a forecast because something broke.';
COMMENT ON COLUMN milkrun.run_health.retrained IS 'Number of series whose network was trained.';
COMMENT ON COLUMN milkrun.run_health.reused IS 'Number of series whose stored network was used again.';
COMMENT ON COLUMN milkrun.run_health.started_at IS 'When the run was opened.';
COMMENT ON COLUMN milkrun.run_health.published_at IS 'When the run became visible, all at once.';
COMMENT ON COLUMN milkrun.run_health.code_version IS 'Version of Milkrun.';
CREATE VIEW milkrun.month_health AS
 WITH observed AS (
         SELECT max(observation.month) AS newest
           FROM (milkrun.observation
             JOIN milkrun.series USING (series_id))
          WHERE series.active
        ), published AS (
         SELECT DISTINCT ON (run.origin) run.origin,
            run.run_id,
            run.published_at
           FROM milkrun.run
          WHERE ((run.state = 'published'::text) AND (run.kind = 'live'::text) AND (run.scope = 'all'::text))
          ORDER BY run.origin, run.run_id DESC
        ), month AS (
         SELECT (generate_series((LEAST(( SELECT min(published.origin) AS min
                   FROM published), observed.newest))::timestamp with time zone, (observed.newest)::timestamp with time zone, '1 mon'::interval))::date AS month
           FROM observed
          WHERE (observed.newest IS NOT NULL)
        )
 SELECT m.month,
    (p.run_id IS NOT NULL) AS published,
    p.run_id,
    p.published_at,
    h.recipe,
    h.series,
    h.forecast,
    h.fallback,
    h.held,
    h.refused,
    h.failed,
    (m.month = o.newest) AS newest,
    ( SELECT min(l.sealed_at) AS min
           FROM (milkrun.observation x
             JOIN milkrun.load l USING (load_id))
          WHERE ((m.month = o.newest) AND (x.month = o.newest))) AS observed_since
   FROM (((month m
     CROSS JOIN observed o)
     LEFT JOIN published p ON ((p.origin = m.month)))
     LEFT JOIN milkrun.run_health h ON ((h.run_id = p.run_id)));
COMMENT ON VIEW milkrun.month_health IS 'Every month from the first published one to the newest observed one, and whether a live run of all series was published for it: WHERE newest AND NOT published is the alarm.';
COMMENT ON COLUMN milkrun.month_health.month IS 'The origin: forecasts from it are for the months after it.';
COMMENT ON COLUMN milkrun.month_health.published IS 'Whether a live run of all series from this month is published.';
COMMENT ON COLUMN milkrun.month_health.run_id IS 'The newest such run.';
COMMENT ON COLUMN milkrun.month_health.published_at IS 'When it was published.';
COMMENT ON COLUMN milkrun.month_health.recipe IS 'Recipe of that run.';
COMMENT ON COLUMN milkrun.month_health.series IS 'Number of series that the run had to account for.';
COMMENT ON COLUMN milkrun.month_health.forecast IS 'Series forecast by a network.';
COMMENT ON COLUMN milkrun.month_health.fallback IS 'Number of series forecast by a baseline instead.';
COMMENT ON COLUMN milkrun.month_health.held IS 'Number of series without a forecast because they are late or have too long a gap.';
COMMENT ON COLUMN milkrun.month_health.refused IS 'Number of series without a forecast because they have too few observations.';
COMMENT ON COLUMN milkrun.month_health.failed IS 'Number of series without a forecast because something broke.';
COMMENT ON COLUMN milkrun.month_health.newest IS 'Whether this is the newest month that any active series has: the one that should be published.';
COMMENT ON COLUMN milkrun.month_health.observed_since IS 'When the newest month was first loaded; empty for older months.';
CREATE VIEW milkrun.observation_history AS
 SELECT s.name AS series,
    o.month,
    o.value,
    s.unit,
    o.load_id,
    l.sealed_at AS known_since,
    l.source
   FROM ((milkrun.observation o
     JOIN milkrun.series s USING (series_id))
     JOIN milkrun.load l ON ((l.load_id = o.load_id)));
COMMENT ON VIEW milkrun.observation_history IS 'Every value ever loaded of every series and month: the first, and each revision.';
COMMENT ON COLUMN milkrun.observation_history.series IS 'Name of the series.';
COMMENT ON COLUMN milkrun.observation_history.month IS 'Observed month, its first day.';
COMMENT ON COLUMN milkrun.observation_history.value IS 'The value, in the unit of the series.';
COMMENT ON COLUMN milkrun.observation_history.unit IS 'Unit of the values, where it is known.';
COMMENT ON COLUMN milkrun.observation_history.load_id IS 'Load that brought the value: its vintage. Of two, the later one counts.';
COMMENT ON COLUMN milkrun.observation_history.known_since IS 'When that load was committed.';
COMMENT ON COLUMN milkrun.observation_history.source IS 'What it was loaded from.';
CREATE TABLE milkrun.promotion (
    promotion_id bigint NOT NULL,
    run_id bigint NOT NULL,
    series_id integer,
    bundle_id text NOT NULL,
    kind text NOT NULL,
    why text NOT NULL,
    made_by text NOT NULL,
    made_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT promotion_kind_check CHECK ((kind = ANY (ARRAY['rollback'::text, 'promote'::text]))),
    CONSTRAINT promotion_why_check CHECK ((length(why) > 0))
);
COMMENT ON TABLE milkrun.promotion IS 'Bundles that somebody put in charge, by milkrun rollback or milkrun promote.';
COMMENT ON COLUMN milkrun.promotion.promotion_id IS 'Running number; the last counts.';
COMMENT ON COLUMN milkrun.promotion.run_id IS 'Newest run when it was ordered: what builds on that run goes on with this bundle instead.';
COMMENT ON COLUMN milkrun.promotion.series_id IS 'Series that it is for; empty for the networks that all series of the run share.';
COMMENT ON COLUMN milkrun.promotion.bundle_id IS 'Bundle that was put in charge.';
COMMENT ON COLUMN milkrun.promotion.kind IS 'rollback or promote.';
COMMENT ON COLUMN milkrun.promotion.why IS 'Reason, as it was given.';
COMMENT ON COLUMN milkrun.promotion.made_by IS 'Who ordered it.';
COMMENT ON COLUMN milkrun.promotion.made_at IS 'When it was ordered.';
CREATE VIEW milkrun.promotion_history AS
 SELECT s.name AS series,
    p.kind,
    p.bundle_id,
    p.why,
    p.made_by,
    p.made_at,
    p.run_id
   FROM (milkrun.promotion p
     LEFT JOIN milkrun.series s USING (series_id));
COMMENT ON VIEW milkrun.promotion_history IS 'Bundles that somebody put in charge of a series, by milkrun rollback or milkrun promote, and why.';
COMMENT ON COLUMN milkrun.promotion_history.series IS 'Series that it is for; empty for the networks that all series of the run share.';
COMMENT ON COLUMN milkrun.promotion_history.kind IS 'rollback or promote.';
COMMENT ON COLUMN milkrun.promotion_history.bundle_id IS 'Bundle that was put in charge.';
COMMENT ON COLUMN milkrun.promotion_history.why IS 'Reason, as it was given.';
COMMENT ON COLUMN milkrun.promotion_history.made_by IS 'Who ordered it.';
COMMENT ON COLUMN milkrun.promotion_history.made_at IS 'When it was ordered.';
COMMENT ON COLUMN milkrun.promotion_history.run_id IS 'Newest run when it was ordered: what builds on that run goes on with this bundle instead.';
ALTER TABLE milkrun.promotion ALTER COLUMN promotion_id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME milkrun.promotion_promotion_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);
CREATE TABLE milkrun.rejected_row (
    load_id bigint NOT NULL,
    "position" bigint NOT NULL,
    line bigint NOT NULL,
    raw text NOT NULL,
    reason text NOT NULL
);
COMMENT ON TABLE milkrun.rejected_row IS 'Every value that a load did not accept.';
COMMENT ON COLUMN milkrun.rejected_row.load_id IS 'Load that rejected it.';
COMMENT ON COLUMN milkrun.rejected_row."position" IS 'Running number of the value within the load.';
COMMENT ON COLUMN milkrun.rejected_row.line IS 'Line of the file or row of the query, the header being line 1.';
COMMENT ON COLUMN milkrun.rejected_row.raw IS 'What was read, shortened and with control characters escaped.';
COMMENT ON COLUMN milkrun.rejected_row.reason IS 'Why it was rejected.';
CREATE VIEW milkrun.rejection_history AS
 SELECT r.load_id,
    l.source,
    l.sealed_at AS loaded_at,
    r.line,
    r.raw,
    r.reason
   FROM (milkrun.rejected_row r
     JOIN milkrun.load l USING (load_id));
COMMENT ON VIEW milkrun.rejection_history IS 'Every value that a load did not accept, and why.';
COMMENT ON COLUMN milkrun.rejection_history.load_id IS 'Load that rejected it.';
COMMENT ON COLUMN milkrun.rejection_history.source IS 'What was loaded.';
COMMENT ON COLUMN milkrun.rejection_history.loaded_at IS 'When the load was committed.';
COMMENT ON COLUMN milkrun.rejection_history.line IS 'Line of the file or row of the query, the header being line 1.';
COMMENT ON COLUMN milkrun.rejection_history.raw IS 'What was read, shortened and with control characters escaped.';
COMMENT ON COLUMN milkrun.rejection_history.reason IS 'Why it was rejected.';
CREATE TABLE milkrun.run_network (
    run_id bigint NOT NULL,
    decision text,
    reason text NOT NULL,
    detail text,
    bundle_id text,
    decided_at timestamp with time zone DEFAULT now() NOT NULL,
    evidence jsonb,
    CONSTRAINT run_network_bundle_check CHECK (((decision <> 'reuse'::text) OR (bundle_id IS NOT NULL))),
    CONSTRAINT run_network_decision_check CHECK ((decision = ANY (ARRAY['retrain'::text, 'reuse'::text])))
);
COMMENT ON TABLE milkrun.run_network IS 'The networks that all series of a run share, where they do: trained or reused once, before the shards.';
COMMENT ON COLUMN milkrun.run_network.run_id IS 'Run whose series share them.';
COMMENT ON COLUMN milkrun.run_network.decision IS 'retrain or reuse; empty where neither is possible.';
COMMENT ON COLUMN milkrun.run_network.reason IS 'Short word for the reason of the decision.';
COMMENT ON COLUMN milkrun.run_network.detail IS 'The reason in a sentence, with months and numbers.';
COMMENT ON COLUMN milkrun.run_network.bundle_id IS 'The networks; empty where training gave none.';
COMMENT ON COLUMN milkrun.run_network.decided_at IS 'When it was decided and, if so, trained.';
COMMENT ON COLUMN milkrun.run_network.evidence IS 'What the decision was made from, as plain JSON; empty in rows of older releases.';
CREATE VIEW milkrun.run_outcome AS
 SELECT r.run_id,
    r.kind,
    r.origin AS run_origin,
    s.name AS series,
    x.origin,
    x.outcome,
    x.reason,
    x.detail,
    x.decision,
    x.decision_reason,
    x.method,
    x.bundle_id,
    r.published_at,
    x.evidence
   FROM ((milkrun.run_series x
     JOIN milkrun.run r USING (run_id))
     JOIN milkrun.series s USING (series_id))
  WHERE (r.state = 'published'::text);
COMMENT ON VIEW milkrun.run_outcome IS 'How every published run ended for every series, with the decision to retrain or reuse and its reason.';
COMMENT ON COLUMN milkrun.run_outcome.run_id IS 'Number of the run.';
COMMENT ON COLUMN milkrun.run_outcome.kind IS 'live, or backfill: a run for a past month, made later.';
COMMENT ON COLUMN milkrun.run_outcome.run_origin IS 'Last month whose observation the run could use, its first day.';
COMMENT ON COLUMN milkrun.run_outcome.series IS 'Name of the series.';
COMMENT ON COLUMN milkrun.run_outcome.origin IS 'Last month of the series that was used: the run''s origin, or earlier where the series is late.';
COMMENT ON COLUMN milkrun.run_outcome.outcome IS 'forecast, fallback (a baseline instead of the network), held, refused or failed.';
COMMENT ON COLUMN milkrun.run_outcome.reason IS 'Short word for the reason of the outcome; ok where there is nothing to say.';
COMMENT ON COLUMN milkrun.run_outcome.detail IS 'The reason in a sentence, with months and numbers.';
COMMENT ON COLUMN milkrun.run_outcome.decision IS 'retrain or reuse; empty where no network was needed.';
COMMENT ON COLUMN milkrun.run_outcome.decision_reason IS 'Short word for the reason of the decision.';
COMMENT ON COLUMN milkrun.run_outcome.method IS 'What made the numbers: lstm, seasonal_naive or another.';
COMMENT ON COLUMN milkrun.run_outcome.bundle_id IS 'Bundle whose network made the forecast.';
COMMENT ON COLUMN milkrun.run_outcome.published_at IS 'When the run became visible, all at once.';
COMMENT ON COLUMN milkrun.run_outcome.evidence IS 'What the decision was made from, as plain JSON; empty in rows of older releases.';
ALTER TABLE milkrun.run ALTER COLUMN run_id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME milkrun.run_run_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);
CREATE TABLE milkrun.run_shard (
    run_id bigint NOT NULL,
    shard integer NOT NULL,
    finished_at timestamp with time zone DEFAULT now() NOT NULL
);
COMMENT ON TABLE milkrun.run_shard IS 'Claim of a shard, in the transaction that writes its rows: a shard is written once.';
COMMENT ON COLUMN milkrun.run_shard.run_id IS 'Run that the shard is of.';
COMMENT ON COLUMN milkrun.run_shard.shard IS 'Position of the shard in series_ids, from 0.';
COMMENT ON COLUMN milkrun.run_shard.finished_at IS 'When its rows were committed.';
CREATE VIEW milkrun.series_health AS
 SELECT s.name AS series,
    s.active,
    s.unit,
    o.first_month,
    o.last_month,
    o.months,
    newest.run_id,
    newest.origin AS run_origin,
    newest.outcome,
    newest.reason,
    newest.detail,
    newest.decision,
    newest.decision_reason,
    newest.method
   FROM ((milkrun.series s
     LEFT JOIN LATERAL ( SELECT min(observation.month) AS first_month,
            max(observation.month) AS last_month,
            count(DISTINCT observation.month) AS months
           FROM milkrun.observation
          WHERE (observation.series_id = s.series_id)) o ON (true))
     LEFT JOIN LATERAL ( SELECT r.run_id,
            r.origin,
            x.outcome,
            x.reason,
            x.detail,
            x.decision,
            x.decision_reason,
            x.method
           FROM (milkrun.run_series x
             JOIN milkrun.run r USING (run_id))
          WHERE ((x.series_id = s.series_id) AND (r.state = 'published'::text) AND (r.kind = 'live'::text))
          ORDER BY r.origin DESC, r.run_id DESC
         LIMIT 1) newest ON (true));
COMMENT ON VIEW milkrun.series_health IS 'Every series with its span of months and how the newest published live run ended for it, and why.';
COMMENT ON COLUMN milkrun.series_health.series IS 'Name of the series.';
COMMENT ON COLUMN milkrun.series_health.active IS 'Whether runs forecast the series.';
COMMENT ON COLUMN milkrun.series_health.unit IS 'Unit of the values, where it is known.';
COMMENT ON COLUMN milkrun.series_health.first_month IS 'First observed month.';
COMMENT ON COLUMN milkrun.series_health.last_month IS 'Newest observed month.';
COMMENT ON COLUMN milkrun.series_health.months IS 'Number of observed months.';
COMMENT ON COLUMN milkrun.series_health.run_id IS 'Newest published live run that had the series.';
COMMENT ON COLUMN milkrun.series_health.run_origin IS 'Last month whose observation the run could use, its first day.';
COMMENT ON COLUMN milkrun.series_health.outcome IS 'forecast, fallback (a baseline instead of the network), held, refused or failed.';
COMMENT ON COLUMN milkrun.series_health.reason IS 'Short word for the reason of the outcome; ok where there is nothing to say.';
COMMENT ON COLUMN milkrun.series_health.detail IS 'The reason in a sentence, with months and numbers.';
COMMENT ON COLUMN milkrun.series_health.decision IS 'retrain or reuse; empty where no network was needed.';
COMMENT ON COLUMN milkrun.series_health.decision_reason IS 'Short word for the reason of the decision.';
COMMENT ON COLUMN milkrun.series_health.method IS 'What made the numbers: lstm, seasonal_naive or another.';
ALTER TABLE milkrun.series ALTER COLUMN series_id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME milkrun.series_series_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);
INSERT INTO milkrun.alembic_version VALUES
	('0012');
INSERT INTO milkrun.bundle VALUES
	('1a3d23163129e55e2bb7dc6977b36f918f9792f44c069b87208b88bbac63e4e3', '8c4a54d9a879bf29d9b386131c7a7d0e45ea41933acea96743f4455e8e08d4d1', '1974-09-01', 1, '\x8c15683de2f2003e4d487a3e982d51bf9fd881bf01c651bfcefe053f4797c8bff233303f89f09f3d1bd7b4bef89c173e7713553d0898a73e0000803f0000803f0000803f0000803f4c2a2b3ebbb0d4bda9f5fabd08f5ccbc4babc4beb6e3303e7593073e00e00a3f9246cb3e13a6da3ef8d3dd3e57a806be0000803f0000803f0000803f0000803f359b9bbe0df95dbdcd9ba13c3356ac3df4d5d03e3bb1e13e7f1e043f4dee58bd4f4b8a3e78ba813fe39a8b3fcc08a33f207b7e3e91f7593eccd1bb3ea72950bc7882453c42a604bf8384eebe07602dbf697d063fd360813f444b613fcda2353f699ee23e33120c3f83c8263f60350b3fa996f53d4c4e153f0b60b93e8300ebbd192d223f6c321cbff6f22b3f575a2a3e6b7d833e7cef1e3f64c1d13e687ec5bca3c77f3e1f875f3d70af47bd6b264abe5c22733c13ae28bd3ae8853e9a282c3e657d28bef26c123f5daab4be828d73be72f2713ea0f1913d98a13a3d1ce8e23e8fa5cdbc71329c3e7124f2be8e5d903e5ded3cbe7051093df385583e0ee8b23ef0bc943e1c8611bee671f7bc64af06bedf6301bee888fbbe686f353a7083143e9c3da63ee34c92bd466e9bbdd50e84bd1d1f1ebeafe499bd5a2c21bf25b0d53ef0ff7a3e16589abde17f63be49bd5abe6938e4bd85b5973ea889e1bd1df1a3bd67e05a3ed210b7be437b503de4d69d3d7fc24f3d5719e9bd46f9a53e1da43c3e0e87a93e6a74a4befc5016be7bc2063f35126c3e3541353e4d7395bd7f3f7f3ee56178bef3d72d3c3bcfb1be78c5453eab0b93beda97353edd9bf33ec4fc36befd33d9bce5598e3e107b66be479311bdd732053dd71d88bedaccdfbed9050abee0d48f3ea9fa9dbefa9249be076af73d93db8f3e99c4893e3e23b73eb8146bbdd22aafbdb245aabe422acc3c3b0102bf461c6fbe831a993dc30e9b3d82965f3e4ae52a3eb6ee9d3dc136953d7bdd14becb0bf4be1f1ac2bdea5b79bde7ae7a3d407a3abe3bcce63e8511843efdf907bf277b4fbd9f2430bebf296b3e7ec2253e71591f3e506bab3eea950abf69e334be8ea08f3d5d22543e374d93bec8ff323c2ee3ecbd31cc17bec69b62be1ed1c83d97a5323e7322d8be5145513eace3813e', '{"state": {}, "golden": {"values": [[716.6984425187111], [147.72307183094026]], "positions": [0, 1]}, "members": "07bb086e2e0825b1da0feb8bdb3af3aeba67e4bd39192cbe53422a9012b11f05", "networks": {"bytes": 808, "format": 1, "sha256": "f1716c0b82258bad47b712929f4887548a01f50054c000a6ae76ffc80fc95f5f", "tensors": [{"name": "dense/bias", "shape": [2, 1], "offset": 0}, {"name": "dense/kernel", "shape": [2, 4, 1], "offset": 8}, {"name": "lstm_0/bias", "shape": [2, 16], "offset": 40}, {"name": "lstm_0/kernel", "shape": [2, 1, 16], "offset": 168}, {"name": "lstm_0/recurrent_kernel", "shape": [2, 4, 16], "offset": 296}]}, "provenance": {"code": "0.1.0", "seed": 7, "numpy": "2.4.6", "python": "3.11.7", "tensorflow": "2.21.0"}}', '2026-11-26 00:33:23.628287+00'),
	('da0ea51705a8c4060927f023cbc9553a4acf8899172fc3aa5572f0324e8ff08e', '8c4a54d9a879bf29d9b386131c7a7d0e45ea41933acea96743f4455e8e08d4d1', '1975-01-01', 5, '\x4af4673d4c27033e197f7d3e35b34fbf101581bf367c52bf9b66053fcfeac8bf76ec303fbeb0b63d4801b5be5e7d183e97e8593df515ab3e0000803f0000803f0000803f0000803f302d2a3e2b96d7bd6fd1fcbda469f4bc6400c5bec8b1303eaa61063eb3ea0b3faefdca3e83fbdc3e419be03eb1d700be0000803f0000803f0000803f0000803ff50a9abe88746ebdd025c93cf1aaaa3d42decf3eb9d4e33ed623053f04b538bd131f8d3eaac4803f8c968a3fa7c7a33f207b7e3e91f7593eccd1bb3ea72950bcf1fe733c090105bff5daeebe13532fbf4f06083f2e42803fa39d5e3ff238363fe463d63e808b0c3f282a273f36d2103fa996f53d4c4e153f0b60b93e8300ebbd6158223fd0f01dbfacdd2d3fbdf33a3e8f6b6e3ef14d1f3faab4d13e0afdb9baa3c77f3e1f875f3d70af47bd6b264abe5c22733c13ae28bd3ae8853e9a282c3e657d28bef26c123f5daab4be828d73be72f2713ea0f1913d98a13a3d1ce8e23e8fa5cdbc71329c3e7124f2be8e5d903e5ded3cbe7051093df385583e0ee8b23ef0bc943e1c8611bee671f7bc64af06bedf6301bee888fbbe686f353a7083143e9c3da63ee34c92bd466e9bbdd50e84bd1d1f1ebeafe499bd5a2c21bf25b0d53ef0ff7a3e16589abde17f63be49bd5abe6938e4bd85b5973ea889e1bd1df1a3bd67e05a3ed210b7be437b503de4d69d3d7fc24f3d5719e9bd46f9a53e1da43c3e0e87a93e6a74a4befc5016be7bc2063f35126c3e3541353e4d7395bd7f3f7f3ee56178bef3d72d3c3bcfb1be78c5453eab0b93beda97353edd9bf33ec4fc36befd33d9bce5598e3e107b66be479311bdd732053dd71d88bedaccdfbed9050abee0d48f3ea9fa9dbefa9249be076af73d93db8f3e99c4893e3e23b73eb8146bbdd22aafbdb245aabe422acc3c3b0102bf461c6fbe831a993dc30e9b3d82965f3e4ae52a3eb6ee9d3dc136953d7bdd14becb0bf4be1f1ac2bdea5b79bde7ae7a3d407a3abe3bcce63e8511843efdf907bf277b4fbd9f2430bebf296b3e7ec2253e71591f3e506bab3eea950abf69e334be8ea08f3d5d22543e374d93bec8ff323c2ee3ecbd31cc17bec69b62be1ed1c83d97a5323e7322d8be5145513eace3813e', '{"state": {}, "golden": {"values": [[717.4627303779125], [148.18515264668466]], "positions": [0, 1]}, "members": "af76de1b34c6de8fa40b28fa1ae1b7b88305839812c59b8574abbca830c8d93f", "networks": {"bytes": 808, "format": 1, "sha256": "0b8f62fefa570bc6b7ac6cc1e9992e7559d7456e0f1643199eedaf41db4abd5b", "tensors": [{"name": "dense/bias", "shape": [2, 1], "offset": 0}, {"name": "dense/kernel", "shape": [2, 4, 1], "offset": 8}, {"name": "lstm_0/bias", "shape": [2, 16], "offset": 40}, {"name": "lstm_0/kernel", "shape": [2, 1, 16], "offset": 168}, {"name": "lstm_0/recurrent_kernel", "shape": [2, 4, 16], "offset": 296}]}, "provenance": {"code": "0.1.0", "seed": 7, "numpy": "2.4.6", "python": "3.11.7", "tensorflow": "2.21.0"}}', '2026-11-26 00:33:23.877945+00'),
	('65ff24313f0ce74151c3926f9d306f857d21f8c07d8e70baeb4d5156b500a21f', 'd24d1a3428502bbdc207d60ecfd7e0e476a1c8b157a6440feb84f51373b09900', '1975-02-01', 6, '\xec381bb83bb06438d25cb83ec85d0dbe71ea2f3d8fe3abbeacd37a3e4a73b7bee844523e1fe2fe3c8119973e138f643e77a5b1bec4bc04be8f3bbcbefb3aa0be9df7d7bdca07603e6e72c63e98ecbcbe5de5b3be151ea6be079a7ebdfe236ebef4707bbe2a7124be4890c53d9cd6bbbeed87603e937aa0beefe0823e0bb78dbd9d0fd2be0b9a893e47ff603e07b2bf3da8da77bebaceff3bd298b4bdf922173ed032353d1a3be0bcea342cbefade8b3ed5832c3b48b029befbd19a3e54b0643e3bd78b3e0eee0c3dcf541f3cef2dcc3e86108e3d51ccc2bd0eea473e8c3fd3be57384dbecdd686be1ab3fe3d3853833d355f1d3da298563e0f28783e145e363e4fb734be3757c5be21c5523efbe8a5be2f6508b9083a08b9c6f7f13711b000394b46023966ea03b9813102b97ac2e9373194f5388574fc3848c907b914fe06b9c91fdc38ffa103393d540439b96d0639a59e0739f14f04396d0ae5385226dd38b8440839c6660839409dfe3826f5d4388cb2cc382a38f338c300013955eff838ba0bde38c17dda3860e0e738a0eb0239e681d138865ebc38fd38ba38f793f13849a00339b5d2d13880acbc38877dba38485403392a49fe38f002d5386315c038c676bd38e2aa05b9566206b9ce4308b9b1b5efb858b3dfb8e81907b9c99f07b93c0e07b9f6a0dcb8dad4c8b831e700b9db8a03b9afcc03b98d66e0b81e6bd8b861d105b9de4106b9486908b97c1cf7b8bcfadfb8f63306b979a606b9b96c08b9a9c7e8b84ad2cab8578702b9af4804b96d3806b9dfeee0b8a738d5b8306508392242083978a8c7379d18ffb884aa01b9162b0439d2ee023982c145b738bdf4b86e6ffcb8c6d70739405f0739ae21ccb8ff7d01b9b88c02b9f8e505b9675705b9c9e8efb839bac638024fdd3838ccf6b85607f3b8acb4b9369e13e8386ff1f438980508b9de0e08b9c0e602b998f03eb83c65e3b7a43821382f051337d201803f7b00803f504554b814dbaeb78ed84a38545f40373e9690be25748dbea291f8beaf7add3d93535e3e5b3a263e387a52be0a4b633e6644053f9014dd3e147cdabe627ebcbe8f6cc63ee780213e3f8c803d42179abe89d141bc1395b8be60d8923efdda883e14c5e23de0cd30bde62274be90a52fbe4690773e706d893eb5b5e7bee081e33e9da244beee2f533e4292313edeca77bdef75b23e5f2d213e09b9dfbe0388ccbe8b5dd9be7b42323e634ce03efdb7503ed41b833e058ca53d8bac86bebb10c83ec2b21cbe2a0ec73ef8b5713ebb79cdbe8eb7e6be159be73ed1c3e1bda6d5f4bd19ceaebe3829d03e9f56033fb45751bef655e33e4e80abbe684484be162cc03d7133a9be487aae3dc34bb33e2fa0b0bed9c1aa3df97b6ebd01dfe0bed418683dab3eb03e3358e83ee077b93cde41423def5989be3cf9e23e3df9863e2705a7befb86903d60253dbe47075d3d2a78ebbe1743c63d3b0c96bd735bb73d13f7fd3d654985be6724423ec6ea99bd19eb5ebedf58fb3e039fc7bee6f7c7be92ea443eab36e1be289a4fbec70acabe10b3c8be99e5eebe67865a3e188a4fbdeccb55be12427a3e4ebcaabef25ea8bdb717d2be5b1fa8bdb712a23d510af73e97e2423edd6ab2be06f0a5bec563e0be0ccec93d4b02c03eb14bbcbea1f8db3e8a58c73e0b385cbee798fc3e23fa9fbe51fecd3cd2ef1d3e434a393f4ae2e23dc3cd3b3df0d1023d18dc6ebdcd1e18bfa23891be99a422389ad844387601803f9f01803f610e3538b69a343847c72538e029503867941abe3e0f3cbfbe0cac3e1e9503bf258a09bf53aa88be20783fbfcc99e7bcd0682f3f327a21bf198e16bfbad8cf3e3078aa3d58a50bbf66355ebc974688bccfa4143f750fc33eb65206bfb1e3163cdf35c4bd76dc923e6addb7be0a9b17be3ec8333bb36d64befe117c3cdb083dbf3d37313e4a7f0c3f5334d93b6ce48a3ebec3f8b7f99a5938b85db83e945b0dbea5e22f3dc0e2abbeb9d17a3e7b72b7be9148523e5389fe3c391a973e4a90643ec5a4b1bebcbe04be493bbcbe2337a0bec4f9d7bddb01603e9278c63e35fbbcbe7ce1b3be8c29a6be76a47ebd3c176ebe91727bbe8f6b24be7b95c53d91d3bbbe178b603ea16fa0bef1e4823e89b68dbd2c0fd2be639a893ed4fc603ea7b2bf3d2ddd77be1532ff3b9a9db4bd4615173ed725353d7a60e0bcdf372cbe8cde8b3ef9162b3be5af29bed8d29a3e0fb0643e71d88b3ed0ea0c3da5381f3c3335cc3ebb108e3d66b1c2bde0ea473e1a39d3bed93c4dbe01d386be5bacfe3d5e4f833d10581d3d388f563ef31d783e8b72363e1ec334bec04cc5be64b9523e72e1a5be35b806b9f76006b93d5cc7b8bf150839414a0839e1e906b9b04d06b920741a359b6f0239c93d0439764908b9d13d08b9d8b93537ac9e06391c000739b6ae03b9bf6602b9671bea38704b0639c278063943d107b9e36807b9013ff43862ea04396e3c05391a2506b919f105b9c0e0053960e806391de506391aef05394cec0539bab204398d55fd38b343f9388c140839b92d08398c340839d049053927ee033992520639890407398e06083980d80339438902399a810339df450239392de3b8d63b06b9d66a06b9b9940739bc170739e061ecb8156504b9c5c804b91428063939050639c88a06b9d1f006b9bae806b9366c0339f1f20139b01bf2b8db0606b9923306b916ae0639b2a805398f7bf0b84e6204b99fc104b9f43d063913200639c08207b9d7fe06b991f506b990910739945e0739cd5e9d383b3808b98c4e08b9efdd063963720639ff50b637e44602b9b35e04b92e4808399b240839ae28d5383e1b04b9a93e05b9609f96b6283604377d49e938baaf0739b5ff0739fd7b8db784f467b72202043819f5f638b8d0003998ca583754c9a0378e38b838037af3381b55f438f2ea4b38f1358f37e301803f7d00803f268c8c3864c63738eeae6f38aadb92377d8f90bed4718dbed887f8be5b7edd3d584a5e3e3c3b263efe6d52be904d633e1045053faa15dd3ed37bdabe577ebcbe027cc63ee391213ed390803d76169abe138541bc9194b8bed9d9923e41db883e0be1e23d5caf30bdcf1d74becba42fbe7f8d773e156c893e0bb6e7beb081e33e84bf44be271f533e2190313e74d277bd8d74b23ea92a213e5eb9dfbe3388ccbef36bd9beac31323e514be03e0bb6503e421b833ed88ba53d52ae86be9e10c83e01a41cbe400fc73eccb3713ecd79cdbeb3b5e6be859be73ec2bfe1bd01d5f4bd13c6aebe0e2dd03ead57033f0d5751bed556e33e837eabbe2d4484be932cc03dc722a9bebca8ae3d694cb33ef79eb0be1bc7aa3deb7a6ebd72dde0be9919683d5945b03e4559e83e7795b93c8a42423d4d5c89bea2f8e23e21f5863e9605a7be3e6c903d53343dbee3e35c3de078ebbe6528c63d910f96bde530b73de1f2fd3da14585be6126423e64129abd28ed5ebe7b54fb3e04a0c7be3d00c8be94e8443e5838e1be899e4fbee711cabe39b4c8be4ae4eebee9865a3e707b4fbdb3cb55be1b5d7a3eb0b9aabe7655a8bd7717d2bea711a8bd2616a23d8d0df73ee6e3423ee164b2bee8eca5beac5fe0be54d1c93dc407c03e744abcbea102dc3ec359c73ed7375cbe7698fc3ed1f19fbe0711ce3c22f01d3e494a393f21e5e23d41ce3b3d4cb3023df5da6ebd921e18bf923891be4a073b388cdd4b388201803f8b01803f5e6c8bb8d0788cb850214138cadc4738b4891abed70b3cbfcb12ac3eac9103bf6c8a09bfabaa88be70753fbf602ce7bceb682f3f067a21bff48d16bf1fd9cf3ef57eaa3d2ea40bbf8a2f5ebc274188bc6da3143faf0bc33e745406bfda5f163cfd35c4bd61dc923e97e0b7be9ca317bebc6f323b137564beaaa17b3cf00a3dbfcd35313ef77e0c3f345dd83be4df8a3e', '{"state": {"shared": true, "factors": {"base_80": [1.0836776905094654, 1.0836776905094654, 1.0836776905094654], "base_95": [4.0, 4.0, 4.0], "network_80": [1.2936565274059353, 1.2936565274059353, 1.2936565274059353], "network_95": [1.3040228747942422, 1.3040228747942422, 1.3040228747942422]}, "guarded": [], "horizon": 3}, "golden": {"values": [[668.7078100792596, 632.5017653662719, 745.2319637251766]], "positions": [0]}, "members": "63bc6fb9287cd9ef27d7e6179290408796e220d71053b1b8dc65882cfbcbf545", "networks": {"bytes": 2792, "format": 1, "sha256": "3655914f9c0528bd1586dc7601c088d91a1eee05ab7d1f220d5506ad07117c35", "tensors": [{"name": "0/facts/bias", "shape": [2], "offset": 0}, {"name": "0/facts/kernel", "shape": [33, 2], "offset": 8}, {"name": "0/head/bias", "shape": [15], "offset": 272}, {"name": "0/head/kernel", "shape": [6, 15], "offset": 332}, {"name": "0/lstm_0/bias", "shape": [8], "offset": 692}, {"name": "0/lstm_0/kernel", "shape": [14, 8], "offset": 724}, {"name": "0/lstm_0/recurrent_kernel", "shape": [2, 8], "offset": 1172}, {"name": "0/lstm_1/bias", "shape": [8], "offset": 1236}, {"name": "0/lstm_1/kernel", "shape": [2, 8], "offset": 1268}, {"name": "0/lstm_1/recurrent_kernel", "shape": [2, 8], "offset": 1332}, {"name": "judge/0/facts/bias", "shape": [2], "offset": 1396}, {"name": "judge/0/facts/kernel", "shape": [33, 2], "offset": 1404}, {"name": "judge/0/head/bias", "shape": [15], "offset": 1668}, {"name": "judge/0/head/kernel", "shape": [6, 15], "offset": 1728}, {"name": "judge/0/lstm_0/bias", "shape": [8], "offset": 2088}, {"name": "judge/0/lstm_0/kernel", "shape": [14, 8], "offset": 2120}, {"name": "judge/0/lstm_0/recurrent_kernel", "shape": [2, 8], "offset": 2568}, {"name": "judge/0/lstm_1/bias", "shape": [8], "offset": 2632}, {"name": "judge/0/lstm_1/kernel", "shape": [2, 8], "offset": 2664}, {"name": "judge/0/lstm_1/recurrent_kernel", "shape": [2, 8], "offset": 2728}]}, "provenance": {"code": "0.1.0", "seed": 7, "numpy": "2.4.6", "python": "3.11.7", "tensorflow": "2.21.0"}}', '2026-11-26 00:33:24.177681+00');
INSERT INTO milkrun.bundle_member VALUES
	('1a3d23163129e55e2bb7dc6977b36f918f9792f44c069b87208b88bbac63e4e3', 1, 0, '{"low": 635.0, "high": 942.0, "kind": "min_max"}', '1971-10-01', '1974-09-01', 42.553516657923346, 48.78571398498115, NULL),
	('1a3d23163129e55e2bb7dc6977b36f918f9792f44c069b87208b88bbac63e4e3', 2, 1, '{"low": 70.5556, "high": 104.667, "kind": "min_max"}', '1971-10-01', '1974-09-01', 4.654068093971561, 5.4199052231754585, NULL),
	('da0ea51705a8c4060927f023cbc9553a4acf8899172fc3aa5572f0324e8ff08e', 1, 0, '{"low": 635.0, "high": 942.0, "kind": "min_max"}', '1972-01-01', '1975-01-01', 42.235898110626366, 47.91839030001184, NULL),
	('da0ea51705a8c4060927f023cbc9553a4acf8899172fc3aa5572f0324e8ff08e', 2, 1, '{"low": 70.5556, "high": 104.667, "kind": "min_max"}', '1972-01-01', '1975-01-01', 4.6278573217428205, 5.907970543554907, NULL),
	('65ff24313f0ce74151c3926f9d306f857d21f8c07d8e70baeb4d5156b500a21f', 2, 0, '{"kind": "base_path", "guarded": false}', '1975-02-01', '1975-02-01', 5.646949148580732, 5.64686925841325, '{"test": {"n": [12.0, 11.0, 10.0], "rmse": [5.64686925841325, 5.7978929158964245, 6.022685107591767], "skill": [-0.4113497213083317, -0.3890115114119559, -0.37642687114955], "naive_rmse": [7.87331457196819, 7.787190474572499, 9.368631547830237], "baseline_rmse": [4.001041820576235, 4.174114374331397, 4.375593962766654], "base_path_rmse": [5.646906149189032, 5.797934007730806, 6.022753207078712]}, "train": {"n": [12.0, 11.0, 10.0], "rmse": [5.646949148580732, 5.797895295083435, 6.0227493318025775], "skill": [-0.41136968864960544, -0.3890120813980167, -0.37644154897645943], "naive_rmse": [7.87331457196819, 7.787190474572499, 9.368631547830237], "baseline_rmse": [4.001041820576235, 4.174114374331397, 4.375593962766654], "base_path_rmse": [5.646906149189032, 5.797934007730806, 6.022753207078712]}}'),
	('65ff24313f0ce74151c3926f9d306f857d21f8c07d8e70baeb4d5156b500a21f', 1, 1, '{"kind": "base_path", "guarded": false}', '1975-02-01', '1975-02-01', 6.501459725222785, 6.501853061182157, '{"test": {"n": [12.0, 11.0, 10.0], "rmse": [6.501853061182157, 10.427846105310135, 13.631694518003876], "skill": [0.6481627671128425, 0.4573485144676602, 0.3223009046440958], "naive_rmse": [49.70244796117525, 68.78358683713593, 92.91393867445292], "baseline_rmse": [18.479718612576328, 19.216470208462514, 20.114671262538693], "base_path_rmse": [6.501702772796941, 10.427866727200195, 13.631607670650284]}, "train": {"n": [12.0, 11.0, 10.0], "rmse": [6.501459725222785, 10.427805728551927, 13.630879471551694], "skill": [0.6481840518503225, 0.4573506156213981, 0.32234142464273474], "naive_rmse": [49.70244796117525, 68.78358683713593, 92.91393867445292], "baseline_rmse": [18.479718612576328, 19.216470208462514, 20.114671262538693], "base_path_rmse": [6.501702772796941, 10.427866727200195, 13.631607670650284]}}');
INSERT INTO milkrun.filled_month VALUES
	(1, 2, '1970-03-01', 87.2222, 'year_before'),
	(2, 2, '1970-03-01', 87.2222, 'year_before'),
	(3, 2, '1970-03-01', 87.2222, 'year_before'),
	(4, 2, '1970-03-01', 87.2222, 'year_before'),
	(5, 2, '1970-03-01', 87.2222, 'year_before'),
	(6, 2, '1970-03-01', 87.2222, 'year_before'),
	(7, 2, '1970-03-01', 87.2222, 'year_before');
INSERT INTO milkrun.forecast VALUES
	(1, 1, 1, '1974-10-01', 801.7528164386749, 791, NULL, NULL, NULL, NULL, NULL),
	(1, 1, 2, '1974-11-01', 790.6921753883362, 760, NULL, NULL, NULL, NULL, NULL),
	(1, 1, 3, '1974-12-01', 781.5803197026253, 802, NULL, NULL, NULL, NULL, NULL),
	(1, 1, 4, '1975-01-01', 774.1719380021095, 828, NULL, NULL, NULL, NULL, NULL),
	(1, 1, 5, '1975-02-01', 768.2212980389595, 778, NULL, NULL, NULL, NULL, NULL),
	(1, 1, 6, '1975-03-01', 763.4927867054939, 889, NULL, NULL, NULL, NULL, NULL),
	(1, 1, 7, '1975-04-01', 759.7699312567711, 902, NULL, NULL, NULL, NULL, NULL),
	(1, 1, 8, '1975-05-01', 756.8613097667694, 969, NULL, NULL, NULL, NULL, NULL),
	(1, 1, 9, '1975-06-01', 754.603094637394, 947, NULL, NULL, NULL, NULL, NULL),
	(1, 1, 10, '1975-07-01', 752.8586866259575, 908, NULL, NULL, NULL, NULL, NULL),
	(1, 1, 11, '1975-08-01', 751.5165373086929, 867, NULL, NULL, NULL, NULL, NULL),
	(1, 1, 12, '1975-09-01', 750.4871481060982, 815, NULL, NULL, NULL, NULL, NULL),
	(1, 2, 1, '1974-10-01', 89.27176797807216, 87.8889, NULL, NULL, NULL, NULL, NULL),
	(1, 2, 2, '1974-11-01', 88.22925796439648, 84.4444, NULL, NULL, NULL, NULL, NULL),
	(1, 2, 3, '1974-12-01', 87.3849888103962, 89.1111, NULL, NULL, NULL, NULL, NULL),
	(1, 2, 4, '1975-01-01', 86.70343546611667, 92, NULL, NULL, NULL, NULL, NULL),
	(1, 2, 5, '1975-02-01', 86.15501795220375, 86.4444, NULL, NULL, NULL, NULL, NULL),
	(1, 2, 6, '1975-03-01', 85.71507357837558, 98.7778, NULL, NULL, NULL, NULL, NULL),
	(1, 2, 7, '1975-04-01', 85.3631138095975, 100.222, NULL, NULL, NULL, NULL, NULL),
	(1, 2, 8, '1975-05-01', 85.08221430671811, 107.667, NULL, NULL, NULL, NULL, NULL),
	(1, 2, 9, '1975-06-01', 84.85848324522377, 105.222, NULL, NULL, NULL, NULL, NULL),
	(1, 2, 10, '1975-07-01', 84.68058758013248, 100.889, NULL, NULL, NULL, NULL, NULL),
	(1, 2, 11, '1975-08-01', 84.53933319063187, 96.3333, NULL, NULL, NULL, NULL, NULL),
	(1, 2, 12, '1975-09-01', 84.42730297085643, 90.5556, NULL, NULL, NULL, NULL, NULL),
	(1, 3, 1, '1974-10-01', 5, 5, NULL, NULL, NULL, NULL, NULL),
	(1, 3, 2, '1974-11-01', 5, 5, NULL, NULL, NULL, NULL, NULL),
	(1, 3, 3, '1974-12-01', 5, 5, NULL, NULL, NULL, NULL, NULL),
	(1, 3, 4, '1975-01-01', 5, 5, NULL, NULL, NULL, NULL, NULL),
	(1, 3, 5, '1975-02-01', 5, 5, NULL, NULL, NULL, NULL, NULL),
	(1, 3, 6, '1975-03-01', 5, 5, NULL, NULL, NULL, NULL, NULL),
	(1, 3, 7, '1975-04-01', 5, 5, NULL, NULL, NULL, NULL, NULL),
	(1, 3, 8, '1975-05-01', 5, 5, NULL, NULL, NULL, NULL, NULL),
	(1, 3, 9, '1975-06-01', 5, 5, NULL, NULL, NULL, NULL, NULL),
	(1, 3, 10, '1975-07-01', 5, 5, NULL, NULL, NULL, NULL, NULL),
	(1, 3, 11, '1975-08-01', 5, 5, NULL, NULL, NULL, NULL, NULL),
	(1, 3, 12, '1975-09-01', 5, 5, NULL, NULL, NULL, NULL, NULL),
	(2, 1, 1, '1974-11-01', 799.2353829741478, 760, NULL, NULL, NULL, NULL, NULL),
	(2, 1, 2, '1974-12-01', 788.6076691150665, 802, NULL, NULL, NULL, NULL, NULL),
	(2, 1, 3, '1975-01-01', 779.8772665858269, 828, NULL, NULL, NULL, NULL, NULL),
	(2, 1, 4, '1975-02-01', 772.7979490756989, 778, NULL, NULL, NULL, NULL, NULL),
	(2, 1, 5, '1975-03-01', 767.1253201365471, 889, NULL, NULL, NULL, NULL, NULL),
	(2, 1, 6, '1975-04-01', 762.6271336078644, 902, NULL, NULL, NULL, NULL, NULL),
	(2, 1, 7, '1975-05-01', 759.0918207764626, 969, NULL, NULL, NULL, NULL, NULL),
	(2, 1, 8, '1975-06-01', 756.3337054848671, 947, NULL, NULL, NULL, NULL, NULL),
	(2, 1, 9, '1975-07-01', 754.1948339939117, 908, NULL, NULL, NULL, NULL, NULL),
	(2, 1, 10, '1975-08-01', 752.544133245945, 867, NULL, NULL, NULL, NULL, NULL),
	(2, 1, 11, '1975-09-01', 751.275032043457, 815, NULL, NULL, NULL, NULL, NULL),
	(2, 1, 12, '1975-10-01', 750.3022038936615, 812, NULL, NULL, NULL, NULL, NULL),
	(2, 2, 1, '1974-11-01', 89.00082402861119, 84.4444, NULL, NULL, NULL, NULL, NULL),
	(2, 2, 2, '1974-12-01', 88.00959939825535, 89.1111, NULL, NULL, NULL, NULL, NULL),
	(2, 2, 3, '1975-01-01', 87.20745607112646, 92, NULL, NULL, NULL, NULL, NULL),
	(2, 2, 4, '1975-02-01', 86.56041626085639, 86.4444, NULL, NULL, NULL, NULL, NULL),
	(2, 2, 5, '1975-03-01', 86.04016362057328, 98.7778, NULL, NULL, NULL, NULL, NULL),
	(2, 2, 6, '1975-04-01', 85.62310187228321, 100.222, NULL, NULL, NULL, NULL, NULL),
	(2, 2, 7, '1975-05-01', 85.28965233700275, 107.667, NULL, NULL, NULL, NULL, NULL),
	(2, 2, 8, '1975-06-01', 85.02366329077482, 105.222, NULL, NULL, NULL, NULL, NULL),
	(2, 2, 9, '1975-07-01', 84.81190064859986, 100.889, NULL, NULL, NULL, NULL, NULL),
	(2, 2, 10, '1975-08-01', 84.6435813455224, 96.3333, NULL, NULL, NULL, NULL, NULL),
	(2, 2, 11, '1975-09-01', 84.50997381324768, 90.5556, NULL, NULL, NULL, NULL, NULL),
	(2, 2, 12, '1975-10-01', 84.40403302112222, 90.2222, NULL, NULL, NULL, NULL, NULL),
	(2, 3, 1, '1974-11-01', 5, 5, NULL, NULL, NULL, NULL, NULL),
	(2, 3, 2, '1974-12-01', 5, 5, NULL, NULL, NULL, NULL, NULL),
	(2, 3, 3, '1975-01-01', 5, 5, NULL, NULL, NULL, NULL, NULL),
	(2, 3, 4, '1975-02-01', 5, 5, NULL, NULL, NULL, NULL, NULL),
	(2, 3, 5, '1975-03-01', 5, 5, NULL, NULL, NULL, NULL, NULL),
	(2, 3, 6, '1975-04-01', 5, 5, NULL, NULL, NULL, NULL, NULL),
	(2, 3, 7, '1975-05-01', 5, 5, NULL, NULL, NULL, NULL, NULL),
	(2, 3, 8, '1975-06-01', 5, 5, NULL, NULL, NULL, NULL, NULL),
	(2, 3, 9, '1975-07-01', 5, 5, NULL, NULL, NULL, NULL, NULL),
	(2, 3, 10, '1975-08-01', 5, 5, NULL, NULL, NULL, NULL, NULL),
	(2, 3, 11, '1975-09-01', 5, 5, NULL, NULL, NULL, NULL, NULL),
	(2, 3, 12, '1975-10-01', 5, 5, NULL, NULL, NULL, NULL, NULL),
	(3, 1, 1, '1974-12-01', 767.2863480448723, 802, NULL, NULL, NULL, NULL, NULL),
	(3, 1, 2, '1975-01-01', 762.7541992664337, 828, NULL, NULL, NULL, NULL, NULL),
	(3, 1, 3, '1975-02-01', 759.1912555098534, 778, NULL, NULL, NULL, NULL, NULL),
	(3, 1, 4, '1975-03-01', 756.4110171794891, 889, NULL, NULL, NULL, NULL, NULL),
	(3, 1, 5, '1975-04-01', 754.2546156048775, 902, NULL, NULL, NULL, NULL, NULL),
	(3, 1, 6, '1975-05-01', 752.5901725888252, 969, NULL, NULL, NULL, NULL, NULL),
	(3, 1, 7, '1975-06-01', 751.3103666901588, 947, NULL, NULL, NULL, NULL, NULL),
	(3, 1, 8, '1975-07-01', 750.3292858600616, 908, NULL, NULL, NULL, NULL, NULL),
	(3, 1, 9, '1975-08-01', 749.5789324045181, 867, NULL, NULL, NULL, NULL, NULL),
	(3, 1, 10, '1975-09-01', 749.0060939192772, 815, NULL, NULL, NULL, NULL, NULL),
	(3, 1, 11, '1975-10-01', 748.5693789124489, 812, NULL, NULL, NULL, NULL, NULL),
	(3, 1, 12, '1975-11-01', 748.2367830872536, 773, NULL, NULL, NULL, NULL, NULL),
	(3, 2, 1, '1974-12-01', 85.50206763569713, 89.1111, NULL, NULL, NULL, NULL, NULL),
	(3, 2, 2, '1975-01-01', 85.19303985674978, 92, NULL, NULL, NULL, NULL, NULL),
	(3, 2, 3, '1975-02-01', 84.94670573442578, 86.4444, NULL, NULL, NULL, NULL, NULL),
	(3, 2, 4, '1975-03-01', 84.75070342561602, 98.7778, NULL, NULL, NULL, NULL, NULL),
	(3, 2, 5, '1975-04-01', 84.59498588299752, 100.222, NULL, NULL, NULL, NULL, NULL),
	(3, 2, 6, '1975-05-01', 84.4714284478426, 107.667, NULL, NULL, NULL, NULL, NULL),
	(3, 2, 7, '1975-06-01', 84.37348625617624, 90.5, NULL, NULL, NULL, NULL, NULL),
	(3, 2, 8, '1975-07-01', 84.29591467406749, 100.889, NULL, NULL, NULL, NULL, NULL),
	(3, 2, 9, '1975-08-01', 84.23451819769144, 96.3333, NULL, NULL, NULL, NULL, NULL),
	(3, 2, 10, '1975-09-01', 84.18594815014005, 90.5556, NULL, NULL, NULL, NULL, NULL),
	(3, 2, 11, '1975-10-01', 84.14754307538867, 90.2222, NULL, NULL, NULL, NULL, NULL),
	(3, 2, 12, '1975-11-01', 84.11718336464763, 85.8889, NULL, NULL, NULL, NULL, NULL),
	(3, 3, 1, '1974-12-01', 5, 5, NULL, NULL, NULL, NULL, NULL),
	(3, 3, 2, '1975-01-01', 5, 5, NULL, NULL, NULL, NULL, NULL),
	(3, 3, 3, '1975-02-01', 5, 5, NULL, NULL, NULL, NULL, NULL),
	(3, 3, 4, '1975-03-01', 5, 5, NULL, NULL, NULL, NULL, NULL),
	(3, 3, 5, '1975-04-01', 5, 5, NULL, NULL, NULL, NULL, NULL),
	(3, 3, 6, '1975-05-01', 5, 5, NULL, NULL, NULL, NULL, NULL),
	(3, 3, 7, '1975-06-01', 5, 5, NULL, NULL, NULL, NULL, NULL),
	(3, 3, 8, '1975-07-01', 5, 5, NULL, NULL, NULL, NULL, NULL),
	(3, 3, 9, '1975-08-01', 5, 5, NULL, NULL, NULL, NULL, NULL),
	(3, 3, 10, '1975-09-01', 5, 5, NULL, NULL, NULL, NULL, NULL),
	(3, 3, 11, '1975-10-01', 5, 5, NULL, NULL, NULL, NULL, NULL),
	(3, 3, 12, '1975-11-01', 5, 5, NULL, NULL, NULL, NULL, NULL),
	(4, 1, 1, '1975-01-01', 800.0737528204918, 828, NULL, NULL, NULL, NULL, NULL),
	(4, 1, 2, '1975-02-01', 789.3012053370476, 778, NULL, NULL, NULL, NULL, NULL),
	(4, 1, 3, '1975-03-01', 780.4433711767197, 889, NULL, NULL, NULL, NULL, NULL),
	(4, 1, 4, '1975-04-01', 773.2542802095413, 902, NULL, NULL, NULL, NULL, NULL),
	(4, 1, 5, '1975-05-01', 767.4890419244766, 969, NULL, NULL, NULL, NULL, NULL),
	(4, 1, 6, '1975-06-01', 762.9142207503319, 947, NULL, NULL, NULL, NULL, NULL),
	(4, 1, 7, '1975-07-01', 759.3165827989578, 908, NULL, NULL, NULL, NULL, NULL),
	(4, 1, 8, '1975-08-01', 756.5085122585297, 867, NULL, NULL, NULL, NULL, NULL),
	(4, 1, 9, '1975-09-01', 754.330060839653, 815, NULL, NULL, NULL, NULL, NULL),
	(4, 1, 10, '1975-10-01', 752.6483073234558, 812, NULL, NULL, NULL, NULL, NULL),
	(4, 1, 11, '1975-11-01', 751.3549970388412, 773, NULL, NULL, NULL, NULL, NULL),
	(4, 1, 12, '1975-12-01', 750.3634493947029, 813, NULL, NULL, NULL, NULL, NULL),
	(4, 2, 1, '1975-01-01', 89.09109801447391, 92, NULL, NULL, NULL, NULL, NULL),
	(4, 2, 2, '1975-02-01', 88.08277012355327, 86.4444, NULL, NULL, NULL, NULL, NULL),
	(4, 2, 3, '1975-03-01', 87.26657841567398, 98.7778, NULL, NULL, NULL, NULL, NULL),
	(4, 2, 4, '1975-04-01', 86.60803172200322, 100.222, NULL, NULL, NULL, NULL, NULL),
	(4, 2, 5, '1975-05-01', 86.07839180710911, 107.667, NULL, NULL, NULL, NULL, NULL),
	(4, 2, 6, '1975-06-01', 85.65370658336877, 90.5, NULL, NULL, NULL, NULL, NULL),
	(4, 2, 7, '1975-07-01', 85.31409239211678, 100.889, NULL, NULL, NULL, NULL, NULL),
	(4, 2, 8, '1975-08-01', 85.04314030986428, 96.3333, NULL, NULL, NULL, NULL, NULL),
	(4, 2, 9, '1975-09-01', 84.82739463304281, 90.5556, NULL, NULL, NULL, NULL, NULL),
	(4, 2, 10, '1975-10-01', 84.65588829228878, 90.2222, NULL, NULL, NULL, NULL, NULL),
	(4, 2, 11, '1975-11-01', 84.51973417966961, 85.8889, NULL, NULL, NULL, NULL, NULL),
	(4, 2, 12, '1975-12-01', 84.41176832245588, 90.3333, NULL, NULL, NULL, NULL, NULL),
	(4, 3, 1, '1975-01-01', 5, 5, NULL, NULL, NULL, NULL, NULL),
	(4, 3, 2, '1975-02-01', 5, 5, NULL, NULL, NULL, NULL, NULL),
	(4, 3, 3, '1975-03-01', 5, 5, NULL, NULL, NULL, NULL, NULL),
	(4, 3, 4, '1975-04-01', 5, 5, NULL, NULL, NULL, NULL, NULL),
	(4, 3, 5, '1975-05-01', 5, 5, NULL, NULL, NULL, NULL, NULL),
	(4, 3, 6, '1975-06-01', 5, 5, NULL, NULL, NULL, NULL, NULL),
	(4, 3, 7, '1975-07-01', 5, 5, NULL, NULL, NULL, NULL, NULL),
	(4, 3, 8, '1975-08-01', 5, 5, NULL, NULL, NULL, NULL, NULL),
	(4, 3, 9, '1975-09-01', 5, 5, NULL, NULL, NULL, NULL, NULL),
	(4, 3, 10, '1975-10-01', 5, 5, NULL, NULL, NULL, NULL, NULL),
	(4, 3, 11, '1975-11-01', 5, 5, NULL, NULL, NULL, NULL, NULL),
	(4, 3, 12, '1975-12-01', 5, 5, NULL, NULL, NULL, NULL, NULL),
	(5, 1, 1, '1975-02-01', 818.6441133618355, 778, NULL, NULL, NULL, NULL, NULL),
	(5, 1, 2, '1975-03-01', 805.6550899147987, 889, NULL, NULL, NULL, NULL, NULL),
	(5, 1, 3, '1975-04-01', 794.7873163819313, 902, NULL, NULL, NULL, NULL, NULL),
	(5, 1, 4, '1975-05-01', 785.801071614027, 969, NULL, NULL, NULL, NULL, NULL),
	(5, 1, 5, '1975-06-01', 778.457238316536, 947, NULL, NULL, NULL, NULL, NULL),
	(5, 1, 6, '1975-07-01', 772.521173208952, 908, NULL, NULL, NULL, NULL, NULL),
	(5, 1, 7, '1975-08-01', 767.7700081765652, 867, NULL, NULL, NULL, NULL, NULL),
	(5, 1, 8, '1975-09-01', 763.9995397031307, 815, NULL, NULL, NULL, NULL, NULL),
	(5, 1, 9, '1975-10-01', 761.0287852287292, 812, NULL, NULL, NULL, NULL, NULL),
	(5, 1, 10, '1975-11-01', 758.702005147934, 773, NULL, NULL, NULL, NULL, NULL),
	(5, 1, 11, '1975-12-01', 756.8883551359177, 813, NULL, NULL, NULL, NULL, NULL),
	(5, 1, 12, '1976-01-01', 755.4801386296749, 834, NULL, NULL, NULL, NULL, NULL),
	(5, 2, 1, '1975-02-01', 91.43531417393685, 86.4444, NULL, NULL, NULL, NULL, NULL),
	(5, 2, 2, '1975-03-01', 90.4275799767971, 98.7778, NULL, NULL, NULL, NULL, NULL),
	(5, 2, 3, '1975-04-01', 89.60252047636509, 100.222, NULL, NULL, NULL, NULL, NULL),
	(5, 2, 4, '1975-05-01', 88.92736865561008, 107.667, NULL, NULL, NULL, NULL, NULL),
	(5, 2, 5, '1975-06-01', 88.37546522393227, 90.5, NULL, NULL, NULL, NULL, NULL),
	(5, 2, 6, '1975-07-01', 87.92487604260444, 100.889, NULL, NULL, NULL, NULL, NULL),
	(5, 2, 7, '1975-08-01', 87.55748531851768, 96.3333, NULL, NULL, NULL, NULL, NULL),
	(5, 2, 8, '1975-09-01', 87.25830838329792, 90.5556, NULL, NULL, NULL, NULL, NULL),
	(5, 2, 9, '1975-10-01', 87.01496204525829, 90.2222, NULL, NULL, NULL, NULL, NULL),
	(5, 2, 10, '1975-11-01', 86.817226435256, 85.8889, NULL, NULL, NULL, NULL, NULL),
	(5, 2, 11, '1975-12-01', 86.65669732985496, 90.3333, NULL, NULL, NULL, NULL, NULL),
	(5, 2, 12, '1976-01-01', 86.52647405545116, 92.6667, NULL, NULL, NULL, NULL, NULL),
	(5, 3, 1, '1975-02-01', 5, 5, NULL, NULL, NULL, NULL, NULL),
	(5, 3, 2, '1975-03-01', 5, 5, NULL, NULL, NULL, NULL, NULL),
	(5, 3, 3, '1975-04-01', 5, 5, NULL, NULL, NULL, NULL, NULL),
	(5, 3, 4, '1975-05-01', 5, 5, NULL, NULL, NULL, NULL, NULL),
	(5, 3, 5, '1975-06-01', 5, 5, NULL, NULL, NULL, NULL, NULL),
	(5, 3, 6, '1975-07-01', 5, 5, NULL, NULL, NULL, NULL, NULL),
	(5, 3, 7, '1975-08-01', 5, 5, NULL, NULL, NULL, NULL, NULL),
	(5, 3, 8, '1975-09-01', 5, 5, NULL, NULL, NULL, NULL, NULL),
	(5, 3, 9, '1975-10-01', 5, 5, NULL, NULL, NULL, NULL, NULL),
	(5, 3, 10, '1975-11-01', 5, 5, NULL, NULL, NULL, NULL, NULL),
	(5, 3, 11, '1975-12-01', 5, 5, NULL, NULL, NULL, NULL, NULL),
	(5, 3, 12, '1976-01-01', 5, 5, NULL, NULL, NULL, NULL, NULL),
	(6, 1, 1, '1975-03-01', 774.5110298395157, 889, NULL, NULL, NULL, NULL, NULL),
	(6, 1, 2, '1975-04-01', 768.4921543002129, 902, NULL, NULL, NULL, NULL, NULL),
	(6, 1, 3, '1975-05-01', 763.7069904208183, 969, NULL, NULL, NULL, NULL, NULL),
	(6, 1, 4, '1975-06-01', 759.9378943443298, 947, NULL, NULL, NULL, NULL, NULL),
	(6, 1, 5, '1975-07-01', 756.9921083450317, 908, NULL, NULL, NULL, NULL, NULL),
	(6, 1, 6, '1975-08-01', 754.7043775320053, 867, NULL, NULL, NULL, NULL, NULL),
	(6, 1, 7, '1975-09-01', 752.9367302656174, 815, NULL, NULL, NULL, NULL, NULL),
	(6, 1, 8, '1975-10-01', 751.5764836072922, 812, NULL, NULL, NULL, NULL, NULL),
	(6, 1, 9, '1975-11-01', 750.5330593585968, 773, NULL, NULL, NULL, NULL, NULL),
	(6, 1, 10, '1975-12-01', 749.734635412693, 813, NULL, NULL, NULL, NULL, NULL),
	(6, 1, 11, '1976-01-01', 749.124870300293, 834, NULL, NULL, NULL, NULL, NULL),
	(6, 1, 12, '1976-02-01', 748.659883916378, 782, NULL, NULL, NULL, NULL, NULL),
	(6, 2, 1, '1975-03-01', 86.71487017099261, 98.7778, NULL, NULL, NULL, NULL, NULL),
	(6, 2, 2, '1975-04-01', 86.57365542885066, 100.222, NULL, NULL, NULL, NULL, NULL),
	(6, 2, 3, '1975-05-01', 86.45914369106293, 107.667, NULL, NULL, NULL, NULL, NULL),
	(6, 2, 4, '1975-06-01', 86.3663393904388, 90.5, NULL, NULL, NULL, NULL, NULL),
	(6, 2, 5, '1975-07-01', 86.29116698182821, 100.889, NULL, NULL, NULL, NULL, NULL),
	(6, 2, 6, '1975-08-01', 86.23029812030197, 96.3333, NULL, NULL, NULL, NULL, NULL),
	(6, 2, 7, '1975-09-01', 86.18102763608098, 90.5556, NULL, NULL, NULL, NULL, NULL),
	(6, 2, 8, '1975-10-01', 86.14115560905934, 90.2222, NULL, NULL, NULL, NULL, NULL),
	(6, 2, 9, '1975-11-01', 86.10889587489963, 85.8889, NULL, NULL, NULL, NULL, NULL),
	(6, 2, 10, '1975-12-01', 86.08279978011251, 90.3333, NULL, NULL, NULL, NULL, NULL),
	(6, 2, 11, '1976-01-01', 86.06169315292239, 92.6667, NULL, NULL, NULL, NULL, NULL),
	(6, 2, 12, '1976-02-01', 86.04462648991942, 86.8889, NULL, NULL, NULL, NULL, NULL),
	(6, 3, 1, '1975-03-01', 5, 5, NULL, NULL, NULL, NULL, NULL),
	(6, 3, 2, '1975-04-01', 5, 5, NULL, NULL, NULL, NULL, NULL),
	(6, 3, 3, '1975-05-01', 5, 5, NULL, NULL, NULL, NULL, NULL),
	(6, 3, 4, '1975-06-01', 5, 5, NULL, NULL, NULL, NULL, NULL),
	(6, 3, 5, '1975-07-01', 5, 5, NULL, NULL, NULL, NULL, NULL),
	(6, 3, 6, '1975-08-01', 5, 5, NULL, NULL, NULL, NULL, NULL),
	(6, 3, 7, '1975-09-01', 5, 5, NULL, NULL, NULL, NULL, NULL),
	(6, 3, 8, '1975-10-01', 5, 5, NULL, NULL, NULL, NULL, NULL),
	(6, 3, 9, '1975-11-01', 5, 5, NULL, NULL, NULL, NULL, NULL),
	(6, 3, 10, '1975-12-01', 5, 5, NULL, NULL, NULL, NULL, NULL),
	(6, 3, 11, '1976-01-01', 5, 5, NULL, NULL, NULL, NULL, NULL),
	(6, 3, 12, '1976-02-01', 5, 5, NULL, NULL, NULL, NULL, NULL),
	(7, 1, 1, '1975-03-01', 886.2877353774384, 889, 886.2850156972789, 886.2907059742845, 886.2849796588616, 886.2907556684296, 886.2872566228979),
	(7, 1, 2, '1975-04-01', 903.6972405981116, 902, 903.693902865054, 903.6994360012762, 903.6938364495417, 903.6994921641013, 903.6961971191321),
	(7, 1, 3, '1975-05-01', 968.5627075530045, 969, 968.5576009473364, 968.5633720043104, 968.5575097871047, 968.5634356751051, 968.5605516739407),
	(7, 2, 1, '1975-03-01', 98.86596054149882, 98.7778, 98.86519634961552, 98.86700250831773, 98.86518764977443, 98.86703723885948, 98.86605862857513),
	(7, 2, 2, '1975-04-01', 101.13740989323033, 100.222, 101.13636004313346, 101.1381505553567, 101.13633970762731, 101.1381839830936, 101.13726248729554),
	(7, 2, 3, '1975-05-01', 108.34111549632244, 107.667, 108.33969495615689, 108.34140754026643, 108.339677461652, 108.34145020591275, 108.34077333947312),
	(7, 3, 1, '1975-03-01', 4.999999999999999, 5, 4.965399243241552, 5.034841867756699, 4.807791891191346, 5.199892292718419, 4.999999999999999),
	(7, 3, 2, '1975-04-01', 4.999999999999999, 5, 4.951137366625744, 5.0493448573085695, 4.730357309584261, 5.2850130262564, 4.999999999999999),
	(7, 3, 3, '1975-05-01', 4.999999999999999, 5, 4.940221625791323, 5.060501713016874, 4.671786378858812, 5.351272077236288, 4.999999999999999);
INSERT INTO milkrun.forecast_change_part VALUES
	(2, 1, 1, NULL, '{8.543207585811615,7.027349412441254,5.705328583717346,4.576651036739349,3.6325334310531616,2.8572023510932922,2.2305110096931458,1.7306108474731445,1.3361473679542542,1.0275959372520447,0.7878839373588562,0}', NULL, NULL, NULL),
	(2, 2, 1, NULL, '{0.77156606421471,0.6246105878591521,0.5040206050097851,0.4053983086526358,0.32509004219770077,0.2599880626857214,0.20743803028463503,0.16518004555105392,0.131313068467378,0.1042481548905414,0.08267084239125211,0}', NULL, NULL, NULL),
	(2, 3, 1, NULL, NULL, NULL, NULL, NULL),
	(3, 1, 2, NULL, '{-21.321321070194244,-17.123067319393158,-13.60669356584549,-10.714302957057953,-8.372518002986908,-6.501648187637329,-5.023338794708252,-3.8655481338500977,-2.9652008414268494,-2.26893812417984,-1.732824981212616,0}', NULL, NULL, NULL),
	(3, 2, 2, NULL, '{-2.507531762558216,-2.0144162143766806,-1.6137105264306086,-1.2894601949572575,-1.0281159892856948,-0.8182238891601514,-0.6501770345985847,-0.51598597453237,-0.4090631478309632,-0.3240256631076335,-0.25648994573354855,0}', NULL, NULL, NULL),
	(3, 3, 2, NULL, NULL, NULL, NULL, NULL),
	(4, 1, 3, NULL, '{37.319553554058075,30.109949827194214,24.03235399723053,18.99966460466385,14.898869335651398,11.603854060173035,8.98729693889618,6.929579854011536,5.323966920375824,4.0789284110069275,3.118213951587677,0}', NULL, NULL, NULL),
	(4, 2, 3, NULL, '{3.8980581577241367,3.1360643891274975,2.5158749900579522,2.0130458390056987,1.6069633592665156,1.2802203271925379,1.0181777180492873,0.8086221121728414,0.6414464829027651,0.5083452169001106,0.4025508150219821,0}', NULL, NULL, NULL),
	(4, 3, 3, NULL, NULL, NULL, NULL, NULL),
	(5, 1, 4, NULL, '{28.536487579345703,23.696866989135742,19.42016702890396,15.715171039104462,12.571009635925293,9.954562306404114,7.815050363540649,6.091667473316193,4.720789313316345,3.6414265632629395,2.798482060432434,0}', NULL, '{0.8064204454421997,1.5148517489433289,2.112869143486023,2.596858650445938,2.972007930278778,3.2500281035900116,3.446445554494858,3.5778113901615143,3.6596885919570923,3.705581545829773,3.726423680782318,0}', NULL),
	(5, 2, 4, NULL, '{2.9058545425891964,2.357243874877682,1.9068580133378532,1.5376516435444358,1.2360287712752864,0.9906563515484379,0.7919193915903548,0.6316200375497374,0.5028037360787323,0.3996209768772161,0.31719310163259706,0}', NULL, '{0.44668950779437466,0.8037576862454472,1.0876307410240145,1.3113252049565318,1.4857298692882068,1.6201272989392237,1.7224256170630383,1.7992937127053636,1.8562700168907753,1.8978712787091752,1.9277359057664825,0}', NULL),
	(5, 3, 4, NULL, NULL, NULL, NULL, NULL),
	(6, 1, 5, NULL, '{-30.27803185582161,-24.736933439970016,-19.99553072452545,-16.00792160630226,-12.708112090826035,-10.016594648361206,-7.848326414823532,-6.119609475135803,-4.753049790859222,-3.6801464557647705,-2.842417061328888,0}', NULL, '{-0.866028219461441,-1.5582286417484283,-2.098550468683243,-2.5114223659038544,-2.8209527730941772,-3.049035996198654,-3.2144830226898193,-3.3326921463012695,-3.415895998477936,-3.4735732674598694,-3.512851268053055,0}', NULL),
	(6, 2, 5, NULL, '{-3.7127098058044936,-3.0288650475144294,-2.4682249645471472,-2.0091258334934707,-1.6337090607762264,-1.3271871982157109,-1.077280747216932,-0.8738064361989473,-0.708330560356373,-0.5738975497424548,-0.4647809025287728,0}', NULL, NULL, NULL),
	(6, 3, 5, NULL, NULL, NULL, NULL, NULL),
	(7, 1, 6, NULL, NULL, NULL, NULL, '{111.77670553792268,135.2050862978988,204.85571713218621}'),
	(7, 2, 6, NULL, NULL, NULL, NULL, '{12.15109037050621,14.56375446437967,21.88197180525951}'),
	(7, 3, 6, NULL, NULL, NULL, NULL, '{-8.881784197001252e-16,-8.881784197001252e-16,-8.881784197001252e-16}');
INSERT INTO milkrun.load OVERRIDING SYSTEM VALUE VALUES
	(1, '1974-09.csv', '2026-11-26 00:33:19.896972+00', 314, 314, 0, 0, 0, 'e91e99f573711d33448cf04db5bc9732348cd8c6272081e75a93f089aa0f6842'),
	(2, '1974-10.csv', '2026-11-26 00:33:23.636474+00', 3, 3, 0, 0, 0, 'd3e50737ea3e39af372d8291c1d1d9d4226a88ce649689c4d12d2befc8661bc8'),
	(3, '1974-11.csv', '2026-11-26 00:33:23.671273+00', 4, 4, 0, 0, 0, 'd04a82375f0f7241e6b3ab3c2983012c4ffbbc82223148d7bba1a3315a3b215e'),
	(4, '1974-12.csv', '2026-11-26 00:33:23.711135+00', 4, 3, 0, 0, 1, '7586202016c6f6236b05421d025e44d8ed377972824710474b2437d56e08ff80'),
	(5, '1975-01.csv', '2026-11-26 00:33:23.757042+00', 3, 3, 0, 0, 0, '84374cfaeca7418d585d8cec0d867ec57f53896635770d0420294ba23a5124fc'),
	(6, '1975-02.csv', '2026-11-26 00:33:23.899832+00', 3, 3, 0, 0, 0, '5d21022dfef724487703172f6555bfbfce67628e8ad3373c2097f812f56296eb');
INSERT INTO milkrun.observation VALUES
	(1, '1966-01-01', 1, 677),
	(1, '1966-02-01', 1, 635),
	(1, '1966-03-01', 1, 736),
	(1, '1966-04-01', 1, 755),
	(1, '1966-05-01', 1, 811),
	(1, '1966-06-01', 1, 798),
	(1, '1966-07-01', 1, 735),
	(1, '1966-08-01', 1, 697),
	(1, '1966-09-01', 1, 661),
	(1, '1966-10-01', 1, 667),
	(1, '1966-11-01', 1, 645),
	(1, '1966-12-01', 1, 688),
	(1, '1967-01-01', 1, 713),
	(1, '1967-02-01', 1, 667),
	(1, '1967-03-01', 1, 762),
	(1, '1967-04-01', 1, 784),
	(1, '1967-05-01', 1, 837),
	(1, '1967-06-01', 1, 817),
	(1, '1967-07-01', 1, 767),
	(1, '1967-08-01', 1, 722),
	(1, '1967-09-01', 1, 681),
	(1, '1967-10-01', 1, 687),
	(1, '1967-11-01', 1, 660),
	(1, '1967-12-01', 1, 698),
	(1, '1968-01-01', 1, 717),
	(1, '1968-02-01', 1, 696),
	(1, '1968-03-01', 1, 775),
	(1, '1968-04-01', 1, 796),
	(1, '1968-05-01', 1, 858),
	(1, '1968-06-01', 1, 826),
	(1, '1968-07-01', 1, 783),
	(1, '1968-08-01', 1, 740),
	(1, '1968-09-01', 1, 701),
	(1, '1968-10-01', 1, 706),
	(1, '1968-11-01', 1, 677),
	(1, '1968-12-01', 1, 711),
	(1, '1969-01-01', 1, 734),
	(1, '1969-02-01', 1, 690),
	(1, '1969-03-01', 1, 785),
	(1, '1969-04-01', 1, 805),
	(1, '1969-05-01', 1, 871),
	(1, '1969-06-01', 1, 845),
	(1, '1969-07-01', 1, 801),
	(1, '1969-08-01', 1, 764),
	(1, '1969-09-01', 1, 725),
	(1, '1969-10-01', 1, 723),
	(1, '1969-11-01', 1, 690),
	(1, '1969-12-01', 1, 734),
	(1, '1970-01-01', 1, 750),
	(1, '1970-02-01', 1, 707),
	(1, '1970-03-01', 1, 807),
	(1, '1970-04-01', 1, 824),
	(1, '1970-05-01', 1, 886),
	(1, '1970-06-01', 1, 859),
	(1, '1970-07-01', 1, 819),
	(1, '1970-08-01', 1, 783),
	(1, '1970-09-01', 1, 740),
	(1, '1970-10-01', 1, 747),
	(1, '1970-11-01', 1, 711),
	(1, '1970-12-01', 1, 751),
	(1, '1971-01-01', 1, 804),
	(1, '1971-02-01', 1, 756),
	(1, '1971-03-01', 1, 860),
	(1, '1971-04-01', 1, 878),
	(1, '1971-05-01', 1, 942),
	(1, '1971-06-01', 1, 913),
	(1, '1971-07-01', 1, 869),
	(1, '1971-08-01', 1, 834),
	(1, '1971-09-01', 1, 790),
	(1, '1971-10-01', 1, 800),
	(1, '1971-11-01', 1, 763),
	(1, '1971-12-01', 1, 800),
	(1, '1972-01-01', 1, 826),
	(1, '1972-02-01', 1, 799),
	(1, '1972-03-01', 1, 890),
	(1, '1972-04-01', 1, 900),
	(1, '1972-05-01', 1, 961),
	(1, '1972-06-01', 1, 935),
	(1, '1972-07-01', 1, 894),
	(1, '1972-08-01', 1, 855),
	(1, '1972-09-01', 1, 809),
	(1, '1972-10-01', 1, 810),
	(1, '1972-11-01', 1, 766),
	(1, '1972-12-01', 1, 805),
	(1, '1973-01-01', 1, 821),
	(1, '1973-02-01', 1, 773),
	(1, '1973-03-01', 1, 883),
	(1, '1973-04-01', 1, 898),
	(1, '1973-05-01', 1, 957),
	(1, '1973-06-01', 1, 924),
	(1, '1973-07-01', 1, 881),
	(1, '1973-08-01', 1, 837),
	(1, '1973-09-01', 1, 784),
	(1, '1973-10-01', 1, 791),
	(1, '1973-11-01', 1, 760),
	(1, '1973-12-01', 1, 802),
	(1, '1974-01-01', 1, 828),
	(1, '1974-02-01', 1, 778),
	(1, '1974-03-01', 1, 889),
	(1, '1974-04-01', 1, 902),
	(1, '1974-05-01', 1, 969),
	(1, '1974-06-01', 1, 947),
	(1, '1974-07-01', 1, 908),
	(1, '1974-08-01', 1, 867),
	(1, '1974-09-01', 1, 815),
	(2, '1966-01-01', 1, 75.2222),
	(2, '1966-02-01', 1, 70.5556),
	(2, '1966-03-01', 1, 81.7778),
	(2, '1966-04-01', 1, 83.8889),
	(2, '1966-05-01', 1, 90.1111),
	(2, '1966-06-01', 1, 88.6667),
	(2, '1966-07-01', 1, 81.6667),
	(2, '1966-08-01', 1, 77.4444),
	(2, '1966-09-01', 1, 73.4444),
	(2, '1966-10-01', 1, 74.1111),
	(2, '1966-11-01', 1, 71.6667),
	(2, '1966-12-01', 1, 76.4444),
	(2, '1967-01-01', 1, 79.2222),
	(2, '1967-02-01', 1, 74.1111),
	(2, '1967-03-01', 1, 84.6667),
	(2, '1967-04-01', 1, 87.1111),
	(2, '1967-05-01', 1, 93),
	(2, '1967-06-01', 1, 90.7778),
	(2, '1967-07-01', 1, 85.2222),
	(2, '1967-08-01', 1, 80.2222),
	(2, '1967-09-01', 1, 75.6667),
	(2, '1967-10-01', 1, 76.3333),
	(2, '1967-11-01', 1, 73.3333),
	(2, '1967-12-01', 1, 77.5556),
	(2, '1968-01-01', 1, 79.6667),
	(2, '1968-02-01', 1, 77.3333),
	(2, '1968-03-01', 1, 86.1111),
	(2, '1968-04-01', 1, 88.4444),
	(2, '1968-05-01', 1, 95.3333),
	(2, '1968-06-01', 1, 91.7778),
	(2, '1968-07-01', 1, 87),
	(2, '1968-08-01', 1, 82.2222),
	(2, '1968-09-01', 1, 77.8889),
	(2, '1968-10-01', 1, 78.4444),
	(2, '1968-11-01', 1, 75.2222),
	(2, '1968-12-01', 1, 79),
	(2, '1969-01-01', 1, 81.5556),
	(2, '1969-02-01', 1, 76.6667),
	(2, '1969-03-01', 1, 87.2222),
	(2, '1969-04-01', 1, 89.4444),
	(2, '1969-05-01', 1, 96.7778),
	(2, '1969-06-01', 1, 93.8889),
	(2, '1969-07-01', 1, 89),
	(2, '1969-08-01', 1, 84.8889),
	(2, '1969-09-01', 1, 80.5556),
	(2, '1969-10-01', 1, 80.3333),
	(2, '1969-11-01', 1, 76.6667),
	(2, '1969-12-01', 1, 81.5556),
	(2, '1970-01-01', 1, 83.3333),
	(2, '1970-02-01', 1, 78.5556),
	(2, '1970-04-01', 1, 91.5556),
	(2, '1970-05-01', 1, 98.4444),
	(2, '1970-06-01', 1, 95.4444),
	(2, '1970-07-01', 1, 91),
	(2, '1970-08-01', 1, 87),
	(2, '1970-09-01', 1, 82.2222),
	(2, '1970-10-01', 1, 83),
	(2, '1970-11-01', 1, 79),
	(2, '1970-12-01', 1, 83.4444),
	(2, '1971-01-01', 1, 89.3333),
	(2, '1971-02-01', 1, 84),
	(2, '1971-03-01', 1, 95.5556),
	(2, '1971-04-01', 1, 97.5556),
	(2, '1971-05-01', 1, 104.667),
	(2, '1971-06-01', 1, 101.444),
	(2, '1971-07-01', 1, 96.5556),
	(2, '1971-08-01', 1, 92.6667),
	(2, '1971-09-01', 1, 87.7778),
	(2, '1971-10-01', 1, 88.8889),
	(2, '1971-11-01', 1, 84.7778),
	(2, '1971-12-01', 1, 88.8889),
	(2, '1972-01-01', 1, 91.7778),
	(2, '1972-02-01', 1, 88.7778),
	(2, '1972-03-01', 1, 98.8889),
	(2, '1972-04-01', 1, 100),
	(2, '1972-05-01', 1, 106.778),
	(2, '1972-06-01', 1, 103.889),
	(2, '1972-07-01', 1, 99.3333),
	(2, '1972-08-01', 1, 95),
	(2, '1972-09-01', 1, 89.8889),
	(2, '1972-10-01', 1, 90),
	(2, '1972-11-01', 1, 85.1111),
	(2, '1972-12-01', 1, 89.4444),
	(2, '1973-01-01', 1, 91.2222),
	(2, '1973-02-01', 1, 85.8889),
	(2, '1973-03-01', 1, 98.1111),
	(2, '1973-04-01', 1, 99.7778),
	(2, '1973-05-01', 1, 106.333),
	(2, '1973-06-01', 1, 102.667),
	(2, '1973-07-01', 1, 97.8889),
	(2, '1973-08-01', 1, 93),
	(2, '1973-09-01', 1, 87.1111),
	(2, '1973-10-01', 1, 87.8889),
	(2, '1973-11-01', 1, 84.4444),
	(2, '1973-12-01', 1, 89.1111),
	(2, '1974-01-01', 1, 92),
	(2, '1974-02-01', 1, 86.4444),
	(2, '1974-03-01', 1, 98.7778),
	(2, '1974-04-01', 1, 100.222),
	(2, '1974-05-01', 1, 107.667),
	(2, '1974-06-01', 1, 105.222),
	(2, '1974-07-01', 1, 100.889),
	(2, '1974-08-01', 1, 96.3333),
	(2, '1974-09-01', 1, 90.5556),
	(3, '1966-01-01', 1, 5),
	(3, '1966-02-01', 1, 5),
	(3, '1966-03-01', 1, 5),
	(3, '1966-04-01', 1, 5),
	(3, '1966-05-01', 1, 5),
	(3, '1966-06-01', 1, 5),
	(3, '1966-07-01', 1, 5),
	(3, '1966-08-01', 1, 5),
	(3, '1966-09-01', 1, 5),
	(3, '1966-10-01', 1, 5),
	(3, '1966-11-01', 1, 5),
	(3, '1966-12-01', 1, 5),
	(3, '1967-01-01', 1, 5),
	(3, '1967-02-01', 1, 5),
	(3, '1967-03-01', 1, 5),
	(3, '1967-04-01', 1, 5),
	(3, '1967-05-01', 1, 5),
	(3, '1967-06-01', 1, 5),
	(3, '1967-07-01', 1, 5),
	(3, '1967-08-01', 1, 5),
	(3, '1967-09-01', 1, 5),
	(3, '1967-10-01', 1, 5),
	(3, '1967-11-01', 1, 5),
	(3, '1967-12-01', 1, 5),
	(3, '1968-01-01', 1, 5),
	(3, '1968-02-01', 1, 5),
	(3, '1968-03-01', 1, 5),
	(3, '1968-04-01', 1, 5),
	(3, '1968-05-01', 1, 5),
	(3, '1968-06-01', 1, 5),
	(3, '1968-07-01', 1, 5),
	(3, '1968-08-01', 1, 5),
	(3, '1968-09-01', 1, 5),
	(3, '1968-10-01', 1, 5),
	(3, '1968-11-01', 1, 5),
	(3, '1968-12-01', 1, 5),
	(3, '1969-01-01', 1, 5),
	(3, '1969-02-01', 1, 5),
	(3, '1969-03-01', 1, 5),
	(3, '1969-04-01', 1, 5),
	(3, '1969-05-01', 1, 5),
	(3, '1969-06-01', 1, 5),
	(3, '1969-07-01', 1, 5),
	(3, '1969-08-01', 1, 5),
	(3, '1969-09-01', 1, 5),
	(3, '1969-10-01', 1, 5),
	(3, '1969-11-01', 1, 5),
	(3, '1969-12-01', 1, 5),
	(3, '1970-01-01', 1, 5),
	(3, '1970-02-01', 1, 5),
	(3, '1970-03-01', 1, 5),
	(3, '1970-04-01', 1, 5),
	(3, '1970-05-01', 1, 5),
	(3, '1970-06-01', 1, 5),
	(3, '1970-07-01', 1, 5),
	(3, '1970-08-01', 1, 5),
	(3, '1970-09-01', 1, 5),
	(3, '1970-10-01', 1, 5),
	(3, '1970-11-01', 1, 5),
	(3, '1970-12-01', 1, 5),
	(3, '1971-01-01', 1, 5),
	(3, '1971-02-01', 1, 5),
	(3, '1971-03-01', 1, 5),
	(3, '1971-04-01', 1, 5),
	(3, '1971-05-01', 1, 5),
	(3, '1971-06-01', 1, 5),
	(3, '1971-07-01', 1, 5),
	(3, '1971-08-01', 1, 5),
	(3, '1971-09-01', 1, 5),
	(3, '1971-10-01', 1, 5),
	(3, '1971-11-01', 1, 5),
	(3, '1971-12-01', 1, 5),
	(3, '1972-01-01', 1, 5),
	(3, '1972-02-01', 1, 5),
	(3, '1972-03-01', 1, 5),
	(3, '1972-04-01', 1, 5),
	(3, '1972-05-01', 1, 5),
	(3, '1972-06-01', 1, 5),
	(3, '1972-07-01', 1, 5),
	(3, '1972-08-01', 1, 5),
	(3, '1972-09-01', 1, 5),
	(3, '1972-10-01', 1, 5),
	(3, '1972-11-01', 1, 5),
	(3, '1972-12-01', 1, 5),
	(3, '1973-01-01', 1, 5),
	(3, '1973-02-01', 1, 5),
	(3, '1973-03-01', 1, 5),
	(3, '1973-04-01', 1, 5),
	(3, '1973-05-01', 1, 5),
	(3, '1973-06-01', 1, 5),
	(3, '1973-07-01', 1, 5),
	(3, '1973-08-01', 1, 5),
	(3, '1973-09-01', 1, 5),
	(3, '1973-10-01', 1, 5),
	(3, '1973-11-01', 1, 5),
	(3, '1973-12-01', 1, 5),
	(3, '1974-01-01', 1, 5),
	(3, '1974-02-01', 1, 5),
	(3, '1974-03-01', 1, 5),
	(3, '1974-04-01', 1, 5),
	(3, '1974-05-01', 1, 5),
	(3, '1974-06-01', 1, 5),
	(3, '1974-07-01', 1, 5),
	(3, '1974-08-01', 1, 5),
	(3, '1974-09-01', 1, 5),
	(1, '1974-10-01', 2, 812),
	(2, '1974-10-01', 2, 90.2222),
	(3, '1974-10-01', 2, 5),
	(1, '1974-11-01', 3, 773),
	(2, '1974-06-01', 3, 90.5),
	(2, '1974-11-01', 3, 85.8889),
	(3, '1974-11-01', 3, 5),
	(1, '1974-12-01', 4, 813),
	(2, '1974-12-01', 4, 90.3333),
	(3, '1974-12-01', 4, 5),
	(1, '1975-01-01', 5, 834),
	(2, '1975-01-01', 5, 92.6667),
	(3, '1975-01-01', 5, 5),
	(1, '1975-02-01', 6, 782),
	(2, '1975-02-01', 6, 86.8889),
	(3, '1975-02-01', 6, 5);
INSERT INTO milkrun.promotion OVERRIDING SYSTEM VALUE VALUES
	(1, 5, 1, '1a3d23163129e55e2bb7dc6977b36f918f9792f44c069b87208b88bbac63e4e3', 'rollback', 'The new network swings.', 'ann', '2026-11-26 00:33:23.896081+00');
INSERT INTO milkrun.recipe VALUES
	('8c4a54d9a879bf29d9b386131c7a7d0e45ea41933acea96743f4455e8e08d4d1', 'classic', '{"name": "classic", "seed": 7, "units": [4], "epochs": 100, "method": "classic", "horizon": 12, "max_gap": 3, "shuffle": true, "look_back": 1, "batch_size": 1, "scaler_sees": "train", "train_share": 0.67, "look_back_as": "features", "learning_rate": 0.001, "drop_last_window": false}', '2026-11-26 00:33:20.079652+00'),
	('d24d1a3428502bbdc207d60ecfd7e0e476a1c8b157a6440feb84f51373b09900', 'tiny', '{"name": "tiny", "seed": 7, "blend": [], "guard": 2.0, "noise": 0.01, "units": 2, "judges": 1, "method": "monthly", "horizon": 3, "max_gap": 3, "updates": 3, "windows": [12], "emphasis": [0.5], "own_units": 8, "batch_size": 8, "own_epochs": 150, "own_members": 5, "shared_from": 2, "horizons_back": 4.0, "learning_rate": 0.002, "most_examples": 250000}', '2026-11-26 00:33:23.945283+00'),
	('e38e49236044c0a77bb415efaaec8fb97a34785dfbe914489e4942047e346499', 'unfinished', '{"name": "unfinished", "seed": 7, "units": [4], "epochs": 3, "method": "classic", "horizon": 12, "max_gap": 3, "shuffle": true, "look_back": 1, "batch_size": 1, "scaler_sees": "train", "train_share": 0.67, "look_back_as": "features", "learning_rate": 0.001, "drop_last_window": false}', '2026-11-26 00:33:24.232288+00');
INSERT INTO milkrun.rejected_row VALUES
	(4, 1, 5, 'milk,1974-07,unknown', 'not_a_number: write it like 1234.5');
INSERT INTO milkrun.rmse_history VALUES
	(1, 1, 'train', 1, 69, 42.553516657923346, 28.213777509920757, -0.49902005716984354, NULL, NULL, 1, 45.68274338826709, NULL, NULL, NULL),
	(1, 2, 'train', 1, 68, 4.654068093971561, 3.241124634438625, -0.4200319207647043, NULL, NULL, 1, 4.954938509100852, NULL, NULL, NULL),
	(1, 1, 'test', 1, 35, 48.78571398498115, 22.05965936791798, -1.2115352359398472, NULL, NULL, 1, 48.12632187423902, NULL, NULL, NULL),
	(1, 2, 'test', 1, 35, 5.4199052231754585, 2.4510847416719685, -1.2112271889377255, NULL, NULL, 1, 5.347389985537672, NULL, NULL, NULL),
	(2, 1, 'live', 1, 1, 10.247183561325073, 21, 0.5120388780321394, NULL, NULL, 2, 3, NULL, NULL, NULL),
	(2, 2, 'live', 1, 1, 0.9504320219278384, 2.333299999999994, 0.5926661715476618, NULL, NULL, 2, 0.3333999999999975, NULL, NULL, NULL),
	(2, 3, 'live', 1, 1, 0, 0, 0, NULL, NULL, 2, 0, NULL, NULL, NULL),
	(3, 1, 'live', 1, 2, 19.91607504931249, 17.46424919657298, -0.14039113993063235, NULL, NULL, 3, 27.65863337187866, NULL, NULL, NULL),
	(3, 1, 'live', 2, 1, 17.69217538833618, 13, -0.36093656833355237, NULL, NULL, 3, 42, NULL, NULL, NULL),
	(3, 2, 'live', 1, 2, 2.300803358411308, 1.940472769713606, -0.18569216446715875, NULL, NULL, 3, 3.073161600859931, NULL, NULL, NULL),
	(3, 2, 'live', 2, 1, 2.3403579643964747, 1.444500000000005, -0.6201855066780662, NULL, NULL, 3, 4.666699999999992, NULL, NULL, NULL),
	(3, 3, 'live', 1, 2, 0, 0, 0, NULL, NULL, 3, 0, NULL, NULL, NULL),
	(3, 3, 'live', 2, 1, 0, 0, 0, NULL, NULL, 3, 0, NULL, NULL, NULL),
	(4, 1, 'live', 1, 3, 31.00020465423977, 15.609825965290794, -0.9859417217828201, NULL, NULL, 4, 32.30067078766837, NULL, NULL, NULL),
	(4, 1, 'live', 2, 2, 21.307262564343265, 12.041594578792296, -0.7694718440255164, NULL, NULL, 4, 29.706901555025897, NULL, NULL, NULL),
	(4, 1, 'live', 3, 1, 31.419680297374725, 11, -1.8563345724886116, NULL, NULL, 4, 2, NULL, NULL, NULL),
	(4, 2, 'live', 1, 3, 3.362945055852134, 1.7344203623497187, -0.9389446346767742, NULL, NULL, 4, 3.5889337232665564, NULL, NULL, NULL),
	(4, 2, 'live', 2, 2, 2.3320441556778517, 1.3379747923634469, -0.742965688881511, NULL, NULL, 4, 3.3007902159937337, NULL, NULL, NULL),
	(4, 2, 'live', 3, 1, 2.9483111896037997, 1.2222000000000008, -1.4122984696480096, NULL, NULL, 4, 0.22230000000000416, NULL, NULL, NULL),
	(4, 3, 'live', 1, 3, 0, 0, 0, NULL, NULL, 4, 0, NULL, NULL, NULL),
	(4, 3, 'live', 2, 2, 0, 0, 0, NULL, NULL, 4, 0, NULL, NULL, NULL),
	(4, 3, 'live', 3, 1, 0, 0, 0, NULL, NULL, 4, 0, NULL, NULL, NULL),
	(5, 1, 'train', 1, 72, 42.235898110626366, 29.128882630109388, -0.4379636327858438, NULL, NULL, 5, 45.247928129363004, NULL, NULL, NULL),
	(5, 2, 'train', 1, 71, 4.6278573217428205, 3.336115007035379, -0.3648046599582062, NULL, NULL, 5, 4.909955813461139, NULL, NULL, NULL),
	(5, 1, 'test', 1, 36, 47.91839030001184, 18.416478128748356, -1.6019301825798404, NULL, NULL, 5, 47.49912279891773, NULL, NULL, NULL),
	(5, 2, 'test', 1, 36, 5.907970543554907, 2.849217416482794, -1.0735414957725409, NULL, NULL, 5, 6.192810898646017, NULL, NULL, NULL),
	(5, 1, 'live', 1, 4, 31.75700046249384, 13.84738242412623, -1.2933576534409683, NULL, NULL, 5, 29.878922336657322, NULL, NULL, NULL),
	(5, 1, 'live', 2, 3, 44.66155318294384, 10.424330514074594, -3.2843569783827613, NULL, NULL, 5, 42.76291227999639, NULL, NULL, NULL),
	(5, 1, 'live', 3, 2, 44.251929800918795, 8.860022573334675, -3.9945617445829553, NULL, NULL, 5, 15.620499351813308, NULL, NULL, NULL),
	(5, 1, 'live', 4, 1, 59.82806199789047, 6, -8.971343666315079, NULL, NULL, 5, 19, NULL, NULL, NULL),
	(5, 2, 'live', 1, 4, 3.41735013954303, 1.5385976463975237, -1.2210810913070236, NULL, NULL, 5, 3.3198678953386036, NULL, NULL, NULL),
	(5, 2, 'live', 2, 3, 4.716370632342538, 1.1582806194240416, -3.071872181274834, NULL, NULL, 5, 4.7514560905053065, NULL, NULL, NULL),
	(5, 2, 'live', 3, 2, 4.387247607879321, 0.9844444448520215, -3.4565720603348, NULL, NULL, 5, 1.7356551414379566, NULL, NULL, NULL),
	(5, 2, 'live', 4, 1, 5.963264533883333, 0.6667000000000058, -7.944449578346003, NULL, NULL, 5, 2.1111000000000075, NULL, NULL, NULL),
	(5, 3, 'live', 1, 4, 0, 0, 0, NULL, NULL, 5, 0, NULL, NULL, NULL),
	(5, 3, 'live', 2, 3, 0, 0, 0, NULL, NULL, 5, 0, NULL, NULL, NULL),
	(5, 3, 'live', 3, 2, 0, 0, 0, NULL, NULL, 5, 0, NULL, NULL, NULL),
	(5, 3, 'live', 4, 1, 0, 0, 0, NULL, NULL, 5, 0, NULL, NULL, NULL),
	(6, 1, 'live', 1, 5, 32.792741140607276, 12.513992168768526, -1.6204859886718577, NULL, NULL, 6, 35.4259791678367, NULL, NULL, NULL),
	(6, 1, 'live', 2, 4, 38.849937572383865, 9.246621004453464, -3.2015280558890113, NULL, NULL, 6, 40.14660633229165, NULL, NULL, NULL),
	(6, 1, 'live', 3, 3, 38.45649233193135, 7.593857166596345, -4.064157975092386, NULL, NULL, 6, 13.771952173409066, NULL, NULL, NULL),
	(6, 1, 'live', 4, 2, 42.80230568343753, 5.0990195135927845, -7.394222765638897, NULL, NULL, 6, 25.109759058979442, NULL, NULL, NULL),
	(6, 1, 'live', 5, 1, 13.778701961040497, 4, -2.444675490260124, NULL, NULL, 6, 33, NULL, NULL, NULL),
	(6, 2, 'live', 1, 5, 3.6710491619130585, 1.3904467713652329, -1.6401939560106849, NULL, NULL, 6, 3.9362180887242486, NULL, NULL, NULL),
	(6, 2, 'live', 2, 4, 4.127886314349711, 1.0274266676994555, -3.0176943465878647, NULL, NULL, 6, 4.460742547491387, NULL, NULL, NULL),
	(6, 2, 'live', 3, 3, 3.753576148639902, 0.8437697118685118, -3.448578914177519, NULL, NULL, 6, 1.5302502562217317, NULL, NULL, NULL),
	(6, 2, 'live', 4, 2, 4.223057273347863, 0.5665991263671398, -6.453342366453711, NULL, NULL, 6, 2.7899491124391496, NULL, NULL, NULL),
	(6, 2, 'live', 5, 1, 0.7338820477962571, 0.444500000000005, -0.6510282290129332, NULL, NULL, 6, 3.6666999999999916, NULL, NULL, NULL),
	(6, 3, 'live', 1, 5, 0, 0, 0, NULL, NULL, 6, 0, NULL, NULL, NULL),
	(6, 3, 'live', 2, 4, 0, 0, 0, NULL, NULL, 6, 0, NULL, NULL, NULL),
	(6, 3, 'live', 3, 3, 0, 0, 0, NULL, NULL, 6, 0, NULL, NULL, NULL),
	(6, 3, 'live', 4, 2, 0, 0, 0, NULL, NULL, 6, 0, NULL, NULL, NULL),
	(6, 3, 'live', 5, 1, 0, 0, 0, NULL, NULL, 6, 0, NULL, NULL, NULL),
	(7, 1, 'test', 1, 12, 6.501853061182157, 18.479718612576328, 0.6481627671128425, NULL, NULL, 6, 49.70244796117525, 6.501702772796941, NULL, NULL),
	(7, 1, 'test', 2, 11, 10.427846105310135, 19.216470208462514, 0.4573485144676602, NULL, NULL, 6, 68.78358683713593, 10.427866727200195, NULL, NULL),
	(7, 1, 'test', 3, 10, 13.631694518003876, 20.114671262538693, 0.3223009046440958, NULL, NULL, 6, 92.91393867445292, 13.631607670650284, NULL, NULL),
	(7, 2, 'test', 1, 12, 5.64686925841325, 4.001041820576235, -0.4113497213083317, NULL, NULL, 6, 7.87331457196819, 5.646906149189032, NULL, NULL),
	(7, 2, 'test', 2, 11, 5.7978929158964245, 4.174114374331397, -0.3890115114119559, NULL, NULL, 6, 7.787190474572499, 5.797934007730806, NULL, NULL),
	(7, 2, 'test', 3, 10, 6.022685107591767, 4.375593962766654, -0.37642687114955, NULL, NULL, 6, 9.368631547830237, 6.022753207078712, NULL, NULL),
	(7, 1, 'train', 1, 12, 6.501459725222785, 18.479718612576328, 0.6481840518503225, NULL, NULL, 6, 49.70244796117525, 6.501702772796941, NULL, NULL),
	(7, 1, 'train', 2, 11, 10.427805728551927, 19.216470208462514, 0.4573506156213981, NULL, NULL, 6, 68.78358683713593, 10.427866727200195, NULL, NULL),
	(7, 1, 'train', 3, 10, 13.630879471551694, 20.114671262538693, 0.32234142464273474, NULL, NULL, 6, 92.91393867445292, 13.631607670650284, NULL, NULL),
	(7, 2, 'train', 1, 12, 5.646949148580732, 4.001041820576235, -0.41136968864960544, NULL, NULL, 6, 7.87331457196819, 5.646906149189032, NULL, NULL),
	(7, 2, 'train', 2, 11, 5.797895295083435, 4.174114374331397, -0.3890120813980167, NULL, NULL, 6, 7.787190474572499, 5.797934007730806, NULL, NULL),
	(7, 2, 'train', 3, 10, 6.0227493318025775, 4.375593962766654, -0.37644154897645943, NULL, NULL, 6, 9.368631547830237, 6.022753207078712, NULL, NULL);
INSERT INTO milkrun.run OVERRIDING SYSTEM VALUE VALUES
	(1, 'live', '1974-09-01', 1, 'as_of', '8c4a54d9a879bf29d9b386131c7a7d0e45ea41933acea96743f4455e8e08d4d1', '{"retrain": "auto", "live_least": 3, "late_months": 3, "max_age_months": 12, "challenge_least": 3, "live_rmse_ratio": 1.5}', 'all', '{1,2,3}', 1000, '0.1.0', 'command line', NULL, 'published', '2026-11-26 00:33:20.079652+00', '2026-11-26 00:33:23.634353+00', 1),
	(2, 'live', '1974-10-01', 2, 'as_of', '8c4a54d9a879bf29d9b386131c7a7d0e45ea41933acea96743f4455e8e08d4d1', '{"retrain": "auto", "live_least": 3, "late_months": 3, "max_age_months": 12, "challenge_least": 3, "live_rmse_ratio": 1.5}', 'all', '{1,2,3}', 1000, '0.1.0', 'command line', NULL, 'published', '2026-11-26 00:33:23.654536+00', '2026-11-26 00:33:23.669702+00', 1),
	(3, 'live', '1974-11-01', 3, 'as_of', '8c4a54d9a879bf29d9b386131c7a7d0e45ea41933acea96743f4455e8e08d4d1', '{"retrain": "auto", "live_least": 3, "late_months": 3, "max_age_months": 12, "challenge_least": 3, "live_rmse_ratio": 1.5}', 'all', '{1,2,3}', 1000, '0.1.0', 'command line', NULL, 'published', '2026-11-26 00:33:23.682833+00', '2026-11-26 00:33:23.709441+00', 1),
	(4, 'live', '1974-12-01', 4, 'as_of', '8c4a54d9a879bf29d9b386131c7a7d0e45ea41933acea96743f4455e8e08d4d1', '{"retrain": "auto", "live_least": 3, "late_months": 3, "max_age_months": 12, "challenge_least": 3, "live_rmse_ratio": 1.5}', 'all', '{1,2,3}', 1000, '0.1.0', 'command line', NULL, 'published', '2026-11-26 00:33:23.739942+00', '2026-11-26 00:33:23.754511+00', 1),
	(5, 'live', '1975-01-01', 5, 'as_of', '8c4a54d9a879bf29d9b386131c7a7d0e45ea41933acea96743f4455e8e08d4d1', '{"retrain": "always", "live_least": 3, "late_months": 3, "max_age_months": 12, "challenge_least": 3, "live_rmse_ratio": 1.5}', 'all', '{1,2,3}', 1000, '0.1.0', 'command line', NULL, 'published', '2026-11-26 00:33:23.78136+00', '2026-11-26 00:33:23.884925+00', 1),
	(6, 'live', '1975-02-01', 6, 'as_of', '8c4a54d9a879bf29d9b386131c7a7d0e45ea41933acea96743f4455e8e08d4d1', '{"retrain": "auto", "live_least": 3, "late_months": 3, "max_age_months": 12, "challenge_least": 3, "live_rmse_ratio": 1.5}', 'all', '{1,2,3}', 1000, '0.1.0', 'command line', NULL, 'published', '2026-11-26 00:33:23.912215+00', '2026-11-26 00:33:23.940193+00', 1),
	(7, 'live', '1975-02-01', 6, 'as_of', 'd24d1a3428502bbdc207d60ecfd7e0e476a1c8b157a6440feb84f51373b09900', '{"retrain": "auto", "live_least": 3, "late_months": 3, "max_age_months": 12, "challenge_least": 3, "live_rmse_ratio": 1.5}', 'all', '{1,2,3}', 1000, '0.1.0', 'command line', NULL, 'published', '2026-11-26 00:33:23.945283+00', '2026-11-26 00:33:24.229547+00', 1),
	(8, 'live', '1975-02-01', 6, 'as_of', 'e38e49236044c0a77bb415efaaec8fb97a34785dfbe914489e4942047e346499', '{"retrain": "auto", "live_least": 3, "late_months": 3, "max_age_months": 12, "challenge_least": 3, "live_rmse_ratio": 1.5}', 'all', '{1,2,3}', 1000, '0.1.0', 'command line', NULL, 'open', '2026-11-26 00:33:24.232288+00', NULL, 1);
INSERT INTO milkrun.run_network VALUES
	(7, 'retrain', 'no_network', 'No network has made a published forecast yet.', '65ff24313f0ce74151c3926f9d306f857d21f8c07d8e70baeb4d5156b500a21f', '2026-11-26 00:33:24.177681+00', '{}');
INSERT INTO milkrun.run_series VALUES
	(1, 1, '1974-09-01', 'retrain', 'no_network', 'forecast', 'ok', 'No network has made a published forecast yet.', 'lstm', '1a3d23163129e55e2bb7dc6977b36f918f9792f44c069b87208b88bbac63e4e3', 815, '{"last_month": "1974-09", "observations": 105, "forecast_ranges": -0.34576990450927597}'),
	(1, 2, '1974-09-01', 'retrain', 'no_network', 'forecast', 'ok', 'No network has made a published forecast yet.', 'lstm', '1a3d23163129e55e2bb7dc6977b36f918f9792f44c069b87208b88bbac63e4e3', 90.5556, '{"last_month": "1974-09", "longest_gap": 1, "observations": 105, "forecast_ranges": -0.37378549369887504}'),
	(1, 3, '1974-09-01', NULL, NULL, 'fallback', 'constant', 'All months the network would be trained on are equal.', 'seasonal_naive', NULL, 5, '{"constant": true, "last_month": "1974-09", "observations": 105}'),
	(2, 1, '1974-10-01', 'reuse', 'young', 'forecast', 'ok', 'Trained at 1974-09; age in months: 1; forecasts answered: 1.', 'lstm', '1a3d23163129e55e2bb7dc6977b36f918f9792f44c069b87208b88bbac63e4e3', 812, '{"champion": {"live_n": 1, "origin": "1974-09", "live_rmse": 10.247183561325073, "test_rmse": 48.78571398498115}, "last_month": "1974-10", "observations": 106, "forecast_ranges": -0.34521617932233983}'),
	(2, 2, '1974-10-01', 'reuse', 'young', 'forecast', 'ok', 'Trained at 1974-09; age in months: 1; forecasts answered: 1.', 'lstm', '1a3d23163129e55e2bb7dc6977b36f918f9792f44c069b87208b88bbac63e4e3', 90.2222, '{"champion": {"live_n": 1, "origin": "1974-09", "live_rmse": 0.9504320219278384, "test_rmse": 5.4199052231754585}, "last_month": "1974-10", "longest_gap": 1, "observations": 106, "forecast_ranges": -0.37315846400626806}'),
	(2, 3, '1974-10-01', NULL, NULL, 'fallback', 'constant', 'All months the network would be trained on are equal.', 'seasonal_naive', NULL, 5, '{"constant": true, "last_month": "1974-10", "observations": 106}'),
	(3, 1, '1974-11-01', 'reuse', 'young', 'forecast', 'ok', 'Trained at 1974-09; age in months: 2; forecasts answered: 2.', 'lstm', '1a3d23163129e55e2bb7dc6977b36f918f9792f44c069b87208b88bbac63e4e3', 773, '{"champion": {"live_n": 2, "origin": "1974-09", "live_rmse": 19.91607504931249, "test_rmse": 48.78571398498115}, "last_month": "1974-11", "observations": 107, "forecast_ranges": -0.33903228469237595}'),
	(3, 2, '1974-11-01', 'reuse', 'young', 'forecast', 'ok', 'Trained at 1974-09; age in months: 2; forecasts answered: 2.', 'lstm', '1a3d23163129e55e2bb7dc6977b36f918f9792f44c069b87208b88bbac63e4e3', 85.8889, '{"champion": {"live_n": 2, "origin": "1974-09", "live_rmse": 2.300803358411308, "test_rmse": 5.4199052231754585}, "last_month": "1974-11", "longest_gap": 1, "observations": 107, "forecast_ranges": -0.36542904241412694}'),
	(3, 3, '1974-11-01', NULL, NULL, 'fallback', 'constant', 'All months the network would be trained on are equal.', 'seasonal_naive', NULL, 5, '{"constant": true, "last_month": "1974-11", "observations": 107}'),
	(4, 1, '1974-12-01', 'reuse', 'good', 'forecast', 'ok', 'live RMSE 31.0002 over 3 months, test RMSE 48.7857', 'lstm', '1a3d23163129e55e2bb7dc6977b36f918f9792f44c069b87208b88bbac63e4e3', 813, '{"champion": {"live_n": 3, "origin": "1974-09", "live_rmse": 31.00020465423977, "test_rmse": 48.78571398498115}, "last_month": "1974-12", "observations": 108, "forecast_ranges": -0.34539954908593684}'),
	(4, 2, '1974-12-01', 'reuse', 'good', 'forecast', 'ok', 'live RMSE 3.36295 over 3 months, test RMSE 5.41991', 'lstm', '1a3d23163129e55e2bb7dc6977b36f918f9792f44c069b87208b88bbac63e4e3', 90.3333, '{"champion": {"live_n": 3, "origin": "1974-09", "live_rmse": 3.362945055852134, "test_rmse": 5.4199052231754585}, "last_month": "1974-12", "longest_gap": 1, "observations": 108, "forecast_ranges": -0.373366898647205}'),
	(4, 3, '1974-12-01', NULL, NULL, 'fallback', 'constant', 'All months the network would be trained on are equal.', 'seasonal_naive', NULL, 5, '{"constant": true, "last_month": "1974-12", "observations": 108}'),
	(5, 1, '1975-01-01', 'retrain', 'asked_for', 'forecast', 'ok', 'retrain = always', 'lstm', 'da0ea51705a8c4060927f023cbc9553a4acf8899172fc3aa5572f0324e8ff08e', 834, '{"champion": {"live_n": 4, "origin": "1974-09", "live_rmse": 31.75700046249384, "test_rmse": 48.78571398498115}, "last_month": "1975-01", "observations": 109, "forecast_ranges": -0.36071897793315844}'),
	(5, 2, '1975-01-01', 'retrain', 'asked_for', 'forecast', 'ok', 'retrain = always', 'lstm', 'da0ea51705a8c4060927f023cbc9553a4acf8899172fc3aa5572f0324e8ff08e', 92.6667, '{"champion": {"live_n": 4, "origin": "1974-09", "live_rmse": 3.41735013954303, "test_rmse": 5.4199052231754585}, "last_month": "1975-01", "longest_gap": 1, "observations": 109, "forecast_ranges": -0.43034954368337386}'),
	(5, 3, '1975-01-01', NULL, NULL, 'fallback', 'constant', 'All months the network would be trained on are equal.', 'seasonal_naive', NULL, 5, '{"constant": true, "last_month": "1975-01", "observations": 109}'),
	(6, 1, '1975-02-01', 'reuse', 'ordered', 'forecast', 'ok', 'Put in charge by order; trained at 1974-09.', 'lstm', '1a3d23163129e55e2bb7dc6977b36f918f9792f44c069b87208b88bbac63e4e3', 782, '{"champion": {"live_n": 4, "origin": "1974-09", "ordered": true, "live_rmse": 31.75700046249384, "test_rmse": 48.78571398498115}, "last_month": "1975-02", "observations": 110, "forecast_ranges": -0.34029905364185037}'),
	(6, 2, '1975-02-01', 'reuse', 'young', 'forecast', 'ok', 'Trained at 1975-01; age in months: 1; forecasts answered: 1.', 'lstm', 'da0ea51705a8c4060927f023cbc9553a4acf8899172fc3aa5572f0324e8ff08e', 86.8889, '{"champion": {"live_n": 1, "origin": "1975-01", "live_rmse": 4.546414173936839, "test_rmse": 5.907970543554907}, "last_month": "1975-02", "longest_gap": 1, "observations": 110, "forecast_ranges": -0.41736572831850655}'),
	(6, 3, '1975-02-01', NULL, NULL, 'fallback', 'constant', 'All months the network would be trained on are equal.', 'seasonal_naive', NULL, 5, '{"constant": true, "last_month": "1975-02", "observations": 110}'),
	(7, 1, '1975-02-01', 'retrain', 'no_network', 'forecast', 'ok', 'No network has made a published forecast yet.', 'lstm', '65ff24313f0ce74151c3926f9d306f857d21f8c07d8e70baeb4d5156b500a21f', 782, '{"last_month": "1975-02", "observations": 110, "forecast_ranges": -0.0013092588233396913}'),
	(7, 2, '1975-02-01', 'retrain', 'no_network', 'forecast', 'ok', 'No network has made a published forecast yet.', 'lstm', '65ff24313f0ce74151c3926f9d306f857d21f8c07d8e70baeb4d5156b500a21f', 86.8889, '{"last_month": "1975-02", "longest_gap": 1, "observations": 110, "forecast_ranges": 0.018164647421612848}'),
	(7, 3, '1975-02-01', NULL, NULL, 'fallback', 'constant', 'All months the network would be trained on are equal.', 'base_path', '65ff24313f0ce74151c3926f9d306f857d21f8c07d8e70baeb4d5156b500a21f', 5, '{"member": false, "constant": true, "last_month": "1975-02", "observations": 110}');
INSERT INTO milkrun.run_shard VALUES
	(1, 0, '2026-11-26 00:33:23.628287+00'),
	(2, 0, '2026-11-26 00:33:23.666671+00'),
	(3, 0, '2026-11-26 00:33:23.70476+00'),
	(4, 0, '2026-11-26 00:33:23.749774+00'),
	(5, 0, '2026-11-26 00:33:23.877945+00'),
	(6, 0, '2026-11-26 00:33:23.929579+00'),
	(7, 0, '2026-11-26 00:33:24.220524+00');
INSERT INTO milkrun.series OVERRIDING SYSTEM VALUE VALUES
	(1, 'milk', 'pounds per cow', true, 1),
	(2, 'butter', 'tons', true, 1),
	(3, 'salt', 'tons', true, 1);
SELECT pg_catalog.setval('milkrun.load_load_id_seq', 6, true);
SELECT pg_catalog.setval('milkrun.promotion_promotion_id_seq', 1, true);
SELECT pg_catalog.setval('milkrun.run_run_id_seq', 8, true);
SELECT pg_catalog.setval('milkrun.series_series_id_seq', 3, true);
ALTER TABLE ONLY milkrun.alembic_version
    ADD CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num);
ALTER TABLE ONLY milkrun.bundle_member
    ADD CONSTRAINT bundle_member_pkey PRIMARY KEY (bundle_id, series_id);
ALTER TABLE ONLY milkrun.bundle
    ADD CONSTRAINT bundle_pkey PRIMARY KEY (bundle_id);
ALTER TABLE ONLY milkrun.filled_month
    ADD CONSTRAINT filled_month_pkey PRIMARY KEY (run_id, series_id, month);
ALTER TABLE ONLY milkrun.forecast_change_part
    ADD CONSTRAINT forecast_change_part_pkey PRIMARY KEY (run_id, series_id);
ALTER TABLE ONLY milkrun.forecast
    ADD CONSTRAINT forecast_pkey PRIMARY KEY (run_id, series_id, horizon);
ALTER TABLE ONLY milkrun.load
    ADD CONSTRAINT load_pkey PRIMARY KEY (load_id);
ALTER TABLE ONLY milkrun.observation
    ADD CONSTRAINT observation_pkey PRIMARY KEY (series_id, month, load_id);
ALTER TABLE ONLY milkrun.promotion
    ADD CONSTRAINT promotion_pkey PRIMARY KEY (promotion_id);
ALTER TABLE ONLY milkrun.recipe
    ADD CONSTRAINT recipe_pkey PRIMARY KEY (recipe_hash);
ALTER TABLE ONLY milkrun.rejected_row
    ADD CONSTRAINT rejected_row_pkey PRIMARY KEY (load_id, "position");
ALTER TABLE ONLY milkrun.rmse_history
    ADD CONSTRAINT rmse_history_pkey PRIMARY KEY (run_id, series_id, split, horizon);
ALTER TABLE ONLY milkrun.run_network
    ADD CONSTRAINT run_network_pkey PRIMARY KEY (run_id);
ALTER TABLE ONLY milkrun.run
    ADD CONSTRAINT run_pkey PRIMARY KEY (run_id);
ALTER TABLE ONLY milkrun.run
    ADD CONSTRAINT run_request_key UNIQUE (kind, origin, as_of, recipe_hash, policy, scope, attempt);
ALTER TABLE ONLY milkrun.run_series
    ADD CONSTRAINT run_series_pkey PRIMARY KEY (run_id, series_id);
ALTER TABLE ONLY milkrun.run_shard
    ADD CONSTRAINT run_shard_pkey PRIMARY KEY (run_id, shard);
ALTER TABLE ONLY milkrun.series
    ADD CONSTRAINT series_name_key UNIQUE (name);
ALTER TABLE ONLY milkrun.series
    ADD CONSTRAINT series_pkey PRIMARY KEY (series_id);
CREATE INDEX promotion_run_idx ON milkrun.promotion USING btree (run_id, series_id);
CREATE INDEX run_series_latest_idx ON milkrun.run_series USING btree (series_id, run_id);
CREATE TRIGGER bundle_payload_stays BEFORE UPDATE OF payload ON milkrun.bundle FOR EACH ROW EXECUTE FUNCTION milkrun.bundle_payload_stays();
CREATE TRIGGER forecast_run_id_series_id_delete AFTER DELETE ON milkrun.run_series REFERENCING OLD TABLE AS removed FOR EACH STATEMENT EXECUTE FUNCTION milkrun.forecast_run_id_series_id_keep();
CREATE TRIGGER forecast_run_id_series_id_insert AFTER INSERT ON milkrun.forecast REFERENCING NEW TABLE AS written FOR EACH STATEMENT EXECUTE FUNCTION milkrun.forecast_run_id_series_id_refer();
CREATE TRIGGER forecast_run_id_series_id_truncate BEFORE TRUNCATE ON milkrun.run_series FOR EACH STATEMENT EXECUTE FUNCTION milkrun.forecast_run_id_series_id_keep();
CREATE TRIGGER forecast_run_id_series_id_update AFTER UPDATE ON milkrun.forecast REFERENCING NEW TABLE AS written FOR EACH STATEMENT EXECUTE FUNCTION milkrun.forecast_run_id_series_id_refer();
CREATE TRIGGER forecast_run_id_series_id_update AFTER UPDATE ON milkrun.run_series REFERENCING OLD TABLE AS removed FOR EACH STATEMENT EXECUTE FUNCTION milkrun.forecast_run_id_series_id_keep();
CREATE TRIGGER rmse_history_actuals_as_of_delete AFTER DELETE ON milkrun.load REFERENCING OLD TABLE AS removed FOR EACH STATEMENT EXECUTE FUNCTION milkrun.rmse_history_actuals_as_of_keep();
CREATE TRIGGER rmse_history_actuals_as_of_insert AFTER INSERT ON milkrun.rmse_history REFERENCING NEW TABLE AS written FOR EACH STATEMENT EXECUTE FUNCTION milkrun.rmse_history_actuals_as_of_refer();
CREATE TRIGGER rmse_history_actuals_as_of_truncate BEFORE TRUNCATE ON milkrun.load FOR EACH STATEMENT EXECUTE FUNCTION milkrun.rmse_history_actuals_as_of_keep();
CREATE TRIGGER rmse_history_actuals_as_of_update AFTER UPDATE ON milkrun.load REFERENCING OLD TABLE AS removed FOR EACH STATEMENT EXECUTE FUNCTION milkrun.rmse_history_actuals_as_of_keep();
CREATE TRIGGER rmse_history_actuals_as_of_update AFTER UPDATE ON milkrun.rmse_history REFERENCING NEW TABLE AS written FOR EACH STATEMENT EXECUTE FUNCTION milkrun.rmse_history_actuals_as_of_refer();
CREATE TRIGGER rmse_history_run_id_series_id_delete AFTER DELETE ON milkrun.run_series REFERENCING OLD TABLE AS removed FOR EACH STATEMENT EXECUTE FUNCTION milkrun.rmse_history_run_id_series_id_keep();
CREATE TRIGGER rmse_history_run_id_series_id_insert AFTER INSERT ON milkrun.rmse_history REFERENCING NEW TABLE AS written FOR EACH STATEMENT EXECUTE FUNCTION milkrun.rmse_history_run_id_series_id_refer();
CREATE TRIGGER rmse_history_run_id_series_id_truncate BEFORE TRUNCATE ON milkrun.run_series FOR EACH STATEMENT EXECUTE FUNCTION milkrun.rmse_history_run_id_series_id_keep();
CREATE TRIGGER rmse_history_run_id_series_id_update AFTER UPDATE ON milkrun.rmse_history REFERENCING NEW TABLE AS written FOR EACH STATEMENT EXECUTE FUNCTION milkrun.rmse_history_run_id_series_id_refer();
CREATE TRIGGER rmse_history_run_id_series_id_update AFTER UPDATE ON milkrun.run_series REFERENCING OLD TABLE AS removed FOR EACH STATEMENT EXECUTE FUNCTION milkrun.rmse_history_run_id_series_id_keep();
CREATE TRIGGER run_stays_published BEFORE UPDATE ON milkrun.run FOR EACH ROW WHEN ((old.state = 'published'::text)) EXECUTE FUNCTION milkrun.run_stays_published();
ALTER TABLE ONLY milkrun.bundle
    ADD CONSTRAINT bundle_as_of_fkey FOREIGN KEY (as_of) REFERENCES milkrun.load(load_id);
ALTER TABLE ONLY milkrun.bundle_member
    ADD CONSTRAINT bundle_member_bundle_id_fkey FOREIGN KEY (bundle_id) REFERENCES milkrun.bundle(bundle_id);
ALTER TABLE ONLY milkrun.bundle_member
    ADD CONSTRAINT bundle_member_series_id_fkey FOREIGN KEY (series_id) REFERENCES milkrun.series(series_id);
ALTER TABLE ONLY milkrun.bundle
    ADD CONSTRAINT bundle_recipe_hash_fkey FOREIGN KEY (recipe_hash) REFERENCES milkrun.recipe(recipe_hash);
ALTER TABLE ONLY milkrun.filled_month
    ADD CONSTRAINT filled_month_run_id_fkey FOREIGN KEY (run_id) REFERENCES milkrun.run(run_id);
ALTER TABLE ONLY milkrun.filled_month
    ADD CONSTRAINT filled_month_series_id_fkey FOREIGN KEY (series_id) REFERENCES milkrun.series(series_id);
ALTER TABLE ONLY milkrun.forecast_change_part
    ADD CONSTRAINT forecast_change_part_previous_run_id_fkey FOREIGN KEY (previous_run_id) REFERENCES milkrun.run(run_id);
ALTER TABLE ONLY milkrun.observation
    ADD CONSTRAINT observation_load_id_fkey FOREIGN KEY (load_id) REFERENCES milkrun.load(load_id);
ALTER TABLE ONLY milkrun.observation
    ADD CONSTRAINT observation_series_id_fkey FOREIGN KEY (series_id) REFERENCES milkrun.series(series_id);
ALTER TABLE ONLY milkrun.promotion
    ADD CONSTRAINT promotion_bundle_id_fkey FOREIGN KEY (bundle_id) REFERENCES milkrun.bundle(bundle_id);
ALTER TABLE ONLY milkrun.promotion
    ADD CONSTRAINT promotion_run_id_fkey FOREIGN KEY (run_id) REFERENCES milkrun.run(run_id);
ALTER TABLE ONLY milkrun.promotion
    ADD CONSTRAINT promotion_series_id_fkey FOREIGN KEY (series_id) REFERENCES milkrun.series(series_id);
ALTER TABLE ONLY milkrun.rejected_row
    ADD CONSTRAINT rejected_row_load_id_fkey FOREIGN KEY (load_id) REFERENCES milkrun.load(load_id);
ALTER TABLE ONLY milkrun.run
    ADD CONSTRAINT run_as_of_fkey FOREIGN KEY (as_of) REFERENCES milkrun.load(load_id);
ALTER TABLE ONLY milkrun.run_network
    ADD CONSTRAINT run_network_bundle_id_fkey FOREIGN KEY (bundle_id) REFERENCES milkrun.bundle(bundle_id);
ALTER TABLE ONLY milkrun.run_network
    ADD CONSTRAINT run_network_run_id_fkey FOREIGN KEY (run_id) REFERENCES milkrun.run(run_id);
ALTER TABLE ONLY milkrun.run
    ADD CONSTRAINT run_recipe_hash_fkey FOREIGN KEY (recipe_hash) REFERENCES milkrun.recipe(recipe_hash);
ALTER TABLE ONLY milkrun.run_series
    ADD CONSTRAINT run_series_bundle_id_fkey FOREIGN KEY (bundle_id) REFERENCES milkrun.bundle(bundle_id);
ALTER TABLE ONLY milkrun.run_series
    ADD CONSTRAINT run_series_run_id_fkey FOREIGN KEY (run_id) REFERENCES milkrun.run(run_id);
ALTER TABLE ONLY milkrun.run_series
    ADD CONSTRAINT run_series_series_id_fkey FOREIGN KEY (series_id) REFERENCES milkrun.series(series_id);
ALTER TABLE ONLY milkrun.run_shard
    ADD CONSTRAINT run_shard_run_id_fkey FOREIGN KEY (run_id) REFERENCES milkrun.run(run_id);
ALTER TABLE ONLY milkrun.series
    ADD CONSTRAINT series_first_load_id_fkey FOREIGN KEY (first_load_id) REFERENCES milkrun.load(load_id);
