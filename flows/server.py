"""The Prefect server: how its address is shown, and the one that a run from the command line starts for itself."""

import contextlib
import os
import re


def public_address() -> str:
    """Return PREFECT_API_URL as it may be shown: without a user and a password, where it has any."""
    return re.sub("//[^/]*@", "//", os.environ.get("PREFECT_API_URL", ""))


def stop_own_server() -> None:
    """End that server at once, when this process is about to end without unwinding; otherwise Prefect does so."""
    from prefect.server.api.server import SubprocessASGIServer

    for server in list(SubprocessASGIServer._instances.values()):
        with contextlib.suppress(Exception):  # it may be gone already: Ctrl-C reaches it as well
            server.stop()
