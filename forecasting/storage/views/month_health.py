"""Whether months were published: the alarm of an installation, for those who cannot ask Prefect."""

from typing import Any

from sqlalchemy import Connection, text


def read_newest_month(connection: Connection) -> Any:
    """Return the row of month_health of the newest observed month; None before the first observation."""
    return connection.execute(text("SELECT * FROM milkrun.month_health WHERE newest")).one_or_none()
