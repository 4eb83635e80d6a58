"""Waveform chunks: exact for any samples, small for an ECG, never trusted when damaged."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from ecg.errors import StoreError
from ecg.frame import MISSING
from store.codec import WaveformCodec

samples = hnp.arrays(np.int16, st.tuples(st.integers(1, 12), st.integers(0, 300)))


@given(samples)
def test_any_samples_come_back(x):
    codec = WaveformCodec()
    back = codec.decode(codec.encode(x), len(x))
    assert back.dtype == np.int16
    assert np.array_equal(back, x)


def test_the_ends_of_the_range_come_back():
    x = np.array([[MISSING, 32767, MISSING, 0, -1, 32767, 32767]], np.int16)
    codec = WaveformCodec()
    assert np.array_equal(codec.decode(codec.encode(x), 1), x)


def test_samples_that_are_not_contiguous_come_back():
    x = np.arange(2000, dtype=np.int16).reshape(-1, 4).T[:, ::2]
    codec = WaveformCodec()
    assert np.array_equal(codec.decode(codec.encode(x), 4), x)


def test_a_smooth_signal_takes_less_than_half():
    t_s = np.arange(250) / 250
    x = np.round(200 * np.sin(2 * np.pi * 1.2 * t_s)).astype(np.int16)[None]
    assert len(WaveformCodec().encode(x)) < x.nbytes / 2


@given(st.binary(max_size=200))
def test_bytes_that_are_no_chunk_are_refused(blob):
    with pytest.raises(StoreError):
        WaveformCodec().decode(blob, 2)


def test_a_chunk_of_other_leads_is_refused():
    codec = WaveformCodec()
    with pytest.raises(StoreError, match="damaged"):
        codec.decode(codec.encode(np.zeros((1, 5), np.int16)), 3)
