"""The rules on the times of QRS complexes, driven beat by beat."""

from __future__ import annotations

from bisect import insort

from alerts import rules
from alerts.kinds import AlarmKind
from alerts.rules import HR_BEATS
from alerts.signal import Rate
from alerts.teller import Teller
from ecg.clock import NS

_CHANGES = (1 << rules.rhythm.IRREGULAR_OF) - 1
# What says more than that the rhythm is irregular.
_EXPLAINED = (AlarmKind.ATRIAL_FIBRILLATION, AlarmKind.BIGEMINY, AlarmKind.TRIGEMINY)


class RateWatch:
    """`Rate`, open for one step."""

    __slots__ = (
        "_beats_ns",
        "_before",
        "_changes",
        "_irregular_since_ns",
        "_is_changed",
        "_keep",
        "_limits",
        "_side",
        "_side_since_ns",
        "_teller",
    )

    def __init__(self, rate: Rate, teller: Teller) -> None:
        limits = teller.limits
        self._teller = teller
        self._limits = limits
        self._keep = max(limits.bradycardia_beats, limits.tachycardia_beats, HR_BEATS)
        self._before = rate
        self._is_changed = False
        self._beats_ns = list(rate.beats_ns)
        self._side = rate.side
        self._side_since_ns = rate.side_since_ns
        self._changes = rate.changes
        self._irregular_since_ns = rate.irregular_since_ns

    def freeze(self) -> Rate:
        """What the next step begins with."""
        if not self._is_changed:
            return self._before
        return Rate(
            tuple(self._beats_ns),
            self._side,
            self._side_since_ns,
            self._changes,
            self._irregular_since_ns,
        )

    @property
    def last_ns(self) -> tuple[int, ...]:
        """The beats that are known."""
        return tuple(self._beats_ns)

    def clear(self) -> None:
        """No interval can be taken across this."""
        if self._beats_ns:
            self._is_changed = True
            self._beats_ns.clear()
            self._changes = 0

    def lose_sight(self) -> None:
        """Nobody knows what the heart does: what lasts begins anew."""
        self._is_changed = True
        self.clear()
        self._side_since_ns = self._irregular_since_ns = None

    def beat(self, t_ns: int) -> None:
        """A beat in good signal."""
        beats_ns = self._beats_ns
        self._is_changed = True
        if not beats_ns or t_ns > beats_ns[-1]:
            beats_ns.append(t_ns)
            if len(beats_ns) >= 3:
                change = rules.rhythm.is_change(t_ns - beats_ns[-2], beats_ns[-2] - beats_ns[-3])
                self._changes = (self._changes << 1 | change) & _CHANGES
        elif t_ns in beats_ns or t_ns < beats_ns[0]:
            return  # known already (analysed again after a restart), or older than any rule asks
        else:
            insort(beats_ns, t_ns)  # found late, by search-back
        if len(beats_ns) > self._keep:
            del beats_ns[0]
        self._judge_extremes()
        if len(beats_ns) >= HR_BEATS:
            self._judge_limits()
            self._judge_regularity()

    def _judge_extremes(self) -> None:
        limits, beats_ns, board = self._limits, self._beats_ns, self._teller.board
        may_end = not board.is_empty
        n = limits.bradycardia_beats
        if len(beats_ns) >= n:
            window = beats_ns[-n:]
            if rules.extreme_bradycardia(window, limits.bradycardia_bpm):
                self._tell_extreme(
                    AlarmKind.EXTREME_BRADYCARDIA, window, f"below {limits.bradycardia_bpm:g}/min"
                )
            elif may_end:
                board.over(AlarmKind.EXTREME_BRADYCARDIA, beats_ns[-1])
        n = limits.tachycardia_beats
        if len(beats_ns) >= n:
            window = beats_ns[-n:]
            if rules.extreme_tachycardia(window, limits.tachycardia_bpm):
                self._tell_extreme(
                    AlarmKind.EXTREME_TACHYCARDIA, window, f"above {limits.tachycardia_bpm:g}/min"
                )
            elif may_end:
                board.over(AlarmKind.EXTREME_TACHYCARDIA, beats_ns[-1])

    def _tell_extreme(self, kind: AlarmKind, window: list[int], limit: str) -> None:
        if self._teller.board.is_held(kind):
            return
        found = f"{rules.rate_bpm(window):.0f}/min over {len(window)} beats"
        word = "slow" if kind is AlarmKind.EXTREME_BRADYCARDIA else "fast"
        text = f"Heart rate dangerously {word}: {found}, {limit}."
        rule = f"{kind.label}: {found}, limit {limit}"
        self._teller.tell(kind, window[-1], text, rule, window, window[-1])

    def _judge_limits(self) -> None:
        """Heart rate beyond its limit, or back, for long enough: no alarm that comes and goes."""
        limits, t_ns = self._limits, self._beats_ns[-1]
        window = self._beats_ns[-HR_BEATS:]
        hr_bpm = rules.median_bpm(window)
        side = rules.above(hr_bpm, limits.high_bpm) - rules.below(hr_bpm, limits.low_bpm)
        if side != self._side or self._side_since_ns is None:
            self._side, self._side_since_ns = side, t_ns
        board = self._teller.board
        if not side and board.is_empty:
            return
        if not rules.lasts(t_ns, self._side_since_ns, limits.rate_s):
            return
        began_ns = self._side_since_ns + round(limits.rate_s * NS)
        if side <= 0:
            board.over(AlarmKind.HEART_RATE_HIGH, t_ns)
        if side >= 0:
            board.over(AlarmKind.HEART_RATE_LOW, t_ns)
        if side:
            kind = AlarmKind.HEART_RATE_HIGH if side > 0 else AlarmKind.HEART_RATE_LOW
            if board.is_held(kind):
                return
            limit = f"above {limits.high_bpm:g}" if side > 0 else f"below {limits.low_bpm:g}"
            text = f"Heart rate {hr_bpm:.0f}/min: {limit}/min for {limits.rate_s:g} s."
            rule = f"{kind.label}: median of 8 intervals {hr_bpm:.0f}/min, {limit}/min"
            self._teller.tell(kind, began_ns, text, rule, window, t_ns)

    def _judge_regularity(self) -> None:
        board, t_ns = self._teller.board, self._beats_ns[-1]
        if not self._changes or not rules.rhythm.irregular(self._changes):
            self._irregular_since_ns = None
            if not board.is_empty:
                board.over(AlarmKind.IRREGULAR, t_ns)
            return
        if self._irregular_since_ns is None:
            self._irregular_since_ns = t_ns
        if any(board.is_held(kind) for kind in _EXPLAINED):
            board.over(AlarmKind.IRREGULAR, t_ns)
        elif not board.is_held(AlarmKind.IRREGULAR) and rules.lasts(
            t_ns, self._irregular_since_ns, self._limits.irregular_s
        ):
            began_ns = self._irregular_since_ns + round(self._limits.irregular_s * NS)
            text = f"Heart rhythm irregular for {self._limits.irregular_s:g} s."
            n = self._changes.bit_count()
            rule = f"irregular: {n} of the last 16 intervals changed by more than an eighth"
            self._teller.tell(
                AlarmKind.IRREGULAR, began_ns, text, rule, self._beats_ns[-HR_BEATS:], t_ns
            )
