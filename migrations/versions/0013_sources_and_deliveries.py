"""Sources that flows pull, deliveries of published runs, and who asked for loads and runs."""

from pathlib import Path

from alembic import op

revision = "0013"
down_revision = "0012"


def upgrade() -> None:
    statements = Path(__file__).with_suffix(".sql").read_text()
    op.get_bind().exec_driver_sql(statements, execution_options={"no_parameters": True})


def downgrade() -> None:
    op.execute("DROP TABLE milkrun.delivery, milkrun.source_pull")
    op.execute("ALTER TABLE milkrun.run DROP COLUMN made_by")
    op.execute("ALTER TABLE milkrun.load DROP COLUMN aggregate, DROP COLUMN made_by")
    op.execute(
        "COMMENT ON COLUMN milkrun.run.trigger IS "
        "'What started it: schedule, deployment (the UI or the API) or command line.'"
    )
