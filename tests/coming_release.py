"""A release after this one: its migrations are those of the checkout, one revision more and a view that shows what it adds."""

import contextlib
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from forecasting.storage.db import schema

REVISION = "9000"

_REVISION_FILE = f"""
from alembic import op

revision = "{REVISION}"
down_revision = "{schema.newest_revision()}"


def upgrade() -> None:
    op.execute("ALTER TABLE milkrun.series ADD remark text DEFAULT 'none'")
    op.execute("COMMENT ON COLUMN milkrun.series.remark IS 'What is to be said of the series.'")


def downgrade() -> None:
    op.execute("ALTER TABLE milkrun.series DROP remark")
"""
_COLUMNS = "o.month < (SELECT milkrun.running_month()) AS is_over"
_COMMENT = "COMMENT ON COLUMN milkrun.latest_observation.remark IS 'What is to be said of the series.';\n"


@contextlib.contextmanager
def coming_release(folder: Path) -> Iterator[None]:
    """Migrate by the coming release within the context; a new folder in `folder` holds its migrations."""
    migrations = folder / "coming"
    shutil.copytree(schema.MIGRATIONS, migrations)
    (migrations / "versions" / f"{REVISION}_remark.py").write_text(_REVISION_FILE)
    view = migrations / "schema" / "views" / "latest_observation.sql"
    before = view.read_text()
    assert before.count(_COLUMNS) == 1
    view.write_text(before.replace(_COLUMNS, f"{_COLUMNS}, s.remark") + _COMMENT)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(schema, "MIGRATIONS", migrations)
        yield
