"""How rows of a query are returned: as a table, as records, or as one array per series and run."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from sqlalchemy import Connection, text

from forecasting.storage.db.copy import array_of, copy_out_binary

Table = tuple[list[str], list[Sequence[Any]]]
Record = dict[str, Any]


def read_table(connection: Connection, query: str, **parameters: Any) -> Table:
    """Return the column names and the rows of a query."""
    result = connection.execute(text(query), parameters)
    return list(result.keys()), [tuple(row) for row in result]


def read_records(connection: Connection, query: str, **parameters: Any) -> list[Record]:
    """Return the rows of a query, each as its values by column name."""
    return [dict(row) for row in connection.execute(text(query), parameters).mappings()]


def in_series_and_runs(series_ids: Sequence[int], run_ids: Sequence[int]) -> str:
    """Return the SQL condition that a row belongs to one of some series and to one of some runs."""
    series_array, run_array = (array_of(map(int, ids)) for ids in (series_ids, run_ids))
    return f"series_id = ANY({series_array}::int[]) AND run_id = ANY({run_array}::bigint[])"


def read_arrays_by_series_and_run(
    connection: Connection, query: str, types: dict[str, str]
) -> dict[tuple[int, int], np.ndarray]:
    """Return the rows of a query as structured arrays, one per series id and run id; types as in `copy_out_binary`.

    The query must return the columns series_id and run_id, and its rows must be ordered by these two.
    """
    rows = copy_out_binary(connection, query, types)
    if len(rows) == 0:
        return {}
    is_first = (np.diff(rows["series_id"]) != 0) | (np.diff(rows["run_id"]) != 0)
    first_rows = np.concatenate([[0], np.flatnonzero(is_first) + 1])
    keys = zip(rows["series_id"][first_rows].tolist(), rows["run_id"][first_rows].tolist(), strict=True)
    return dict(zip(keys, np.split(rows, first_rows[1:]), strict=True))
