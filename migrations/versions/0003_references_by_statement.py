"""References that a run writes by the hundred thousand are checked once per statement; docs/decisions/0007 says why."""

from alembic import op

revision = "0003"
down_revision = "0002"

# Referring table, its columns, referenced table, its key.
REFERENCES = (
    ("forecast", ("run_id", "series_id"), "run_series", ("run_id", "series_id")),
    ("rmse_history", ("run_id", "series_id"), "run_series", ("run_id", "series_id")),
    ("rmse_history", ("actuals_as_of",), "load", ("load_id",)),
)

# The scalar subquery looks every distinct key up by the index, however large the referenced table is, and locks it as
# a foreign key would: nobody can delete it before this transaction ends.
REFER = """
CREATE FUNCTION milkrun.{name}_refer() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE missing text;
BEGIN
    SELECT concat_ws(', ', {columns}) INTO missing FROM (SELECT DISTINCT {columns} FROM written) AS child
    WHERE (SELECT true FROM milkrun.{parent} WHERE {match} FOR KEY SHARE) IS NULL LIMIT 1;
    IF FOUND THEN
        RAISE foreign_key_violation USING SCHEMA = 'milkrun', TABLE = '{child}', CONSTRAINT = '{name}_fkey',
            MESSAGE = format('{child} refers to {parent} (%s), which is not there', missing);
    END IF;
    RETURN NULL;
END $$;
COMMENT ON FUNCTION milkrun.{name}_refer() IS
    'Refuses a statement that writes a {child} whose {parent} ({columns}) is not there.';
CREATE TRIGGER {name}_insert AFTER INSERT ON milkrun.{child} REFERENCING NEW TABLE AS written
    FOR EACH STATEMENT EXECUTE FUNCTION milkrun.{name}_refer();
CREATE TRIGGER {name}_update AFTER UPDATE ON milkrun.{child} REFERENCING NEW TABLE AS written
    FOR EACH STATEMENT EXECUTE FUNCTION milkrun.{name}_refer();
"""

KEEP = """
CREATE FUNCTION milkrun.{name}_keep() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE needed text;
BEGIN
    IF TG_OP = 'TRUNCATE' THEN
        SELECT 'all of them' INTO needed FROM milkrun.{child} LIMIT 1;
    ELSE
        SELECT concat_ws(', ', {keys}) INTO needed FROM removed AS parent
        WHERE (SELECT true FROM milkrun.{child} AS child WHERE {kept} LIMIT 1)
          AND (SELECT true FROM milkrun.{parent} AS still WHERE {still}) IS NULL LIMIT 1;
    END IF;
    IF FOUND THEN
        RAISE foreign_key_violation USING SCHEMA = 'milkrun', TABLE = '{child}', CONSTRAINT = '{name}_fkey',
            MESSAGE = format('{child} still refers to {parent} (%s)', needed);
    END IF;
    RETURN NULL;
END $$;
COMMENT ON FUNCTION milkrun.{name}_keep() IS
    'Refuses a statement that takes away a {parent} that a {child} refers to.';
CREATE TRIGGER {name}_delete AFTER DELETE ON milkrun.{parent} REFERENCING OLD TABLE AS removed
    FOR EACH STATEMENT EXECUTE FUNCTION milkrun.{name}_keep();
CREATE TRIGGER {name}_update AFTER UPDATE ON milkrun.{parent} REFERENCING OLD TABLE AS removed
    FOR EACH STATEMENT EXECUTE FUNCTION milkrun.{name}_keep();
CREATE TRIGGER {name}_truncate BEFORE TRUNCATE ON milkrun.{parent}
    FOR EACH STATEMENT EXECUTE FUNCTION milkrun.{name}_keep();
"""


def upgrade() -> None:
    for child, columns, parent, keys in REFERENCES:
        name = "_".join((child, *columns))
        op.drop_constraint(f"{name}_fkey", child, schema="milkrun")
        names = {
            "name": name,
            "child": child,
            "columns": ", ".join(columns),
            "parent": parent,
            "keys": ", ".join(keys),
            "match": _pairs(parent, keys, "child", columns),
            "kept": _pairs("child", columns, "parent", keys),
            "still": _pairs("still", keys, "parent", keys),
        }
        op.execute((REFER + KEEP).format(**names))
    # Rows of a series are found by the key of run_series and then by their own; a second index costs a third of a write.
    op.drop_index("forecast_series_month_idx", table_name="forecast", schema="milkrun")


def downgrade() -> None:
    op.create_index("forecast_series_month_idx", "forecast", ["series_id", "month"], unique=False, schema="milkrun")
    for child, columns, parent, keys in REFERENCES:
        name = "_".join((child, *columns))
        op.execute(f"DROP FUNCTION milkrun.{name}_refer(), milkrun.{name}_keep() CASCADE")
        op.create_foreign_key(
            f"{name}_fkey", child, parent, [*columns], [*keys], source_schema="milkrun", referent_schema="milkrun"
        )


def _pairs(left: str, names: tuple[str, ...], right: str, others: tuple[str, ...]) -> str:
    return " AND ".join(f"{left}.{a} = {right}.{b}" for a, b in zip(names, others, strict=True))
