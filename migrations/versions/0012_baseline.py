"""The tables, in 0012_baseline.sql; revisions 0001 to 0011 never left development."""

import re
from pathlib import Path

from alembic import op

revision = "0012"
down_revision = None

STATEMENTS = Path(__file__).with_suffix(".sql").read_text()
TABLES = re.findall(r"^CREATE TABLE (\S+)", STATEMENTS, re.MULTILINE)


def upgrade() -> None:
    op.get_bind().exec_driver_sql(STATEMENTS, execution_options={"no_parameters": True})


def downgrade() -> None:
    op.execute(f"DROP TABLE {', '.join(TABLES)}")
