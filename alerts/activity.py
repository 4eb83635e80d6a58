"""Is the heart at work? What channels tell about it, second by second, before an alarm.

All times are seconds before the alarm, so negative. Pure: rows in, numbers out.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ecg.clock import NS
from ecg.codes import QualityCode
from ecg.evidence import LeadView, PulseView

Times = NDArray[np.float64]
Stretches = list[tuple[float, float]]

USUAL = 0.85  # correlation from which on a beat is a usual one
USUAL_SLOWER = 1.25  # and no wider than this
SEARCHED_HEIGHT = (0.4, 2.5)
UNUSUAL = 0.7  # a beat less like the usual one than this is another kind, wherever it lies
SAME_BEAT_S = 0.2
SHORTEST_S, LONGEST_S = 0.25, 2.0  # intervals of a heart at work: 30 to 240 a minute
EVEN = (0.6, 1.5)  # of the median interval: sinus rhythm, and most intervals of AF
ONE_MISSED = 2.2  # medians, when nothing else was found in between
PULSE_QUALITY = 0.8
LEAST_PRESSURE_MMHG = 8.0  # a pulse of less is noise or no circulation
PULSE_EVEN = (0.7, 1.4)
PULSE_HEIGHT = 0.6  # of the usual height: a run of ventricular beats fills the heart less
NO_NOTCH = 0.5  # of the height of the higher pulses: a dicrotic wave is lower
CREDIBLE = 0.85  # correlation of a beat with another one of the lead
STUCK = 0.9
QUIET = 0.45  # of the slopes of the steepest seconds: a QRS is no less steep
FLAT_SLOPE = 0.01  # mV a 16 ms: less than any QRS
SAME_TIME_S = 0.08
VENTRICULAR_COMPANIONS = 3  # a kind that was seen four times is no accident
OTHER_KIND = 0.9  # correlation below which a beat is of another kind
MOST_SHARE = 0.7  # of the usual beats: a kind as common as that is no ectopy
MOST_ECTOPIC = 40  # beats of a kind in 90 s, where no usual beat is known


@dataclass(frozen=True, slots=True)
class Hole:
    """The longest stretch in which a channel shows no regular activity."""

    begin_s: float
    end_s: float

    @property
    def length_s(self) -> float:
        """How long it is."""
        return self.end_s - self.begin_s


@dataclass(frozen=True, slots=True)
class Run:
    """Beats in a row of which `count` are ventricular."""

    count: int = 0
    rate_bpm: float = 0.0
    begin_s: float = 0.0
    lead: str = ""


def seconds_before(rows: NDArray[Any], alarm_ns: int) -> Times:
    """Times of rows, seconds before the alarm."""
    return np.asarray((rows["t_ns"] - alarm_ns) / NS, np.float64)


# ---------------------------------------------------------------- beats of one channel


def usual_beats(lead: LeadView, alarm_ns: int) -> Times:
    """When the lead shows its usual beat."""
    beats, searched = lead.beats, lead.searched
    usual = (beats["familiar"] >= USUAL) & (beats["slower"] < USUAL_SLOWER)
    other = seconds_before(beats[beats["familiar"] < UNUSUAL], alarm_ns)
    like = (
        (searched["familiar"] >= USUAL)
        & (searched["slower"] < USUAL_SLOWER)
        & (searched["slower"] > 1 / USUAL_SLOWER)
        & (searched["height"] > SEARCHED_HEIGHT[0])
        & (searched["height"] < SEARCHED_HEIGHT[1])
    )
    found = [
        t
        for t in seconds_before(searched[like], alarm_ns)
        if not other.size or np.abs(other - t).min() > SAME_BEAT_S
    ]
    return merged(np.concatenate([seconds_before(beats[usual], alarm_ns), np.array(found)]))


def merged(times: Times) -> Times:
    """The same times in order, those of one beat taken once."""
    kept: list[float] = []
    for t in np.sort(times):
        if not kept or t - kept[-1] > SAME_BEAT_S:
            kept.append(float(t))
    return np.array(kept)


def pulse_beats(
    pulse: PulseView,
    alarm_ns: int,
    height: float = 0.0,
    percentile: float = 50.0,
    quality: float = PULSE_QUALITY,
) -> Times:
    """When there was a pulse worth its name.

    At least `height` times as high as a percentile of the last 40.
    """
    rows = pulse.pulses[pulse.pulses["quality"] >= quality]
    if pulse.is_pressure:
        rows = rows[rows["height"] >= LEAST_PRESSURE_MMHG]
    if rows.size and height > 0:
        rows = rows[rows["height"] >= height * np.percentile(rows["height"][-40:], percentile)]
    return seconds_before(rows, alarm_ns)


def has_stopped(pulse: PulseView, alarm_ns: int, for_s: float) -> bool:
    """Whether pulses that were there have stayed away, and not because the sensor came off."""
    good = pulse_beats(pulse, alarm_ns)
    before = good[(good > -20.0) & (good < -for_s)]
    if before.size < 4 or (good >= -for_s).any():
        return False
    t = seconds_before(pulse.seconds, alarm_ns)
    every = seconds_before(pulse.pulses, alarm_ns)
    if (every >= -for_s).sum() > 1:  # a sensor that is moved shows waves of its own
        return False
    since = pulse.seconds[t >= before[-1]]
    return bool(since.size) and float((since["code"] == QualityCode.USABLE).mean()) > 0.5


def is_present(lead: LeadView, alarm_ns: int, span_s: float) -> bool:
    """Whether an electrode is on: the signal moves, and is not flat for as long as can be seen.

    A heart that stands still raises its alarm long before the lead has been flat for 20 s.
    """
    recent = lead.seconds[seconds_before(lead.seconds, alarm_ns) >= -span_s - 0.01]
    if not recent.size or float(recent["stuck"].mean()) >= STUCK:
        return False
    return bool(lead.beats.size) or not bool((lead.seconds["code"] >= QualityCode.FLAT).all())


def quiet_s(lead: LeadView, alarm_ns: int, span_s: float) -> float:
    """The longest stretch of whole seconds without a steep slope, for this lead, s."""
    t = seconds_before(lead.seconds, alarm_ns)
    if not t.size:
        return 0.0
    steep = float(np.percentile(lead.seconds["steepest"], 80))
    longest = length = 0
    for quiet in lead.seconds["steepest"][t >= -span_s - 0.01] < max(QUIET * steep, FLAT_SLOPE):
        length = length + 1 if quiet else 0
        longest = max(longest, length)
    return float(longest)


def agreement(a: Times, b: Times, begin_s: float, end_s: float) -> float:
    """Share of the beats of each lead that the other has, too; NaN when one has none.

    A beat of the heart is seen in all leads at once; an artifact of one electrode is not.
    """
    here = (a[(a >= begin_s) & (a <= end_s)], b), (b[(b >= begin_s) & (b <= end_s)], a)
    if not all(inside.size and other.size for inside, other in here):
        return float("nan")
    near = [np.abs(inside[:, None] - other[None, :]).min(axis=1) for inside, other in here]
    return float(np.mean([(d < SAME_TIME_S).mean() for d in near]))


def credible_beats(lead: LeadView, alarm_ns: int) -> tuple[Times, NDArray[np.bool_]]:
    """When there were beats in a lead, and which of them are like another one."""
    beats = lead.beats
    alike = np.nan_to_num(beats["alike"], nan=-1.0).max(axis=1, initial=-1.0)
    return seconds_before(beats, alarm_ns), np.maximum(alike, beats["familiar"]) >= CREDIBLE


def is_noisy(lead: LeadView, alarm_ns: int, begin_s: float, end_s: float) -> bool:
    """Whether most seconds between two times were such that a QRS could not be seen."""
    t = seconds_before(lead.seconds, alarm_ns)
    rows = lead.seconds[(t >= begin_s - 0.5) & (t < end_s - 0.5)]
    bad = (QualityCode.NOISY, QualityCode.BASELINE_JUMP, QualityCode.SATURATED)
    lost = np.isin(rows["code"], (*bad, QualityCode.LEAD_OFF)) | (rows["stuck"] > STUCK)
    return not rows.size or float(lost.mean()) > 0.5


# ---------------------------------------------------------------- activity over time


def cover(times: Times, even: tuple[float, float] = EVEN, other: Times | None = None) -> Stretches:
    """Stretches between beats that follow each other as the beats of a heart do.

    `other` are beats of another kind: when given, one missed beat is let pass where none of
    them lies.
    """
    gaps = np.diff(times)
    sound = gaps[(gaps > SHORTEST_S) & (gaps < LONGEST_S)]
    if times.size < 3 or not sound.size:
        return []
    usual_s = float(np.median(sound))
    stretches = []
    for begin, gap in zip(times[:-1], gaps, strict=True):
        most = even[1]
        if other is not None and not ((other > begin + 0.05) & (other < begin + gap - 0.05)).any():
            most = ONE_MISSED
        if even[0] * usual_s <= gap <= min(most * usual_s, LONGEST_S):
            stretches.append((float(begin), float(begin + gap)))
    return stretches


def longest_hole(stretches: Iterable[tuple[float, float]], begin_s: float, end_s: float) -> Hole:
    """The longest part of a time span that no stretch covers."""
    hole, at = Hole(begin_s, begin_s), begin_s
    for first, last in sorted(stretches):
        if last <= at:
            continue
        if first >= end_s:
            break
        if first - at > hole.length_s:
            hole = Hole(at, first)
        at = last
    return Hole(at, end_s) if end_s - at > hole.length_s else hole


def longest_pause(times: Times, begin_s: float, end_s: float) -> Hole:
    """The longest time without a beat."""
    inside = times[(times > begin_s) & (times < end_s)]
    edges = np.concatenate([[begin_s], inside, [end_s]])
    widest = int(np.diff(edges).argmax())
    return Hole(float(edges[widest]), float(edges[widest + 1]))


def rates_bpm(times: Times, n_beats: int) -> tuple[float, float]:
    """Slowest and fastest rate over `n_beats` beats in a row; NaN when there are fewer."""
    if times.size < n_beats:
        return float("nan"), float("nan")
    spans = times[n_beats - 1 :] - times[: times.size - n_beats + 1]
    longest, shortest = max(float(spans.max()), SAME_BEAT_S), max(float(spans.min()), SAME_BEAT_S)
    return 60 * (n_beats - 1) / longest, 60 * (n_beats - 1) / shortest


def best_run(lead: LeadView, alarm_ns: int, span_s: float, n_beats: int, bpm: float) -> Run:
    """The `n_beats` beats in a row, faster than `bpm`, of which most are ventricular.

    Beats are those of the lead alone, or those that any lead has: one may miss some.
    """
    best = Run(lead=lead.name)
    for beats in (lead.beats, lead.joint):
        t = seconds_before(beats, alarm_ns)
        ventricular = is_ventricular(beats)
        for i in range(t.size - n_beats + 1):
            count = int(ventricular[i : i + n_beats].sum())
            if t[i] < -span_s or count <= best.count:
                continue
            rate = 60 * (n_beats - 1) / max(float(t[i + n_beats - 1] - t[i]), SAME_BEAT_S)
            if rate >= bpm:
                best = Run(count, rate, float(t[i]), lead.name)
    return best


def is_ventricular(beats: NDArray[Any]) -> NDArray[np.bool_]:
    """Which beats are unlike the usual one, but like others of their own.

    Artifacts are unlike the usual beat, too, but seldom like each other.
    """
    usual = beats["companions"][beats["familiar"] >= OTHER_KIND]
    most = MOST_SHARE * float(usual.max()) if usual.size else MOST_ECTOPIC
    return np.asarray(
        (beats["familiar"] < OTHER_KIND)
        & (beats["companions"] >= VENTRICULAR_COMPANIONS)
        & (beats["companions"] <= most)
    )
