"""The pulse that simulated beats make: a plethysmogram, or an arterial pressure."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from dsp.synth.truth import Truth

DELAY_S = 0.22  # R peak to the foot of the pulse at a finger
RISE_S = 0.07
RUN_OFF_S = 0.55  # an artery empties through its resistance (Frank's windkessel)
DICROTIC = (0.36, 0.05, 0.12)  # s after the foot, width in s, share of the height
FILLING_S = 0.28  # a ventricle fills with about this time constant
EJECTION_S = 0.15  # before that, after a beat, it does not fill
ECTOPIC_SHARE = 0.6  # of a filling: a ventricular beat has no atrial kick and contracts unevenly
VENTRICULAR = frozenset("VEr")


def pulse_wave(
    truth: Truth,
    fs_hz: float,
    n_samples: int,
    *,
    delay_s: float = DELAY_S,
    noise: float = 0.0,
    seed: int = 0,
) -> NDArray[np.float32]:
    """A pulse wave in heights of the pulse of a well filled beat, float32 [n_samples].

    Parameters
    ----------
    truth : Truth
        Of the ECG that the pulse goes with.
    fs_hz : float
    n_samples : int
    delay_s : float
        From R peak to the foot of the pulse; monitors add some of their own.
    noise : float
        Standard deviation of white noise, in the same heights.
    seed : int
        Of the noise.

    Examples
    --------
    >>> from dsp.synth import Sinus, simulate
    >>> simulated = simulate([Sinus(10, bpm=60)], seed=1)
    >>> wave = pulse_wave(simulated.truth, 250.0, 2500)
    >>> bool(0.8 < wave.max() < 1.3)
    True
    """
    t_s = np.arange(n_samples) / fs_hz
    inflow = np.zeros(n_samples)
    notch = np.zeros(n_samples)
    before_s = -1.0
    for sample, code in zip(truth.r_samples, truth.codes, strict=True):
        r_s = sample / fs_hz
        filling_s = max(0.0, r_s - before_s - EJECTION_S)
        height = 1.0 - np.exp(-filling_s / FILLING_S)
        if code in VENTRICULAR:
            height *= ECTOPIC_SHARE
        foot_s = r_s + delay_s
        inflow += height * np.exp(-0.5 * ((t_s - foot_s - RISE_S) / (RISE_S / 1.5)) ** 2)
        after_s, width_s, share = DICROTIC
        notch += share * height * np.exp(-0.5 * ((t_s - foot_s - after_s) / width_s) ** 2)
        before_s = r_s
    kept = np.exp(-1.0 / (RUN_OFF_S * fs_hz))
    gain = 1.0 / (RISE_S / 1.5 * np.sqrt(2 * np.pi) * fs_hz)
    wave, volume = np.empty(n_samples), 0.0
    for i, flow in enumerate(inflow):
        volume = kept * volume + gain * flow
        wave[i] = volume
    rng = np.random.default_rng([seed, 3])
    return np.asarray(wave + notch + noise * rng.standard_normal(n_samples), np.float32)
