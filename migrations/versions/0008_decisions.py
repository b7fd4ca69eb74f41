"""Decisions that can be questioned: their evidence, and who put which bundle in charge of a series."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0008"
down_revision = "0007"

_DECIDED = ("run_series", "run_network")


def upgrade() -> None:
    for table in _DECIDED:
        op.add_column(
            table,
            sa.Column(
                "evidence",
                JSONB(),
                comment="What the decision was made from, as plain JSON; empty in rows of older releases.",
            ),
            schema="milkrun",
        )


def downgrade() -> None:
    for table in _DECIDED:
        op.drop_column(table, "evidence", schema="milkrun")
