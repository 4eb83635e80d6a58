"""Resampling keeps what is below its cut-off, in place, and drops what would fold back."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numba import njit

from dsp import resample
from dsp.lanes import dot8


def resampled(x, fs_hz, block=23):
    """All outputs that the inputs allow, by the kernels, block by block; zeros come before."""
    table, half = resample.taps(fs_hz), resample.half_width(fs_hz)
    n_taps = table.shape[1]
    inputs = np.r_[np.zeros(n_taps), x].astype(np.float32)
    n_out = 0
    while resample.inputs_for(n_out, fs_hz, half) <= len(x):
        n_out += 1
    out = np.empty(n_out, np.float32)
    for n in range(0, n_out, block):
        part = out[n : n + block]
        first, row = np.empty((2, part.size), np.int64)
        resample.place(n, fs_hz, n_taps, first, row)
        begin = resample.inputs_for(n, fs_hz, half)  # of n_taps inputs, the last one needed
        resample.interpolate(inputs, begin, table.ravel(), n_taps, first, row, part)
    return out


def plain(x, fs_hz):
    """The same by the definition, exact in phase: float64, one output after the other."""
    half, cutoff_hz = resample.half_width(fs_hz), min(100.0, 0.4 * fs_hz)
    out = []
    for k in range(int((len(x) - half - 1) * 250.0 / fs_hz)):
        position = k * fs_hz / 250.0
        i = np.arange(int(position) - half + 1, int(position) + half + 1)
        c = np.sinc((i - position) * 2.0 * cutoff_hz / fs_hz)
        c *= np.cos(np.pi / 2 * np.clip((i - position) / half, -1.0, 1.0)) ** 2
        out.append((np.where(i < 0, 0.0, x[i]) * c).sum() / c.sum())
    return np.array(out)


@pytest.mark.parametrize("fs_hz", [100, 250, 257, 360, 999.5, 1000])
def test_the_kernels_follow_the_plain_definition(fs_hz):
    t = np.arange(int(2 * fs_hz)) / fs_hz
    x = np.sin(2 * np.pi * 10.0 * t) + 0.3 * np.sin(2 * np.pi * 31.0 * t)
    expected = plain(x, fs_hz)
    # a phase is off by 1/128 of an input at most
    assert np.abs(resampled(x, fs_hz)[: expected.size] - expected).max() < 0.012


@pytest.mark.parametrize("fs_hz", [100, 250, 257, 360, 1000])
def test_blocks_of_any_size_give_the_same_bits(fs_hz):
    x = np.random.default_rng(0).normal(size=800)
    assert np.array_equal(resampled(x, fs_hz, block=1), resampled(x, fs_hz, block=250))


@pytest.mark.parametrize("fs_hz", [100, 125, 200, 250, 257, 360, 500, 1000])
def test_a_slow_wave_keeps_its_size_and_place(fs_hz):
    t = np.arange(int(4 * fs_hz)) / fs_hz
    y = resampled(np.sin(2 * np.pi * 8.0 * t), fs_hz)
    expected = np.sin(2 * np.pi * 8.0 * np.arange(y.size) / 250.0)
    assert np.abs(y - expected)[25:].max() < 0.03


@pytest.mark.parametrize("fs_hz", [500, 1000])
def test_what_would_fold_back_into_the_qrs_band_is_dropped(fs_hz):
    t = np.arange(int(4 * fs_hz)) / fs_hz
    y = resampled(np.sin(2 * np.pi * 235.0 * t), fs_hz)
    assert np.abs(y[25:]).max() < 0.1


@settings(deadline=None, max_examples=30)
@given(fs_hz=st.floats(100, 1000), level=st.floats(-500, 500, width=32))
def test_a_constant_stays_itself(fs_hz, level):
    y = resampled(np.full(200, level), fs_hz)
    assert np.allclose(y[15:], level, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("fs_hz", [100.0, 360.0, 1000.0])
def test_the_kept_inputs_are_enough_for_every_tap(fs_hz):
    table = resample.taps(fs_hz)
    assert 2 * resample.half_width(fs_hz) <= table.shape[1] <= resample.MAX_TAPS < resample.TAIL
    assert np.allclose(table.sum(axis=1), 1.0, atol=1e-6)


@given(st.integers(0, 9), st.integers(0, 9))
@settings(deadline=None)  # the first call may compile
def test_eight_products_are_summed_in_the_order_that_is_told(i, j):
    x, c = np.random.default_rng(i).normal(size=(2, 20)).astype(np.float32)
    p = x[i : i + 8] * c[j : j + 8]
    expected = ((p[0] + p[4]) + (p[2] + p[6])) + ((p[1] + p[5]) + (p[3] + p[7]))
    assert summed(x, i, c, j) == expected


@njit
def summed(x, i, c, j):
    return dot8(x, i, c, j)
