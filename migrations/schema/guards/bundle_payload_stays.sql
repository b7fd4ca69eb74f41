-- deploy/roles.sql lets functions run as their owner, so the user is the one of the session.
CREATE OR REPLACE FUNCTION milkrun.bundle_payload_stays() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF OLD.payload <> '' AND NOT has_table_privilege(session_user, 'milkrun.bundle', 'DELETE') THEN
        RAISE insufficient_privilege USING SCHEMA = 'milkrun', TABLE = 'bundle', COLUMN = 'payload',
            MESSAGE = format('bundle %s has its numbers, and keeps them', OLD.bundle_id);
    END IF;
    RETURN NEW;
END $$;
COMMENT ON FUNCTION milkrun.bundle_payload_stays() IS
    'Refuses to change the numbers of a bundle that has some, unless the user may delete bundles.';
CREATE OR REPLACE TRIGGER bundle_payload_stays BEFORE UPDATE OF payload ON milkrun.bundle
    FOR EACH ROW EXECUTE FUNCTION milkrun.bundle_payload_stays();
