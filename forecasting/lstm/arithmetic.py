"""Where the axis of networks lies in memory, and the products and the tanh that go with it."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

Array = Any  # a NumPy array or a TensorFlow tensor: the forward pass is written once for both


@dataclass(frozen=True)
class AxisLayout:
    """Where the networks axis lies, with the product that suits it; see docs/decisions/0003.

    "last": arrays are (windows, features, networks) and products are sums of long vectors, best for few units.
    "first": arrays are (networks, windows, features) and products are matrix products, best for many.
    """

    networks: Literal["first", "last"]
    product: Callable[[Array, Array], Array]  # (windows, inputs) · (inputs, columns) -> (windows, columns), per network
    tanh: Callable[[Array], Array]
    join: Callable[[Array, Array], Array]  # side by side along the features axis

    @property
    def windows(self) -> int:
        """The axis of windows; that of features follows it."""
        return 0 if self.networks == "last" else 1

    def columns(self, array: Array, start: int, stop: int) -> Array:
        """Cut features start:stop out of an array."""
        return array[..., start:stop, :] if self.networks == "last" else array[..., start:stop]

    def along_features(self, values: np.ndarray) -> np.ndarray:
        """Shape one number per feature so that it broadcasts over windows and networks."""
        return values[None, :, None] if self.networks == "last" else values[None, None, :]


def sum_product(x: Array, kernel: Array) -> Array:
    """Multiply (windows, inputs, networks) by (inputs, columns, networks): long vectors, summed input by input.

    x may have fewer inputs than the kernel has: the state before the first time step is zero.
    """
    total = x[:, 0, None] * kernel[0]
    for row in range(1, x.shape[1]):
        total = total + x[:, row, None] * kernel[row]
    return total


def matrix_product(x: np.ndarray, kernel: np.ndarray) -> np.ndarray:
    """Multiply (networks, windows, inputs) by a kernel on its grid, (networks, inputs, columns), exactly.

    Both factors lie on grids so coarse that every partial sum is a float64 without rounding: the order in which a
    library adds, which changes with shapes and machines, cannot change a bit (the idea of Ozaki et al. 2012). x may have
    fewer inputs than the kernel, as in `sum_product`.
    """
    product = on_grid(x, 2, kernel.shape[1]) @ kernel[:, : x.shape[2]]
    return np.asarray(product, dtype=np.float32)


def on_grid(values: np.ndarray, axis: int, terms: int) -> np.ndarray:
    """Round to whole multiples of a power of two, so fine that sums of `terms` products still fit the 53 bits of float64.

    The grid goes by the largest value along the axis; for up to 128 terms it keeps 23 bits, float32 keeps 24.
    """
    bits = (53 - terms.bit_length()) // 2
    _, exponent = np.frexp(np.abs(values).max(axis, keepdims=True))
    grid = np.ldexp(1.0, exponent - bits)
    return np.asarray(np.rint(values / grid) * grid)


def rational_tanh(x: np.ndarray) -> np.ndarray:
    """Hyperbolic tangent by a rational approximation, from + − × ÷ alone: the same bits on every machine.

    The coefficients are those of Eigen's float32 tanh, which TensorFlow uses: an odd polynomial of degree 13 over an
    even one of degree 6, within a few units in the last place.
    """
    x = np.clip(x, np.float32(-7.90531110763549805), np.float32(7.90531110763549805))
    square = x * x
    numerator = np.full_like(x, NUMERATOR[0])
    for coefficient in NUMERATOR[1:]:
        numerator *= square
        numerator += coefficient
    numerator *= x
    denominator = np.full_like(x, DENOMINATOR[0])
    for coefficient in DENOMINATOR[1:]:
        denominator *= square
        denominator += coefficient
    numerator /= denominator
    return numerator


NUMERATOR = np.array(
    [
        -2.76076847742355e-16,
        2.00018790482477e-13,
        -8.60467152213735e-11,
        5.12229709037114e-08,
        1.48572235717979e-05,
        6.37261928875436e-04,
        4.89352455891786e-03,
    ],
    dtype=np.float32,
)
DENOMINATOR = np.array(
    [1.19825839466702e-06, 1.18534705686654e-04, 2.26843463243900e-03, 4.89352518554385e-03], dtype=np.float32
)
NUMPY_LAST = AxisLayout("last", sum_product, rational_tanh, lambda a, b: np.concatenate([a, b], axis=1))
NUMPY_FIRST = AxisLayout("first", matrix_product, rational_tanh, lambda a, b: np.concatenate([a, b], axis=2))
