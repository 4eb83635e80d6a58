"""What verification works on: verdicts, limits, and the channels that can be believed."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from alerts import activity as act
from ecg.evidence import LeadView, PulseView


class Verdict(StrEnum):
    """What verification says of an alarm."""

    TRUE = "true"
    FALSE = "false"
    UNDECIDED = "undecided"


IN_STEP_QUALITY = 0.85  # of a pulse that is like those before


@dataclass(frozen=True, slots=True)
class Limits:
    """Limits of the rules; the comment says where each comes from.

    Those marked * were set on the records of the Challenge, within what physiology allows;
    `benchmarks.verify` chooses among their neighbours by cross-validation.
    """

    span_s: float = 12.0  # an alarm follows its cause by 10 s at most (AAMI EC13); a little more
    pause_s: float = 3.5  # * a standstill of 4 s, less what fiducials and delays take
    goes_on_s: float = 2.5  # a channel without a longer hole goes on: LONGEST_S and a delay
    hole_s: float = 3.3  # * no channel shows activity for so long: 4 s, less the beat before
    quiet_s: float = 3.0  # whole seconds that any standstill of 4 s holds
    slow_bpm: float = 45.0  # * below 40/min, plus tolerance
    slow_beats: int = 4
    pulse_hole_s: float = 1.5  # a pulse is followed when none is missing for longer
    fast_bpm: float = 135.0  # * above 140/min, less tolerance
    not_fast_bpm: float = 115.0  # * well below: weak beats are missed together
    fast_beats: int = 17
    few_beats: int = 10  # enough beats to refute a fast rate when there are not 17
    run_beats: int = 5
    run_bpm: float = 93.0  # above 100/min, less tolerance
    run_hole_s: float = 1.2  # * 6 intervals at 250/min, 2 at 100/min: a run is not shorter
    run_room_s: float = 2.4  # 4 intervals at 100/min: what a run may need
    agreement: float = 0.81  # * of the leads on when there were beats
    credible: float = 0.75  # * share of a lead's beats that are like others, when it is clean
    steep_ms: float = 50.0  # beats steeper than this are no fibrillation: waves of 4 to 7 Hz
    # leakage of the VF filter below which a signal fibrillates, and above which it does not:
    # Kuo & Dillman 1978 as cited by Amann et al. 2005
    oscillating: float = 0.406
    not_oscillating: float = 0.625


@dataclass(frozen=True, slots=True)
class Verification:
    """Verdict on an alarm, why in one sentence, and the numbers behind it."""

    verdict: Verdict
    reason: str
    numbers: dict[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, eq=False)
class Look:
    """What is there to decide on."""

    leads: list[LeadView]  # that show a signal
    pulses: list[PulseView]
    alarm_ns: int
    limits: Limits

    def beats(self, lead: LeadView) -> act.Times:
        """All beats found in a lead, seconds before the alarm."""
        return act.seconds_before(lead.beats, self.alarm_ns)

    def credible(self, lead: LeadView) -> act.Times:
        """Beats of a lead that are like others: an artifact is not."""
        times, like = act.credible_beats(lead, self.alarm_ns)
        return times[like]

    def is_clean(self, lead: LeadView) -> bool:
        """Whether the beats of a lead can be believed; not so when none was found."""
        times, like = act.credible_beats(lead, self.alarm_ns)
        recent = like[times > -self.limits.span_s - 2]
        return bool(recent.size) and float(recent.mean()) >= self.limits.credible

    def has_stopped(self, for_s: float) -> bool:
        """Whether a pulse that was there has stayed away so long."""
        return any(act.has_stopped(pulse, self.alarm_ns, for_s) for pulse in self.pulses)

    def pulse_cover(
        self, height: float = 0.0, even: tuple[float, float] = act.EVEN
    ) -> list[act.Stretches]:
        """Regular activity by pulse channel."""
        times = (act.pulse_beats(p, self.alarm_ns, height) for p in self.pulses)
        return [act.cover(t[t > -self.limits.span_s - 4], even) for t in times]

    def lead_cover(self, lead: LeadView) -> act.Stretches:
        """Regular activity of the usual beat of a lead."""
        other = act.seconds_before(lead.beats[lead.beats["familiar"] < act.USUAL], self.alarm_ns)
        return act.cover(act.usual_beats(lead, self.alarm_ns), other=other)
