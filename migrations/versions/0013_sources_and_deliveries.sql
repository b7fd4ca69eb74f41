-- Sources, deliveries, and who asked for loads and runs.

ALTER TABLE milkrun.load ADD COLUMN made_by text, ADD COLUMN aggregate text,
    ADD CONSTRAINT load_aggregate_check CHECK (aggregate IN ('sum', 'mean', 'last', 'first'));
ALTER TABLE milkrun.run ADD COLUMN made_by text;
COMMENT ON COLUMN milkrun.load.made_by IS 'Who asked for it; empty in rows of older releases.';
COMMENT ON COLUMN milkrun.load.aggregate IS 'How several values of one month became one; empty where that was not asked for.';
COMMENT ON COLUMN milkrun.run.made_by IS 'Who asked for it; empty in rows of older releases.';
COMMENT ON COLUMN milkrun.run.trigger IS 'What started it: schedule, deployment, command line or python; a deployment is started in the UI or by the API.';

CREATE TABLE milkrun.source_pull (
    pull_id BIGINT GENERATED ALWAYS AS IDENTITY,
    source TEXT NOT NULL,
    settings JSONB NOT NULL,
    since DATE,
    load_id BIGINT,
    rows_read BIGINT,
    rows_added BIGINT,
    rows_rejected BIGINT,
    newest_month DATE,
    digest TEXT,
    as_of BIGINT,
    error TEXT,
    started_at TIMESTAMP WITH TIME ZONE NOT NULL,
    ended_at TIMESTAMP WITH TIME ZONE DEFAULT clock_timestamp() NOT NULL,
    made_by TEXT NOT NULL,
    prefect_flow_run_id TEXT,
    CONSTRAINT source_pull_pkey PRIMARY KEY (pull_id),
    CONSTRAINT source_pull_since_check CHECK (since = date_trunc('month', since) AND since BETWEEN '1700-01-01' AND '2200-12-01'),
    CONSTRAINT source_pull_newest_month_check CHECK (newest_month = date_trunc('month', newest_month) AND newest_month BETWEEN '1700-01-01' AND '2200-12-01'),
    CONSTRAINT source_pull_error_check CHECK ((error IS NULL) = (load_id IS NOT NULL AND rows_read IS NOT NULL)),
    CONSTRAINT source_pull_load_id_fkey FOREIGN KEY(load_id) REFERENCES milkrun.load (load_id),
    CONSTRAINT source_pull_as_of_fkey FOREIGN KEY(as_of) REFERENCES milkrun.load (load_id)
);

CREATE INDEX source_pull_source_idx ON milkrun.source_pull (source, pull_id);
COMMENT ON TABLE milkrun.source_pull IS 'One reading of a configured source; it is committed with its load, or says why there is none.';
COMMENT ON COLUMN milkrun.source_pull.pull_id IS 'Running number of the pull.';
COMMENT ON COLUMN milkrun.source_pull.source IS 'Name of the source: that of its file, sources/NAME.toml.';
COMMENT ON COLUMN milkrun.source_pull.settings IS 'What the file says of the rows to read; it holds no secret.';
COMMENT ON COLUMN milkrun.source_pull.since IS 'First month that was read; empty where all months were.';
COMMENT ON COLUMN milkrun.source_pull.load_id IS 'The load that it made; empty where it failed.';
COMMENT ON COLUMN milkrun.source_pull.rows_read IS 'Values met in the source; empty where the pull failed.';
COMMENT ON COLUMN milkrun.source_pull.rows_added IS 'Values that were new or changed.';
COMMENT ON COLUMN milkrun.source_pull.rows_rejected IS 'Values that were not accepted; rejected_row has them.';
COMMENT ON COLUMN milkrun.source_pull.digest IS 'SHA-256 of the rows that were read, or of the files; empty where there is none.';
COMMENT ON COLUMN milkrun.source_pull.as_of IS 'Newest load of any source then; empty where it failed.';
COMMENT ON COLUMN milkrun.source_pull.newest_month IS 'Newest month of the accepted values, its first day.';
COMMENT ON COLUMN milkrun.source_pull.error IS 'Why it failed; empty where it did not.';
COMMENT ON COLUMN milkrun.source_pull.started_at IS 'When it began, before the rows were read.';
COMMENT ON COLUMN milkrun.source_pull.ended_at IS 'When its rows were ready to be committed, or when it failed.';
COMMENT ON COLUMN milkrun.source_pull.made_by IS 'Who asked for it.';
COMMENT ON COLUMN milkrun.source_pull.prefect_flow_run_id IS 'Flow run in Prefect that pulled.';

CREATE TABLE milkrun.delivery (
    delivery_id BIGINT GENERATED ALWAYS AS IDENTITY,
    target TEXT NOT NULL,
    run_id BIGINT NOT NULL,
    place TEXT NOT NULL,
    forecast_rows BIGINT,
    rmse_rows BIGINT,
    error TEXT,
    ended_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    made_by TEXT NOT NULL,
    CONSTRAINT delivery_pkey PRIMARY KEY (delivery_id),
    CONSTRAINT delivery_error_check CHECK ((error IS NULL) = (forecast_rows IS NOT NULL AND rmse_rows IS NOT NULL)),
    CONSTRAINT delivery_run_id_fkey FOREIGN KEY(run_id) REFERENCES milkrun.run (run_id)
);
CREATE UNIQUE INDEX delivery_once_idx ON milkrun.delivery (target, place, run_id) WHERE error IS NULL;
COMMENT ON TABLE milkrun.delivery IS 'Attempts to write a published run where people look; a run is delivered to a target once.';
COMMENT ON COLUMN milkrun.delivery.delivery_id IS 'Running number of the attempt.';
COMMENT ON COLUMN milkrun.delivery.target IS 'Name of the target: that of its file, deliveries/NAME.toml.';
COMMENT ON COLUMN milkrun.delivery.run_id IS 'Published run that was delivered.';
COMMENT ON COLUMN milkrun.delivery.place IS 'Where to: database and tables, or folder; never a password.';
COMMENT ON COLUMN milkrun.delivery.forecast_rows IS 'Forecasts that the target has of the run; empty where it failed.';
COMMENT ON COLUMN milkrun.delivery.rmse_rows IS 'Rows of the RMSE history that the target has of the run.';
COMMENT ON COLUMN milkrun.delivery.error IS 'Why it failed; empty where it did not.';
COMMENT ON COLUMN milkrun.delivery.ended_at IS 'When it was on record.';
COMMENT ON COLUMN milkrun.delivery.made_by IS 'Who asked for it.';
