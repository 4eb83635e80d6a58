"""Findings by hand, as an analysis would tell them, and a bed to show them to."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np
import pytest

from alerts.engine import Analysed, Event, Limits, Place, State, begin, step
from alerts.words import Alarm, AlarmKind, Phase, Transition
from ecg.clock import NS
from ecg.codes import QualityCode
from ecg.findings import BEAT, QUALITY, VITALS

T0_NS = 1_750_000_000 * NS


class Findings:
    """Makes `Analysed` events; times in seconds since T0_NS."""

    t0_ns = T0_NS

    def ns(self, t_s: float) -> int:
        return T0_NS + round(t_s * NS)

    def beats(
        self, times_s: Iterable[float], flags: int = 0, aami: str = "Q", lead: int = -1
    ) -> np.ndarray:
        """Beats with their classes: a letter for all, or one for each; `Q`: not known yet."""
        times_s = list(times_s)
        beats = np.zeros(len(times_s), BEAT)
        beats["t_ns"] = [self.ns(t) for t in times_s]
        beats["flags"], beats["lead"] = flags, lead
        letters = aami * len(times_s) if len(aami) == 1 else aami
        beats["aami"] = [ord(letter) for letter in letters]
        beats["code"] = beats["aami"]
        return beats

    def quality(
        self, from_s: int, to_s: int, codes: Sequence[QualityCode] = (QualityCode.USABLE,)
    ) -> np.ndarray:
        n_s = max(0, to_s - from_s)
        rows = np.zeros(n_s * len(codes), QUALITY)
        rows["t_ns"] = np.repeat([self.ns(s) for s in range(from_s, from_s + n_s)], len(codes))
        rows["lead"] = np.tile(np.arange(len(codes)), n_s)
        rows["code"] = np.tile(np.array(codes, int), n_s)
        return rows

    def analysed(
        self,
        from_s: int,
        to_s: float,
        times_s: Iterable[float] = (),
        codes: Sequence[QualityCode] = (QualityCode.USABLE,),
        *,
        flags: int = 0,
        aami: str = "Q",
        hr_bpm: float | None = None,
    ) -> Analysed:
        """A stretch of one quality with its beats; the last part of a second has no row yet."""
        vitals = np.zeros(0 if hr_bpm is None else 1, VITALS)
        vitals["hr_bpm"] = hr_bpm
        return Analysed(
            self.ns(to_s),
            self.beats(times_s, flags, aami),
            vitals,
            self.quality(from_s, int(to_s), codes),
            leads=("I", "II", "V5")[: len(codes)],
        )


@dataclass
class Bed:
    """One bed through time: keeps the state and every transition."""

    limits: Limits | None = None
    device: str = "ward/device"
    state: State = field(init=False)
    log: list[Transition] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.state = begin(Place("ward", "bed", device=self.device), self.limits)

    def take(self, event: Event, now_ns: int = T0_NS) -> tuple[Transition, ...]:
        self.state, transitions = step(self.state, event, now_ns)
        self.log += transitions
        return transitions

    @property
    def shown(self) -> dict[AlarmKind, Alarm]:
        return {alarm.kind: alarm for alarm in self.state.alarms}

    def phases(self, kind: AlarmKind) -> list[Phase]:
        return [t.phase for t in self.log if t.kind is kind]


@pytest.fixture(scope="session")
def findings() -> Findings:
    return Findings()


@pytest.fixture
def bed() -> Bed:
    return Bed()


@pytest.fixture(scope="session")
def new_bed() -> type[Bed]:
    return Bed
