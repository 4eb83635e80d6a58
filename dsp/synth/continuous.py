"""Waves that go on without beats: fibrillation and flutter of atria and ventricles."""

from __future__ import annotations

import numpy as np

from dsp.synth.dipole import Floats, lead_matrix
from dsp.synth.stage import Continuous

FADE_S = 0.15
_KNOT_S = 0.4  # frequency and height wander from knot to knot


def add_continuous(
    dipole: Floats, wave: Continuous, fs_hz: float, rng: np.random.Generator
) -> None:
    """Add the wave to `dipole`, float64 [n_samples, 3] mV; it fades in and out."""
    first = max(0, int(np.ceil(wave.start_s * fs_hz)))
    end = min(len(dipole), int(np.ceil(wave.end_s * fs_hz)))
    t_s = np.arange(first, end) / fs_hz
    if t_s.size:
        fade = np.minimum(t_s - wave.start_s, wave.end_s - t_s) / FADE_S
        course = _COURSES[wave.kind](t_s - wave.start_s, wave, rng)
        smooth = np.sin(np.pi / 2 * np.clip(fade, 0, 1)) ** 2
        dipole[first:end] += course * (smooth * wave.amplitude_mv)[:, None]


def _wandering(t_s: Floats, low: float, high: float, rng: np.random.Generator) -> Floats:
    knots_s = np.arange(0, t_s[-1] + 2 * _KNOT_S, _KNOT_S)
    return np.interp(t_s, knots_s, rng.uniform(low, high, knots_s.size))


def _phase(t_s: Floats, hz: float, spread: float, rng: np.random.Generator) -> Floats:
    """Phase, rad, of an oscillation whose frequency wanders by `spread`."""
    rate = hz * _wandering(t_s, 1 - spread, 1 + spread, rng)
    step_s = t_s[1] - t_s[0] if t_s.size > 1 else 0.0
    return np.asarray(rng.uniform(0, 2 * np.pi) + 2 * np.pi * np.cumsum(rate) * step_s)


def _towards(direction: tuple[float, float, float], lead: str) -> Floats:
    """`direction`, of a length that gives 1 mV in `lead`."""
    vector = np.array(direction)
    return np.asarray(vector / abs(lead_matrix([lead])[0] @ vector))


def _atrial_fibrillation(t_s: Floats, wave: Continuous, rng: np.random.Generator) -> Floats:
    """f waves, highest in V1: Petrutiu et al., Europace 9 (2007) 466, 4 to 9 Hz."""
    course = np.zeros((t_s.size, 3))
    for share, hz, direction, lead in (
        (1.0, wave.hz, (-0.3, 0.2, -0.85), "V1"),
        (0.35, 0.87 * wave.hz, (0.1, 0.8, 0.2), "II"),
        (0.25, 1.2 * wave.hz, (0.6, 0.1, -0.5), "V1"),
    ):
        phase = _phase(t_s, hz, 0.14, rng)
        height = share * _wandering(t_s, 0.4, 1.2, rng)
        form = np.sin(phase) + 0.3 * np.sin(2 * phase + 0.6)
        course += (height * form)[:, None] * _towards(direction, lead)
    return course


def _atrial_flutter(t_s: Floats, wave: Continuous, rng: np.random.Generator) -> Floats:
    """Typical flutter: a negative sawtooth in II, III, aVF, small upright waves in V1."""
    phase = 2 * np.pi * wave.hz * t_s
    # slow descent, faster rise
    form = np.sin(phase) + 0.42 * np.sin(2 * phase) + 0.2 * np.sin(3 * phase)
    form = form * (1 + 0.02 * rng.standard_normal()) / 1.3
    return np.asarray(form[:, None] * _towards((-0.15, 0.95, -0.15), "II"))


def _ventricular_fibrillation(t_s: Floats, wave: Continuous, rng: np.random.Generator) -> Floats:
    """Coarse: a few fronts, whose frequency, height and direction wander; no lead falls silent."""
    course = np.zeros((t_s.size, 3))
    for share, hz in ((0.9, wave.hz), (0.35, 0.78 * wave.hz), (0.22, 1.35 * wave.hz)):
        phase = _phase(t_s, hz, 0.16, rng)
        height = share * _wandering(t_s, 0.5, 1.5, rng)
        turn = _phase(t_s, 0.12, 0.8, rng)
        front = (0.5 * np.sin(turn), 0.8 + 0.3 * np.cos(turn), -0.6 + 0.3 * np.cos(turn + 2))
        across = np.stack(front, axis=1)
        course += (height * np.sin(phase))[:, None] * across
    return course


def _ventricular_flutter(t_s: Floats, wave: Continuous, rng: np.random.Generator) -> Floats:
    """A large sine in which QRS and T cannot be told apart."""
    phase = _phase(t_s, wave.hz, 0.02, rng)
    form = np.sin(phase) + 0.18 * np.sin(2 * phase + 0.5)
    return np.asarray(form[:, None] * _towards((0.4, 0.9, 0.6), "II"))


_COURSES = {
    "atrial fibrillation": _atrial_fibrillation,
    "atrial flutter": _atrial_flutter,
    "ventricular fibrillation": _ventricular_fibrillation,
    "ventricular flutter": _ventricular_flutter,
}
