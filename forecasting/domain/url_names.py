"""Where the URL of another database is: an environment variable or a Prefect block, never the file that names it."""

import os
import re

from forecasting.domain.errors import InputError

URL_NAME = (
    "url_from names an environment variable, such as SALES_URL, or a Prefect block as TYPE/NAME, such as secret/sales-url; "
    "a URL does not stand in the file, because it may hold a password"
)


def is_url_name(text: str) -> bool:
    """Return whether a text can be the name of an environment variable, or of a block."""
    return re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*|[a-z0-9-]+/[a-z0-9-]+", text) is not None


def find_url_in_environment(url_from: str) -> str:
    """Return the URL that an environment variable holds; raises InputError where it holds none."""
    if "/" in url_from:
        raise InputError(f"{url_from} is a Prefect block: only flows and milkrun commands read blocks.")
    if not (url := os.environ.get(url_from)):
        raise InputError(
            f"The environment variable {url_from} is empty: set it, where the flow runs, to the URL of the database, such as "
            "postgresql://user:password@host/database."
        )
    return url
