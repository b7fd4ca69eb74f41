"""The Prefect server that a run from the command line starts for itself, where none is set."""

import contextlib


def stop_own_server() -> None:
    """End that server at once, when this process is about to end without unwinding; otherwise Prefect does so."""
    from prefect.server.api.server import SubprocessASGIServer

    for server in list(SubprocessASGIServer._instances.values()):
        with contextlib.suppress(Exception):  # it may be gone already: Ctrl-C reaches it as well
            server.stop()
