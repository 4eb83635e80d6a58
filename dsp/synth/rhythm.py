"""Rhythms as segments of a script: `[Sinus(30, bpm=60), VT(10, bpm=180), Asystole(6)]`."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, fields

import numpy as np

from dsp.synth.dipole import SHAPES
from dsp.synth.stage import Continuous, Stage
from ecg import BadSetting
from ecg.codes import EpisodeKind

_RATE_BPM = (5.0, 400.0)
_ALLOWED = {
    "bpm": _RATE_BPM,
    "p_bpm": _RATE_BPM,
    "atrial_bpm": _RATE_BPM,
    "flutter_bpm": (150.0, 450.0),
    "hrv": (0.0, 0.2),  # beyond it an interval might fall below 0
    "pr_s": (0.05, 0.6),
    "f_wave_mv": (0.0, 2.0),
    "hz": (1.0, 12.0),
    "amplitude_mv": (0.0, 5.0),
}
"""Settings of segments by name, and what they may be."""


@dataclass(frozen=True, slots=True)
class Segment(ABC):
    """A stretch of one rhythm, `duration_s` long."""

    duration_s: float

    def __post_init__(self) -> None:
        if not 0 < self.duration_s < 7 * 86400:
            raise BadSetting(f"duration_s {self.duration_s}: must be above 0 and below a week")
        for field in fields(self):
            value = getattr(self, field.name)
            if field.name in _ALLOWED and value is not None:
                low, high = _ALLOWED[field.name]
                if not low <= value <= high:
                    raise BadSetting(f"{field.name} {value}: must be within {low:g} to {high:g}")
        shapes = getattr(self, "shapes", ("apex",))
        if not shapes:
            raise BadSetting("shapes is empty: name at least one")
        for shape in shapes:
            if shape not in SHAPES:
                raise BadSetting(f"shape {shape!r}: must be one of {', '.join(SHAPES)}")

    @property
    @abstractmethod
    def kind(self) -> EpisodeKind:
        """The rhythm, for the truth."""

    @abstractmethod
    def play(self, stage: Stage) -> None:
        """Write the segment's beats onto the stage, from its `start_s` to its `end_s`."""


@dataclass(frozen=True, slots=True)
class Sinus(Segment):
    """Sinus rhythm, with ectopic beats by a pattern.

    `pattern` repeats: N a sinus beat, V a ventricular premature beat (`shapes` in turn), A an
    atrial one; `NV` is bigeminy, `NNV` trigeminy, `NNNNNNVV` couplets. A ventricular beat leaves
    the sinus node alone, so the pause after it is compensatory; an atrial one resets it.
    `hrv` is the standard deviation of RR as a share: breathing and a slow wander half each.
    """

    bpm: float = 70.0
    hrv: float = 0.03
    pattern: str = "N"
    shapes: tuple[str, ...] = ("outflow",)
    pr_s: float = 0.16

    def __post_init__(self) -> None:
        Segment.__post_init__(self)
        if "N" not in self.pattern or set(self.pattern) - set("NVA"):
            raise BadSetting(f"pattern {self.pattern!r}: must be of N, V and A with at least one N")

    @property
    def kind(self) -> EpisodeKind:
        """By pattern, then by rate."""
        if self.pattern in _PATTERN_KIND:
            return _PATTERN_KIND[self.pattern]
        if self.bpm < 60:
            return EpisodeKind.SINUS_BRADYCARDIA
        return EpisodeKind.SINUS_TACHYCARDIA if self.bpm > 100 else EpisodeKind.SINUS

    def play(self, stage: Stage) -> None:
        """Sinus node first; ectopic beats in between."""
        mean_s = 60 / self.bpm
        node_s = stage.first(mean_s, min(self.pr_s + 0.06, 0.5 * mean_s))
        wander, foci, i = 0.0, 0, 0
        pr_s = min(self.pr_s, 0.5 * mean_s)
        while node_s < stage.end_s:
            what = self.pattern[i % len(self.pattern)]
            i += 1
            wander = 0.9 * wander + 0.44 * stage.rng.standard_normal()
            rr_s = mean_s * (1 + self.hrv * (stage.breath(node_s) + 0.7 * wander))
            if what == "N":
                if stage.beat(node_s):
                    stage.p_wave(node_s - pr_s - stage.conducted_lead_s)
                node_s += rr_s
            elif what == "A":
                early_s = stage.last_r_s + 0.68 * rr_s
                if stage.beat(early_s, "A"):
                    stage.p_wave(early_s - 0.85 * pr_s - stage.conducted_lead_s, ectopic=True)
                node_s = early_s + 1.12 * rr_s
            else:
                coupling_s = rr_s * (0.58 + 0.03 * stage.rng.uniform(-1, 1))
                stage.beat(stage.last_r_s + coupling_s, "V", self.shapes[foci % len(self.shapes)])
                foci += 1
                if node_s < stage.last_r_s + 0.3 * rr_s + 0.2:
                    node_s += rr_s  # this impulse of the node finds the ventricles refractory


_PATTERN_KIND = {"NV": EpisodeKind.BIGEMINY, "NNV": EpisodeKind.TRIGEMINY}


