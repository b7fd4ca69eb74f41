"""Random draws that depend on one network's seed alone, and stay the same with every release of NumPy."""

import hashlib
from collections.abc import Sequence

import numpy as np


def series_seeds(seed: int, names: Sequence[str]) -> np.ndarray:
    """Return uint64 (series,): the seed of each series, from a recipe's seed and its name alone."""
    digests = (hashlib.sha256(f"{seed}/{name}".encode()).digest() for name in names)
    return np.array([int.from_bytes(digest[:8], "little") for digest in digests], dtype=np.uint64)


def random_bits(seed: np.uint64, purpose: int, count: int) -> np.ndarray:
    """Draw uint64 (count,) from the stream of a seed and a purpose; NumPy never changes such streams (NEP 19)."""
    stream = np.random.Philox(key=np.array([seed, purpose], dtype=np.uint64))
    return np.asarray(stream.random_raw(count))


def unit_interval(bits: np.ndarray) -> np.ndarray:
    """Map uint64 bits to float64 in (0, 1)."""
    return np.asarray(((bits >> np.uint64(11)).astype(np.float64) + 0.5) * 2.0**-53)


def glorot_uniform(uniform: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """Glorot uniform kernels: (networks, draws) in (0, 1) -> (networks, *shape)."""
    limit = np.sqrt(6.0 / sum(shape))
    kernels: np.ndarray = (2.0 * uniform[:, : int(np.prod(shape))] - 1.0).reshape(-1, *shape) * limit
    return kernels


def orthogonal(uniform: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """Orthogonal kernels by QR of normal draws: (networks, draws) in (0, 1) -> (networks, *shape)."""
    half = int(np.prod(shape))
    normal = np.sqrt(-2.0 * np.log(uniform[:, :half])) * np.cos(2.0 * np.pi * uniform[:, half : 2 * half])
    q, r = np.linalg.qr(normal.reshape(-1, max(shape), min(shape)))
    q *= np.sign(np.diagonal(r, axis1=1, axis2=2))[:, None, :]
    return q.transpose(0, 2, 1) if shape[0] < shape[1] else q
