"""Records as the streaming analysis sees them, second by second."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import wfdb
from numpy.typing import NDArray

from detectors import Analyzer
from ecg import Findings

Floats = NDArray[np.float32]
FOLDS = 5


def fold(name: str) -> int:
    """The fold of a patient, always the same."""
    return int(hashlib.sha256(name.encode()).hexdigest(), 16) % FOLDS


def seconds(
    x_mv: Floats, fs_hz: float, leads: tuple[str, ...]
) -> Iterator[tuple[float, Analyzer, Findings]]:
    """Push a record second by second; gives the time, s, the analyzer and what was found."""
    analyzer = Analyzer(fs_hz, leads)
    edges = np.arange(0, x_mv.shape[1] / fs_hz + 1e-9, 1.0)
    for a, b in pairwise(edges):
        # the filters look some samples ahead: a second is ended by the push after it
        found = analyzer.push(x_mv[:, round(a * fs_hz) : round(b * fs_hz)])
        yield b, analyzer, found


def noise(folder: Path, name: str) -> Floats:
    """Noise of `nstdb`, mV; its header gives no gain: 200 units/mV, as in the MIT-BIH records."""
    record = wfdb.rdrecord(str(folder / "nstdb" / name), physical=False)
    return np.asarray(record.d_signal.T / 200.0, np.float32)


def logistic(x: NDArray[Any], y: NDArray[Any], weight: NDArray[Any], ridge: float) -> NDArray[Any]:
    """Weights and constant of a logistic regression with a ridge on standardised measures.

    x : [n, k]; y : 0 or 1 [n]; weight : [n]. Newton's method; gives float64 [k + 1].
    """
    mean, spread = x.mean(axis=0), x.std(axis=0) + 1e-9
    z = np.column_stack([(x - mean) / spread, np.ones(len(x))])
    penalty = np.full(z.shape[1], ridge)
    penalty[-1] = 0.0
    w = np.zeros(z.shape[1])
    for _ in range(50):
        p = 1.0 / (1.0 + np.exp(-np.clip(z @ w, -30, 30)))
        gradient = z.T @ (weight * (p - y)) + penalty * w
        curvature = (z * (weight * p * (1 - p))[:, None]).T @ z + np.diag(penalty + 1e-9)
        step = np.linalg.solve(curvature, gradient)
        w -= step
        if np.abs(step).max() < 1e-8:
            break
    scaled = w[:-1] / spread
    return np.append(scaled, w[-1] - scaled @ mean)
