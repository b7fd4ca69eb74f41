"""Parquet files that published runs are delivered to: a partition of two datasets for each run, and a manifest."""

import hashlib
import json
import uuid
from collections.abc import Iterator, Sequence
from typing import Any

import pyarrow
import pyarrow.parquet

from forecasting.domain.errors import InputError, MilkrunError, PassingFailure
from forecasting.intake.file_patterns import public_pattern
from forecasting.storage.db.database import Database
from forecasting.storage.deliveries import (
    FORECAST_COLUMNS,
    RMSE_COLUMNS,
    PublishedRun,
    forecast_batches,
    rmse_batches,
)

_TYPES: dict[str, pyarrow.DataType] = (
    dict.fromkeys(("series", "split", "unit", "outcome", "method", "recipe"), pyarrow.string())
    | dict.fromkeys(("month", "origin", "run_origin"), pyarrow.date32())
    | dict.fromkeys(("horizon", "n"), pyarrow.int32())
    | {"run_id": pyarrow.int64(), "published_at": pyarrow.timestamp("s")}
)


def deliver_to_files(database: Database, run: PublishedRun, place: str) -> tuple[int, int]:
    """Write forecasts and RMSE history of a run as Parquet; returns the numbers of rows.

    place: a folder, or a URL that fsspec writes to. It gets `forecast/run_id=N/part.parquet`, `rmse/run_id=N/part.parquet` and
    `manifest/run_id=N.json`. A run is delivered when its manifest is there, which is written last; a run that has one is left as
    it is. Raises InputError where another Milkrun has written a run of that number, PassingFailure where the place is out of
    reach.
    """
    import fsspec

    try:
        system, root = fsspec.core.url_to_fs(place)
        manifest_path = f"{root}/manifest/run_id={run.run_id}.json"
        if system.exists(manifest_path):
            return _counts_of(json.loads(system.cat_file(manifest_path)), run, place)
        with forecast_batches(database, run) as batches:
            forecast = _write_part(system, f"{root}/forecast/run_id={run.run_id}", FORECAST_COLUMNS, batches)
        with rmse_batches(database, run) as batches:
            rmse = _write_part(system, f"{root}/rmse/run_id={run.run_id}", RMSE_COLUMNS, batches)
        manifest = {
            "run_id": run.run_id,
            "origin": run.origin,
            "published_at": run.published_at.isoformat(),
            "forecast": forecast,
            "rmse": rmse,
        }
        system.makedirs(f"{root}/manifest", exist_ok=True)
        _write_whole(system, manifest_path, json.dumps(manifest, indent=2).encode())
    except MilkrunError:
        raise
    except ImportError as missing:
        raise InputError(f"{public_pattern(place)}: {missing}.") from None
    except ValueError as problem:
        raise InputError(f"{public_pattern(place)} cannot be written to: {str(problem)[:200]}.") from None
    except Exception as failure:  # noqa: BLE001 - each kind of file system has errors of its own
        raise PassingFailure(
            f"{public_pattern(place)} cannot be written to ({type(failure).__name__}): check its address, its free space and "
            "the rights."
        ) from None
    return forecast["rows"], rmse["rows"]


def _counts_of(manifest: dict[str, Any], run: PublishedRun, place: str) -> tuple[int, int]:
    if not {"published_at", "forecast", "rmse"} <= manifest.keys():
        raise InputError(
            f"{public_pattern(place)} has a manifest of run {run.run_id} that is none of Milkrun's: remove it."
        )
    if manifest["published_at"] != run.published_at.isoformat():
        raise InputError(
            f"{public_pattern(place)} has a run {run.run_id} of another Milkrun, published at {manifest['published_at']} UTC: "
            "deliver to a folder of your own."
        )
    return manifest["forecast"]["rows"], manifest["rmse"]["rows"]


def _write_part(
    system: Any, folder: str, columns: Sequence[str], batches: Iterator[Sequence[Sequence[Any]]]
) -> dict[str, Any]:
    """Write the rows of one dataset as its partition of a run; returns path, rows, bytes and digest for the manifest.

    The number of the run is in the name of the folder, as partitioned datasets have it, and not in the file.
    """
    names = [name for name in columns if name != "run_id"]
    schema = pyarrow.schema([(name, _TYPES.get(name, pyarrow.float64())) for name in names])
    sink = pyarrow.BufferOutputStream()
    count = 0
    with pyarrow.parquet.ParquetWriter(sink, schema, compression="zstd") as writer:
        for batch in batches:
            by_name = dict(zip(columns, zip(*batch, strict=True), strict=True))
            arrays = [pyarrow.array(by_name[field.name], field.type) for field in schema]
            writer.write_table(pyarrow.Table.from_arrays(arrays, schema=schema))
            count += len(batch)
    content = sink.getvalue().to_pybytes()
    system.makedirs(folder, exist_ok=True)
    _write_whole(system, f"{folder}/part.parquet", content)
    return {
        "path": f"{folder.rsplit('/', 2)[-2]}/{folder.rsplit('/', 1)[-1]}/part.parquet",
        "rows": count,
        "bytes": len(content),
        "sha256": hashlib.sha256(content).hexdigest(),
    }


def _write_whole(system: Any, path: str, content: bytes) -> None:
    """Write a file so that no reader sees part of it: under another name first, where the file system has renames."""
    if "file" not in (system.protocol if isinstance(system.protocol, tuple) else (system.protocol,)):
        system.pipe_file(path, content)  # object stores show an object when it is whole
        return
    folder, _, name = path.rpartition("/")
    temporary = f"{folder}/.{name}.{uuid.uuid4().hex}"
    try:
        system.pipe_file(temporary, content)
        system.mv(temporary, path)
    finally:
        if system.exists(temporary):
            system.rm_file(temporary)
