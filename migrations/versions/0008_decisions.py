"""Decisions that can be questioned: their evidence, and who put which bundle in charge of a series."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0008"
down_revision = "0007"

_DECIDED = ("run_series", "run_network")
_OUTCOME = """
SELECT r.run_id, r.kind, r.origin AS run_origin, s.name AS series, x.origin, x.outcome, x.reason, x.detail,
       x.decision, x.decision_reason, x.method, x.bundle_id, r.published_at{evidence}
FROM milkrun.run_series x
JOIN milkrun.run r USING (run_id)
JOIN milkrun.series s USING (series_id)
WHERE r.state = 'published'
"""
_ORDERS = """
SELECT s.name AS series, p.kind, p.bundle_id, p.why, p.made_by, p.made_at, p.run_id
FROM milkrun.promotion p LEFT JOIN milkrun.series s USING (series_id)
"""
_MEANINGS = {
    "series": "Series that it is for; empty for the networks that all series of the run share.",
    "kind": "rollback or promote.",
    "bundle_id": "Bundle that was put in charge.",
    "why": "Reason, as it was given.",
    "made_by": "Who ordered it.",
    "made_at": "When it was ordered.",
    "run_id": "Newest run when it was ordered: what builds on that run goes on with this bundle instead.",
}


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
    op.execute(f"CREATE OR REPLACE VIEW milkrun.run_outcome AS {_OUTCOME.format(evidence=', x.evidence')}")
    op.execute(
        "COMMENT ON COLUMN milkrun.run_outcome.evidence IS "
        "'What the decision was made from, as plain JSON; empty in rows of older releases.'"
    )
    op.execute(f"CREATE VIEW milkrun.promotion_history AS {_ORDERS}")
    op.execute(
        "COMMENT ON VIEW milkrun.promotion_history IS "
        "'Bundles that somebody put in charge of a series, by milkrun rollback or milkrun promote, and why.'"
    )
    for column, meaning in _MEANINGS.items():
        op.execute(f"COMMENT ON COLUMN milkrun.promotion_history.{column} IS '{meaning}'")


def downgrade() -> None:
    op.execute("DROP VIEW milkrun.promotion_history")
    comments = _comments_of_outcomes()
    op.execute("DROP VIEW milkrun.run_outcome")
    op.execute(f"CREATE VIEW milkrun.run_outcome AS {_OUTCOME.format(evidence='')}")
    for column, meaning in comments.items():
        target = f"COLUMN milkrun.run_outcome.{column}" if column else "VIEW milkrun.run_outcome"
        quoted = meaning.replace("'", "''")
        op.execute(f"COMMENT ON {target} IS '{quoted}'")
    op.drop_table("promotion", schema="milkrun")
    for table in _DECIDED:
        op.drop_column(table, "evidence", schema="milkrun")


def _comments_of_outcomes() -> dict[str, str]:
    """Return the comments of the view, under the empty name, and of the columns that it had before."""
    found = op.get_bind().execute(
        sa.text("""
            SELECT coalesce(a.attname, '') AS name, d.description FROM pg_description d
            LEFT JOIN pg_attribute a ON a.attrelid = d.objoid AND a.attnum = d.objsubid AND d.objsubid > 0
            WHERE d.classoid = 'pg_class'::regclass AND d.objoid = 'milkrun.run_outcome'::regclass
        """)
    )
    return {row.name: row.description for row in found if row.name != "evidence"}
