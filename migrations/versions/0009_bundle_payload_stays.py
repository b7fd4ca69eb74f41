"""The numbers of a bundle are written once; only where milkrun prune removed them may a run put the same ones back."""

from alembic import op

revision = "0009"
down_revision = "0008"

_COMMENT = "Little-endian float32 tensors back to back"

# roles.sql lets functions run as their owner, so the user is the one of the session.
_GUARD = """
CREATE FUNCTION milkrun.bundle_payload_stays() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF OLD.payload <> '' AND NOT has_table_privilege(session_user, 'milkrun.bundle', 'DELETE') THEN
        RAISE insufficient_privilege USING SCHEMA = 'milkrun', TABLE = 'bundle', COLUMN = 'payload',
            MESSAGE = format('bundle %s has its numbers, and keeps them', OLD.bundle_id);
    END IF;
    RETURN NEW;
END $$;
COMMENT ON FUNCTION milkrun.bundle_payload_stays() IS
    'Refuses to change the numbers of a bundle that has some, unless the user may delete bundles.';
CREATE TRIGGER bundle_payload_stays BEFORE UPDATE OF payload ON milkrun.bundle
    FOR EACH ROW EXECUTE FUNCTION milkrun.bundle_payload_stays();
"""


def upgrade() -> None:
    op.execute(_GUARD)
    op.execute(f"COMMENT ON COLUMN milkrun.bundle.payload IS '{_COMMENT}; empty where milkrun prune removed them.'")


def downgrade() -> None:
    op.execute(f"COMMENT ON COLUMN milkrun.bundle.payload IS '{_COMMENT}.'")
    op.execute("DROP FUNCTION milkrun.bundle_payload_stays() CASCADE")