@dataclass(frozen=True, slots=True)
class AF(Segment):
    """Atrial fibrillation: no P waves, f waves, irregularly irregular ventricles."""

    bpm: float = 90.0
    f_wave_mv: float = 0.10
    pattern: str = "N"
    shapes: tuple[str, ...] = ("outflow",)

    def __post_init__(self) -> None:
        Segment.__post_init__(self)
        if not self.pattern or set(self.pattern) - set("NV"):
            raise BadSetting(f"pattern {self.pattern!r}: must be of N and V")

    @property
    def kind(self) -> EpisodeKind:
        """AF."""
        return EpisodeKind.AF

    def play(self, stage: Stage) -> None:
        """RR intervals independent of each other, 20 % about their mean, never under 0.24 s."""
        stage.continuous.append(
            Continuous("atrial fibrillation", stage.start_s, stage.end_s, 6.2, self.f_wave_mv)
        )
        mean_s = 60 / self.bpm
        least_s = min(0.45 * mean_s + 0.08, 0.8 * mean_s)
        spread = mean_s - least_s

        def interval_s() -> float:
            return least_s + spread * float(stage.rng.gamma(4.0, 0.25))

        r_s, i = stage.first(interval_s(), 0.1), 0
        foci = 0
        while True:
            ventricular = self.pattern[i % len(self.pattern)] == "V"
            shape = self.shapes[foci % len(self.shapes)] if ventricular else None
            foci += ventricular
            if not stage.beat(r_s, "V" if ventricular else "N", shape):
                return
            i += 1
            r_s += interval_s()


@dataclass(frozen=True, slots=True)
class Flutter(Segment):
    """Atrial flutter: a sawtooth, of which every so many waves reach the ventricles."""

    ratios: tuple[int, ...] = (2,)
    flutter_bpm: float = 300.0
    f_wave_mv: float = 0.22

    def __post_init__(self) -> None:
        Segment.__post_init__(self)
        if not self.ratios or min(self.ratios) < 1:
            raise BadSetting(f"ratios {self.ratios}: give at least one, each 1 or more")

    @property
    def kind(self) -> EpisodeKind:
        """Atrial flutter."""
        return EpisodeKind.FLUTTER

    def play(self, stage: Stage) -> None:
        """QRS complexes at a fixed place of the sawtooth, by `ratios` in turn."""
        period_s = 60 / self.flutter_bpm
        stage.continuous.append(
            Continuous("atrial flutter", stage.start_s, stage.end_s, 1 / period_s, self.f_wave_mv)
        )
        r_s, i = stage.start_s + 0.15, 0
        while r_s < stage.last_r_s + 0.9 * period_s * self.ratios[0]:
            r_s += period_s
        while stage.beat(r_s):
            r_s += period_s * self.ratios[i % len(self.ratios)]
            i += 1


@dataclass(frozen=True, slots=True)
class SVT(Segment):
    """Re-entry at the AV node: fast, narrow, regular; the P wave hides in the QRS complex."""

    bpm: float = 180.0

    @property
    def kind(self) -> EpisodeKind:
        """Supraventricular tachyarrhythmia."""
        return EpisodeKind.SVT

    def play(self, stage: Stage) -> None:
        """Intervals within 1 %."""
        r_s = stage.first(60 / self.bpm, 0.06)
        while stage.beat(r_s, "S"):
            r_s += 60 / self.bpm * (1 + 0.01 * stage.rng.uniform(-1, 1))


@dataclass(frozen=True, slots=True)
class VT(Segment):
    """A ventricular focus fires alone: tachycardia, or an idioventricular rhythm up to 100/min."""

    bpm: float = 180.0
    shapes: tuple[str, ...] = ("apex",)

    @property
    def kind(self) -> EpisodeKind:
        """By rate."""
        return EpisodeKind.VT if self.bpm > 100 else EpisodeKind.IDIOVENTRICULAR

    def play(self, stage: Stage) -> None:
        """Intervals within 2 %."""
        rr_s = 60 / self.bpm
        r_s, i = stage.first(rr_s, 0.1), 0
        while stage.beat(r_s, "V", self.shapes[i % len(self.shapes)]):
            r_s += rr_s * (1 + 0.02 * stage.rng.uniform(-1, 1))
            i += 1


@dataclass(frozen=True, slots=True)
class VF(Segment):
    """Ventricular fibrillation, or flutter (`flutter=True`: one frequency, one direction)."""

    hz: float = 5.0
    amplitude_mv: float = 0.55
    flutter: bool = False

    @property
    def kind(self) -> EpisodeKind:
        """`(VFL`, which WFDB uses for both."""
        return EpisodeKind.VF

    def play(self, stage: Stage) -> None:
        """No beats: a continuous wave."""
        kind = "ventricular flutter" if self.flutter else "ventricular fibrillation"
        wave = Continuous(kind, stage.start_s, stage.end_s, self.hz, self.amplitude_mv)
        stage.continuous.append(wave)


@dataclass(frozen=True, slots=True)
class Asystole(Segment):
    """No QRS complexes; with `p_bpm`, P waves go on (ventricular standstill)."""

    p_bpm: float | None = None

    @property
    def kind(self) -> EpisodeKind:
        """Asystole."""
        return EpisodeKind.ASYSTOLE

    def play(self, stage: Stage) -> None:
        """P waves at most."""
        if self.p_bpm is not None:
            for p_s in np.arange(stage.start_s + 0.4, stage.end_s - 0.15, 60 / self.p_bpm):
                stage.p_wave(float(p_s))


@dataclass(frozen=True, slots=True)
class Pause(Asystole):
    """The sinus node rests for a moment."""

    @property
    def kind(self) -> EpisodeKind:
        """A pause."""
        return EpisodeKind.PAUSE
