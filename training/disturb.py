"""Signals made harder, or other, so that a model does not learn one recorder and 26 patients."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import wfdb
from numpy.typing import NDArray
from scipy.signal import resample_poly

Floats = NDArray[np.float32]
Ints = NDArray[np.int64]

EARLIEST, LATEST = 0.5, 0.86  # interval of an early beat, in median intervals
RUNS = (1, 1, 1, 1, 2, 3, 6, 12)  # early beats in a row, each as likely
BEND_S = 0.06  # the signal ahead of a cut is bent over that time, so that no step is left
T_ENDS_S = 0.18  # no cut reaches nearer to the beat before


def nstdb(folder: Path) -> Floats:
    """Baseline wander and muscle noise of `nstdb`, [4 channels, n_samples], each of power 1."""
    channels = []
    for name in ("bw", "ma"):
        record = wfdb.rdrecord(str(folder / "nstdb" / name), physical=False)
        channels += list(np.asarray(record.d_signal.T, np.float32))
    x = np.array(channels)
    x -= x.mean(axis=1, keepdims=True)
    return np.asarray(x / x.std(axis=1, keepdims=True), np.float32)


def noisy(
    x_mv: Floats, fs_hz: float, noise: Floats, snr_db: float, rng: np.random.Generator
) -> Floats:
    """Noise in about half of the time, in stretches of 10 to 60 s; muscle more often than drift.

    The signal-to-noise ratio takes the QRS complexes for the signal, as WFDB's `nst` does.
    """
    n = x_mv.shape[1]
    made = x_mv.copy()
    for lead in made:
        source = int(rng.integers(4)) if rng.random() < 0.5 else int(rng.integers(2, 4))
        piece = np.resize(np.roll(noise[source], int(rng.integers(noise.shape[1]))), n)
        amplitude = np.percentile(np.abs(lead - np.median(lead)), 98)
        power = amplitude**2 / 4 / 10 ** (snr_db / 10)
        there = np.zeros(n, bool)
        at = 0
        while at < n:
            length = int(rng.uniform(10, 60) * fs_hz)
            there[at : at + length] = rng.random() < 0.5
            at += length
        lead[there] += np.float32(np.sqrt(power)) * piece[there]
    return made


def resampled(x_mv: Floats, from_hz: float, to_hz: float) -> Floats:
    """The signal as a recorder of another rate would have given it."""
    ratio = Fraction(to_hz / from_hz).limit_denominator(1000)
    y = resample_poly(x_mv, ratio.numerator, ratio.denominator, axis=1)
    return np.asarray(y, np.float32)


def early_beats(
    x_mv: Floats, fs_hz: float, beats: Ints, share: float, rng: np.random.Generator
) -> tuple[Floats, Ints, NDArray[np.bool_]]:
    """Make some beats of a sinus rhythm supraventricular: diastole is cut out before them.

    What is cut ends just before the QRS complex, so that the P wave goes, too. Gives the signal,
    where the beats are in it, and which are early.
    """
    interval = np.diff(beats, prepend=beats[0] - int(0.8 * fs_hz))
    usual = np.median(interval)
    is_early = np.zeros(beats.size, bool)
    keep = np.ones(x_mv.shape[1], bool)
    y = x_mv.astype(np.float64)
    k = 3
    while k < beats.size - 1:
        if rng.random() < share:
            run, ratio = int(rng.choice(RUNS)), rng.uniform(EARLIEST, LATEST)
            for j in range(k, min(k + run, beats.size - 1)):
                end = beats[j] - int(rng.uniform(0.06, 0.12) * fs_hz)
                start = end - int((1.0 - ratio * rng.uniform(0.97, 1.03)) * interval[j])
                regular = 0.9 * usual < interval[j] < 1.15 * usual
                if not regular or start < beats[j - 1] + int(T_ENDS_S * fs_hz):
                    continue
                is_early[j] = True
                keep[start:end] = False
                _bend(y, start, end, int(BEND_S * fs_hz))
            k += run + 1
        k += 1
    place = np.cumsum(keep) - 1
    return y[:, keep].astype(np.float32), place[beats], is_early


def _bend(y: NDArray[Any], start: int, end: int, width: int) -> None:
    step = y[:, end] - y[:, start - 1]
    y[:, start - width : start] += step[:, None] * np.linspace(0.0, 1.0, width)
