"""The bytes of a bundle: little-endian float32 tensors one after the other, and a manifest with their names and shapes.

Nothing in them can be executed, and they do not depend on any library's file format.
"""

import hashlib
import math
from typing import Any, TypeGuard

import numpy as np

from forecasting.domain.errors import BundleError
from forecasting.lstm.weights import Weights

FORMAT = 1
MAXIMUM_TENSORS = 1_000
MAXIMUM_BYTES = 1 << 32
REMEDY = "Retrain the series of this bundle, or restore the bundle from a backup."


def pack(weights: Weights) -> tuple[bytes, dict[str, Any]]:
    """Return the payload of weights, and its manifest.

    The manifest has JSON values only: format, size in bytes, sha256 of the payload, and name, shape and offset of each tensor.
    Raises BundleError where a weight is not finite, a tensor is empty, or there is no tensor.
    """
    tensors, chunks, offset = [], [], 0
    for name in sorted(weights):
        tensor = np.ascontiguousarray(weights[name], dtype="<f4")
        if not np.isfinite(tensor).all():
            raise BundleError(f"Tensor {name!r} holds numbers that are not finite. Leave diverged networks out.")
        if not tensor.size:
            raise BundleError(f"Tensor {name!r} is empty. Make a bundle of one network or more.")
        tensors.append({"name": name, "shape": list(tensor.shape), "offset": offset})
        chunks.append(tensor.tobytes())
        offset += tensor.nbytes
    if not chunks:
        raise BundleError("There are no tensors. Make a bundle of one network or more.")
    payload = b"".join(chunks)
    sha256 = hashlib.sha256(payload).hexdigest()
    return payload, {"format": FORMAT, "bytes": len(payload), "sha256": sha256, "tensors": tensors}


def unpack(payload: bytes, manifest: dict[str, Any]) -> Weights:
    """Read the weights from a payload and its manifest: exactly the numbers that were packed.

    Raises BundleError with the reason where format, size, shapes, checksum or numbers do not fit. No memory is
    allocated before the manifest is checked against the size of the payload.
    """
    tensors = read_tensor_table(manifest)
    if manifest["bytes"] != len(payload):
        raise damage_error(f"it has {len(payload)} bytes, its manifest says {manifest['bytes']}")
    if manifest.get("sha256") != hashlib.sha256(payload).hexdigest():
        raise damage_error("its checksum (sha256) does not fit")
    weights: Weights = {}
    for name, shape, offset in tensors:
        tensor = np.frombuffer(payload, dtype="<f4", count=math.prod(shape), offset=offset).reshape(shape)
        if not np.isfinite(tensor).all():
            raise damage_error(f"tensor {name!r} holds numbers that are not finite")
        weights[name] = tensor.astype(np.float32)
    return weights


def read_tensor_table(manifest: dict[str, Any]) -> list[tuple[str, tuple[int, ...], int]]:
    """Return (name, shape, offset) of each tensor; raises BundleError unless the tensors fill the payload exactly."""
    if manifest.get("format") != FORMAT:
        format_number = manifest.get("format")
        raise BundleError(
            f"The bundle has format {format_number!r}, this release reads {FORMAT}. Use the release that wrote it."
        )
    entries, total = manifest.get("tensors"), manifest.get("bytes")
    if not is_count(total) or total > MAXIMUM_BYTES:
        raise damage_error(f"its manifest gives an impossible size, {total!r} bytes")
    if not isinstance(entries, list) or len(entries) > MAXIMUM_TENSORS:
        raise damage_error("its manifest has no proper list of tensors")
    table: list[tuple[str, tuple[int, ...], int]] = []
    end = 0
    for entry in entries:
        if not isinstance(entry, dict):
            raise damage_error(f"its manifest describes a tensor wrongly: {entry!r:.100}")
        name, shape, offset = (entry.get(key) for key in ("name", "shape", "offset"))
        if not isinstance(name, str) or not isinstance(shape, list) or len(shape) > 8 or not all(map(is_count, shape)):
            raise damage_error(f"its manifest describes a tensor wrongly: {entry!r:.100}")
        if offset != end or name in [earlier for earlier, _, _ in table]:
            raise damage_error(f"tensor {name!r} does not start where the one before it ends, or comes twice")
        table.append((name, tuple(shape), end))
        end += 4 * math.prod(shape)
        if end > total:
            raise damage_error(f"tensor {name!r} reaches beyond the payload's {total} bytes")
    if end != total:
        raise damage_error(f"its tensors fill {end} bytes of {total}")
    return table


def is_count(value: object) -> TypeGuard[int]:
    """Say whether a value is an integer of 1 or more; JSON's true is not."""
    return isinstance(value, int) and not isinstance(value, bool) and value > 0


def damage_error(reason: str) -> BundleError:
    """Return the error for a payload that does not fit its manifest."""
    return BundleError(f"The bundle is damaged: {reason}. {REMEDY}")
