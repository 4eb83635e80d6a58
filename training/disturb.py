"""Signals made harder, or other, so that a model does not learn one recorder and 26 patients."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import wfdb
from numpy.typing import NDArray
from scipy.signal import resample_poly

from dsp.synth.noise import bursts, coloured

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
    made = x_mv.copy()
    for lead in made:
        source = int(rng.integers(4)) if rng.random() < 0.5 else int(rng.integers(2, 4))
        piece = np.resize(np.roll(noise[source], int(rng.integers(noise.shape[1]))), lead.size)
        _add(lead, piece, _half(lead.size, fs_hz, rng), snr_db)
    return made


def moved(x_mv: Floats, fs_hz: float, snr_db: float, rng: np.random.Generator) -> Floats:
    """Motion of the electrodes in about half of the time, in all leads at once; made, not recorded.

    A part of it is common to the leads: they share electrodes. The ratio is that of `noisy`.
    """
    n, made = x_mv.shape[1], x_mv.copy()
    kind = (_stretching, _jerks)[int(rng.integers(2))]
    when, shared, common = _half(n, fs_hz, rng), rng.uniform(0.0, 0.7), kind(n, fs_hz, rng)
    for lead in made:
        course = np.sqrt(1.0 - shared) * kind(n, fs_hz, rng) + np.sqrt(shared) * common
        _add(lead, (course / max(float(course.std()), 1e-12)).astype(np.float32), when, snr_db)
    return made


def _add(lead: Floats, noise: Floats, when: NDArray[np.bool_], snr_db: float) -> None:
    """Add noise of power 1 to a lead, in place, at a signal-to-noise ratio."""
    amplitude = np.percentile(np.abs(lead - np.median(lead)), 98)
    power = amplitude**2 / 4 / 10 ** (snr_db / 10)
    lead[when] += np.float32(np.sqrt(power)) * noise[when]


def _half(n: int, fs_hz: float, rng: np.random.Generator) -> NDArray[np.bool_]:
    """About half of the time, in stretches of 10 to 60 s."""
    there = np.zeros(n, bool)
    at = 0
    while at < n:
        length = int(rng.uniform(10, 60) * fs_hz)
        there[at : at + length] = rng.random() < 0.5
        at += length
    return there


def _stretching(n: int, fs_hz: float, rng: np.random.Generator) -> NDArray[np.float64]:
    """Skin that is stretched under an electrode, now more and now less: no two sound alike."""
    band_hz, slope = (0.3, float(rng.uniform(5.0, 20.0))), float(rng.uniform(-1.5, -0.5))
    strength = bursts(n, fs_hz, rng)
    return coloured(n, fs_hz, band_hz, slope, rng) * strength


def _jerks(n: int, fs_hz: float, rng: np.random.Generator) -> NDArray[np.float64]:
    """An electrode that is pulled now and then, and comes back more slowly than it went."""
    course = np.zeros(n)
    for at in rng.integers(0, n, rng.poisson(rng.uniform(0.3, 1.5) * n / fs_hz)):
        back, away = rng.uniform(0.1, 0.8) * fs_hz, rng.uniform(0.01, 0.1) * fs_hz
        t = np.arange(min(n - at, int(6 * back)))
        course[at : at + t.size] += rng.standard_t(4) * (np.exp(-t / back) - np.exp(-t / away))
    return course / max(float(course.std()), 1e-12)


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
