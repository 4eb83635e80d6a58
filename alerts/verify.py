"""Is an arrhythmia alarm true? A pure decision on what single channels show before it.

The definitions are those of the PhysioNet/CinC Challenge 2015 (Clifford et al. 2015, "Reducing
false arrhythmia alarms in the ICU", Computing in Cardiology 42:273). The method follows its best
entries (Plesinger et al. 2016, "Taming of the monitors", Physiol Meas 37:1313; Fallet et al. 2016,
Physiol Meas 37:1217): a channel in which the heart is seen at regular work refutes most alarms,
whatever the others show. Undecided counts as true: a lethal alarm is never held back for that.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from itertools import combinations

import numpy as np

from alerts import activity as act
from alerts.look import IN_STEP_QUALITY, Limits, Look, Verdict, Verification
from ecg.errors import BadInput
from ecg.evidence import LeadView, PulseView

__all__ = ["KINDS", "Limits", "Verdict", "Verification", "verify"]


def verify(
    kind: str,
    leads: Sequence[LeadView],
    pulses: Sequence[PulseView],
    alarm_ns: int,
    limits: Limits | None = None,
) -> Verification:
    """Decide whether an alarm is true.

    Parameters
    ----------
    kind : str
        As the Challenge spells it: one of `KINDS`.
    leads, pulses : sequence
        What each channel shows up to the alarm, 20 s or more.
    alarm_ns : int
        When the alarm was raised, ns since the Unix epoch (UTC), on the clock of the rows.

    Raises
    ------
    BadInput
        If the kind is not known.
    """
    if kind not in KINDS:
        raise BadInput(f"alarm kind {kind!r} is not known; there are {', '.join(KINDS)}")
    limits = limits or Limits()
    present = [lead for lead in leads if act.is_present(lead, alarm_ns, 10.0)]
    return KINDS[kind](Look(present, list(pulses), alarm_ns, limits))


# ---------------------------------------------------------------- the rules


def asystole(look: Look) -> Verification:
    """No QRS for 4 s. A clean lead that stands still counts, unless the pulse goes on."""
    limits, pulses = look.limits, look.pulse_cover()
    clean = [lead for lead in look.leads if look.is_clean(lead)]
    pauses: list[act.Hole | None] = []
    for lead in clean:
        found = act.longest_pause(look.credible(lead), -limits.span_s, 0.0)
        noisy = act.is_noisy(lead, look.alarm_ns, found.begin_s, found.end_s)
        pauses.append(None if noisy else found)
    for lead, pause in zip(clean, pauses, strict=True):
        if pause is None or pause.length_s < limits.pause_s:
            continue
        others = [look.lead_cover(other) for other in look.leads if other is not lead]
        holes = [
            act.longest_hole(cover, pause.begin_s, pause.end_s).length_s
            for cover in (*pulses, *others)
        ]
        if all(hole >= limits.goes_on_s for hole in holes):
            return Verification(
                Verdict.TRUE,
                f"lead {lead.name} shows no beat for {pause.length_s:.1f} s,"
                " and no other channel goes on meanwhile",
                {"pause_s": pause.length_s},
            )
    shortest = min((p.length_s for p in pauses if p is not None), default=math.inf)
    every = [c for cover in (*pulses, *map(look.lead_cover, look.leads)) for c in cover]
    hole = act.longest_hole(every, -limits.span_s + 2, 0.0)
    numbers = {"pause_s": shortest, "hole_s": hole.length_s}
    if shortest < limits.pause_s:
        return Verification(
            Verdict.FALSE, f"a clean lead shows no pause longer than {shortest:.1f} s", numbers
        )
    if hole.length_s < limits.hole_s:
        return Verification(
            Verdict.FALSE,
            f"beats and pulses go on, none is missing for longer than {hole.length_s:.1f} s",
            numbers,
        )
    quiet = [act.quiet_s(lead, look.alarm_ns, limits.span_s) for lead in look.leads]
    if quiet and max(quiet) < limits.quiet_s and not look.has_stopped(limits.hole_s):
        return Verification(
            Verdict.FALSE,
            f"no lead is quiet for longer than {max(quiet):.0f} s",
            numbers | {"quiet_s": max(quiet)},
        )
    return Verification(
        Verdict.UNDECIDED, f"no channel shows a heart at work for {hole.length_s:.1f} s", numbers
    )


def bradycardia(look: Look) -> Verification:
    """Below 40/min over 5 beats; 4 beats are enough to notice, with some tolerance."""
    limits = look.limits
    clean = [lead for lead in look.leads if look.is_clean(lead)]
    # a beat that one lead misses, another may show
    slowest = _highest([_slowest(look, look.beats(lead)) for lead in clean])
    believed = _highest([_slowest(look, look.credible(lead)) for lead in clean])
    pulses = [
        _slowest(look, act.pulse_beats(pulse, look.alarm_ns, act.NO_NOTCH, 80.0))
        for pulse, cover in zip(look.pulses, look.pulse_cover(), strict=True)
        if act.longest_hole(cover, -limits.span_s, -0.8).length_s < limits.pulse_hole_s
    ]
    pulse = min((rate for rate in pulses if not math.isnan(rate)), default=math.nan)
    numbers = {"lead_bpm": slowest, "believed_bpm": believed, "pulse_bpm": pulse}
    if pulse >= limits.slow_bpm:
        return Verification(Verdict.FALSE, f"the pulse never falls below {pulse:.0f}/min", numbers)
    if slowest < limits.slow_bpm:
        return Verification(
            Verdict.TRUE,
            f"all clean leads show {slowest:.0f}/min or less over {limits.slow_beats} beats",
            numbers,
        )
    if believed >= limits.slow_bpm and not pulse < limits.slow_bpm:
        return Verification(
            Verdict.FALSE, f"the rate never falls below {believed:.0f}/min in a clean lead", numbers
        )
    return Verification(Verdict.UNDECIDED, "no channel tells the rate for certain", numbers)


def tachycardia(look: Look) -> Verification:
    """Above 140/min over 17 beats. Slow pulses alone do not refute: weak beats make none."""
    limits = look.limits
    clean = [lead for lead in look.leads if look.is_clean(lead)]
    rates = [_fastest(look, look.beats(lead)) for lead in clean]
    fastest = max((r for r in rates if not math.isnan(r)), default=math.nan)
    usual = [_fastest(look, act.usual_beats(lead, look.alarm_ns)) for lead in look.leads]
    pulse = math.nan
    for view, cover in zip(look.pulses, look.pulse_cover(), strict=True):
        if act.longest_hole(cover, -limits.span_s, -0.8).length_s < 1.0:
            pulse = max(_fastest(look, act.pulse_beats(view, look.alarm_ns)), np.nan_to_num(pulse))
    numbers = {"lead_bpm": fastest, "pulse_bpm": pulse}
    twice = any(abs(rate - pulse) < 0.1 * pulse for rate in usual)
    if pulse < limits.not_fast_bpm and (twice or math.isnan(fastest)):
        return Verification(
            Verdict.FALSE, f"a regular pulse shows {pulse:.0f}/min at most", numbers
        )
    if fastest >= limits.fast_bpm or pulse >= limits.fast_bpm:
        return Verification(
            Verdict.TRUE,
            f"{np.nanmax([fastest, pulse]):.0f}/min over {limits.fast_beats} beats",
            numbers,
        )
    if fastest < limits.not_fast_bpm:
        return Verification(Verdict.FALSE, f"clean leads show {fastest:.0f}/min at most", numbers)
    return Verification(Verdict.UNDECIDED, "no channel tells the rate for certain", numbers)


def ventricular_tachycardia(look: Look) -> Verification:
    """5 or more ventricular beats in a row above 100/min."""
    limits = look.limits
    span = limits.span_s
    runs = [
        act.best_run(lead, look.alarm_ns, span + 1, limits.run_beats, limits.run_bpm)
        for lead in look.leads
    ]
    run = max(runs, key=lambda r: r.count, default=act.Run())
    covers = look.pulse_cover(act.PULSE_HEIGHT, act.PULSE_EVEN)
    in_step = any(_is_in_step(look, pulse) for pulse in look.pulses)
    pulse_hole = min((act.longest_hole(c, -span, -0.8).length_s for c in covers), default=span)
    lead_hole = min(
        (act.longest_hole(look.lead_cover(lead), -span, -0.3).length_s for lead in look.leads),
        default=span,
    )
    numbers = {
        "ventricular": float(run.count),
        "pulse_hole_s": pulse_hole,
        "lead_hole_s": lead_hole,
        "in_step": float(in_step),
    }
    if in_step:
        return Verification(Verdict.FALSE, "each pulse came in its time and at its height", numbers)
    if run.count >= limits.run_beats:
        return Verification(
            Verdict.TRUE,
            f"{run.count} ventricular beats in a row at {run.rate_bpm:.0f}/min in lead {run.lead}",
            numbers,
        )
    if min(pulse_hole, lead_hole) < limits.run_hole_s:
        where = "pulses" if pulse_hole < lead_hole else "usual beats"
        return Verification(
            Verdict.FALSE,
            f"regular {where} leave no room for a run: {min(pulse_hole, lead_hole):.1f} s at most",
            numbers,
        )
    return _without_run(look, run, numbers)


def _without_run(look: Look, run: act.Run, numbers: dict[str, float]) -> Verification:
    """Neither a run nor regular activity: are the signals good enough to have shown a run?"""
    limits = look.limits
    times = [look.beats(lead) for lead in look.leads]
    ends = (run.begin_s - 1.5, run.begin_s + 4.0) if run.count else (-limits.span_s, 0.0)
    agreements = [act.agreement(a, b, *ends) for a, b in combinations(times, 2)]
    agreement = min((a for a in agreements if not math.isnan(a)), default=1.0)
    clean = [lead for lead in look.leads if look.is_clean(lead)]
    numbers = numbers | {"agreement": agreement, "clean_leads": float(len(clean))}
    if agreement < limits.agreement:
        return Verification(
            Verdict.FALSE,
            f"the leads disagree on {100 * (1 - agreement):.0f} % of the beats: artifacts",
            numbers,
        )
    likely = run.count >= limits.run_beats - 1 and run.lead in [lead.name for lead in clean]
    if look.leads and len(clean) < len(look.leads) and not likely:
        return Verification(
            Verdict.FALSE, "the beats found are unlike each other: artifacts", numbers
        )
    if run.count == 0 and numbers["lead_hole_s"] < limits.run_room_s:
        followed = [
            lead
            for lead in clean
            if act.longest_pause(look.beats(lead), -limits.span_s, -0.5).length_s < act.LONGEST_S
        ]
        if followed:
            return Verification(
                Verdict.FALSE, f"no ventricular beats in lead {followed[0].name}", numbers
            )
    return Verification(
        Verdict.UNDECIDED, f"{run.count} of {limits.run_beats} beats look ventricular", numbers
    )


def ventricular_fibrillation(look: Look) -> Verification:
    """Fibrillatory, flutter or oscillatory waveform for 4 s: no pulse, no steep QRS meanwhile."""
    limits = look.limits
    steep = [lead for lead in look.leads if lead.usual_slowness < limits.steep_ms]
    every = [c for cover in (*look.pulse_cover(), *map(look.lead_cover, steep)) for c in cover]
    hole = act.longest_hole(every, -limits.span_s + 2, 0.0)
    leakage = _leakage(look)
    numbers = {"hole_s": hole.length_s, "leakage": leakage}
    if hole.length_s < limits.hole_s:
        return Verification(
            Verdict.FALSE,
            f"beats and pulses go on, none is missing for longer than {hole.length_s:.1f} s",
            numbers,
        )
    if leakage < limits.oscillating:
        return Verification(
            Verdict.TRUE,
            f"no pulse and no QRS for {hole.length_s:.1f} s while the leads oscillate",
            numbers,
        )
    if leakage > limits.not_oscillating and not look.has_stopped(limits.hole_s):
        return Verification(
            Verdict.FALSE, "no lead shows an oscillation, as fibrillation and flutter are", numbers
        )
    return Verification(
        Verdict.UNDECIDED, f"no channel shows a heart at work for {hole.length_s:.1f} s", numbers
    )


def _recent(look: Look, times: act.Times) -> act.Times:
    return times[times > -look.limits.span_s - 3]


def _slowest(look: Look, times: act.Times) -> float:
    return act.rates_bpm(_recent(look, times), look.limits.slow_beats)[0]


def _highest(rates: list[float]) -> float:
    """The highest that is known, NaN when none is."""
    return max((rate for rate in rates if not math.isnan(rate)), default=math.nan)


def _fastest(look: Look, times: act.Times) -> float:
    """Fastest rate over 17 beats of the last 15 s, or over fewer when there are not as many."""
    times = _recent(look, times)
    limits = look.limits
    rate = act.rates_bpm(times, limits.fast_beats)[1]
    return act.rates_bpm(times, limits.few_beats)[1] if math.isnan(rate) else rate


def _is_in_step(look: Look, pulse: PulseView) -> bool:
    """Whether each pulse, up to the last that can be known, was like those before, and on time."""
    span = look.limits.span_s
    good = act.pulse_beats(pulse, look.alarm_ns, act.PULSE_HEIGHT, quality=IN_STEP_QUALITY)
    cover = act.cover(good[good > -span - 4], act.PULSE_EVEN)
    if not cover or cover[-1][1] < -2.0:
        return False
    every = act.seconds_before(pulse.pulses, look.alarm_ns)
    strange = (every > -span).sum() != (good > -span).sum()
    return not strange and act.longest_hole(cover, -span, cover[-1][1]).length_s == 0.0


def _leakage(look: Look) -> float:
    """The lowest leakage of 4 s that end within the last 6 s, in any lead; NaN without leads."""
    lowest = math.nan
    for lead in look.leads:
        recent = lead.seconds[act.seconds_before(lead.seconds, look.alarm_ns) >= -6.0]
        if recent.size:
            lowest = float(np.fmin(lowest, recent["leakage"].min()))
    return lowest


KINDS: dict[str, Callable[[Look], Verification]] = {
    "Asystole": asystole,
    "Bradycardia": bradycardia,
    "Tachycardia": tachycardia,
    "Ventricular_Tachycardia": ventricular_tachycardia,
    "Ventricular_Flutter_Fib": ventricular_fibrillation,
}
"""The alarms of the Challenge, as its headers spell them."""
