"""The life of an alarm after IEC 60601-1-8:2006+A1:2012: raised, acknowledged, latched, over."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass, replace

from alerts.rules import unanswered
from alerts.words import PRIORITY, Alarm, AlarmKind, Evidence, Phase, Priority, Transition

_URGENCY = {Phase.RAISED: 0, Phase.LATCHED: 1, Phase.ACKNOWLEDGED: 2}
_RANK = {kind: rank for rank, kind in enumerate(AlarmKind)}

Suppressed = tuple[AlarmKind, str, str]
"""Kind, subject and id of an alarm that is not shown, because something speaks against it."""


@dataclass(frozen=True, slots=True)
class Condition:
    """What a rule or a source has found.

    `evidence` and `doubt` are called only when the alarm would be raised; `doubt` tells what
    speaks against it, in one sentence, or nothing.
    """

    kind: AlarmKind
    t_ns: int
    text: str
    about: str = ""
    priority: Priority | None = None  # None: as the table says
    evidence: Callable[[], Evidence] | None = None
    doubt: Callable[[], str | None] | None = None


class Board:
    """The alarms of a bed during one step; the engine freezes them afterwards.

    There is at most one alarm of a kind and subject. Every change is noted as one transition.
    """

    def __init__(
        self,
        alarms: tuple[Alarm, ...],
        serial: int,
        now_ns: int,
        off: Collection[AlarmKind] = (),
        suppressed: tuple[Suppressed, ...] = (),
    ) -> None:
        self._alarms = {(alarm.kind, alarm.about): alarm for alarm in alarms} if alarms else {}
        self._suppressed: dict[tuple[AlarmKind, str], str] = {}
        if suppressed:
            self._suppressed = {(kind, about): alarm_id for kind, about, alarm_id in suppressed}
        self._off = off
        self._now_ns = now_ns
        self.serial = serial
        self.transitions: list[Transition] = []

    def sorted(self) -> tuple[Alarm, ...]:
        """Most urgent first: a lower priority never stands before a higher one (6.1.2)."""
        return tuple(sorted(self._alarms.values(), key=_order))

    def suppressed(self) -> tuple[Suppressed, ...]:
        """What is not shown."""
        if not self._suppressed:
            return ()
        return tuple((kind, about, i) for (kind, about), i in self._suppressed.items())

    @property
    def is_empty(self) -> bool:
        """Nothing could be over."""
        return not self._alarms and not self._suppressed

    def holding(self, kind: AlarmKind) -> list[Alarm]:
        """Alarms of the kind whose condition holds."""
        if not self._alarms:
            return []
        return [
            alarm
            for alarm in self._alarms.values()
            if alarm.kind is kind and alarm.phase is not Phase.LATCHED
        ]

    def is_held(self, kind: AlarmKind, about: str = "") -> bool:
        """Whether there is an alarm of the kind and subject, and its condition holds."""
        alarm = self._alarms.get((kind, about))
        return alarm is not None and alarm.phase is not Phase.LATCHED

    def holds(self, condition: Condition) -> None:
        """The condition holds: raise the alarm, unless it is raised or acknowledged already."""
        key = (condition.kind, condition.about)
        before = self._alarms.get(key)
        if (before is not None and before.phase is not Phase.LATCHED) or key[0] in self._off:
            return
        doubt = condition.doubt() if condition.doubt is not None else None
        if doubt:
            if key not in self._suppressed:
                alarm = self._make(condition)
                self._suppressed[key] = alarm.id
                self._tell(
                    alarm, Phase.SUPPRESSED, condition, f"{condition.text} Not told: {doubt}"
                )
            return
        self._suppressed.pop(key, None)
        if before is not None:
            # It came back before anybody saw the first one. A new alarm takes its place: an
            # acknowledgement of the first, on its way already, must not reach the second.
            self._end(before, condition.t_ns, "came back and is raised anew")
        self._alarms[key] = alarm = self._make(condition)
        self._tell(alarm, Phase.RAISED, condition, alarm.text)

    def over(self, kind: AlarmKind, t_ns: int, about: str = "") -> None:
        """The condition does not hold (any more).

        An alarm that nobody has acknowledged stays as latched if its kind latches; any other ends
        (6.10, latching and non-latching alarm signals).
        """
        if not self._alarms and not self._suppressed:
            return
        if self._suppressed:
            self._suppressed.pop((kind, about), None)
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

    def switch_off(self, kind: AlarmKind, by: str, t_ns: int) -> None:
        """Alarms of the kind end; the engine keeps new ones away (6.8, alarm off)."""
        for alarm in [a for a in self._alarms.values() if a.kind is kind]:
            self._end(alarm, t_ns, f"{alarm.text} Switched off by {by}.", by=by)
        for key in [key for key in self._suppressed if key[0] is kind]:
            del self._suppressed[key]

    def escalate(self, escalate_s: float) -> None:
        """Pass on what nobody has acknowledged in time (6.11)."""
        for key, alarm in list(self._alarms.items()):
            if alarm.raised_ns > self._now_ns:  # the wall clock was set back: count from now
                self._alarms[key] = replace(alarm, raised_ns=self._now_ns)
            elif (
                not alarm.escalated
                and alarm.phase is not Phase.ACKNOWLEDGED
                and unanswered(self._now_ns, alarm.raised_ns, alarm.priority, escalate_s)
            ):
                self._alarms[key] = alarm = replace(alarm, escalated=True)
                waited_s = (self._now_ns - alarm.raised_ns) / 1e9
                text = f"{alarm.text} Not acknowledged for {waited_s:.0f} s."
                self._note(alarm, Phase.ESCALATED, self._now_ns, text)

    def verified(self, kind: AlarmKind, about: str, text: str) -> None:
        """What the signal says of an alarm that a device raised; the alarm stays."""
        alarm = self._alarms.get((kind, about))
        if alarm is not None:
            self._alarms[kind, about] = alarm = replace(alarm, text=text)
            self._note(alarm, Phase.VERIFIED, self._now_ns)

    def withdraw(self, kind: AlarmKind, about: str, text: str) -> None:
        """The signal contradicts an alarm that a device raised: it goes, and the log says why."""
        alarm = self._alarms.pop((kind, about), None)
        if alarm is not None:
            self._note(alarm, Phase.SUPPRESSED, self._now_ns, text)

    def _make(self, condition: Condition) -> Alarm:
        self.serial += 1
        priority = PRIORITY[condition.kind] if condition.priority is None else condition.priority
        return Alarm(
            id=f"{condition.kind}.{condition.t_ns}.{self.serial}",
            kind=condition.kind,
            priority=priority,
            phase=Phase.RAISED,
            since_ns=condition.t_ns,
            text=condition.text,
            about=condition.about,
            raised_ns=self._now_ns,
        )

    def _tell(self, alarm: Alarm, phase: Phase, condition: Condition, text: str) -> None:
        evidence = condition.evidence() if condition.evidence is not None else None
        self._note(alarm, phase, condition.t_ns, text, evidence=evidence)

    def _find(self, alarm_id: str) -> Alarm | None:
        return next((a for a in self._alarms.values() if a.id == alarm_id), None)

    def _reset(self, alarm: Alarm, by: str, t_ns: int) -> None:
        del self._alarms[alarm.kind, alarm.about]
        self._note(alarm, Phase.RESET, t_ns, by=by)

    def _end(self, alarm: Alarm, t_ns: int, text: str, by: str | None = None) -> None:
        del self._alarms[alarm.kind, alarm.about]
        self._note(alarm, Phase.ENDED, t_ns, text, by=by)

    def _change(self, alarm: Alarm, t_ns: int, by: str | None = None) -> None:
        self._alarms[alarm.kind, alarm.about] = alarm
        self._note(alarm, alarm.phase, t_ns, by=by)

    def _note(
        self,
        alarm: Alarm,
        phase: Phase,
        t_ns: int,
        text: str | None = None,
        *,
        by: str | None = None,
        evidence: Evidence | None = None,
    ) -> None:
        self.transitions.append(
            Transition(
                alarm_id=alarm.id,
                kind=alarm.kind,
                priority=alarm.priority,
                phase=phase,
                t_ns=t_ns,
                noted_ns=self._now_ns,
                text=alarm.text if text is None else text,
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
