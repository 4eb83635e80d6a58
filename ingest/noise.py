"""Noise at a chosen strength, for simulated devices."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ecg import BadRecord, Record

GENERATED_S = 60.0


def noise_at_snr(
    record: Record, snr_db: float, noise: Record | None = None, seed: int = 0
) -> NDArray[np.float32]:
    """Noise that brings a record to a signal-to-noise ratio, lead by lead.

    The ratio is the signal's power about its mean, over the whole record, to the noise's. (The
    program `nst` of the MIT-BIH Noise Stress Test Database, Moody 1984, takes the height of QRS
    complexes for the signal instead: its figures are higher for the same noise.)

    Parameters
    ----------
    record : Record
    snr_db : float
    noise : Record, optional
        At any rate; its leads are dealt to those of `record` in turn. Without it, white Gaussian
        noise, which is what broad-band muscle noise comes closest to.
    seed : int
        Of the generated noise.

    Returns
    -------
    float32 [n_leads, n]
        Millivolts at the record's rate; n is the noise's own length: repeat it.

    Raises
    ------
    BadRecord
        If the noise has no sample.
    """
    if noise is None:
        n = round(GENERATED_S * record.fs_hz)
        raw = np.random.default_rng(seed).standard_normal((len(record.leads), n))
    else:
        raw = _at_rate(noise, record.fs_hz)[np.arange(len(record.leads)) % len(noise.leads)]
    raw = raw - raw.mean(axis=1, keepdims=True)
    power = np.mean(raw**2, axis=1)
    wanted = np.array([_power(lead) for lead in record.x_mv]) / 10 ** (snr_db / 10)
    gain = np.sqrt(np.divide(wanted, power, out=np.zeros_like(wanted), where=power > 0))
    return np.asarray(raw * gain[:, None], np.float32)


def _at_rate(noise: Record, fs_hz: float) -> NDArray[np.float64]:
    n = int(noise.duration_s * fs_hz)
    if n == 0:
        raise BadRecord(f"{noise.name}: no samples; noise cannot be made of it")
    at = np.arange(n) * (noise.fs_hz / fs_hz)
    known = np.arange(noise.n_samples)
    return np.stack([np.interp(at, known, np.nan_to_num(lead)) for lead in noise.x_mv])


def _power(lead: NDArray[np.float32]) -> float:
    """Of the samples that there are, about their mean; 0 when there are none."""
    known = lead[np.isfinite(lead)].astype(np.float64)
    return float(known.var()) if known.size else 0.0
