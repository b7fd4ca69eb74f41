-- deploy/roles.sql lets functions run as their owner, so the user is the one of the session.
CREATE OR REPLACE FUNCTION milkrun.run_stays_published() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NOT has_table_privilege(session_user, 'milkrun.run', 'DELETE') THEN
        RAISE insufficient_privilege USING SCHEMA = 'milkrun', TABLE = 'run',
            MESSAGE = format('run %s is published, and stays so', OLD.run_id);
    END IF;
    RETURN NEW;
END $$;
COMMENT ON FUNCTION milkrun.run_stays_published() IS
    'Refuses to change a run that was published, unless the user may delete runs.';
CREATE OR REPLACE TRIGGER run_stays_published BEFORE UPDATE ON milkrun.run
    FOR EACH ROW WHEN (OLD.state = 'published') EXECUTE FUNCTION milkrun.run_stays_published();
