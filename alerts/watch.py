"""The rules on the signal, driven by the signal's own time.

Findings are walked through in the order of their times. "Now" is how far the analysis has come, so
a slow network delays an alarm but cannot cause one.
"""

from __future__ import annotations

import math
from bisect import insort
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import groupby
from typing import Any

import numpy as np
from numpy.typing import NDArray

from alerts import rules
from alerts.board import Board, Condition
from alerts.evidence import gather
from alerts.rules import Limits
from alerts.state import Signal
from alerts.words import AlarmKind, Evidence
from ecg.clock import NS
from ecg.codes import BeatFlag, QualityCode
from ecg.findings import BEAT, QUALITY, VITALS

_SHOWS_QRS = frozenset({QualityCode.USABLE, QualityCode.FLAT})
"""A lead of this quality would show a QRS: a flat one is connected, but nothing is there."""

_FLAT = int(QualityCode.FLAT)
_OFF = int(QualityCode.LEAD_OFF)
_USABLE = int(QualityCode.USABLE)
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
    beats, vitals, quality : structured arrays
        Of the dtypes `ecg.BEAT`, `ecg.VITALS`, `ecg.QUALITY`.
    leads : tuple of str
        Names of the leads that `quality` counts.
    """

    through_ns: int
    beats: NDArray[Any] = field(default_factory=lambda: _none(BEAT))
    vitals: NDArray[Any] = field(default_factory=lambda: _none(VITALS))
    quality: NDArray[Any] = field(default_factory=lambda: _none(QUALITY))
    leads: tuple[str, ...] = ()


def watch(
    signal: Signal, event: Analysed, limits: Limits, leads: tuple[str, ...], board: Board
) -> Signal:
    """Apply the rules to findings: tells `board` what holds and what does not."""
    return _Watch(signal, limits, leads, board).advance(event)


class _Watch:
    """The state of `Signal`, open for one step. Plain numbers: most steps bring a handful."""

    def __init__(
        self, signal: Signal, limits: Limits, leads: tuple[str, ...], board: Board
    ) -> None:
        self._limits = limits
        self._leads = leads
        self._board = board
        self._keep = max(limits.bradycardia_beats, limits.tachycardia_beats)
        self._open(signal)

    def _open(self, signal: Signal) -> None:
        self._through_ns = signal.through_ns
        self._second_ns = signal.second_ns
        self._quality = signal.quality
        self._last_qrs_ns = signal.last_qrs_ns
        self._quiet_since_ns = signal.quiet_since_ns
        self._beats_ns = list(signal.beats_ns)
        self._off_since_ns = signal.off_since_ns
        self._poor_since_ns = signal.poor_since_ns
        self._hr_bpm = signal.hr_bpm

    def _freeze(self) -> Signal:
        return Signal(
            self._through_ns,
            self._second_ns,
            self._quality,
            self._last_qrs_ns,
            self._quiet_since_ns,
            tuple(self._beats_ns),
            self._off_since_ns,
            self._poor_since_ns,
            self._hr_bpm,
        )

    def advance(self, event: Analysed) -> Signal:
        if event.through_ns < self._through_ns - _STEP_BACK_NS:
            self._open(Signal(hr_bpm=self._hr_bpm))
        self._through_ns = event.through_ns
        beats = _beats(event.beats)
        for t_ns, codes in _seconds(event.quality):
            while beats and beats[-1][0] < t_ns:
                self._beat(*beats.pop())
            self._second(t_ns, codes)
        while beats:
            self._beat(*beats.pop())
        self._judge_silence(event.through_ns)
        if event.vitals.size:
            hr_bpm = float(event.vitals["hr_bpm"][-1])
            if math.isfinite(hr_bpm):  # else the last rate that was known is kept
                self._hr_bpm = hr_bpm
        return self._freeze()

    def _second(self, t_ns: int, codes: tuple[int, ...]) -> None:
        """Take in the quality of the second that begins at `t_ns`."""
        self._judge_silence(t_ns)
        last_ns = self._second_ns
        follows = last_ns is not None and 0 <= t_ns - last_ns <= _GAP_NS
        if not follows or len(codes) != len(self._quality):
            self._lose_sight()
            self._poor_since_ns = None
            self._off_since_ns = ()
        self._second_ns, self._quality = t_ns, codes
        if not _SHOWS_QRS.isdisjoint(codes):
            if self._quiet_since_ns is None:
                # a beat of this second may have been told before its quality was
                self._quiet_since_ns = max(t_ns, self._last_qrs_ns)
        else:
            self._lose_sight()
        all_off = self._judge_off(t_ns, codes)
        self._judge_quality(t_ns, codes, all_off)

    def _lose_sight(self) -> None:
        """Nobody knows what the heart does: neither silence nor intervals can span this."""
        self._quiet_since_ns = None
        self._beats_ns.clear()

    def _beat(self, t_ns: int, is_poor: bool) -> None:
        self._last_qrs_ns = max(self._last_qrs_ns, t_ns)
        quiet_since_ns = self._quiet_since_ns
        if quiet_since_ns is None:
            return  # no lead shows a QRS: what was found there is noise as likely as not
        was_silent = self._judge_silence(t_ns)
        if t_ns > quiet_since_ns:
            self._quiet_since_ns = t_ns
            self._board.over(AlarmKind.ASYSTOLE, t_ns)
        if is_poor or was_silent or t_ns > self._trusted_ns():
            # It may be none, or not the next one, or end a silence that has its own alarm: no
            # rate can be taken across.
            self._beats_ns.clear()
        if not is_poor:
            self._remember(t_ns)

    def _remember(self, t_ns: int) -> None:
        beats_ns = self._beats_ns
        if not beats_ns or t_ns > beats_ns[-1]:
            beats_ns.append(t_ns)
        elif t_ns in beats_ns or t_ns < beats_ns[0]:
            return  # known already (analysed again after a restart), or older than any rule asks
        else:
            insort(beats_ns, t_ns)  # found late, by search-back
        if len(beats_ns) > self._keep:
            del beats_ns[0]
        self._judge_rate()

    def _trusted_ns(self) -> int:
        return 0 if self._second_ns is None else self._second_ns + _TRUSTED_NS

    def _judge_silence(self, t_ns: int) -> bool:
        """Asystole, as far as `t_ns` or the analysis has come, whichever is earlier."""
        since_ns = self._quiet_since_ns
        if since_ns is None:
            return False
        limit_s = self._limits.asystole_s
        now_ns = min(t_ns, self._through_ns, self._trusted_ns())
        if not rules.asystole(now_ns, since_ns, limit_s):
            return False
        before = "" if self._hr_bpm is None else f"; {self._hr_bpm:.0f}/min before"
        began_ns = since_ns + round(limit_s * NS)
        rule = f"asystole: no QRS for {(now_ns - since_ns) / NS:.1f} s, limit {limit_s:g} s"
        self._raise(AlarmKind.ASYSTOLE, began_ns, f"No heartbeat for {limit_s:g} s{before}.", rule)
        return True

    def _judge_rate(self) -> None:
        limits, beats_ns = self._limits, self._beats_ns
        n = limits.bradycardia_beats
        if len(beats_ns) >= n:
            window = beats_ns[-n:]
            if rules.extreme_bradycardia(window, limits.bradycardia_bpm):
                self._raise_rate(
                    AlarmKind.EXTREME_BRADYCARDIA, window, f"below {limits.bradycardia_bpm:g}/min"
                )
            else:
                self._board.over(AlarmKind.EXTREME_BRADYCARDIA, beats_ns[-1])
        n = limits.tachycardia_beats
        if len(beats_ns) >= n:
            window = beats_ns[-n:]
            if rules.extreme_tachycardia(window, limits.tachycardia_bpm):
                self._raise_rate(
                    AlarmKind.EXTREME_TACHYCARDIA, window, f"above {limits.tachycardia_bpm:g}/min"
                )
            else:
                self._board.over(AlarmKind.EXTREME_TACHYCARDIA, beats_ns[-1])

    def _raise_rate(self, kind: AlarmKind, window: list[int], limit: str) -> None:
        found = f"{rules.rate_bpm(window):.0f}/min over {len(window)} beats"
        word = "slow" if kind is AlarmKind.EXTREME_BRADYCARDIA else "fast"
        text = f"Heart rate dangerously {word}: {found}, {limit}."
        self._raise(kind, window[-1], text, f"{kind.label}: {found}, limit {limit}", window)

    def _raise(
        self, kind: AlarmKind, t_ns: int, text: str, rule: str, beats_ns: list[int] | None = None
    ) -> None:
        def evidence() -> Evidence:
            used = self._beats_ns if beats_ns is None else beats_ns
            return gather(t_ns, rule, used, self._quality, self._hr_bpm)

        self._board.holds(Condition(kind, t_ns, text, evidence=evidence))

    def _judge_off(self, t_ns: int, codes: tuple[int, ...]) -> bool:
        """Leads off, at the end of the second that began at `t_ns`; True if all have been."""
        held = self._board.holding(AlarmKind.LEAD_OFF)
        if _OFF not in codes:
            self._off_since_ns = ()
            for alarm in held:
                self._board.over(AlarmKind.LEAD_OFF, t_ns, alarm.about)
            return False
        since = self._off_since_ns or (None,) * len(codes)
        self._off_since_ns = tuple(
            (t_ns if s is None else s) if code == _OFF else None
            for s, code in zip(since, codes, strict=True)
        )
        names = self._leads if len(self._leads) == len(codes) else _numbered(len(codes))
        # a lead that was told to be off stays so until it is seen on, also after a gap
        told = {name for alarm in held for name in alarm.about.split(",")}
        off = [
            name
            for name, s in zip(names, self._off_since_ns, strict=True)
            if s is not None
            and (name in told or rules.lasts(t_ns + NS, s, self._limits.technical_s))
        ]
        self._tell_off(t_ns + NS, off, all_off := len(off) == len(codes))
        return all_off

    def _tell_off(self, t_ns: int, off: list[str], all_off: bool) -> None:
        about = ",".join(off)
        for alarm in self._board.holding(AlarmKind.LEAD_OFF):
            if alarm.about != about:  # other leads are another condition: nobody knows of it yet
                self._board.over(AlarmKind.LEAD_OFF, t_ns, alarm.about)
        if not off:
            return
        text = f"Lead{'s' if len(off) > 1 else ''} {', '.join(off)} off."
        if all_off:
            text = "All leads are off: the patient is not watched."
        priority = rules.lead_off_priority(all_off)
        self._board.holds(Condition(AlarmKind.LEAD_OFF, t_ns, text, about, priority))

    def _judge_quality(self, t_ns: int, codes: tuple[int, ...], all_off: bool) -> None:
        """Cannot analyse, at the end of the second that began at `t_ns`."""
        if _USABLE in codes or _is_flat(codes):
            self._poor_since_ns = None
            self._board.over(AlarmKind.CANNOT_ANALYSE, t_ns)
            return
        if self._poor_since_ns is None:
            self._poor_since_ns = t_ns
        if all_off:
            self._board.over(AlarmKind.CANNOT_ANALYSE, t_ns)  # that all leads are off says more
        elif rules.lasts(t_ns + NS, self._poor_since_ns, self._limits.technical_s):
            seen = sorted({QualityCode(code).label for code in codes})
            text = f"Signal too poor to analyse ({', '.join(seen)}): the patient is not watched."
            began_ns = self._poor_since_ns + round(self._limits.technical_s * NS)
            self._board.holds(Condition(AlarmKind.CANNOT_ANALYSE, began_ns, text))


def _is_flat(codes: tuple[int, ...]) -> bool:
    """All that is connected is flat: that is analysed, as asystole."""
    return _FLAT in codes and all(code in (_FLAT, _OFF) for code in codes)


def _numbered(n_leads: int) -> tuple[str, ...]:
    return tuple(str(i + 1) for i in range(n_leads))


def _beats(beats: NDArray[Any]) -> list[tuple[int, bool]]:
    """(time, is poor), the last first: they are popped from the end."""
    if not beats.size:
        return []
    times, flags = beats["t_ns"].tolist(), beats["flags"].tolist()
    return sorted(((t, bool(f & _POOR)) for t, f in zip(times, flags, strict=True)), reverse=True)


def _seconds(quality: NDArray[Any]) -> Iterator[tuple[int, tuple[int, ...]]]:
    """(start, code of each lead) of each second."""
    if not quality.size:
        return
    rows = zip(
        quality["t_ns"].tolist(), quality["lead"].tolist(), quality["code"].tolist(), strict=True
    )
    for t_ns, second in groupby(rows, key=lambda row: row[0]):
        yield t_ns, tuple(code for _, _, code in sorted(second))
