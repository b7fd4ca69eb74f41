"""The Prefect server: how its address is shown."""

import os
import re


def public_address() -> str:
    """Return PREFECT_API_URL as it may be shown: without a user and a password, where it has any."""
    return re.sub("//[^/]*@", "//", os.environ.get("PREFECT_API_URL", ""))
