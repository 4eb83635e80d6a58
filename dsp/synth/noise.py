"""What stands between a heart and its ECG: drift, muscle, motion, mains, a lead that falls off."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dsp.synth.dipole import Floats
from ecg import BadSetting
from ecg.codes import STANDARD_LEADS

KINDS = ("baseline", "muscle", "electrode", "powerline", "lead off")
FADE_S = 0.3
_WEEK_S = 7 * 86400.0
_ALLOWED = {
    "snr_db": (-40.0, 80.0),
    "rms_mv": (0.0, 20.0),
    "start_s": (0.0, _WEEK_S),
    "duration_s": (0.0, _WEEK_S),
}


@dataclass(frozen=True, slots=True)
class Noise:
    """One disturbance.

    Attributes
    ----------
    kind : str
        One of `KINDS`.
    snr_db : float or None
        Signal to noise as WFDB's `nst` defines it, in each lead by itself.
    rms_mv : float or None
        Or its height. One of the two must be given, save for `lead off`.
    start_s, duration_s : float
        When; to the end when `duration_s` is None.
    leads : tuple of str
        Where; empty for all. A lead that the record has not is passed over.
    mains_hz : float
        Of `powerline`: 50 or 60.

    Raises
    ------
    BadSetting
        If the words above are not kept.
    """

    kind: str
    snr_db: float | None = None
    rms_mv: float | None = None
    start_s: float = 0.0
    duration_s: float | None = None
    leads: tuple[str, ...] = ()
    mains_hz: float = 50.0

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise BadSetting(f"noise {self.kind!r}: must be one of {', '.join(KINDS)}")
        if self.kind != "lead off" and (self.snr_db is None) == (self.rms_mv is None):
            raise BadSetting(f"noise {self.kind!r}: give either snr_db or rms_mv")
        for name, (low, high) in _ALLOWED.items():
            value = getattr(self, name)
            if value is not None and not low <= value <= high:
                raise BadSetting(f"noise {name} {value}: must be within {low:g} to {high:g}")
        if self.mains_hz not in (50.0, 60.0):
            raise BadSetting(f"noise mains_hz {self.mains_hz}: must be 50 or 60")
        for lead in self.leads:
            if lead not in STANDARD_LEADS:
                raise BadSetting(f"noise lead {lead!r}: must be one of {', '.join(STANDARD_LEADS)}")


def add_noise(
    x_mv: Floats, clean_mv: Floats, noise: Noise, where: Stretch, rng: np.random.Generator
) -> None:
    """Add `noise` to `x_mv`, float64 [n_leads, n_samples], in place.

    `clean_mv` is the signal without any noise: a signal to noise ratio refers to it.
    """
    fs_hz, leads = where.fs_hz, where.leads
    first = max(0, round(noise.start_s * fs_hz))
    last = x_mv.shape[1] if noise.duration_s is None else first + round(noise.duration_s * fs_hz)
    part = slice(first, min(last, x_mv.shape[1]))
    length = part.stop - part.start
    if length <= 0:
        return
    for i, lead in enumerate(leads):
        if noise.leads and lead not in noise.leads:
            continue
        if noise.kind == "lead off":
            x_mv[i, part] = np.nan
            continue
        course = _course(noise, length, fs_hz, rng)
        rms_mv = noise.rms_mv
        if noise.snr_db is not None:
            power = signal_power(clean_mv[i], where.r_samples, fs_hz)
            rms_mv = np.sqrt(power / 10 ** (noise.snr_db / 10))
        height = rms_mv / np.sqrt(noise_power(course, fs_hz))
        x_mv[i, part] += course * height * _fade(part, x_mv.shape[1], fs_hz)


def _fade(part: slice, n_samples: int, fs_hz: float) -> Floats:
    """Noise within a record comes and goes over `FADE_S`: cut off, it would leave a step."""
    i = np.arange(part.start, part.stop)
    begins = i - part.start + 1 if part.start > 0 else np.inf
    ends = part.stop - i if part.stop < n_samples else np.inf
    return np.full(i.size, 1.0).clip(max=np.minimum(begins, ends) / (FADE_S * fs_hz))


@dataclass(frozen=True, slots=True, eq=False)
class Stretch:
    """The signal that noise comes upon."""

    fs_hz: float
    leads: tuple[str, ...]
    r_samples: NDArray[np.int64]


def signal_power(x_mv: Floats, r_samples: NDArray[np.int64], fs_hz: float) -> float:
    """Power of an ECG as WFDB's `nst` takes it, mV²: that of a sine as high as its QRS complexes.

    Peak to peak within ± 50 ms of each R peak (the first 300), without the highest and lowest 5 %,
    squared, by eight. Without beats it is the power of the signal itself.
    """
    reach = max(1, round(0.05 * fs_hz))
    inside = r_samples[(r_samples >= reach) & (r_samples < x_mv.size - reach)][:300]
    if not inside.size:
        return max(float(np.var(x_mv)), 1e-6)
    windows = x_mv[inside[:, None] + np.arange(-reach, reach + 1)]
    return _trimmed_mean(np.ptp(windows, axis=1)) ** 2 / 8


def noise_power(x_mv: Floats, fs_hz: float) -> float:
    """Power of noise as WFDB's `nst` takes it, mV².

    RMS about the mean of each second, without the highest and lowest 5 %, squared.
    """
    second = min(round(fs_hz), x_mv.size)
    rows = x_mv[: x_mv.size // second * second].reshape(-1, second)
    return max(_trimmed_mean(rows.std(axis=1)) ** 2, 1e-12)


def _trimmed_mean(values: Floats) -> float:
    cut = int(0.05 * values.size)
    return float(np.sort(values)[cut : values.size - cut].mean())


def _course(noise: Noise, n: int, fs_hz: float, rng: np.random.Generator) -> Floats:
    """The disturbance at some height, float64 [n]."""
    t_s = np.arange(n) / fs_hz
    if noise.kind == "powerline":
        swing = 1 + 0.15 * np.sin(2 * np.pi * 0.13 * t_s + rng.uniform(0, 6))
        phase = 2 * np.pi * noise.mains_hz * t_s + rng.uniform(0, 6)
        third = 0.15 * np.sin(3 * phase) if 3 * noise.mains_hz < fs_hz / 2 else 0.0
        return np.asarray(swing * (np.sin(phase) + third))
    if noise.kind == "baseline":
        breath = np.sin(2 * np.pi * 0.22 * t_s + rng.uniform(0, 6))
        return np.asarray(coloured(n, fs_hz, (0.03, 0.6), -0.5, rng) + 0.7 * breath)
    if noise.kind == "muscle":
        tension = 1 + 0.7 * coloured(n, fs_hz, (0.05, 0.8), 0.0, rng)
        return np.asarray(np.maximum(tension, 0.15) * coloured(n, fs_hz, (15, 150), -0.5, rng))
    skin = coloured(n, fs_hz, (0.3, 12), -1.0, rng)  # electrode motion: stretched skin
    return np.asarray(skin * bursts(n, fs_hz, rng))


def bursts(n: int, fs_hz: float, rng: np.random.Generator) -> Floats:
    """How strongly electrodes move: now more, now less, never below 0.3; float64 [n]."""
    return np.maximum(0.3, 1 + coloured(n, fs_hz, (0.05, 0.5), 0.0, rng))


def coloured(
    n: int, fs_hz: float, band_hz: tuple[float, float], slope: float, rng: np.random.Generator
) -> Floats:
    """Gaussian noise of RMS 1 within a band, float64 [n]; its amplitude falls as hz ** slope."""
    size = 1 << max(8, int(np.ceil(np.log2(n))))
    hz = np.fft.rfftfreq(size, 1 / fs_hz)
    low, high = band_hz[0], min(band_hz[1], 0.45 * fs_hz)
    safe = np.maximum(hz, low / 10)
    gain = safe**slope / np.sqrt((1 + (low / safe) ** 4) * (1 + (safe / high) ** 4))
    gain[0] = 0
    course = np.fft.irfft(np.fft.rfft(rng.standard_normal(size)) * gain)[:n]
    return np.asarray(course / max(float(course.std()), 1e-12))
