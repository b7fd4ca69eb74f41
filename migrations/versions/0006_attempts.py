"""The same request once more: the attempt is part of what identifies a run.

Revision ID: 0006
Revises: 0005
"""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

# Columns of month_health that had no comment yet.
_COMMENTS = {
    "fallback": "Number of series forecast by a baseline instead.",
    "held": "Number of series without a forecast because they are late or have too long a gap.",
    "refused": "Number of series without a forecast because they have too few observations.",
    "failed": "Number of series without a forecast because something broke.",
}
_KEY = ("kind", "origin", "as_of", "recipe_hash", "policy", "scope")


def upgrade() -> None:
    op.add_column(
        "run",
        sa.Column(
            "attempt",
            sa.Integer(),
            server_default="1",
            nullable=False,
            comment="1, or more where the same request was asked for again: milkrun backfill --reprocess.",
        ),
        schema="milkrun",
    )
    op.create_check_constraint(op.f("run_attempt_check"), "run", "attempt >= 1", schema="milkrun")
    op.drop_constraint("run_request_key", "run", schema="milkrun")
    op.create_unique_constraint("run_request_key", "run", [*_KEY, "attempt"], schema="milkrun")
    for column, comment in _COMMENTS.items():
        op.execute(f"COMMENT ON COLUMN milkrun.month_health.{column} IS '{comment}'")


def downgrade() -> None:
    op.drop_constraint("run_request_key", "run", schema="milkrun")
    # Forecasts of later attempts are facts: where there are any, the older key does not fit and nothing is changed.
    op.create_unique_constraint("run_request_key", "run", list(_KEY), schema="milkrun")
    op.drop_column("run", "attempt", schema="milkrun")
