"""URLs of sources and deliveries, where Prefect blocks hold them."""

from collections.abc import Mapping
from typing import Any

import httpx
from prefect.client.orchestration import get_client
from prefect.exceptions import ObjectNotFound

from forecasting.domain.errors import InputError, PassingFailure
from forecasting.domain.url_names import find_url_in_environment
from forecasting.storage.db.other_databases import url_of_parts


def find_url(url_from: str) -> str:
    """Return the URL that a `url_from` names: an environment variable, or a block as TYPE/NAME.

    A Secret holds the URL as text; an SqlAlchemyConnector holds it as text or in parts. Raises InputError where there is no such
    block, or where it holds no URL, PassingFailure where the server cannot be reached. No message shows what a block holds.
    """
    if "/" not in url_from:
        return find_url_in_environment(url_from)
    block_type, _, name = url_from.partition("/")
    try:
        with get_client(sync_client=True) as client:
            document = client.read_block_document_by_name(name, block_type, include_secrets=True)
    except ObjectNotFound:
        raise InputError(
            f"The Prefect server has no block {url_from}: make it in the UI under Blocks and write it as TYPE/NAME, such as "
            "secret/sales-url."
        ) from None
    except httpx.TransportError:
        raise PassingFailure(f"The Prefect server, which has the block {url_from}, cannot be reached.") from None
    return _url_in(document.data, url_from)


def _url_in(data: Mapping[str, Any], url_from: str) -> str:
    value = data.get("value", data.get("connection_info"))
    if isinstance(value, str) and value:
        return value
    if isinstance(value, Mapping) and isinstance(value.get("url"), str):
        return str(value["url"])
    if isinstance(value, Mapping) and value.get("driver"):
        return url_of_parts({name: part for name, part in value.items() if part is not None})
    raise InputError(f"The block {url_from} holds no URL: use a Secret with a text, or an SqlAlchemyConnector.")
