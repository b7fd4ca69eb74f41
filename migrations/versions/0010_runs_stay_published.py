"""What was published stays so, with the moment of its publication: forecast_as_of answers by it."""

from alembic import op

revision = "0010"
down_revision = "0009"

# roles.sql lets functions run as their owner, so the user is the one of the session.
_GUARD = """
CREATE FUNCTION milkrun.run_stays_published() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NOT has_table_privilege(session_user, 'milkrun.run', 'DELETE') THEN
        RAISE insufficient_privilege USING SCHEMA = 'milkrun', TABLE = 'run',
            MESSAGE = format('run %s is published, and stays so', OLD.run_id);
    END IF;
    RETURN NEW;
END $$;
COMMENT ON FUNCTION milkrun.run_stays_published() IS
    'Refuses to change a run that was published, unless the user may delete runs.';
CREATE TRIGGER run_stays_published BEFORE UPDATE ON milkrun.run
    FOR EACH ROW WHEN (OLD.state = 'published') EXECUTE FUNCTION milkrun.run_stays_published();
"""


def upgrade() -> None:
    op.execute(_GUARD)


def downgrade() -> None:
    op.execute("DROP FUNCTION milkrun.run_stays_published() CASCADE")
