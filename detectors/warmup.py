"""Kernels made ready ahead of the first patient."""

from __future__ import annotations

import numpy as np

from detectors.analyzer import Analyzer
from detectors.bank import Bank
from dsp.resample import ANALYSIS_HZ


def warm() -> None:
    """Compile the kernels, or load them from Numba's cache: first pushes are then quick."""
    silence = np.zeros((1, 8), np.float32)
    Analyzer(ANALYSIS_HZ).push(silence)
    Bank(ANALYSIS_HZ, 1, capacity=2).push({0: silence})
