"""Random numbers that depend on a seed alone and stay the same with every release of NumPy."""

import hashlib
from collections.abc import Sequence

import numpy as np

# Streams of random numbers of one network's seed, one for each purpose.
WEIGHTS_STREAM, ORDER_STREAM, MEMBERS_STREAM, NOISE_STREAM = range(4)


def series_seeds(seed: int, names: Sequence[str]) -> np.ndarray:
    """Return the seed of each series, from the recipe's seed and the name of the series: uint64 (series,)."""
    digests = (hashlib.sha256(f"{seed}/{name}".encode()).digest() for name in names)
    return np.array([int.from_bytes(digest[:8], "little") for digest in digests], dtype=np.uint64)


def random_bits(seed: np.uint64, stream: int, count: int) -> np.ndarray:
    """Return the first random bits of a stream of a seed: uint64 (count,). NumPy never changes these streams (NEP 19)."""
    generator = np.random.Philox(key=np.array([seed, stream], dtype=np.uint64))
    return np.asarray(generator.random_raw(count))


def unit_interval(bits: np.ndarray) -> np.ndarray:
    """Map random bits (uint64) to random numbers between 0 and 1, both excluded (float64)."""
    return np.asarray(((bits >> np.uint64(11)).astype(np.float64) + 0.5) * 2.0**-53)


def glorot_uniform(random_numbers: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """Glorot uniform kernels (Glorot & Bengio 2010), uniform in ±√(6 / (inputs + outputs)): (networks, *shape).

    random_numbers: (networks, count) in (0, 1), of which each kernel uses as many as it has weights.
    """
    limit = np.sqrt(6.0 / sum(shape))
    kernels: np.ndarray = (2.0 * random_numbers[:, : int(np.prod(shape))] - 1.0).reshape(-1, *shape) * limit
    return kernels


def orthogonal(random_numbers: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """Orthogonal kernels (Saxe et al. 2014), by QR decomposition of normal random numbers: (networks, *shape).

    shape: of two dimensions. random_numbers: (networks, count) in (0, 1), of which each kernel uses two for each of its weights
    (Box & Muller 1958).
    """
    weight_count = int(np.prod(shape))
    radius = np.sqrt(-2.0 * np.log(random_numbers[:, :weight_count]))
    normal = radius * np.cos(2.0 * np.pi * random_numbers[:, weight_count : 2 * weight_count])
    q, r = np.linalg.qr(normal.reshape(-1, max(shape), min(shape)))
    # The decomposition leaves the sign of each column open: with a positive diagonal of r it is unique.
    q *= np.sign(np.diagonal(r, axis1=1, axis2=2))[:, None, :]
    return q.transpose(0, 2, 1) if shape[0] < shape[1] else q
