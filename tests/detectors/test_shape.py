"""Shapes of beats, against plain NumPy."""

from __future__ import annotations

import numpy as np
import pytest

from detectors import kinds
from detectors import shape as s
from detectors.state import state_dtype


@pytest.fixture
def leads():
    """Two leads with a beat of noise in each, and a kind 0 of noise."""
    state = np.zeros(1, state_dtype(2))
    rng = np.random.default_rng(2)
    shape = state["leads"]["shape"][0]
    shape["raw"] = rng.normal(0, 1, shape["raw"].shape)
    shape["now"]["weight"] = 0.2, 0.7
    qrs = rng.normal(0, 1, (2, s.QRS_SIZE))
    qrs = np.array([free_of_drift(lead) for lead in qrs])
    shape["templates"]["qrs"][:, 0] = qrs
    shape["templates"]["power"][:, 0] = (qrs**2).sum(axis=1)
    return state["leads"][0]


def free_of_drift(x):
    t = np.arange(x.size)
    return x - np.polyval(np.polyfit(t, x, 1), t)


def plain_distance(a, b):
    a, b = free_of_drift(a), free_of_drift(b)
    return ((a - b) ** 2).sum() / ((a**2).sum() + (b**2).sum())


def test_the_nearest_shift_and_its_distance(leads):
    shape = leads["shape"]
    apart = []
    for shift in range(-s.MARGIN, s.MARGIN + 1):
        begin = s.QRS_FROM + shift
        each = [
            plain_distance(raw[begin : begin + s.QRS_SIZE].astype(float), qrs.astype(float))
            for raw, qrs in zip(shape["raw"], shape["templates"]["qrs"][:, 0], strict=True)
        ]
        apart.append(np.average(each, weights=shape["now"]["weight"]))
    for lead in leads:
        s.set_powers(lead["shape"])
    found, shift = s.align(leads, 0)
    assert found == pytest.approx(min(apart), rel=1e-4)
    assert shift == int(np.argmin(apart)) - s.MARGIN


def test_an_electrode_that_drifts_does_not_change_the_complex(leads):
    shape = leads[0]["shape"]
    s.set_powers(shape)
    s.cut(shape, 0)
    powers, qrs = shape["powers"].copy(), shape["now"]["qrs"].copy()
    shape["raw"] += 5.0 - 0.1 * np.arange(s.SPAN, dtype=np.float32)
    s.set_powers(shape)
    s.cut(shape, 0)
    assert shape["now"]["qrs"] == pytest.approx(qrs, abs=1e-4)
    used = slice(0, 2 * s.MARGIN + 1)
    assert shape["powers"][used] == pytest.approx(powers[used], rel=1e-3)
    assert shape["powers"][s.MARGIN] == pytest.approx((qrs**2).sum(), rel=1e-3)


@pytest.mark.parametrize(("gain", "expected"), [(1.0, 0.0), (-1.0, 2.0), (0.5, 0.2), (0.0, 1.0)])
def test_distance_counts_shape_and_size(gain, expected):
    x = np.random.default_rng(0).normal(0, 1, 32)
    power = np.float32((x * x).sum())
    apart = kinds.distance(power, np.float32(gain**2) * power, np.float32(gain) * power)
    assert apart == pytest.approx(expected, abs=1e-5)


def test_a_snapshot_never_reads_past_the_newest_sample():
    ring = np.zeros(1024, np.float32)
    ring[:201] = 1.0
    raw = np.zeros(s.SPAN, np.float32)
    s.snapshot(raw, ring, 180, 200)
    assert (raw == 1.0).all()
