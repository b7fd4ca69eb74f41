"""Unpacking a bundle returns exactly the packed numbers, or raises an error with the reason."""

import copy
import hashlib
import json
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from forecasting.domain.errors import BundleError
from forecasting.lstm.weights import Architecture, initial_weights
from forecasting.models.codec import pack, unpack

finite = st.floats(width=32, allow_nan=False, allow_infinity=False)
tensors = arrays(np.float32, array_shapes(max_dims=3, max_side=5), elements=finite)


@settings(deadline=None)
@given(st.dictionaries(st.text(min_size=1, max_size=20), tensors, min_size=1, max_size=6))
def test_unpack_returns_what_was_packed(weights: dict[str, np.ndarray]) -> None:
    """Names, shapes and every bit survive, with the manifest going through JSON."""
    payload, manifest = pack(weights)

    unpacked = unpack(payload, json.loads(json.dumps(manifest, allow_nan=False)))

    assert sorted(unpacked) == sorted(weights)
    for name, tensor in weights.items():
        assert (unpacked[name].shape, unpacked[name].tobytes()) == (tensor.shape, tensor.tobytes())
        assert unpacked[name].flags.writeable


def test_the_payload_is_plain_little_endian_float32() -> None:
    """Any program can read a payload: four bytes a number, one tensor after the other in the order of the manifest."""
    payload, manifest = pack({"b": np.array([[1.0, 2.0]], np.float32), "a": np.array([3.0], np.float32)})

    assert np.frombuffer(payload, "<f4").tolist() == [3.0, 1.0, 2.0]
    assert manifest["tensors"] == [
        {"name": "a", "shape": [1], "offset": 0},
        {"name": "b", "shape": [1, 2], "offset": 4},
    ]


def set_tensor(**values: Any) -> Callable[[dict[str, Any]], None]:
    """Return a function that changes fields of the manifest's first tensor."""
    return lambda manifest: manifest["tensors"][0].update(values)


DAMAGE: dict[str, tuple[Callable[[dict[str, Any]], Any], str]] = {
    "format": (lambda m: m.update(format=99), "format 99, this release reads 1. Use the release"),
    "no format": (lambda m: m.clear(), "format None"),
    "bytes": (lambda m: m.update(bytes=m["bytes"] + 4), "fill"),
    "bytes huge": (lambda m: m.update(bytes=1 << 60), "impossible size"),
    "bytes text": (lambda m: m.update(bytes="many"), "impossible size"),
    "checksum": (lambda m: m.update(sha256="0" * 64), "checksum"),
    "no checksum": (lambda m: m.pop("sha256"), "checksum"),
    "no tensors": (lambda m: m.update(tensors=None), "list of tensors"),
    "too many tensors": (lambda m: m.update(tensors=m["tensors"] * 1000), "list of tensors"),
    "tensor text": (lambda m: m.update(tensors=["kernel"]), "describes a tensor wrongly"),
    "shape huge": (set_tensor(shape=[1 << 62, 1 << 62]), "reaches beyond"),
    "shape negative": (set_tensor(shape=[-3, 4]), "describes a tensor wrongly"),
    "shape zero": (set_tensor(shape=[0, 4]), "describes a tensor wrongly"),
    "shape of true": (set_tensor(shape=[True]), "describes a tensor wrongly"),
    "shape deep": (set_tensor(shape=[1] * 50), "describes a tensor wrongly"),
    "offset": (set_tensor(offset=4), "does not start where"),
    "twice": (
        lambda m: m["tensors"].insert(0, {"name": "dense/kernel", "shape": [1], "offset": 0}),
        "comes twice|start",
    ),
}


@pytest.mark.parametrize(("change", "message"), DAMAGE.values(), ids=DAMAGE)
def test_a_damaged_manifest_is_refused(change: Callable[[dict[str, Any]], Any], message: str) -> None:
    """Each kind of damage has its own message, and no memory is allocated before."""
    payload, manifest = pack(initial_weights(Architecture(3, (2,)), np.arange(3, dtype=np.uint64)))
    manifest = copy.deepcopy(manifest)
    change(manifest)

    with pytest.raises(BundleError, match=message):
        unpack(payload, manifest)


@settings(deadline=None)
@given(position=st.integers(0, 10_000), bit=st.integers(0, 7))
def test_a_changed_bit_is_detected(position: int, bit: int) -> None:
    """Whatever bit of the payload changes, the checksum differs, and the message has the remedy."""
    payload, manifest = pack(initial_weights(Architecture(3, (2,)), np.arange(3, dtype=np.uint64)))
    damaged = bytearray(payload)
    damaged[position % len(payload)] ^= 1 << bit

    with pytest.raises(BundleError, match="Retrain the series"):
        unpack(bytes(damaged), manifest)


def test_a_shortened_payload_is_refused() -> None:
    """Its size is not that of the manifest."""
    payload, manifest = pack({"a": np.ones(3, np.float32)})

    with pytest.raises(BundleError, match="8 bytes, its manifest says 12"):
        unpack(payload[:-4], manifest)


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_numbers_that_are_not_finite_are_neither_packed_nor_unpacked(value: float) -> None:
    """A diverged network cannot be packed, and a forged payload with one cannot be unpacked."""
    with pytest.raises(BundleError, match="not finite"):
        pack({"a": np.array([1.0, value], np.float32)})

    payload, manifest = pack({"a": np.array([1.0, 2.0], np.float32)})
    forged = np.array([1.0, value], "<f4").tobytes()
    manifest["sha256"] = hashlib.sha256(forged).hexdigest()
    with pytest.raises(BundleError, match="not finite"):
        unpack(forged, manifest)
    assert len(forged) == len(payload)


def test_a_bundle_has_at_least_one_network() -> None:
    """Packing refuses an empty tensor, and no tensor at all."""
    with pytest.raises(BundleError, match="no tensors"):
        pack({})
    with pytest.raises(BundleError, match="empty"):
        pack({"a": np.ones((0, 3), np.float32)})
