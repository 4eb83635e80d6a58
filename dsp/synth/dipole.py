"""The heart as one moving dipole: waves as sums of Gaussians, projected onto leads.

After McSharry et al., IEEE Trans Biomed Eng 50 (2003) 289 (an ECG as Gaussians over the cardiac
phase) and Sameni et al., EURASIP J Adv Signal Process (2007) 43407 (three dipole components, each
such a sum). We place the Gaussians in time rather than in phase: their sum is smooth everywhere, so
rhythms follow each other without a step, and every onset is known.

Axes are Frank's: x to the left, y to the feet, z to the back.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ecg import BadSignal

Floats = NDArray[np.float64]

# Dower, Machado & Osborne, Clin Cardiol 3 (1980) 87: Frank's x, y, z -> lead.
_DOWER = {
    "I": (0.632, -0.235, 0.059),
    "II": (0.235, 1.066, -0.132),
    "V1": (-0.515, 0.157, -0.917),
    "V2": (0.044, 0.164, -1.387),
    "V3": (0.882, 0.098, -1.277),
    "V4": (1.213, 0.127, -0.601),
    "V5": (1.125, 0.127, -0.086),
    "V6": (0.831, 0.076, 0.230),
}

THRESHOLD = 0.05
"""A wave lasts while its dipole is longer than this share of its own greatest length."""

_REACH = 6.0  # sigmas after which a Gaussian is nothing: 1.5e-8 of its peak
_STEP_S = 0.0002  # grid on which onsets, offsets and peaks of a wave are looked for


def lead_matrix(leads: Sequence[str]) -> Floats:
    """Rows that project the dipole onto `leads`, float64 [n_leads, 3].

    Limb leads obey Einthoven and Goldberger: III = II - I, aVR = -(I + II) / 2 and so on. MLII and
    a lead of unknown position (`ECG`) are taken for lead II.

    Raises
    ------
    BadSignal
        If a lead has no such name.
    """
    row = {name: np.array(v) for name, v in _DOWER.items()}
    i, ii = row["I"], row["II"]
    row |= {"III": ii - i, "aVR": -(i + ii) / 2, "aVL": i - ii / 2, "aVF": ii - i / 2}
    row |= {"MLII": ii, "ECG": ii}
    for name in leads:
        if name not in row:
            raise BadSignal(f"lead {name!r} cannot be simulated: choose among {', '.join(row)}")
    if not leads:
        raise BadSignal("no leads asked for: name at least one")
    return np.array([row[name] for name in leads])


LEAD_II = lead_matrix(["II"])[0]


@dataclass(frozen=True, slots=True, eq=False)
class Wave:
    """A P wave, QRS complex or T wave: Gaussians of the dipole.

    Attributes
    ----------
    centre_s, sigma_s : float64 [n]
        Where each Gaussian lies, from the wave's own reference, and how wide it is.
    dipole_mv : float64 [n, 3]
        What each adds at its centre.
    """

    centre_s: Floats
    sigma_s: Floats
    dipole_mv: Floats

    def at(self, t_s: Floats) -> Floats:
        """The dipole at times [n], float64 [n, 3]."""
        z = (t_s[:, None] - self.centre_s) / self.sigma_s
        return np.asarray(np.exp(-0.5 * z * z) @ self.dipole_mv)

    def _sampled(self) -> tuple[Floats, Floats]:
        start = float(np.min(self.centre_s - _REACH * self.sigma_s))
        end = float(np.max(self.centre_s + _REACH * self.sigma_s))
        t_s = np.arange(start, end, _STEP_S)
        return t_s, self.at(t_s)

    def marks(self) -> tuple[float, float, float]:
        """Onset, peak and offset, s: by `THRESHOLD`; the peak is the extreme of lead II."""
        t_s, dipole = self._sampled()
        length = np.sqrt((dipole * dipole).sum(axis=1))
        above = np.flatnonzero(length > THRESHOLD * length.max())
        peak = int(np.argmax(np.abs(dipole @ LEAD_II)))
        return float(t_s[above[0]]), float(t_s[peak]), float(t_s[above[-1]])

    def height_mv(self) -> float:
        """Greatest deflection in lead II, without its sign."""
        return float(np.abs(self._sampled()[1] @ LEAD_II).max())

    def moved(self, by_s: float) -> Wave:
        """The same, later."""
        return Wave(self.centre_s + by_s, self.sigma_s, self.dipole_mv)

    def scaled(self, amplitude: float) -> Wave:
        """The same, higher."""
        return Wave(self.centre_s, self.sigma_s, self.dipole_mv * amplitude)

    def lasting(self, width_s: float) -> Wave:
        """The same, stretched in time to last `width_s`, with its peak at time 0."""
        onset, peak, offset = self.marks()
        k = width_s / (offset - onset)
        return Wave((self.centre_s - peak) * k, self.sigma_s * k, self.dipole_mv)


def _wave(*gaussians: tuple[float, float, float, float, float]) -> Wave:
    """From (centre ms, sigma ms, x, y, z mV) of each Gaussian."""
    table = np.array(gaussians)
    return Wave(table[:, 0] / 1e3, table[:, 1] / 1e3, table[:, 2:])


P_SINUS = _wave((0, 16, 0.04, 0.085, -0.05), (32, 17, 0.09, 0.065, 0.045))
P_ECTOPIC = _wave((0, 15, 0.05, -0.07, 0.01), (26, 14, 0.04, -0.07, 0.04))  # low in the atrium


@dataclass(frozen=True, slots=True)
class Shape:
    """How ventricles depolarise and repolarise on one path."""

    qrs: Wave
    t: Wave


def _t(x: float, y: float, z: float) -> Wave:
    """Slow up, faster down: an asymmetric T wave."""
    return _wave((-38, 42, 0.55 * x, 0.55 * y, 0.55 * z), (0, 32, 0.7 * x, 0.7 * y, 0.7 * z))


SHAPES: dict[str, Shape] = {
    "normal": Shape(
        _wave(
            (-24, 6.5, -0.14, -0.06, -0.26),  # septum: to the right and front
            (0, 9, 0.95, 0.95, 0.05),  # apex and free wall
            (17, 10, 0.50, 0.12, 0.90),  # left lateral and back
            (36, 7, -0.20, -0.14, 0.20),  # base
        ),
        _t(0.27, 0.20, -0.10),
    ),
    "lbbb": Shape(
        _wave((-30, 12, 0.35, 0.30, 0.1), (0, 17, 0.95, 0.75, 1.05), (38, 17, 1.0, 0.45, 1.1)),
        _t(-0.30, -0.16, -0.42),
    ),
    "rbbb": Shape(
        _wave(
            (-24, 7, -0.12, -0.05, -0.30),
            (0, 10, 0.85, 0.9, 0.10),
            (17, 9, 0.40, 0.15, 0.55),
            (60, 17, -0.55, -0.12, -0.65),  # right ventricle, late and slow
        ),
        _t(0.30, 0.22, 0.12),
    ),
    # ventricular foci; the T points away from the QRS
    "outflow": Shape(  # right ventricular outflow tract: LBBB shape, axis to the feet
        _wave((-42, 18, 0.25, 0.55, -0.1), (0, 24, 0.65, 1.2, 0.75), (48, 20, 0.2, 0.5, 0.6)),
        _t(-0.22, -0.62, -0.45),
    ),
    "apex": Shape(  # right ventricular apex: LBBB shape, axis to the head; that of pacing, too
        _wave((-40, 18, 0.30, -0.3, 0.2), (0, 24, 0.85, -1.2, 0.85), (50, 21, 0.5, -0.55, 0.7)),
        _t(-0.32, 0.52, -0.48),
    ),
    "left": Shape(  # left ventricle, low and septal: RBBB shape, axis to the head
        _wave(
            (-40, 16, -0.10, -0.2, -0.5), (0, 24, -0.55, -1.35, -0.75), (50, 22, -0.5, -0.4, -0.35)
        ),
        _t(0.32, 0.55, 0.32),
    ),
    "lateral": Shape(  # left free wall: RBBB shape, axis to the feet and right
        _wave((-44, 18, -0.2, 0.4, -0.3), (0, 26, -0.75, 1.2, -0.65), (50, 20, -0.35, 0.35, -0.4)),
        _t(0.32, -0.50, 0.30),
    ),
}
"""Shapes of beats by name. The first three are conducted, the others arise in the ventricles."""
