"""What was loaded and what was rejected, as views: readers see no tables."""

from alembic import op

revision = "0011"
down_revision = "0010"

VIEWS = {
    "observation_history": (
        "Every value ever loaded of every series and month: the first, and each revision.",
        """
        SELECT s.name AS series, o.month, o.value, s.unit, o.load_id, l.sealed_at AS known_since, l.source
        FROM milkrun.observation o
        JOIN milkrun.series s USING (series_id)
        JOIN milkrun.load l ON l.load_id = o.load_id
        """,
        {
            "series": "Name of the series.",
            "month": "Observed month, its first day.",
            "value": "The value, in the unit of the series.",
            "unit": "Unit of the values, where it is known.",
            "load_id": "Load that brought the value: its vintage. Of two, the later one counts.",
            "known_since": "When that load was committed.",
            "source": "What it was loaded from.",
        },
    ),
    "rejection_history": (
        "Every value that a load did not accept, and why.",
        """
        SELECT r.load_id, l.source, l.sealed_at AS loaded_at, r.line, r.raw, r.reason
        FROM milkrun.rejected_row r
        JOIN milkrun.load l USING (load_id)
        """,
        {
            "load_id": "Load that rejected it.",
            "source": "What was loaded.",
            "loaded_at": "When the load was committed.",
            "line": "Line of the file or row of the query, the header being line 1.",
            "raw": "What was read, shortened and with control characters escaped.",
            "reason": "Why it was rejected.",
        },
    ),
}


def upgrade() -> None:
    for view, (comment, query, columns) in VIEWS.items():
        op.execute(f"CREATE VIEW milkrun.{view} AS {query}")
        op.execute(f"COMMENT ON VIEW milkrun.{view} IS '{comment}'")
        for column, meaning in columns.items():
            op.execute(f"COMMENT ON COLUMN milkrun.{view}.{column} IS '{meaning}'")


def downgrade() -> None:
    for view in VIEWS:
        op.execute(f"DROP VIEW milkrun.{view}")
