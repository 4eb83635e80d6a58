"""What a rhythm writes down while it plays: beats, atrial waves, pulses, changes of rhythm."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from ecg.codes import EpisodeKind


@dataclass(frozen=True, slots=True)
class Beat:
    """A QRS complex and its T wave.

    `r_s` is the time of its R peak (the extreme of lead II), `code` WFDB's, `rr_s` the interval
    that sets its QT.
    """

    r_s: float
    code: str
    shape: str
    rr_s: float


@dataclass(frozen=True, slots=True)
class Atrial:
    """A P wave by the time of its onset, from the sinus node or from a focus low in the atrium."""

    onset_s: float
    ectopic: bool = False


@dataclass(frozen=True, slots=True)
class Continuous:
    """A wave that goes on: `kind` is `fibrillation` or `flutter` of `atria` or `ventricles`."""

    kind: str
    start_s: float
    end_s: float
    hz: float
    amplitude_mv: float


@dataclass(slots=True)
class Stage:
    """The score of a simulation, filled segment by segment.

    `last_r_s` is the R peak before the segment, which the next interval is counted from;
    `conducted` the shape of conducted beats; `conducted_lead_s` and `paced_lead_s` the time from
    the onset of a conducted and of a paced QRS complex to its R peak.
    """

    rng: np.random.Generator
    breaths_per_min: float
    conducted: str
    conducted_lead_s: float
    paced_lead_s: float
    start_s: float = 0.0
    end_s: float = 0.0
    last_r_s: float = -0.5  # as if a record began half a second after a beat
    beats: list[Beat] = field(default_factory=list)
    atrial: list[Atrial] = field(default_factory=list)
    continuous: list[Continuous] = field(default_factory=list)
    pulses_s: list[float] = field(default_factory=list)
    rhythms: list[tuple[float, EpisodeKind]] = field(default_factory=list)

    def first(self, rr_s: float, lead_in_s: float = 0.0) -> float:
        """R peak of the segment's first beat: an interval after the last, `lead_in_s` inside."""
        return max(self.last_r_s + rr_s, self.start_s + lead_in_s)

    def beat(self, r_s: float, code: str = "N", shape: str | None = None) -> bool:
        """Write a beat; False, and nothing written, when it lies past the segment's end."""
        if r_s >= self.end_s:
            return False
        rr_s = r_s - self.last_r_s
        if shape is None:
            shape = self.conducted
        if code == "N" and shape in _BLOCK_CODE:
            code = _BLOCK_CODE[shape]
        self.beats.append(Beat(r_s, code, shape, min(rr_s, 1.5)))
        self.last_r_s = r_s
        return True

    def p_wave(self, onset_s: float, ectopic: bool = False) -> None:
        """Write a P wave, if it begins within what has been or is being played."""
        if 0 <= onset_s < self.end_s:
            self.atrial.append(Atrial(onset_s, ectopic))

    def breath(self, t_s: float) -> float:
        """Phase of breathing as a sine, -1..1."""
        return float(np.sin(2 * np.pi * self.breaths_per_min / 60 * t_s))


_BLOCK_CODE = {"lbbb": "L", "rbbb": "R"}
