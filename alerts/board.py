"""The life of an alarm after IEC 60601-1-8:2006+A1:2012: raised, acknowledged, latched, over."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from alerts.rules import PRIORITY
from alerts.words import Alarm, AlarmKind, Evidence, Phase, Priority, Transition

_URGENCY = {Phase.RAISED: 0, Phase.LATCHED: 1, Phase.ACKNOWLEDGED: 2}
_RANK = {kind: rank for rank, kind in enumerate(AlarmKind)}


@dataclass(frozen=True, slots=True)
class Condition:
    """What a rule or a source has found.

    `evidence` is called only when the alarm is raised.
    """

    kind: AlarmKind
    t_ns: int
    text: str
    about: str = ""
    priority: Priority | None = None  # None: as the table says
    evidence: Callable[[], Evidence] | None = None


class Board:
    """The alarms of a bed during one step; the engine freezes them afterwards.

    There is at most one alarm of a kind and subject. Every change is noted as one transition.
    """

    def __init__(self, alarms: tuple[Alarm, ...], serial: int, now_ns: int) -> None:
        self._alarms = {(alarm.kind, alarm.about): alarm for alarm in alarms}
        self._now_ns = now_ns
        self.serial = serial
        self.transitions: list[Transition] = []

    def sorted(self) -> tuple[Alarm, ...]:
        """Most urgent first: a lower priority never stands before a higher one (6.1.2)."""
        return tuple(sorted(self._alarms.values(), key=_order))

    def holding(self, kind: AlarmKind) -> list[Alarm]:
        """Alarms of the kind whose condition holds."""
        return [
            alarm
            for alarm in self._alarms.values()
            if alarm.kind is kind and alarm.phase is not Phase.LATCHED
        ]

    def holds(self, condition: Condition) -> None:
        """The condition holds: raise the alarm, unless it is raised or acknowledged already."""
        key = (condition.kind, condition.about)
        before = self._alarms.get(key)
        if before is not None:
            if before.phase is not Phase.LATCHED:
                return
            # It came back before anybody saw the first one. A new alarm takes its place: an
            # acknowledgement of the first, on its way already, must not reach the second.
            self._end(before, condition.t_ns, "came back and is raised anew")
        self.serial += 1
        priority = PRIORITY[condition.kind] if condition.priority is None else condition.priority
        alarm = Alarm(
            id=f"{condition.kind}.{condition.t_ns}.{self.serial}",
            kind=condition.kind,
            priority=priority,
            phase=Phase.RAISED,
            since_ns=condition.t_ns,
            text=condition.text,
            about=condition.about,
        )
        self._alarms[key] = alarm
        evidence = condition.evidence() if condition.evidence is not None else None
        self._note(alarm, condition.t_ns, evidence=evidence)

    def over(self, kind: AlarmKind, t_ns: int, about: str = "") -> None:
        """The condition does not hold (any more).

        An alarm that nobody has acknowledged stays as latched if its kind latches; any other ends
        (6.10, latching and non-latching alarm signals).
        """
        alarm = self._alarms.get((kind, about))
        if alarm is None or alarm.phase is Phase.LATCHED:
            return
        if alarm.phase is Phase.RAISED and kind.is_latching:
            self._change(replace(alarm, phase=Phase.LATCHED), t_ns)
        else:
            self._end(alarm, t_ns, alarm.text)

    def acknowledge(self, alarm_id: str, by: str, t_ns: int) -> None:
        """Somebody knows (6.8, inactivation of alarm signals); a latched alarm is thereby reset."""
        alarm = self._find(alarm_id)
        if alarm is None:
            return
        if alarm.phase is Phase.RAISED:
            self._change(replace(alarm, phase=Phase.ACKNOWLEDGED, acknowledged_by=by), t_ns, by=by)
        elif alarm.phase is Phase.LATCHED:
            self._reset(alarm, by, t_ns)

    def reset(self, alarm_id: str, by: str, t_ns: int) -> None:
        """Take a latched alarm away (6.9); one whose condition still holds stays."""
        alarm = self._find(alarm_id)
        if alarm is not None and alarm.phase is Phase.LATCHED:
            self._reset(alarm, by, t_ns)

    def _find(self, alarm_id: str) -> Alarm | None:
        return next((a for a in self._alarms.values() if a.id == alarm_id), None)

    def _reset(self, alarm: Alarm, by: str, t_ns: int) -> None:
        del self._alarms[alarm.kind, alarm.about]
        self._note(replace(alarm, phase=Phase.RESET), t_ns, by=by)

    def _end(self, alarm: Alarm, t_ns: int, text: str) -> None:
        del self._alarms[alarm.kind, alarm.about]
        self._note(replace(alarm, phase=Phase.ENDED, text=text), t_ns)

    def _change(self, alarm: Alarm, t_ns: int, by: str | None = None) -> None:
        self._alarms[alarm.kind, alarm.about] = alarm
        self._note(alarm, t_ns, by=by)

    def _note(
        self, alarm: Alarm, t_ns: int, *, by: str | None = None, evidence: Evidence | None = None
    ) -> None:
        self.transitions.append(
            Transition(
                alarm_id=alarm.id,
                kind=alarm.kind,
                priority=alarm.priority,
                phase=alarm.phase,
                t_ns=t_ns,
                noted_ns=self._now_ns,
                text=alarm.text,
                by=by,
                evidence=evidence,
            )
        )


def _order(alarm: Alarm) -> tuple[int, int, int, int, str]:
    return (
        -alarm.priority,
        _URGENCY[alarm.phase],
        _RANK[alarm.kind],
        -alarm.since_ns,
        alarm.about,
    )
