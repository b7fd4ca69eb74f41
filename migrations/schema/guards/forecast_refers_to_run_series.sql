-- No foreign key, which would look up each of a run's hundred thousand rows: docs/decisions/0007-references-by-statement.md.
-- The scalar subquery looks every distinct key up by the index, however large run_series is, and locks it as a foreign key
-- would: nobody can delete it before this transaction ends.
CREATE OR REPLACE FUNCTION milkrun.forecast_run_id_series_id_refer() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE missing text;
BEGIN
    SELECT concat_ws(', ', run_id, series_id) INTO missing
    FROM (SELECT DISTINCT run_id, series_id FROM written) AS child
    WHERE (SELECT true FROM milkrun.run_series
           WHERE run_series.run_id = child.run_id AND run_series.series_id = child.series_id FOR KEY SHARE) IS NULL
    LIMIT 1;
    IF FOUND THEN
        RAISE foreign_key_violation USING
            SCHEMA = 'milkrun', TABLE = 'forecast', CONSTRAINT = 'forecast_run_id_series_id_fkey',
            MESSAGE = format('forecast refers to run_series (%s), which is not there', missing);
    END IF;
    RETURN NULL;
END $$;
COMMENT ON FUNCTION milkrun.forecast_run_id_series_id_refer() IS
    'Refuses a statement that writes a forecast whose run_series (run_id, series_id) is not there.';
CREATE OR REPLACE TRIGGER forecast_run_id_series_id_insert AFTER INSERT ON milkrun.forecast
    REFERENCING NEW TABLE AS written FOR EACH STATEMENT EXECUTE FUNCTION milkrun.forecast_run_id_series_id_refer();
CREATE OR REPLACE TRIGGER forecast_run_id_series_id_update AFTER UPDATE ON milkrun.forecast
    REFERENCING NEW TABLE AS written FOR EACH STATEMENT EXECUTE FUNCTION milkrun.forecast_run_id_series_id_refer();

CREATE OR REPLACE FUNCTION milkrun.forecast_run_id_series_id_keep() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE needed text;
BEGIN
    IF TG_OP = 'TRUNCATE' THEN
        SELECT 'all of them' INTO needed FROM milkrun.forecast LIMIT 1;
    ELSE
        SELECT concat_ws(', ', run_id, series_id) INTO needed FROM removed AS parent
        WHERE (SELECT true FROM milkrun.forecast AS child
               WHERE child.run_id = parent.run_id AND child.series_id = parent.series_id LIMIT 1)
          AND (SELECT true FROM milkrun.run_series AS still
               WHERE still.run_id = parent.run_id AND still.series_id = parent.series_id) IS NULL
        LIMIT 1;
    END IF;
    IF FOUND THEN
        RAISE foreign_key_violation USING
            SCHEMA = 'milkrun', TABLE = 'forecast', CONSTRAINT = 'forecast_run_id_series_id_fkey',
            MESSAGE = format('forecast still refers to run_series (%s)', needed);
    END IF;
    RETURN NULL;
END $$;
COMMENT ON FUNCTION milkrun.forecast_run_id_series_id_keep() IS
    'Refuses a statement that takes away a run_series that a forecast refers to.';
CREATE OR REPLACE TRIGGER forecast_run_id_series_id_delete AFTER DELETE ON milkrun.run_series
    REFERENCING OLD TABLE AS removed FOR EACH STATEMENT EXECUTE FUNCTION milkrun.forecast_run_id_series_id_keep();
CREATE OR REPLACE TRIGGER forecast_run_id_series_id_update AFTER UPDATE ON milkrun.run_series
    REFERENCING OLD TABLE AS removed FOR EACH STATEMENT EXECUTE FUNCTION milkrun.forecast_run_id_series_id_keep();
CREATE OR REPLACE TRIGGER forecast_run_id_series_id_truncate BEFORE TRUNCATE ON milkrun.run_series
    FOR EACH STATEMENT EXECUTE FUNCTION milkrun.forecast_run_id_series_id_keep();
