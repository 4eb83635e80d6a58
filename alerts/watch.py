"""The rules on the signal, driven by the signal's own time.

Findings are walked through in the order of their times. "Now" is how far the analysis has come, so
a slow network delays an alarm but cannot cause one.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from operator import itemgetter
from typing import Any

import numpy as np
from numpy.typing import NDArray

from alerts import rules
from alerts.kinds import AlarmKind
from alerts.rules import ventricular
from alerts.signal import Signal
from alerts.teller import Teller
from alerts.watch_classes import ClassWatch, letter_of
from alerts.watch_episodes import EpisodeWatch
from alerts.watch_leads import LeadWatch
from alerts.watch_rate import RateWatch
from ecg.clock import NS
from ecg.codes import BeatFlag, QualityCode
from ecg.findings import BEAT, EPISODE, QUALITY, VITALS

_SHOWS_QRS = frozenset({int(QualityCode.USABLE), int(QualityCode.FLAT)})
"""A lead of this quality would show a QRS: a flat one is connected, but nothing is there."""

_LEARNING_S = 10.0
"""A detector whose thresholds have not settled may not know yet what a beat of this heart looks
like: a signal that is not flat is given as long as IEC 60601-2-27 allows before its silence is an
asystole."""
_USABLE = int(QualityCode.USABLE)
_UNSETTLED = int(BeatFlag.LEARNING)
_POOR = int(BeatFlag.POOR_SIGNAL)

# Seconds of quality follow each other closely; what is further apart has a gap in between.
_GAP_NS = NS * 3 // 2
# Quality is told once its second is over. Until then a signal is trusted for so long after the
# start of the last second that is known, and no longer.
_TRUSTED_NS = 2 * NS
# An analysis that is that far behind where it was has begun anew (the device's clock was set).
_STEP_BACK_NS = NS


def _none(dtype: np.dtype[np.void]) -> NDArray[Any]:
    return np.empty(0, dtype)


@dataclass(frozen=True, slots=True, eq=False)
class Analysed:
    """Findings of one push.

    Attributes
    ----------
    through_ns : int
        Time of `Findings.through_sample`: all beats before it are known.
    beats, vitals, quality, episodes : structured arrays
        Of the dtypes `ecg.BEAT`, `ecg.VITALS`, `ecg.QUALITY`, `ecg.EPISODE`. A beat may come twice:
        as soon as its QRS is found, and again with its class; its time tells that it is the same.
    leads : tuple of str
        Names of the leads that `quality` counts.
    is_new_stream : bool
        The analysis has begun anew: what it had found so far will not be told to end.
    quiet_ns : int
        Time of `Findings.quiet_sample`, before which no beat will be found; earlier ones, and 0,
        say no more than `through_ns`.
    """

    through_ns: int
    beats: NDArray[Any] = field(default_factory=lambda: _none(BEAT))
    vitals: NDArray[Any] = field(default_factory=lambda: _none(VITALS))
    quality: NDArray[Any] = field(default_factory=lambda: _none(QUALITY))
    leads: tuple[str, ...] = ()
    episodes: NDArray[Any] = field(default_factory=lambda: _none(EPISODE))
    is_new_stream: bool = False
    quiet_ns: int = 0


_Beat = tuple[int, bool, bool, str, int]
"""Time, whether it lies in poor signal, whether the detector had settled, letter, lead."""


def watch(signal: Signal, event: Analysed, teller: Teller) -> Signal:
    """Apply the rules to findings: tells the board what holds and what does not."""
    return _Watch(signal, teller).advance(event)


class _Watch:
    """The state of `Signal`, open for one step. Plain numbers: most steps bring a handful."""

    def __init__(self, signal: Signal, teller: Teller) -> None:
        self._teller = teller
        self._board = teller.board
        self._limits = teller.limits
        self._open(signal)

    def _open(self, signal: Signal) -> None:
        self._before = signal
        self._through_ns = self._quiet_ns = signal.through_ns
        self._second_ns = signal.second_ns
        self._quality = signal.quality
        self._last_qrs_ns = signal.last_qrs_ns
        self._quiet_since_ns = signal.quiet_since_ns
        self._paused_ns = signal.paused_ns
        self._is_settled = signal.is_settled
        teller = self._teller
        teller.quality = signal.quality
        teller.hr_bpm = signal.hr_bpm
        teller.until = dict(signal.until)
        self._rate = RateWatch(signal.rate, teller)
        self._classes = ClassWatch(signal.classes, teller)
        self._episodes = EpisodeWatch(signal.episodes, teller)
        self._leads = LeadWatch(signal.leads, teller)

    def _freeze(self) -> Signal:
        return Signal(
            self._through_ns,
            self._second_ns,
            self._quality,
            self._last_qrs_ns,
            self._quiet_since_ns,
            self._paused_ns,
            self._teller.hr_bpm,
            self._is_settled,
            self._rate.freeze(),
            self._classes.freeze(),
            self._episodes.freeze(),
            self._leads.freeze(),
            tuple(self._teller.until.items()) if self._teller.until else (),
        )

    def advance(self, event: Analysed) -> Signal:
        if event.through_ns < self._through_ns - _STEP_BACK_NS:
            self._open(Signal(hr_bpm=self._teller.hr_bpm, until=self._before.until))
            self._teller.until = dict.fromkeys(self._teller.until, event.through_ns)
            self._episodes.begin_anew()
        self._through_ns = self._teller.through_ns = event.through_ns
        self._quiet_ns = max(event.through_ns, event.quiet_ns)
        if event.is_new_stream:
            self._episodes.begin_anew()
            self._is_settled = False
        if event.episodes.size:
            self._episodes.take(event.episodes)
        beats = _beats(event.beats)
        for t_ns, codes in _seconds(event.quality):
            while beats and beats[-1][0] < t_ns:
                self._beat(beats.pop())
            self._second(t_ns, codes)
        while beats:
            self._beat(beats.pop())
        self._pass_time(self._quiet_ns)
        self._episodes.judge(event.through_ns)
        if event.vitals.size:
            self._take_vitals(event.vitals)
        return self._freeze()

    def _second(self, t_ns: int, codes: tuple[int, ...]) -> None:
        """Take in the quality of the second that begins at `t_ns`."""
        self._pass_time(min(t_ns, self._quiet_ns))
        last_ns = self._second_ns
        follows = last_ns is not None and 0 <= t_ns - last_ns <= _GAP_NS
        if not follows or len(codes) != len(self._quality):
            self._lose_sight()
            self._leads.begin_anew()
        self._second_ns = t_ns
        self._quality = self._teller.quality = codes
        if not _SHOWS_QRS.isdisjoint(codes):
            if self._quiet_since_ns is None:
                # a beat of this second may have been told before its quality was
                self._quiet_since_ns = max(t_ns, self._last_qrs_ns)
        else:
            self._lose_sight()
        self._leads.second(t_ns, codes)

    def _lose_sight(self) -> None:
        """Nobody knows what the heart does: neither silence nor intervals can span this."""
        self._quiet_since_ns = None
        self._rate.lose_sight()
        self._classes.clear()

    def _beat(self, beat: _Beat) -> None:
        t_ns, is_poor, is_settled, letter, lead = beat
        classes, rate = self._classes, self._rate
        if classes.knows(t_ns):
            classes.beat(t_ns, letter, lead)
            return
        self._last_qrs_ns = max(self._last_qrs_ns, t_ns)
        quiet_since_ns = self._quiet_since_ns
        if quiet_since_ns is None:
            return  # no lead shows a QRS: what was found there is noise as likely as not
        was_silent = self._pass_time(t_ns)  # beats come in their order
        self._is_settled |= is_settled
        if t_ns > quiet_since_ns:
            self._quiet_since_ns = t_ns
            self._board.over(AlarmKind.ASYSTOLE, t_ns)
        if is_poor or was_silent or self._is_learning or t_ns > self._trusted_ns():
            # It may be none, or not the next one, or end a silence that has its own alarm: no
            # rate can be taken across.
            rate.clear()
            classes.clear()
        classes.beat(t_ns, letter, lead)
        if not is_poor:
            rate.beat(t_ns)
            self._episodes.beat(t_ns)

    def _trusted_ns(self) -> int:
        return 0 if self._second_ns is None else self._second_ns + _TRUSTED_NS

    def _pass_time(self, t_ns: int) -> bool:
        """What time alone brings, up to `t_ns`, before which all beats are known.

        True if it brings an asystole.
        """
        teller = self._teller
        is_silent = False
        since_ns = self._quiet_since_ns
        if since_ns is not None and t_ns - since_ns > self._limits.pause_s * NS:
            now_ns = min(t_ns, self._trusted_ns())
            limits = self._limits
            if self._is_learning:
                if rules.asystole(now_ns, since_ns, max(limits.asystole_s, _LEARNING_S)):
                    is_silent = True
                    self._tell_asystole(since_ns, now_ns)
            elif rules.pause(now_ns, since_ns, limits.pause_s):
                self._tell_pause(since_ns, now_ns)
                if rules.asystole(now_ns, since_ns, limits.asystole_s):
                    is_silent = True
                    self._tell_asystole(since_ns, now_ns)
        if teller.until:
            teller.expire(min(t_ns, self._through_ns))
        return is_silent

    @property
    def _is_learning(self) -> bool:
        """The detector has not settled in this stream, though there is a signal."""
        return not self._is_settled and _USABLE in self._quality

    def _tell_pause(self, since_ns: int, now_ns: int) -> None:
        if self._paused_ns == since_ns or self._board.is_held(AlarmKind.ASYSTOLE):
            return
        self._paused_ns = since_ns
        limit_s = self._limits.pause_s
        began_ns = since_ns + round(limit_s * NS)
        self._teller.expire(began_ns)
        text = f"No heartbeat for more than {limit_s:g} s."
        rule = f"pause: no QRS for more than {limit_s:g} s"
        # the beat before it, if it was one
        window = [since_ns] if since_ns == self._last_qrs_ns else []
        self._teller.event(AlarmKind.PAUSE, began_ns, text, rule, window)

    def _tell_asystole(self, since_ns: int, now_ns: int) -> None:
        limit_s, teller = self._limits.asystole_s, self._teller
        if self._board.is_held(AlarmKind.ASYSTOLE):
            return
        if self._is_learning:
            limit_s = max(limit_s, _LEARNING_S)
        before = "" if teller.hr_bpm is None else f"; {teller.hr_bpm:.0f}/min before"
        began_ns = since_ns + round(limit_s * NS)
        teller.expire(began_ns)
        rule = f"asystole: no QRS for {(now_ns - since_ns) / NS:.1f} s, limit {limit_s:g} s"
        text = f"No heartbeat for {limit_s:g} s{before}."
        teller.tell(
            AlarmKind.ASYSTOLE, began_ns, text, rule, self._rate.last_ns or (since_ns,), now_ns
        )
        if self._board.is_held(AlarmKind.ASYSTOLE):
            self._board.over(AlarmKind.PAUSE, began_ns)  # it has become more than that
            teller.until.pop(AlarmKind.PAUSE, None)

    def _take_vitals(self, vitals: NDArray[Any]) -> None:
        teller = self._teller
        limit = self._limits.pvc_per_min
        for _, t_ns, hr_bpm, _, pvcs, _ in vitals.tolist():  # a row at once: fields cost more
            if math.isfinite(hr_bpm):  # else the last rate that was known is kept
                teller.hr_bpm = hr_bpm
            if ventricular.pvc_rate(pvcs, limit):  # NaN is not above any limit
                text = f"{pvcs:.0f} ventricular beats a minute, more than {limit:g}."
                rule = f"ventricular beats: {pvcs:.0f}/min, limit {limit:g}/min"
                teller.event(AlarmKind.PVC_RATE, t_ns, text, rule, [])


def _beats(beats: NDArray[Any]) -> list[_Beat]:
    """The last first: they are popped from the end."""
    if not beats.size:
        return []
    found = []
    for _, t_ns, _, _, _, flags, code, aami, lead in beats.tolist():
        is_poor = bool(flags & _POOR)
        is_settled = not flags & _UNSETTLED
        found.append((t_ns, is_poor, is_settled, letter_of(aami, code, is_poor), lead))
    # of two rows of one beat, the one that came first is the first to be popped
    found.reverse()
    if len(found) > 1:
        found.sort(key=_time_of, reverse=True)
    return found


def _seconds(quality: NDArray[Any]) -> list[tuple[int, tuple[int, ...]]]:
    """(start, code of each lead) of each second."""
    if not quality.size:
        return []
    seconds: list[tuple[int, tuple[int, ...]]] = []
    codes: list[tuple[int, int]] = []
    last_ns = None
    for _, t_ns, _, lead, code in quality.tolist():
        if t_ns != last_ns:
            if last_ns is not None:
                seconds.append((last_ns, _by_lead(codes)))
            last_ns, codes = t_ns, []
        codes.append((lead, code))
    if last_ns is not None:
        seconds.append((last_ns, _by_lead(codes)))
    return seconds


def _by_lead(codes: list[tuple[int, int]]) -> tuple[int, ...]:
    codes.sort()
    return tuple([code for _, code in codes])


_time_of = itemgetter(0)
