"""What the trigger of a run is called."""

from alembic import op

revision = "0012"
down_revision = "0011"

COLUMNS = {"run": "What started it: {}.", "run_health": "What started the run: {}."}


def upgrade() -> None:
    _say("schedule, deployment (the UI or the API) or command line")


def downgrade() -> None:
    _say("schedule, ui, command line")


def _say(triggers: str) -> None:
    for relation, meaning in COLUMNS.items():
        op.execute(f"COMMENT ON COLUMN milkrun.{relation}.trigger IS '{meaning.format(triggers)}'")
