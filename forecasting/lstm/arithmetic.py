"""Layouts of arrays with an axis of networks, and the products and the tanh that suit them."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

Array = Any  # a NumPy array or a TensorFlow tensor: the forward pass is written once for both
SUMMED_UNITS = 8  # networks whose layers have no more units are in the layout "last", see docs/decisions/0003


@dataclass(frozen=True)
class AxisLayout:
    """The position of the axis of networks, with the operations that suit it; see docs/decisions/0003.

    "last": arrays are (windows, features, networks); products are sums of long vectors, fast for few units.
    "first": arrays are (networks, windows, features); products are matrix products, fast for many units.
    """

    networks: Literal["first", "last"]
    product: Callable[[Array, Array], Array]  # (windows, inputs) · (inputs, columns) -> (windows, columns), per network
    tanh: Callable[[Array], Array]
    join: Callable[[Array, Array], Array]  # concatenate along the axis of features

    @property
    def windows(self) -> int:
        """Position of the axis of windows; the axis of features follows it."""
        return 0 if self.networks == "last" else 1

    def columns(self, array: Array, start: int, stop: int) -> Array:
        """Return the features start:stop of an array."""
        return array[..., start:stop, :] if self.networks == "last" else array[..., start:stop]

    def along_features(self, values: np.ndarray) -> np.ndarray:
        """Reshape (features,) so that it broadcasts over windows and networks."""
        return values[None, :, None] if self.networks == "last" else values[None, None, :]


def sum_product(x: Array, kernel: Array) -> Array:
    """Multiply (windows, inputs, networks) by a kernel (inputs, columns, networks): a sum of long vectors, one per input.

    x may have fewer inputs than the kernel: at the first time step the state h is zero and left out.
    """
    total = x[:, 0, None] * kernel[0]
    for input_index in range(1, x.shape[1]):
        total = total + x[:, input_index, None] * kernel[input_index]
    return total


def matrix_product(x: np.ndarray, kernel: np.ndarray) -> np.ndarray:
    """Multiply (networks, windows, inputs) by a kernel on its grid, (networks, inputs, columns), with exact sums.

    Both factors are rounded to grids so coarse that float64 holds every partial sum exactly (after Ozaki et al. 2012). So the
    order of additions, which depends on library, shape and machine, changes no bit. x may have fewer inputs than the
    kernel, as in `sum_product`.
    """
    product = on_grid(x, 2, kernel.shape[1]) @ kernel[:, : x.shape[2]]
    return np.asarray(product, dtype=np.float32)


def on_grid(values: np.ndarray, axis: int, term_count: int) -> np.ndarray:
    """Round to multiples of a power of two, such that a sum of `terms` products fits the 53 bits of float64.

    The largest value along the axis decides the power. Up to 128 terms it keeps 23 bits; float32 has 24.
    """
    kept_bits = (53 - term_count.bit_length()) // 2
    _, exponent = np.frexp(np.abs(values).max(axis, keepdims=True))
    grid = np.ldexp(1.0, exponent - kept_bits)
    return np.asarray(np.rint(values / grid) * grid)


def rational_tanh(x: np.ndarray) -> np.ndarray:
    """Hyperbolic tangent by a rational approximation. It uses + − × ÷ alone, so its bits are the same on every machine.

    An odd polynomial of degree 13 over an even one of degree 6, with the coefficients of Eigen's float32 tanh, which
    TensorFlow uses; the error is a few units in the last place.
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
