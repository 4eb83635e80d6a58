"""From a stage to the dipole's course, and to the marks of every wave."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dsp.synth.dipole import P_ECTOPIC, P_SINUS, SHAPES, Floats, Wave
from dsp.synth.patient import Patient
from dsp.synth.stage import Beat, Stage

P_S = 0.10  # a P wave lasts 100 ms
QT_MEMORY = 0.75  # QT follows a change of rate over several beats (Lau et al. 1988)
PULSE_S = 0.002
_PULSE_MV = np.array([0.15, -0.75, 0.3])  # by the tip of the lead in the right ventricle
_WIDE = ("outflow", "apex", "left", "lateral")
_NATIVE_QRS_MV = 1.1  # for which the wide shapes of `dipole.SHAPES` are drawn


class Template:
    """A wave whose marks are known, stretched and scaled without looking for them again.

    `share_before` and `share_after` are the parts of its duration before and after its peak.
    """

    def __init__(self, wave: Wave, height_mv: float | None = None) -> None:
        scale = 1.0 if height_mv is None else height_mv / wave.height_mv()
        unit = wave.lasting(1.0)
        onset, _, offset = unit.marks()
        self._unit = unit.scaled(scale)
        self.share_before, self.share_after = -onset, offset
        self._reach = float(np.max(np.abs(self._unit.centre_s) + 5 * self._unit.sigma_s))

    def add(self, dipole: Floats, fs_hz: float, peak_s: float, width_s: float, gain: float) -> None:
        """Add the wave to `dipole`, float64 [n_samples, 3]."""
        reach_s = self._reach * width_s
        first = max(0, int(np.ceil((peak_s - reach_s) * fs_hz)))
        end = min(len(dipole), int((peak_s + reach_s) * fs_hz) + 1)
        if first < end:
            unit_time = (np.arange(first, end) / fs_hz - peak_s) / width_s
            dipole[first:end] += gain * self._unit.at(unit_time)


@dataclass(frozen=True, slots=True)
class WaveTimes:
    """Where a wave lies, s: `kind` is p, N (QRS) or t."""

    kind: str
    onset_s: float
    peak_s: float
    offset_s: float


class Heart:
    """The waves of one patient."""

    def __init__(self, patient: Patient) -> None:
        self._patient = patient
        wide_gain = patient.qrs_mv / _NATIVE_QRS_MV
        self._qrs, self._t = {}, {}
        for name, shape in SHAPES.items():
            wide = name in _WIDE
            self._qrs[name] = Template(
                shape.qrs, shape.qrs.height_mv() * wide_gain if wide else patient.qrs_mv
            )
            self._t[name] = Template(
                shape.t, shape.t.height_mv() * wide_gain if wide else patient.t_mv
            )
        self._p = {
            False: Template(P_SINUS, patient.p_mv),
            True: Template(P_ECTOPIC, 0.8 * patient.p_mv),
        }

    def width_s(self, shape: str) -> float:
        """Duration of the QRS complex."""
        patient = self._patient
        wide_ms = patient.ventricular_ms if shape in _WIDE else patient.qrs_ms
        return wide_ms / 1e3

    def lead_s(self, shape: str) -> float:
        """From the onset of the QRS complex to its R peak."""
        return self._qrs[shape].share_before * self.width_s(shape)

    def draw(self, stage: Stage, fs_hz: float, n_samples: int) -> tuple[Floats, list[WaveTimes]]:
        """All waves of the stage: the dipole, float64 [n_samples, 3] mV, and their marks."""
        dipole = np.zeros((n_samples, 3))
        waves = []
        for atrial in stage.atrial:
            template = self._p[atrial.ectopic]
            peak_s = atrial.onset_s + template.share_before * P_S
            template.add(dipole, fs_hz, peak_s, P_S, 1.0)
            if self._patient.p_mv:
                waves.append(WaveTimes("p", atrial.onset_s, peak_s, atrial.onset_s + P_S))
        rr_s = None
        for beat in stage.beats:
            rr_s = beat.rr_s if rr_s is None else QT_MEMORY * rr_s + (1 - QT_MEMORY) * beat.rr_s
            gain = 1 + self._patient.variation * stage.breath(beat.r_s)
            waves += self._beat(dipole, fs_hz, beat, min(rr_s, 1.3 * beat.rr_s), gain)
        _pulses(dipole, fs_hz, stage.pulses_s)
        return dipole, waves

    def _beat(
        self, dipole: Floats, fs_hz: float, beat: Beat, rr_s: float, gain: float
    ) -> list[WaveTimes]:
        qrs, t = self._qrs[beat.shape], self._t[beat.shape]
        width_s = self.width_s(beat.shape)
        qrs.add(dipole, fs_hz, beat.r_s, width_s, gain)
        onset_s = beat.r_s - self.lead_s(beat.shape)
        waves = [WaveTimes("N", onset_s, beat.r_s, onset_s + width_s)]
        # beyond a narrow complex, what depolarises late repolarises late
        late_s = max(0.0, width_s - 0.1) * 0.8
        qt_s = self._patient.qtc_ms / 1e3 * np.cbrt(rr_s) + late_s
        qt_s = max(min(qt_s, 0.92 * beat.rr_s), width_s + 0.05)
        t_width_s = 0.68 * (qt_s - width_s)
        end_s = onset_s + qt_s
        peak_s = end_s - t.share_after * t_width_s
        t.add(dipole, fs_hz, peak_s, t_width_s, gain)
        if self._patient.t_mv:
            waves.append(WaveTimes("t", end_s - t_width_s, peak_s, end_s))
        return waves


def _pulses(dipole: Floats, fs_hz: float, pulses_s: list[float]) -> None:
    """Pacing pulses, as a device's converter shows them: one sample at least."""
    length = max(1, round(PULSE_S * fs_hz))
    for pulse_s in pulses_s:
        first = round(pulse_s * fs_hz)
        dipole[max(0, first) : max(0, first + length)] += _PULSE_MV


def to_samples(times_s: list[float], fs_hz: float) -> NDArray[np.int64]:
    """Nearest samples, int64 [n]."""
    return np.rint(np.array(times_s, np.float64) * fs_hz).astype(np.int64)
