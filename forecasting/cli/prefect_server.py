"""The Prefect server at PREFECT_API_URL: whether its address is set, and whether it answers."""

import os

from forecasting.domain.errors import EnvironmentFailure, InputError


def require_server(command: str) -> None:
    """Raise InputError unless the address of a Prefect server is set."""
    if not os.environ.get("PREFECT_API_URL"):
        raise InputError(
            f"{command} needs a Prefect server: set PREFECT_API_URL, such as http://127.0.0.1:4200/api, "
            "or start everything at once with milkrun serve."
        )


def check_server(url: str) -> None:
    """Raise EnvironmentFailure unless a Prefect server answers at its address, InputError where it refuses the credentials."""
    import base64
    import http.client
    import urllib.error
    import urllib.request

    from flows.server import public_address

    headers = {}
    if secret := os.environ.get("PREFECT_API_AUTH_STRING"):  # which Prefect takes before a key
        headers["Authorization"] = f"Basic {base64.b64encode(secret.encode()).decode()}"
    elif key := os.environ.get("PREFECT_API_KEY"):
        headers["Authorization"] = f"Bearer {key}"
    try:
        if not url.startswith(("http://", "https://")):
            raise ValueError("not a web address")
        request = urllib.request.Request(f"{url.rstrip('/')}/admin/version", headers=headers)  # noqa: S310 - checked above
        urllib.request.urlopen(request, timeout=10).close()  # noqa: S310
    except urllib.error.HTTPError as refusal:
        if refusal.code == 401:
            raise InputError(
                "The Prefect server refused the credentials: set PREFECT_API_AUTH_STRING to the one it was started "
                "with, or PREFECT_API_KEY to a key of it."
            ) from None
        raise EnvironmentFailure(
            f"What answers at PREFECT_API_URL, {public_address()}, is no Prefect server, or one out of order (status "
            f"{refusal.code}): correct the address (http://host:4200/api), then repeat the command."
        ) from None
    except (OSError, ValueError, http.client.HTTPException):
        raise EnvironmentFailure(
            f"No Prefect server answers at PREFECT_API_URL, {public_address()}: start it, correct the address "
            "(http://host:4200/api), or unset the variable to run without a server."
        ) from None
