-- Three roles for a shared PostgreSQL: the owner migrates, the writer runs forecasts and cannot change history, the
-- reader sees the views. May be repeated, and is after every migration:
--   psql --dbname milkrun --file deploy/roles.sql     (as a superuser; before the first migration and after each)
--   \password milkrun_owner, \password milkrun_writer, \password milkrun_reader    give them their passwords
\set ON_ERROR_STOP on
BEGIN;

DO $$
DECLARE name text;
BEGIN
    FOREACH name IN ARRAY ARRAY['milkrun_owner', 'milkrun_writer', 'milkrun_reader'] LOOP
        BEGIN
            EXECUTE format('CREATE ROLE %I LOGIN', name);
        EXCEPTION WHEN duplicate_object THEN NULL;
        END;
    END LOOP;
    EXECUTE format('REVOKE ALL ON DATABASE %I FROM PUBLIC', current_database());
    EXECUTE format('GRANT CONNECT, CREATE, TEMPORARY ON DATABASE %I TO milkrun_owner', current_database());
    EXECUTE format('GRANT CONNECT, TEMPORARY ON DATABASE %I TO milkrun_writer', current_database());
    EXECUTE format('GRANT CONNECT ON DATABASE %I TO milkrun_reader', current_database());
END $$;

-- A reader cannot lift the limits of connections and of temporary files. It can lift the others for a session of its own:
-- PostgreSQL lets every role set them.
ALTER ROLE milkrun_reader CONNECTION LIMIT 20;
ALTER ROLE milkrun_reader SET temp_file_limit = '4GB';
ALTER ROLE milkrun_reader SET default_transaction_read_only = on;
ALTER ROLE milkrun_reader SET statement_timeout = '60s';
ALTER ROLE milkrun_reader SET lock_timeout = '10s';
ALTER ROLE milkrun_reader SET idle_in_transaction_session_timeout = '60s';
ALTER ROLE milkrun_reader SET search_path = milkrun, public;
DO $$
BEGIN
    IF current_setting('server_version_num')::int >= 170000 THEN  -- it ends a transaction that holds views for long
        ALTER ROLE milkrun_reader SET transaction_timeout = '10min';
    END IF;
END $$;

CREATE SCHEMA IF NOT EXISTS milkrun;
ALTER SCHEMA milkrun OWNER TO milkrun_owner;
GRANT USAGE ON SCHEMA milkrun TO milkrun_writer, milkrun_reader;

-- What an earlier migration made as somebody else.
DO $$
DECLARE relation record;
BEGIN
    FOR relation IN
        SELECT oid::regclass AS name, relkind FROM pg_class
        WHERE relnamespace = 'milkrun'::regnamespace AND relkind IN ('r', 'p', 'v') AND relowner <> 'milkrun_owner'::regrole
    LOOP
        EXECUTE format('ALTER %s %s OWNER TO milkrun_owner',
                       CASE relation.relkind WHEN 'v' THEN 'VIEW' ELSE 'TABLE' END, relation.name);
    END LOOP;
    FOR relation IN SELECT oid::regprocedure AS name FROM pg_proc WHERE pronamespace = 'milkrun'::regnamespace LOOP
        EXECUTE format('ALTER FUNCTION %s OWNER TO milkrun_owner', relation.name);
        -- It reads tables for a reader who may not.
        EXECUTE format('ALTER FUNCTION %s SECURITY DEFINER SET search_path = pg_catalog, pg_temp', relation.name);
    END LOOP;
    -- A trigger function reads its rows from a table that its trigger names. A trigger of somebody else on a temporary
    -- table could name a view that calls other functions, as the owner. Triggers that are there need no right to fire.
    FOR relation IN SELECT oid::regprocedure AS name FROM pg_proc
                    WHERE pronamespace = 'milkrun'::regnamespace AND prorettype = 'trigger'::regtype LOOP
        EXECUTE format('REVOKE EXECUTE ON FUNCTION %s FROM PUBLIC', relation.name);
    END LOOP;
END $$;

-- What anybody else may do who logs in: make tables in schema public (before PostgreSQL 15), keep large objects, and hold
-- the advisory locks that runs wait for. The database is Milkrun's own, so nobody else needs them.
DO $$
DECLARE routine regprocedure;
BEGIN
    IF to_regnamespace('public') IS NOT NULL THEN
        REVOKE CREATE ON SCHEMA public FROM PUBLIC;
    END IF;
    FOR routine IN
        SELECT oid FROM pg_proc WHERE pronamespace = 'pg_catalog'::regnamespace
        AND (proname IN ('lo_creat', 'lo_create', 'lo_from_bytea') OR proname ~ '^pg_(try_)?advisory_(xact_)?lock')
    LOOP
        EXECUTE format('REVOKE EXECUTE ON FUNCTION %s FROM PUBLIC', routine);
        IF routine::text LIKE '%advisory%' THEN
            EXECUTE format('GRANT EXECUTE ON FUNCTION %s TO milkrun_owner, milkrun_writer', routine);
        END IF;
    END LOOP;
END $$;

-- The writer adds and reads; it changes a run, when it is published, and a bundle whose numbers were removed.
GRANT SELECT, INSERT ON ALL TABLES IN SCHEMA milkrun TO milkrun_writer;
ALTER DEFAULT PRIVILEGES FOR ROLE milkrun_owner IN SCHEMA milkrun GRANT SELECT, INSERT ON TABLES TO milkrun_writer;
DO $$
DECLARE relation record;
BEGIN
    IF to_regclass('milkrun.run') IS NOT NULL THEN
        GRANT UPDATE (state, published_at) ON milkrun.run TO milkrun_writer;
        -- A trigger lets it put back what milkrun prune removed, and change nothing that is there.
        GRANT UPDATE (payload) ON milkrun.bundle TO milkrun_writer;
    END IF;
    IF to_regclass('milkrun.alembic_version') IS NOT NULL THEN
        REVOKE INSERT ON milkrun.alembic_version FROM milkrun_writer;
        GRANT SELECT ON milkrun.alembic_version TO milkrun_reader;  -- milkrun sql looks which release made the views
    END IF;
    FOR relation IN SELECT oid::regclass AS name FROM pg_class
                    WHERE relnamespace = 'milkrun'::regnamespace AND relkind = 'v' LOOP
        EXECUTE format('GRANT SELECT ON %s TO milkrun_reader', relation.name);
        EXECUTE format('REVOKE INSERT ON %s FROM milkrun_writer', relation.name);
    END LOOP;
END $$;

COMMIT;
