"""Resampling keeps what is below its cut-off, in place, and drops what would fold back."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dsp import resample


def resampled(x, fs_hz):
    """All outputs that the inputs allow, by the kernels, one input at a time."""
    state, table = np.zeros(1, resample.RESAMPLE)[0], resample.taps(fs_hz)
    step, half, out = fs_hz / resample.ANALYSIS_HZ, table.shape[1] // 2, []
    for i, value in enumerate(x):
        resample.take(state, i, np.float32(value))
        while int(len(out) * step) + half + 1 <= i + 1:
            out.append(resample.interpolate(state, len(out), step, table))
    return np.array(out)


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
    assert table.shape[1] <= 2 * resample.MAX_HALF <= resample.TAIL
    assert np.allclose(table.sum(axis=1), 1.0, atol=1e-6)
