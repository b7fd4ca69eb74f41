-- No foreign key, which would look up each of a run's hundred thousand rows: docs/decisions/0007-references-by-statement.md.
-- The scalar subquery looks every distinct key up by the index, however large load is, and locks it as a foreign key
-- would: nobody can delete it before this transaction ends.
CREATE OR REPLACE FUNCTION milkrun.rmse_history_actuals_as_of_refer() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE missing text;
BEGIN
    SELECT concat_ws(', ', actuals_as_of) INTO missing
    FROM (SELECT DISTINCT actuals_as_of FROM written) AS child
    WHERE (SELECT true FROM milkrun.load
           WHERE load.load_id = child.actuals_as_of FOR KEY SHARE) IS NULL
    LIMIT 1;
    IF FOUND THEN
        RAISE foreign_key_violation USING
            SCHEMA = 'milkrun', TABLE = 'rmse_history', CONSTRAINT = 'rmse_history_actuals_as_of_fkey',
            MESSAGE = format('rmse_history refers to load (%s), which is not there', missing);
    END IF;
    RETURN NULL;
END $$;
COMMENT ON FUNCTION milkrun.rmse_history_actuals_as_of_refer() IS
    'Refuses a statement that writes a rmse_history whose load (actuals_as_of) is not there.';
CREATE OR REPLACE TRIGGER rmse_history_actuals_as_of_insert AFTER INSERT ON milkrun.rmse_history
    REFERENCING NEW TABLE AS written FOR EACH STATEMENT EXECUTE FUNCTION milkrun.rmse_history_actuals_as_of_refer();
CREATE OR REPLACE TRIGGER rmse_history_actuals_as_of_update AFTER UPDATE ON milkrun.rmse_history
    REFERENCING NEW TABLE AS written FOR EACH STATEMENT EXECUTE FUNCTION milkrun.rmse_history_actuals_as_of_refer();

CREATE OR REPLACE FUNCTION milkrun.rmse_history_actuals_as_of_keep() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE needed text;
BEGIN
    IF TG_OP = 'TRUNCATE' THEN
        SELECT 'all of them' INTO needed FROM milkrun.rmse_history LIMIT 1;
    ELSE
        SELECT concat_ws(', ', load_id) INTO needed FROM removed AS parent
        WHERE (SELECT true FROM milkrun.rmse_history AS child
               WHERE child.actuals_as_of = parent.load_id LIMIT 1)
          AND (SELECT true FROM milkrun.load AS still
               WHERE still.load_id = parent.load_id) IS NULL
        LIMIT 1;
    END IF;
    IF FOUND THEN
        RAISE foreign_key_violation USING
            SCHEMA = 'milkrun', TABLE = 'rmse_history', CONSTRAINT = 'rmse_history_actuals_as_of_fkey',
            MESSAGE = format('rmse_history still refers to load (%s)', needed);
    END IF;
    RETURN NULL;
END $$;
COMMENT ON FUNCTION milkrun.rmse_history_actuals_as_of_keep() IS
    'Refuses a statement that takes away a load that a rmse_history refers to.';
CREATE OR REPLACE TRIGGER rmse_history_actuals_as_of_delete AFTER DELETE ON milkrun.load
    REFERENCING OLD TABLE AS removed FOR EACH STATEMENT EXECUTE FUNCTION milkrun.rmse_history_actuals_as_of_keep();
CREATE OR REPLACE TRIGGER rmse_history_actuals_as_of_update AFTER UPDATE ON milkrun.load
    REFERENCING OLD TABLE AS removed FOR EACH STATEMENT EXECUTE FUNCTION milkrun.rmse_history_actuals_as_of_keep();
CREATE OR REPLACE TRIGGER rmse_history_actuals_as_of_truncate BEFORE TRUNCATE ON milkrun.load
    FOR EACH STATEMENT EXECUTE FUNCTION milkrun.rmse_history_actuals_as_of_keep();
