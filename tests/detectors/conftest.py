"""Signals with known beats, and the real records where there are some."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
import wfdb

BEATS = set("NLRBAaJSVrFejnE/fQ?")


@pytest.fixture(scope="session")
def heart():
    """A maker of plain hearts: (x_mv float32 [1, n], R peaks in s)."""

    def make(rr_s, fs_hz=360.0, r_mv=1.0, qrs_s=0.08, t_mv=0.25, noise_mv=0.01):
        r_s = 0.5 + np.cumsum(rr_s)
        t = np.arange(int((r_s[-1] + 0.5) * fs_hz)) / fs_hz
        x = np.random.default_rng(5).normal(0.0, noise_mv, t.size)
        width = qrs_s / 2.0
        for i, r in enumerate(r_s):
            x += r_mv * np.clip(1.0 - np.abs(t - r) / width, 0.0, None)
            rr = rr_s[min(i + 1, len(rr_s) - 1)]
            if rr > 0.3:  # above 200 a minute T and P waves melt into one
                late = 0.3 * min(1.0, np.sqrt(rr))
                x += t_mv * np.exp(-0.5 * ((t - r - late) / 0.045) ** 2)
        return x[None, :].astype(np.float32), r_s

    return make


@pytest.fixture(scope="session")
def real():
    """A reader of stretches of MIT-BIH records: (x_mv, fs_hz, beats as samples)."""
    folder = os.environ.get("TELERHYTHM_DATA")
    if not folder or not (Path(folder) / "mitdb").is_dir():
        pytest.skip("needs real records: set TELERHYTHM_DATA to a folder that holds mitdb")

    def read(name, from_s, to_s):
        path = str(Path(folder) / "mitdb" / name)
        start, end = int(from_s * 360), int(to_s * 360)
        record = wfdb.rdrecord(path, sampfrom=start, sampto=end)
        marks = wfdb.rdann(path, "atr", sampfrom=start, sampto=end, shift_samps=True)
        beats = [s for s, c in zip(marks.sample, marks.symbol, strict=True) if c in BEATS]
        return record.p_signal.T.astype(np.float32), 360.0, np.array(beats)

    return read


def score(found, expected, tolerance):
    """(missed, too many) of one-to-one matches within the tolerance."""
    left = sorted(found)
    missed = 0
    for beat in expected:
        near = [f for f in left if abs(f - beat) <= tolerance]
        if near:
            left.remove(min(near, key=lambda f: abs(f - beat)))
        else:
            missed += 1
    return missed, len(left)


@pytest.fixture(scope="session")
def errors():
    return score
