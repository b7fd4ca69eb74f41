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
    op.create_table(
        "promotion",
        sa.Column(
            "promotion_id",
            sa.BigInteger(),
            sa.Identity(always=True),
            nullable=False,
            comment="Running number; the last counts.",
        ),
        sa.Column(
            "run_id",
            sa.BigInteger(),
            nullable=False,
            comment="Newest run when it was ordered: what builds on that run goes on with this bundle instead.",
        ),
        sa.Column(
            "series_id",
            sa.Integer(),
            comment="Series that it is for; empty for the networks that all series of the run share.",
        ),
        sa.Column("bundle_id", sa.Text(), nullable=False, comment="Bundle that was put in charge."),
        sa.Column("kind", sa.Text(), nullable=False, comment="rollback or promote."),
        sa.Column("why", sa.Text(), nullable=False, comment="Reason, as it was given."),
        sa.Column("made_by", sa.Text(), nullable=False, comment="Who ordered it."),
        sa.Column(
            "made_at",
            sa.DateTime(timezone=True),
            server_default=sa.func.now(),
            nullable=False,
            comment="When it was ordered.",
        ),
        sa.CheckConstraint("kind IN ('rollback', 'promote')", name=op.f("promotion_kind_check")),
        sa.CheckConstraint("length(why) > 0", name=op.f("promotion_why_check")),
        sa.ForeignKeyConstraint(["run_id"], ["milkrun.run.run_id"], name=op.f("promotion_run_id_fkey")),
        sa.ForeignKeyConstraint(["series_id"], ["milkrun.series.series_id"], name=op.f("promotion_series_id_fkey")),
        sa.ForeignKeyConstraint(["bundle_id"], ["milkrun.bundle.bundle_id"], name=op.f("promotion_bundle_id_fkey")),
        sa.PrimaryKeyConstraint("promotion_id", name=op.f("promotion_pkey")),
        schema="milkrun",
        comment="Bundles that somebody put in charge, by milkrun rollback or milkrun promote.",
    )
    op.create_index("promotion_run_idx", "promotion", ["run_id", "series_id"], schema="milkrun")


def downgrade() -> None:
    op.drop_table("promotion", schema="milkrun")
    for table in _DECIDED:
        op.drop_column(table, "evidence", schema="milkrun")
