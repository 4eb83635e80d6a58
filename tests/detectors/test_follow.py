"""Peaks are followed as their definition says, however the samples are cut."""

from __future__ import annotations

import numpy as np
import pytest

from detectors import qrs
from detectors.state import FUSED, QRS

rng = np.random.default_rng(1)


def plain(feature, top, top_at, n, last):
    """Step 4, sample by sample; gives the sample where it stopped, if a rise ended, and its top."""
    for k in range(n, last + 1):
        if top == 0.0:
            if feature[k] > feature[k - 1]:
                top, top_at = feature[k], k
        elif feature[k] > top:
            top, top_at = feature[k], k
        elif feature[k] < np.float32(0.5) * top or k > top_at + qrs.LONGEST_PEAK:
            return k, True, top, top_at
    return last, False, top, top_at


@pytest.mark.parametrize("smooth", [1, 3, 9, 25])
@pytest.mark.parametrize("digits", [6, 0], ids=["fine", "with many equal ones"])
def test_peaks_are_those_of_the_plain_loop(smooth, digits):
    feature = np.abs(np.convolve(rng.normal(size=3 * FUSED), np.ones(smooth), "same"))
    feature = np.round(feature, digits).astype("f4")
    state, ended = np.zeros(1, QRS)[0], 0
    top, top_at, n = np.float32(0.0), 0, 1
    state["fused"][0] = feature[0]
    while n < feature.size:
        last = min(n + int(rng.integers(0, 60)), feature.size - 1)
        for k in range(n, last + 1):
            state["fused"][k % FUSED] = feature[k]
        expected = plain(feature, top, top_at, n, last)
        found = qrs.follow(state, n, last)
        assert (*found, state["top"], state["top_at"]) == expected
        n, over, top, top_at = expected
        if over:
            state["top"], top, ended = 0.0, np.float32(0.0), ended + 1
        n += 1
    assert ended > 30


def test_levels_are_those_of_the_last_tenth_wherever_it_lies_in_the_ring():
    state = np.zeros(1, QRS)[0]
    state["fused"][:] = np.abs(rng.normal(size=FUSED))
    for end in range(500, 500 + 2 * FUSED, 25):
        tenth = np.take(state["fused"], range(end - 25, end), mode="wrap")
        mean, ceiling = float(state["mean"]), float(state["ceiling"])
        qrs.move_levels(state, end)
        rate = max(float(qrs.FALL), 25 / end)
        assert state["mean"] == pytest.approx(mean + rate * (tenth.mean() - mean), rel=1e-5)
        assert state["ceiling"] == pytest.approx(max(tenth.max(), ceiling * (1 - float(qrs.FALL))))
