"""Rhythms of a sick conduction system, and of its pacemaker."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from dsp.synth.rhythm import Segment
from dsp.synth.stage import Stage
from ecg import BadSetting
from ecg.codes import EpisodeKind

PULSE_TO_QRS_S = 0.012  # from a pacing pulse to the QRS complex that it causes


@dataclass(frozen=True, slots=True)
class Wenckebach(Segment):
    """Second-degree AV block, Mobitz I: PR grows, by less each time, until a P wave fails.

    `bpm` is that of the atria; of `cycle` P waves the last is not conducted.
    """

    bpm: float = 75.0
    cycle: int = 4
    pr_s: float = 0.18

    def __post_init__(self) -> None:
        Segment.__post_init__(self)
        if self.cycle < 3:
            raise BadSetting(f"cycle {self.cycle}: Wenckebach needs 3 P waves or more")

    @property
    def kind(self) -> EpisodeKind:
        """Second-degree AV block."""
        return EpisodeKind.AV_BLOCK_2

    def play(self, stage: Stage) -> None:
        """The increment of PR shrinks within a cycle, so RR shortens before the pause."""
        pr_s = self.pr_s
        for i, p_s in enumerate(_sinus_node(stage, self.bpm, self.pr_s)):
            place = i % self.cycle
            pr_s = self.pr_s if place == 0 else pr_s + 0.12 / place
            stage.p_wave(p_s)
            if place < self.cycle - 1:
                stage.beat(p_s + pr_s + stage.conducted_lead_s)


@dataclass(frozen=True, slots=True)
class Mobitz2(Segment):
    """Second-degree AV block, Mobitz II: of `ratio` P waves the last fails; PR stays. 2 is 2:1."""

    bpm: float = 80.0
    ratio: int = 2
    pr_s: float = 0.17

    def __post_init__(self) -> None:
        Segment.__post_init__(self)
        if self.ratio < 2:
            raise BadSetting(f"ratio {self.ratio}: must be 2 or more")

    @property
    def kind(self) -> EpisodeKind:
        """Second-degree AV block."""
        return EpisodeKind.AV_BLOCK_2

    def play(self, stage: Stage) -> None:
        """A fixed PR for those that are conducted."""
        for i, p_s in enumerate(_sinus_node(stage, self.bpm, self.pr_s)):
            stage.p_wave(p_s)
            if i % self.ratio < self.ratio - 1:
                stage.beat(p_s + self.pr_s + stage.conducted_lead_s)


@dataclass(frozen=True, slots=True)
class CompleteBlock(Segment):
    """Third-degree AV block: atria at `atrial_bpm`, an escape rhythm at `bpm`, independent.

    `escape` is `junction` (narrow, code j) or `ventricle` (wide, code E).
    """

    bpm: float = 38.0
    atrial_bpm: float = 80.0
    escape: str = "ventricle"

    def __post_init__(self) -> None:
        Segment.__post_init__(self)
        if self.escape not in ("junction", "ventricle"):
            raise BadSetting(f"escape {self.escape!r}: must be junction or ventricle")

    @property
    def kind(self) -> EpisodeKind:
        """Third-degree AV block."""
        return EpisodeKind.AV_BLOCK_3

    def play(self, stage: Stage) -> None:
        """Two clocks."""
        for p_s in _sinus_node(stage, self.atrial_bpm, 0.2):
            stage.p_wave(p_s)
        code, shape = ("E", "left") if self.escape == "ventricle" else ("j", None)
        rr_s = 60 / self.bpm
        r_s = stage.first(rr_s, 0.3)
        while stage.beat(r_s, code, shape):
            r_s += rr_s * (1 + 0.01 * stage.rng.uniform(-1, 1))


@dataclass(frozen=True, slots=True)
class Paced(Segment):
    """A pacemaker at `bpm`: in the right ventricle, with `dual` in the right atrium as well."""

    bpm: float = 70.0
    dual: bool = False

    @property
    def kind(self) -> EpisodeKind:
        """Paced."""
        return EpisodeKind.PACED

    def play(self, stage: Stage) -> None:
        """Exact intervals; the pulse stands just before the QRS complex it causes."""
        rr_s = 60 / self.bpm
        r_s = stage.first(rr_s, 0.35)
        while stage.beat(r_s, "/", "apex"):
            pulse_s = r_s - stage.paced_lead_s - PULSE_TO_QRS_S
            stage.pulses_s.append(pulse_s)
            if self.dual and pulse_s > 0.18:
                stage.pulses_s.insert(-1, pulse_s - 0.16)
                stage.p_wave(pulse_s - 0.15)
            r_s += rr_s


def _sinus_node(stage: Stage, bpm: float, pr_s: float) -> list[float]:
    """Onsets of P waves in the segment, each with room for its QRS complex."""
    period_s = 60 / bpm
    first_s = max(stage.last_r_s + period_s - pr_s, stage.start_s + 0.05)
    onsets = np.arange(first_s, stage.end_s - pr_s - 0.1, period_s)
    breath = 0.012 * period_s * np.sin(2 * np.pi * stage.breaths_per_min / 60 * onsets)
    return [float(p) for p in onsets + breath]
