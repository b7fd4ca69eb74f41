"""Tests of the base path, of smoothing and of the airline model."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from forecasting.domain.panel import Values
from forecasting.numerics.airline import airline_paths
from forecasting.numerics.base_path import MAXIMUM_SLOPE, base_path, slope_of, smoothed_level
from forecasting.numerics.smoothing import smooth, smoothed_path


def test_a_constant_stays_what_it_is() -> None:
    """Level 5, no slope, however short."""
    logs = np.full((30, 2), 5.0)

    np.testing.assert_allclose(base_path(logs, np.array([30, 1]), horizon=4), 5.0)


def test_a_line_goes_on_with_half_its_slope() -> None:
    """The Theta method is half a line and half a level."""
    line = np.arange(120.0)[:, None] * 0.01
    path = base_path(line, np.array([120]), horizon=12)[:, 0]

    np.testing.assert_allclose(np.diff(path), 0.005)
    np.testing.assert_allclose(slope_of(line, np.array([120])), 0.01)


def test_no_slope_is_steeper_than_five_percent_a_month() -> None:
    """The forecast of an exploding series stays moderate."""
    steep = np.arange(24.0)[:, None] * np.array([1.0, -1.0])

    assert slope_of(steep, np.array([24, 24])).tolist() == [MAXIMUM_SLOPE, -MAXIMUM_SLOPE]


def test_the_level_follows_jumps_and_ignores_noise() -> None:
    """A step is best followed by the largest weight of the grid, noise by a small one."""
    step = np.repeat([0.0, 1.0, 3.0], 20)[:, None]
    noise = np.random.default_rng(3).normal(size=(60, 1))

    assert smoothed_level(step, np.array([60]))[1] == 0.9
    assert smoothed_level(noise, np.array([60]))[1] <= 0.3


def test_smoothing_continues_a_pattern_that_evolves() -> None:
    """A season that grows is followed better than its mean over the years."""
    month = np.arange(132)
    logs = (1 + month / 60) * np.sin(month * np.pi / 6)
    states = smooth(logs[:120, None], np.array([True]), np.array([[119]]))
    forecast = smoothed_path(states, 0, horizon=12)[:, 0]

    mean_year = logs[:120].reshape(10, 12).mean(axis=0)

    assert np.abs(forecast - logs[120:]).max() < np.abs(mean_year - logs[120:]).max() / 1.5


@settings(deadline=None, max_examples=20)
@given(st.integers(0, 100), st.integers(0, 2**32 - 1))
def test_the_future_cannot_change_a_state(origin: int, seed: int) -> None:
    """The state after a month is the same whatever comes later."""
    generator = np.random.default_rng(seed)
    logs = generator.normal(size=(101, 2))
    changed_logs = logs.copy()
    changed_logs[origin + 1 :] = generator.normal(size=changed_logs[origin + 1 :].shape)
    origins = np.full((1, 2), origin)
    seasonal = np.array([True, False])
    # A season's first pattern needs the first two years.
    if origin >= 23:
        paths = [smoothed_path(smooth(variant, seasonal, origins), 0, horizon=14) for variant in (logs, changed_logs)]

        assert paths[0].tolist() == paths[1].tolist()


def test_the_airline_model_continues_a_line_with_a_pattern() -> None:
    """Where all innovations are zero, it repeats the pattern of last year from the level of last month."""
    month = np.arange(150)
    logs: Values = np.asarray(0.01 * month + np.sin(month * np.pi / 6), np.float64)
    path = airline_paths(logs[:120, None], np.array([[119]]), horizon=30)

    np.testing.assert_allclose(path[0, :, 0], logs[120:], atol=1e-9)


@settings(deadline=None, max_examples=20)
@given(st.integers(0, 60), st.integers(0, 2**32 - 1))
def test_the_future_and_the_neighbours_cannot_change_a_path(origin: int, seed: int) -> None:
    """A path from a month is the same whatever comes later, and beside any other series; early ones are flat."""
    generator = np.random.default_rng(seed)
    logs = generator.normal(size=(61, 3))
    changed_logs = logs.copy()
    changed_logs[origin + 1 :] = generator.normal(size=changed_logs[origin + 1 :].shape)
    path = airline_paths(logs, np.full((1, 3), origin), horizon=5)

    assert path.tolist() == airline_paths(changed_logs, np.full((1, 3), origin), horizon=5).tolist()
    assert path[:, :, 1:2].tolist() == airline_paths(logs[:, 1:2], np.array([[origin]]), horizon=5).tolist()
    assert origin >= 13 or (path == logs[origin]).all()
