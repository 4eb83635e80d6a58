"""The fast kernels of the front end against their plain definitions."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dsp import filters
from dsp.features import median, median16, sharpness

rng = np.random.default_rng(0)


def kernel(x, block=37):
    """Slope and feature of a whole signal, [2, n], block by block."""
    past = filters.PAST
    signal, slope = np.zeros((2, past + len(x)), np.float32)
    signal[past:] = x
    feature, fours = np.zeros((2, past + block), np.float32)
    out = np.empty((2, len(x)))
    for begin in range(0, len(x), block):
        end = min(begin + block, len(x))
        filters.slopes(signal[begin:], slope[begin:], end - begin)
        filters.mean_size(slope[begin:], fours, feature, end - begin)
        out[:, begin:end] = slope[past + begin : past + end], feature[: end - begin]
    return out


def plain(x):
    def mean(signal, n):
        return np.convolve(signal, np.full(n, 1.0 / n))[: signal.size]

    smooth = mean(mean(x, filters.SMOOTH_A), filters.SMOOTH_B)
    slope = smooth - np.r_[np.zeros(filters.SLOPE), smooth[: -filters.SLOPE]]
    return slope, mean(np.abs(slope), filters.INTEGRAL)


def test_slope_and_feature_are_those_of_the_plain_definition():
    x = np.cumsum(rng.normal(0.0, 0.1, 2000))
    assert np.allclose(kernel(x), plain(x), atol=1e-4)


def test_blocks_of_any_size_give_the_same_bits():
    x = rng.normal(0.0, 1.0, 500)
    assert np.array_equal(kernel(x, block=1), kernel(x, block=250))


def test_nothing_is_left_of_the_past():
    x = rng.normal(0.0, 1000.0, 1000)
    x[-40:] = 0.0
    assert kernel(x)[1, -1] == 0.0


@pytest.mark.parametrize(("line_hz", "left"), [(50.0, 0.001), (60.0, 0.02)])
def test_powerline_is_taken_out(line_hz, left):
    x = np.sin(2 * np.pi * line_hz * np.arange(2000) / 250.0)
    assert kernel(x)[0][100:].__abs__().max() < left


def test_the_feature_lags_by_its_stated_delay():
    t = np.arange(500)
    feature = kernel(np.exp(-0.5 * ((t - 250) / 4.0) ** 2))[1]
    centre = (feature * t).sum() / feature.sum()
    assert centre == pytest.approx(250 + filters.DELAY, abs=0.5)


@settings(deadline=None)  # the first call may compile
@given(st.lists(st.floats(-100, 100, width=32), max_size=12))
def test_median_is_that_of_numpy(values):
    padded = np.array([*values, 1e9], np.float32)
    expected = np.median(np.array(values, np.float32)) if values else 0.0
    assert median(padded, len(values)) == pytest.approx(float(expected), abs=1e-4)


@settings(deadline=None)
@given(st.lists(st.floats(-100, 100, width=32), min_size=1, max_size=16))
def test_median16_is_median(values):
    padded = np.array([*values, *[1e9] * (16 - len(values))], np.float32)
    assert median16(padded, len(values)) == median(padded, len(values))


def test_sharpness_is_the_largest_change_of_slope():
    slope = rng.normal(size=64).astype(np.float32)
    expected = max(abs(slope[j] - slope[j - 4]) for j in range(10, 31))
    assert sharpness(slope, 10, 30, 4) == expected
    assert sharpness(slope, 74, 94, 4) == expected  # indices go round the ring
