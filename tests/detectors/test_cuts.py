"""Findings are the same to the bit however the stream is cut."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from detectors import Analyzer
from ecg import Findings

FS_HZ = 360.0


def heart(seconds: float, fs_hz: float, bpm: float = 70.0) -> np.ndarray:
    """Two leads of narrow triangles with a slow T wave; float32 [2, n]."""
    t = np.arange(int(seconds * fs_hz)) / fs_hz
    phase = np.mod(t, 60.0 / bpm)
    x = np.maximum(0.0, 1.0 - np.abs(phase - 0.2) / 0.03)
    x += 0.3 * np.exp(-(((phase - 0.45) / 0.05) ** 2)) + 0.2 * np.sin(2 * np.pi * 0.3 * t)
    noise = np.random.default_rng(7).normal(0.0, 0.01, (2, t.size))
    return (np.stack([x, -0.6 * x]) + noise).astype(np.float32)


SIGNAL = heart(20.0, FS_HZ)
SIGNAL[0, 2500:2600] = np.nan


@settings(max_examples=25, deadline=None)
@given(cuts=st.lists(st.integers(0, SIGNAL.shape[1]), max_size=30))
def test_findings_do_not_depend_on_how_the_stream_is_cut(cuts):
    whole = Analyzer(FS_HZ, ("II", "V5"))
    expected = Findings.concat([whole.push(SIGNAL), whole.finish()])
    pieces = Analyzer(FS_HZ, ("II", "V5"))
    edges = [0, *sorted(cuts), SIGNAL.shape[1]]
    found = [pieces.push(SIGNAL[:, a:b]) for a, b in zip(edges, edges[1:], strict=False)]
    assert Findings.concat([*found, pieces.finish()]) == expected
    assert expected.beats.size > 15
