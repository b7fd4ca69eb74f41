-- The tables as revision 0012 makes them. Later revisions change them; forecasting/storage/db/tables.py has them as they
-- are today.

CREATE TABLE milkrun.load (
    load_id        bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    source         text NOT NULL,
    sealed_at      timestamptz NOT NULL DEFAULT now(),
    rows_read      bigint NOT NULL,
    rows_added     bigint NOT NULL,
    rows_unchanged bigint NOT NULL,
    rows_collapsed bigint NOT NULL,
    rows_rejected  bigint NOT NULL,
    sha256         text,
    CONSTRAINT load_accounted_check CHECK (rows_read = rows_added + rows_unchanged + rows_collapsed + rows_rejected)
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

CREATE TABLE milkrun.series (
    series_id     integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name          text NOT NULL UNIQUE,
    unit          text,
    active        boolean NOT NULL DEFAULT true,
    first_load_id bigint NOT NULL REFERENCES milkrun.load,
    CONSTRAINT series_name_check CHECK (length(name) >= 1 AND length(name) <= 200 AND name !~ '[[:cntrl:]]')
);
COMMENT ON TABLE milkrun.series IS 'One monthly variable.';
COMMENT ON COLUMN milkrun.series.series_id IS 'Running number of the series.';
COMMENT ON COLUMN milkrun.series.name IS 'Stable name, as analysts write it.';
COMMENT ON COLUMN milkrun.series.unit IS 'Unit of the values, such as pounds per cow.';
COMMENT ON COLUMN milkrun.series.active IS 'Whether runs forecast it.';
COMMENT ON COLUMN milkrun.series.first_load_id IS 'Load that brought it.';

CREATE TABLE milkrun.observation (
    series_id integer REFERENCES milkrun.series,
    month     date,
    load_id   bigint REFERENCES milkrun.load,
    value     double precision NOT NULL,
    PRIMARY KEY (series_id, month, load_id),
    CONSTRAINT observation_month_check
        CHECK (month = date_trunc('month', month) AND month BETWEEN '1700-01-01' AND '2200-12-01'),
    CONSTRAINT observation_value_check CHECK (abs(value) <= 1e15)
);
COMMENT ON TABLE milkrun.observation IS 'Value of a series for a month as learned by a load; a revision is a new row.';
COMMENT ON COLUMN milkrun.observation.series_id IS 'Series that it is of.';
COMMENT ON COLUMN milkrun.observation.month IS 'First day of the calendar month.';
COMMENT ON COLUMN milkrun.observation.load_id IS 'Vintage that brought it.';
COMMENT ON COLUMN milkrun.observation.value IS 'In the unit of the series.';

CREATE TABLE milkrun.rejected_row (
    load_id  bigint REFERENCES milkrun.load,
    position bigint,
    line     bigint NOT NULL,
    raw      text NOT NULL,
    reason   text NOT NULL,
    PRIMARY KEY (load_id, position)
);
COMMENT ON TABLE milkrun.rejected_row IS 'Every value that a load did not accept.';
COMMENT ON COLUMN milkrun.rejected_row.load_id IS 'Load that rejected it.';
COMMENT ON COLUMN milkrun.rejected_row.position IS 'Running number of the value within the load.';
COMMENT ON COLUMN milkrun.rejected_row.line IS 'Line of the file or row of the query, the header being line 1.';
COMMENT ON COLUMN milkrun.rejected_row.raw IS 'What was read, shortened and with control characters escaped.';
COMMENT ON COLUMN milkrun.rejected_row.reason IS 'Why it was rejected.';

CREATE TABLE milkrun.recipe (
    recipe_hash text PRIMARY KEY,
    name        text NOT NULL,
    settings    jsonb NOT NULL,
    created_at  timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE milkrun.recipe IS 'Named settings of networks, windows, scaling and training.';
COMMENT ON COLUMN milkrun.recipe.recipe_hash IS 'SHA-256 of the settings.';
COMMENT ON COLUMN milkrun.recipe.name IS
    'Name that runs are asked for by; two recipes of one name differ in their hash.';
COMMENT ON COLUMN milkrun.recipe.settings IS 'All settings, as plain JSON.';
COMMENT ON COLUMN milkrun.recipe.created_at IS 'When a run first used it.';

CREATE TABLE milkrun.bundle (
    bundle_id   text PRIMARY KEY,
    recipe_hash text NOT NULL REFERENCES milkrun.recipe,
    origin      date NOT NULL,
    as_of       bigint NOT NULL REFERENCES milkrun.load,
    payload     bytea NOT NULL,
    manifest    jsonb NOT NULL,
    created_at  timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT bundle_origin_check
        CHECK (origin = date_trunc('month', origin) AND origin BETWEEN '1700-01-01' AND '2200-12-01')
);
COMMENT ON TABLE milkrun.bundle IS 'Networks of one shard with their provenance, as plain numbers.';
COMMENT ON COLUMN milkrun.bundle.bundle_id IS 'SHA-256 of content and manifest.';
COMMENT ON COLUMN milkrun.bundle.recipe_hash IS 'Recipe of its networks.';
COMMENT ON COLUMN milkrun.bundle.origin IS 'Origin of the run that trained it.';
COMMENT ON COLUMN milkrun.bundle.as_of IS 'Newest load it could know.';
COMMENT ON COLUMN milkrun.bundle.payload IS
    'Little-endian float32 tensors back to back; empty where milkrun prune removed them.';
COMMENT ON COLUMN milkrun.bundle.manifest IS 'Names, shapes, digest, versions and seeds: plain JSON.';
COMMENT ON COLUMN milkrun.bundle.created_at IS 'When it was stored.';

CREATE TABLE milkrun.bundle_member (
    bundle_id       text REFERENCES milkrun.bundle,
    series_id       integer REFERENCES milkrun.series,
    position        integer NOT NULL,
    scaler          jsonb NOT NULL,
    trained_through date NOT NULL,
    origin          date NOT NULL,
    train_rmse      double precision,
    test_rmse       double precision,
    scores          jsonb,
    PRIMARY KEY (bundle_id, series_id),
    CONSTRAINT bundle_member_trained_through_check
        CHECK (trained_through = date_trunc('month', trained_through) AND trained_through BETWEEN '1700-01-01' AND '2200-12-01'),
    CONSTRAINT bundle_member_origin_check
        CHECK (origin = date_trunc('month', origin) AND origin BETWEEN '1700-01-01' AND '2200-12-01')
);
COMMENT ON TABLE milkrun.bundle_member IS 'The network and the scaler of one series in a bundle.';
COMMENT ON COLUMN milkrun.bundle_member.bundle_id IS 'Bundle that holds the network.';
COMMENT ON COLUMN milkrun.bundle_member.series_id IS 'Series that the network is of.';
COMMENT ON COLUMN milkrun.bundle_member.position IS 'Row of the tensors that holds this series'' network.';
COMMENT ON COLUMN milkrun.bundle_member.scaler IS 'Fitted scaler and intervals, as numbers.';
COMMENT ON COLUMN milkrun.bundle_member.trained_through IS 'Last month that the weights or the scaler have seen.';
COMMENT ON COLUMN milkrun.bundle_member.origin IS 'The series'' own last month at training.';
COMMENT ON COLUMN milkrun.bundle_member.train_rmse IS
    'In the unit of the series, one month ahead; empty where too short to tell.';
COMMENT ON COLUMN milkrun.bundle_member.test_rmse IS
    'On months that were held out, one month ahead; empty where too short to tell.';
COMMENT ON COLUMN milkrun.bundle_member.scores IS
    'Per split and horizon, of networks that series share: what rmse_history gets.';

CREATE TABLE milkrun.run (
    run_id              bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    kind                text NOT NULL,
    origin              date NOT NULL,
    as_of               bigint NOT NULL REFERENCES milkrun.load,
    vintages            text NOT NULL,
    recipe_hash         text NOT NULL REFERENCES milkrun.recipe,
    policy              jsonb NOT NULL,
    scope               text NOT NULL,
    series_ids          integer[] NOT NULL,
    shard_size          integer NOT NULL,
    code_version        text NOT NULL,
    trigger             text NOT NULL,
    prefect_flow_run_id text,
    state               text NOT NULL DEFAULT 'open',
    started_at          timestamptz NOT NULL DEFAULT now(),
    published_at        timestamptz,
    attempt             integer NOT NULL DEFAULT 1,
    CONSTRAINT run_request_key UNIQUE (kind, origin, as_of, recipe_hash, policy, scope, attempt),
    CONSTRAINT run_origin_check
        CHECK (origin = date_trunc('month', origin) AND origin BETWEEN '1700-01-01' AND '2200-12-01'),
    CONSTRAINT run_kind_check CHECK (kind IN ('live', 'backfill')),
    CONSTRAINT run_vintages_check CHECK (vintages IN ('as_of', 'latest')),
    CONSTRAINT run_state_check CHECK (state IN ('open', 'published')),
    CONSTRAINT run_published_at_check CHECK ((state = 'published') = (published_at IS NOT NULL)),
    CONSTRAINT run_shards_check CHECK (cardinality(series_ids) > 0 AND shard_size > 0),
    CONSTRAINT run_attempt_check CHECK (attempt >= 1)
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
COMMENT ON COLUMN milkrun.run.attempt IS
    '1, or more where the same request was asked for again: milkrun backfill --reprocess.';

CREATE TABLE milkrun.run_network (
    run_id     bigint PRIMARY KEY REFERENCES milkrun.run,
    decision   text,
    reason     text NOT NULL,
    detail     text,
    bundle_id  text REFERENCES milkrun.bundle,
    decided_at timestamptz NOT NULL DEFAULT now(),
    evidence   jsonb,
    CONSTRAINT run_network_decision_check CHECK (decision IN ('retrain', 'reuse')),
    CONSTRAINT run_network_bundle_check CHECK (decision <> 'reuse' OR bundle_id IS NOT NULL)
);
COMMENT ON TABLE milkrun.run_network IS
    'The networks that all series of a run share, where they do: trained or reused once, before the shards.';
COMMENT ON COLUMN milkrun.run_network.run_id IS 'Run whose series share them.';
COMMENT ON COLUMN milkrun.run_network.decision IS 'retrain or reuse; empty where neither is possible.';
COMMENT ON COLUMN milkrun.run_network.reason IS 'Short word for the reason of the decision.';
COMMENT ON COLUMN milkrun.run_network.detail IS 'The reason in a sentence, with months and numbers.';
COMMENT ON COLUMN milkrun.run_network.bundle_id IS 'The networks; empty where training gave none.';
COMMENT ON COLUMN milkrun.run_network.decided_at IS 'When it was decided and, if so, trained.';
COMMENT ON COLUMN milkrun.run_network.evidence IS
    'What the decision was made from, as plain JSON; empty in rows of older releases.';

CREATE TABLE milkrun.run_shard (
    run_id      bigint REFERENCES milkrun.run,
    shard       integer,
    finished_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (run_id, shard)
);
COMMENT ON TABLE milkrun.run_shard IS
    'Claim of a shard, in the transaction that writes its rows: a shard is written once.';
COMMENT ON COLUMN milkrun.run_shard.run_id IS 'Run that the shard is of.';
COMMENT ON COLUMN milkrun.run_shard.shard IS 'Position of the shard in series_ids, from 0.';
COMMENT ON COLUMN milkrun.run_shard.finished_at IS 'When its rows were committed.';

CREATE TABLE milkrun.run_series (
    run_id          bigint REFERENCES milkrun.run,
    series_id       integer REFERENCES milkrun.series,
    origin          date,
    decision        text,
    decision_reason text,
    outcome         text NOT NULL,
    reason          text NOT NULL,
    detail          text,
    method          text,
    bundle_id       text REFERENCES milkrun.bundle,
    last_value      double precision,
    evidence        jsonb,
    PRIMARY KEY (run_id, series_id),
    CONSTRAINT run_series_origin_check
        CHECK (origin = date_trunc('month', origin) AND origin BETWEEN '1700-01-01' AND '2200-12-01'),
    CONSTRAINT run_series_decision_check CHECK (decision IN ('retrain', 'reuse')),
    CONSTRAINT run_series_outcome_check CHECK (outcome IN ('forecast', 'fallback', 'held', 'refused', 'failed')),
    CONSTRAINT run_series_decision_reason_check CHECK ((decision IS NULL) = (decision_reason IS NULL)),
    CONSTRAINT run_series_method_check CHECK ((outcome IN ('forecast', 'fallback')) = (method IS NOT NULL)),
    CONSTRAINT run_series_last_value_check CHECK (last_value > '-Infinity' AND last_value < 'Infinity'),
    CONSTRAINT run_series_bundle_check CHECK (outcome <> 'forecast' OR (bundle_id IS NOT NULL AND method = 'lstm'))
);
CREATE INDEX run_series_latest_idx ON milkrun.run_series (series_id, run_id);
COMMENT ON TABLE milkrun.run_series IS 'Decision and outcome of every series of a run, each with its reason.';
COMMENT ON COLUMN milkrun.run_series.run_id IS 'Run that decided.';
COMMENT ON COLUMN milkrun.run_series.series_id IS 'Series decided about.';
COMMENT ON COLUMN milkrun.run_series.origin IS
    'Last observed month that was used: the run''s origin, or earlier where the series is late.';
COMMENT ON COLUMN milkrun.run_series.decision IS 'retrain or reuse; empty where no network was needed.';
COMMENT ON COLUMN milkrun.run_series.decision_reason IS 'Short word for the reason of the decision.';
COMMENT ON COLUMN milkrun.run_series.outcome IS 'forecast, fallback, held, refused or failed.';
COMMENT ON COLUMN milkrun.run_series.reason IS 'Short word for the reason of the outcome.';
COMMENT ON COLUMN milkrun.run_series.detail IS 'The reason in a sentence, with months and numbers.';
COMMENT ON COLUMN milkrun.run_series.method IS 'lstm, base_path or seasonal_naive: what made the numbers.';
COMMENT ON COLUMN milkrun.run_series.bundle_id IS 'Bundle whose network made the forecast.';
COMMENT ON COLUMN milkrun.run_series.last_value IS 'Value of the last month used: the naive forecast of every horizon.';
COMMENT ON COLUMN milkrun.run_series.evidence IS
    'What the decision was made from, as plain JSON; empty in rows of older releases.';

CREATE TABLE milkrun.promotion (
    promotion_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    run_id       bigint NOT NULL REFERENCES milkrun.run,
    series_id    integer REFERENCES milkrun.series,
    bundle_id    text NOT NULL REFERENCES milkrun.bundle,
    kind         text NOT NULL,
    why          text NOT NULL,
    made_by      text NOT NULL,
    made_at      timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT promotion_kind_check CHECK (kind IN ('rollback', 'promote')),
    CONSTRAINT promotion_why_check CHECK (length(why) > 0)
);
CREATE INDEX promotion_run_idx ON milkrun.promotion (run_id, series_id);
COMMENT ON TABLE milkrun.promotion IS 'Bundles that somebody put in charge, by milkrun rollback or milkrun promote.';
COMMENT ON COLUMN milkrun.promotion.promotion_id IS 'Running number; the last counts.';
COMMENT ON COLUMN milkrun.promotion.run_id IS
    'Newest run when it was ordered: what builds on that run goes on with this bundle instead.';
COMMENT ON COLUMN milkrun.promotion.series_id IS
    'Series that it is for; empty for the networks that all series of the run share.';
COMMENT ON COLUMN milkrun.promotion.bundle_id IS 'Bundle that was put in charge.';
COMMENT ON COLUMN milkrun.promotion.kind IS 'rollback or promote.';
COMMENT ON COLUMN milkrun.promotion.why IS 'Reason, as it was given.';
COMMENT ON COLUMN milkrun.promotion.made_by IS 'Who ordered it.';
COMMENT ON COLUMN milkrun.promotion.made_at IS 'When it was ordered.';

CREATE TABLE milkrun.filled_month (
    run_id    bigint REFERENCES milkrun.run,
    series_id integer REFERENCES milkrun.series,
    month     date,
    value     double precision NOT NULL,
    rule      text NOT NULL,
    PRIMARY KEY (run_id, series_id, month),
    CONSTRAINT filled_month_month_check
        CHECK (month = date_trunc('month', month) AND month BETWEEN '1700-01-01' AND '2200-12-01'),
    CONSTRAINT filled_month_value_check CHECK (value > '-Infinity' AND value < 'Infinity')
);
COMMENT ON TABLE milkrun.filled_month IS 'Months missing in the observations that a run filled, and with what.';
COMMENT ON COLUMN milkrun.filled_month.run_id IS 'Run that filled it.';
COMMENT ON COLUMN milkrun.filled_month.series_id IS 'Series that lacks the month.';
COMMENT ON COLUMN milkrun.filled_month.month IS 'The missing month, its first day.';
COMMENT ON COLUMN milkrun.filled_month.value IS 'What the run took instead, in the unit of the series.';
COMMENT ON COLUMN milkrun.filled_month.rule IS 'year_before or last_value.';

CREATE TABLE milkrun.forecast (
    run_id         bigint,
    series_id      integer,
    horizon        smallint,
    month          date NOT NULL,
    value          double precision NOT NULL,
    seasonal_naive double precision,
    lower_80       double precision,
    upper_80       double precision,
    lower_95       double precision,
    upper_95       double precision,
    base_path      double precision,
    PRIMARY KEY (run_id, series_id, horizon),
    CONSTRAINT forecast_horizon_check CHECK (horizon >= 1),
    CONSTRAINT forecast_month_check
        CHECK (month = date_trunc('month', month) AND month BETWEEN '1700-01-01' AND '2200-12-01'),
    CONSTRAINT forecast_value_check CHECK (value > '-Infinity' AND value < 'Infinity'),
    CONSTRAINT forecast_seasonal_naive_check CHECK (seasonal_naive > '-Infinity' AND seasonal_naive < 'Infinity'),
    CONSTRAINT forecast_base_path_check CHECK (base_path > '-Infinity' AND base_path < 'Infinity'),
    CONSTRAINT forecast_intervals_check CHECK (lower_95 <= lower_80 AND lower_80 <= upper_80 AND upper_80 <= upper_95),
    CONSTRAINT forecast_intervals_finite_check CHECK (lower_95 > '-Infinity' AND upper_95 < 'Infinity')
);
COMMENT ON TABLE milkrun.forecast IS 'Forecast of a series for a target month; a newer forecast is a new row.';
COMMENT ON COLUMN milkrun.forecast.run_id IS 'Run that made it.';
COMMENT ON COLUMN milkrun.forecast.series_id IS 'Series that it is of.';
COMMENT ON COLUMN milkrun.forecast.horizon IS 'Months from the series'' origin to the target month.';
COMMENT ON COLUMN milkrun.forecast.month IS 'Target month.';
COMMENT ON COLUMN milkrun.forecast.value IS 'In the unit of the series.';
COMMENT ON COLUMN milkrun.forecast.seasonal_naive IS
    'The baseline as known at the origin: the same month a year before.';
COMMENT ON COLUMN milkrun.forecast.lower_80 IS
    'Lower end of the 80 % interval, in the unit of the series; empty where the recipe gives none.';
COMMENT ON COLUMN milkrun.forecast.upper_80 IS 'Upper end of the 80 % interval.';
COMMENT ON COLUMN milkrun.forecast.lower_95 IS
    'Lower end of the 95 % interval, in the unit of the series; empty where the recipe gives none.';
COMMENT ON COLUMN milkrun.forecast.upper_95 IS 'Upper end of the 95 % interval.';
COMMENT ON COLUMN milkrun.forecast.base_path IS 'The base path of the recipe monthly: what its networks correct.';

CREATE TABLE milkrun.forecast_change_part (
    run_id          bigint,
    series_id       integer,
    previous_run_id bigint NOT NULL REFERENCES milkrun.run,
    reason          text,
    new_months      double precision[],
    revisions       double precision[],
    network         double precision[],
    recipe_change   double precision[],
    PRIMARY KEY (run_id, series_id),
    CONSTRAINT forecast_change_part_new_months_check
        CHECK ('Infinity' > ALL (new_months) AND '-Infinity' < ALL (new_months)),
    CONSTRAINT forecast_change_part_revisions_check
        CHECK ('Infinity' > ALL (revisions) AND '-Infinity' < ALL (revisions)),
    CONSTRAINT forecast_change_part_network_check CHECK ('Infinity' > ALL (network) AND '-Infinity' < ALL (network)),
    CONSTRAINT forecast_change_part_recipe_change_check
        CHECK ('Infinity' > ALL (recipe_change) AND '-Infinity' < ALL (recipe_change)),
    CONSTRAINT forecast_change_part_reason_check
        CHECK (reason IS NULL OR num_nulls(new_months, revisions, network, recipe_change) = 4)
);
COMMENT ON TABLE milkrun.forecast_change_part IS
    'Why forecasts differ from those of the series'' previous run: parts that add up to the difference.';
COMMENT ON COLUMN milkrun.forecast_change_part.run_id IS 'Run whose forecasts moved.';
COMMENT ON COLUMN milkrun.forecast_change_part.series_id IS 'Series that they are of.';
COMMENT ON COLUMN milkrun.forecast_change_part.previous_run_id IS 'Run that it is compared with.';
COMMENT ON COLUMN milkrun.forecast_change_part.reason IS
    'Short word for why the parts are not known; empty where they are.';
COMMENT ON COLUMN milkrun.forecast_change_part.new_months IS
    'What months observed since moved, by horizon, in the unit of the series; empty: nothing.';
COMMENT ON COLUMN milkrun.forecast_change_part.revisions IS
    'What changed values of months that were known moved, by horizon, in the unit of the series; empty: nothing.';
COMMENT ON COLUMN milkrun.forecast_change_part.network IS
    'What another network, scaler or method moved, by horizon, in the unit of the series; empty: nothing.';
COMMENT ON COLUMN milkrun.forecast_change_part.recipe_change IS
    'What another recipe moved, by horizon, in the unit of the series; empty: nothing.';

CREATE TABLE milkrun.rmse_history (
    run_id              bigint,
    series_id           integer,
    split               text,
    horizon             smallint,
    n                   integer NOT NULL,
    rmse                double precision NOT NULL,
    baseline_rmse       double precision,
    skill               double precision,
    coverage_80         double precision,
    coverage_95         double precision,
    actuals_as_of       bigint NOT NULL,
    naive_rmse          double precision,
    base_path_rmse      double precision,
    rmse_first          double precision,
    baseline_rmse_first double precision,
    PRIMARY KEY (run_id, series_id, split, horizon),
    CONSTRAINT rmse_history_split_check CHECK (split IN ('train', 'test', 'live')),
    CONSTRAINT rmse_history_counts_check CHECK (n >= 1 AND horizon >= 1),
    CONSTRAINT rmse_history_rmse_check CHECK (rmse >= 0 AND rmse < 'Infinity'),
    CONSTRAINT rmse_history_rmse_first_check CHECK (rmse_first >= 0 AND rmse_first < 'Infinity'),
    CONSTRAINT rmse_history_baseline_rmse_check CHECK (baseline_rmse >= 0 AND baseline_rmse < 'Infinity'),
    CONSTRAINT rmse_history_baseline_rmse_first_check
        CHECK (baseline_rmse_first >= 0 AND baseline_rmse_first < 'Infinity'),
    CONSTRAINT rmse_history_naive_rmse_check CHECK (naive_rmse >= 0 AND naive_rmse < 'Infinity'),
    CONSTRAINT rmse_history_base_path_rmse_check CHECK (base_path_rmse >= 0 AND base_path_rmse < 'Infinity'),
    CONSTRAINT rmse_history_skill_check CHECK (skill <= 1 AND skill >= '-Infinity')
);
COMMENT ON TABLE milkrun.rmse_history IS 'RMSE per series, split and horizon as found by each run.';
COMMENT ON COLUMN milkrun.rmse_history.run_id IS 'Run that found it.';
COMMENT ON COLUMN milkrun.rmse_history.series_id IS 'Series that it is of.';
COMMENT ON COLUMN milkrun.rmse_history.split IS 'train, test or live.';
COMMENT ON COLUMN milkrun.rmse_history.horizon IS 'Months ahead.';
COMMENT ON COLUMN milkrun.rmse_history.n IS 'Number of months scored.';
COMMENT ON COLUMN milkrun.rmse_history.rmse IS 'Root mean squared error in the unit of the series.';
COMMENT ON COLUMN milkrun.rmse_history.baseline_rmse IS 'The seasonal naive''s, on the same months.';
COMMENT ON COLUMN milkrun.rmse_history.skill IS
    '1 - rmse / baseline_rmse; 0 where both are 0; empty without a baseline.';
COMMENT ON COLUMN milkrun.rmse_history.coverage_80 IS 'Share of actuals inside the 80 % interval.';
COMMENT ON COLUMN milkrun.rmse_history.coverage_95 IS 'Share of actuals inside the 95 % interval.';
COMMENT ON COLUMN milkrun.rmse_history.actuals_as_of IS 'Newest load of the actuals.';
COMMENT ON COLUMN milkrun.rmse_history.naive_rmse IS 'The naive''s, on the same months.';
COMMENT ON COLUMN milkrun.rmse_history.base_path_rmse IS
    'The base path''s, on the same months, where the recipe has one.';
COMMENT ON COLUMN milkrun.rmse_history.rmse_first IS
    'Of live forecasts, against the value of each month that was released first; empty where none was revised.';
COMMENT ON COLUMN milkrun.rmse_history.baseline_rmse_first IS
    'The seasonal naive''s, against the values released first.';
