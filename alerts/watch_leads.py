"""The rules on leads: off, or too poor to be analysed."""

from __future__ import annotations

from alerts import rules
from alerts.board import Condition
from alerts.kinds import AlarmKind
from alerts.signal import Leads
from alerts.teller import Teller
from ecg.clock import NS
from ecg.codes import QualityCode

_FLAT = int(QualityCode.FLAT)
_OFF = int(QualityCode.LEAD_OFF)
_USABLE = int(QualityCode.USABLE)


class LeadWatch:
    """`Leads`, open for one step."""

    __slots__ = ("_before", "_board", "_limits", "_off_since_ns", "_poor_since_ns", "_teller")

    def __init__(self, leads: Leads, teller: Teller) -> None:
        self._before = leads
        self._teller = teller
        self._board = teller.board
        self._limits = teller.limits
        self._off_since_ns = leads.off_since_ns
        self._poor_since_ns = leads.poor_since_ns

    def freeze(self) -> Leads:
        """What the next step begins with."""
        before = self._before
        if (self._off_since_ns, self._poor_since_ns) == (
            before.off_since_ns,
            before.poor_since_ns,
        ):
            return before
        return Leads(self._off_since_ns, self._poor_since_ns)

    def begin_anew(self) -> None:
        """After a gap, or with other leads: what lasts begins anew."""
        self._off_since_ns = ()
        self._poor_since_ns = None

    def second(self, t_ns: int, codes: tuple[int, ...]) -> None:
        """The second that began at `t_ns` is over."""
        all_off = self._judge_off(t_ns, codes)
        self._judge_quality(t_ns, codes, all_off)

    def _judge_off(self, t_ns: int, codes: tuple[int, ...]) -> bool:
        """Leads off; True if all have been."""
        if _OFF not in codes:
            self._off_since_ns = ()
            for alarm in self._board.holding(AlarmKind.LEAD_OFF):
                self._board.over(AlarmKind.LEAD_OFF, t_ns, alarm.about)
            return False
        held = self._board.holding(AlarmKind.LEAD_OFF)
        since = self._off_since_ns or (None,) * len(codes)
        self._off_since_ns = tuple(
            (t_ns if s is None else s) if code == _OFF else None
            for s, code in zip(since, codes, strict=True)
        )
        leads = self._teller.leads
        names = leads if len(leads) == len(codes) else _numbered(len(codes))
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
        if _USABLE in codes or is_flat(codes):
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


def is_flat(codes: tuple[int, ...]) -> bool:
    """All that is connected is flat: that is analysed, as asystole."""
    return _FLAT in codes and all(code in (_FLAT, _OFF) for code in codes)


def _numbered(n_leads: int) -> tuple[str, ...]:
    return tuple(str(i + 1) for i in range(n_leads))
