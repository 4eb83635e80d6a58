"""The rules on episodes: what the analysis tells of the rhythm."""

from __future__ import annotations

from typing import Any

from numpy.typing import NDArray

from alerts import rules
from alerts.kinds import AlarmKind
from alerts.rules import ventricular
from alerts.signal import Episodes
from alerts.teller import EVENT_NS, Teller
from ecg.clock import NS
from ecg.codes import EpisodeKind, QualityCode

BEATS_AFTER_VF = 3
"""Beats in good signal that show that fibrillation is over; a lost signal shows nothing."""

_VF, _AF, _SVT = int(EpisodeKind.VF), int(EpisodeKind.AF), int(EpisodeKind.SVT)
_WATCHED = (_VF, _AF, _SVT)
_OFF = int(QualityCode.LEAD_OFF)
_USABLE = int(QualityCode.USABLE)


class EpisodeWatch:
    """`Episodes`, open for one step."""

    __slots__ = ("_beats_since_vf", "_before", "_open", "_teller")

    def __init__(self, episodes: Episodes, teller: Teller) -> None:
        self._before = episodes
        self._teller = teller
        self._open = dict(episodes.open)
        self._beats_since_vf = episodes.beats_since_vf

    def freeze(self) -> Episodes:
        """What the next step begins with."""
        if not self._open and self._beats_since_vf == self._before.beats_since_vf:
            return self._before if not self._before.open else Episodes((), self._beats_since_vf)
        return Episodes(tuple(self._open.items()), self._beats_since_vf)

    def begin_anew(self) -> None:
        """Another stream: episodes of the last one will not be told to end."""
        if _AF in self._open:
            self._teller.board.over(AlarmKind.ATRIAL_FIBRILLATION, self._teller.through_ns)
        self._open.clear()

    def take(self, episodes: NDArray[Any]) -> None:
        """Episodes that open or end."""
        rows = zip(
            episodes["kind"].tolist(),
            episodes["onset_ns"].tolist(),
            episodes["end_ns"].tolist(),
            strict=True,
        )
        for kind, onset_ns, end_ns in rows:
            if kind not in _WATCHED:
                continue
            if end_ns < 0:
                self._open[kind] = onset_ns
            else:
                self._open[kind] = onset_ns  # one that opens and ends at once
                self.judge(end_ns)
                self._end(kind, end_ns)

    def beat(self, t_ns: int) -> None:
        """A beat in good signal."""
        if _VF in self._open:
            return
        if self._beats_since_vf == BEATS_AFTER_VF:
            return
        self._beats_since_vf += 1
        if self._beats_since_vf == BEATS_AFTER_VF:
            self._teller.board.over(AlarmKind.VENTRICULAR_FIBRILLATION, t_ns)

    def judge(self, now_ns: int) -> None:
        """Episodes that go on."""
        if not self._open:
            return
        limits = self._teller.limits
        for kind, onset_ns in self._open.items():
            if kind == _VF and ventricular.fibrillation(now_ns, onset_ns, limits.fibrillation_s):
                self._beats_since_vf = 0
                self._tell_vf(onset_ns, now_ns)
            elif kind == _AF and rules.rhythm.fibrillation(now_ns, onset_ns, limits.af_s):
                began_ns = onset_ns + round(limits.af_s * NS)
                text = f"Atrial fibrillation for {limits.af_s:g} s."
                rule = f"atrial fibrillation for {limits.af_s:g} s"
                self._teller.tell(AlarmKind.ATRIAL_FIBRILLATION, began_ns, text, rule, [])
            elif kind == _SVT:
                text = "Supraventricular tachycardia."
                self._teller.event(AlarmKind.SVT, now_ns, text, "episode of SVT", [])

    def _tell_vf(self, onset_ns: int, now_ns: int) -> None:
        limit_s, kind = self._teller.limits.fibrillation_s, AlarmKind.VENTRICULAR_FIBRILLATION
        if self._teller.board.is_held(kind):
            return
        text = f"Ventricular fibrillation or flutter for {limit_s:g} s: no effective heartbeat."
        rule = f"{kind.label}: waveform for {(now_ns - onset_ns) / NS:.1f} s, limit {limit_s:g} s"
        began_ns = onset_ns + round(limit_s * NS)
        self._teller.tell(kind, began_ns, text, rule, [onset_ns], now_ns)

    def _end(self, kind: int, end_ns: int) -> None:
        del self._open[kind]
        teller = self._teller
        if kind == _AF and teller.board.is_held(AlarmKind.ATRIAL_FIBRILLATION):
            teller.board.over(AlarmKind.ATRIAL_FIBRILLATION, end_ns)
            text = "Atrial fibrillation has ended."
            teller.event(AlarmKind.ATRIAL_FIBRILLATION_ENDED, end_ns, text, "end of AF", [])
        elif kind == _SVT:
            teller.until[AlarmKind.SVT] = end_ns + EVENT_NS
