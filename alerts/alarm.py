"""An alarm, its changes and its evidence; re-exported by `alerts.words`."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from alerts.kinds import SHOWN, AlarmKind, Phase, Priority


@dataclass(frozen=True, slots=True)
class Evidence:
    """Why an alarm was raised: enough to find the strip and to judge it.

    Attributes
    ----------
    from_ns, to_ns : int
        The strip: 10 s before the condition began to hold, 6 s after.
    rule : str
        The rule with its numbers: `QRS interval 4.0 s >= 4.0 s`.
    beats_ns : tuple of int
        Times of the beats that the rule used.
    quality : tuple of int, [n_leads]
        `ecg.codes.QualityCode` of each lead in the last second known.
    hr_bpm : float or None
        Last heart rate known before.
    classes : str
        A letter for each of `beats_ns`: `N S V F Q`; `Q` also where the class is not known yet.
    pulses_ns : tuple of int
        Pulses in the strip so far, when a pulse signal is streamed.
    """

    from_ns: int
    to_ns: int
    rule: str
    beats_ns: tuple[int, ...] = ()
    quality: tuple[int, ...] = ()
    hr_bpm: float | None = None
    classes: str = ""
    pulses_ns: tuple[int, ...] = ()

    def to_json(self) -> str:
        """As the store keeps it; times are text, since JSON numbers may not hold them."""
        return dump(
            {
                "from_ns": str(self.from_ns),
                "to_ns": str(self.to_ns),
                "rule": self.rule,
                "beats_ns": [str(t) for t in self.beats_ns],
                "classes": self.classes,
                "quality": list(self.quality),
                "hr_bpm": self.hr_bpm,
                "pulses_ns": [str(t) for t in self.pulses_ns],
            }
        )

    @classmethod
    def from_json(cls, text: str) -> Evidence:
        """The evidence that `to_json` wrote, also an older one that tells less."""
        fields = json.loads(text)
        return cls(
            from_ns=int(fields["from_ns"]),
            to_ns=int(fields["to_ns"]),
            rule=str(fields["rule"]),
            beats_ns=tuple(int(t) for t in fields["beats_ns"]),
            quality=tuple(int(q) for q in fields["quality"]),
            hr_bpm=fields["hr_bpm"],
            classes=str(fields.get("classes", "")),
            pulses_ns=tuple(int(t) for t in fields.get("pulses_ns", ())),
        )


@dataclass(frozen=True, slots=True)
class Alarm:
    """An alarm that is shown: raised, acknowledged or latched.

    Attributes
    ----------
    id : str
        Never used again, not even for the same kind in the same bed: so an acknowledgement
        that was on its way cannot reach a condition that its sender has not seen.
    kind, priority, phase
    since_ns : int
        When the condition began to hold.
    text : str
        One plain sentence.
    about : str
        What the alarm is about when a bed may have several of its kind: the unknown device.
    acknowledged_by : str or None
    raised_ns : int
        When it was raised, by the wall clock.
    escalated : bool
        Nobody had acknowledged in time: others were told.
    """

    id: str
    kind: AlarmKind
    priority: Priority
    phase: Phase
    since_ns: int
    text: str
    about: str = ""
    acknowledged_by: str | None = None
    raised_ns: int = 0
    escalated: bool = False


@dataclass(frozen=True, slots=True)
class Transition:
    """One change of one alarm: what the log keeps and people are told.

    Attributes
    ----------
    alarm_id, kind, priority
    phase : Phase
        What it became.
    t_ns : int
        When the condition changed (by the signal's own time for rules on the signal).
    noted_ns : int
        When we noticed, by the wall clock.
    text : str
    by : str or None
        Who acknowledged or reset.
    evidence : Evidence or None
        Of physiological alarms when they are raised or suppressed.
    """

    alarm_id: str
    kind: AlarmKind
    priority: Priority
    phase: Phase
    t_ns: int
    noted_ns: int
    text: str
    by: str | None = None
    evidence: Evidence | None = None


def alarm_fields(alarm: Alarm) -> dict[str, Any]:
    """The alarm as JSON takes it."""
    return {
        "id": alarm.id,
        "kind": alarm.kind.value,
        "priority": alarm.priority.label,
        "technical": alarm.kind.is_technical,
        "phase": alarm.phase.value,
        "since_ns": str(alarm.since_ns),
        "text": alarm.text,
        "about": alarm.about,
        "acknowledged_by": alarm.acknowledged_by,
        "raised_ns": str(alarm.raised_ns),
        "escalated": alarm.escalated,
    }


def alarm_from_fields(fields: dict[str, Any]) -> Alarm:
    """The alarm that `alarm_fields` wrote; ValueError, KeyError or TypeError if it is none."""
    phase = Phase(fields["phase"])
    if phase not in SHOWN:
        raise ValueError(f"an alarm that is {phase} is not shown")
    by = fields["acknowledged_by"]
    return Alarm(
        id=str(fields["id"]),
        kind=AlarmKind(fields["kind"]),
        priority=Priority[fields["priority"].upper()],
        phase=phase,
        since_ns=int(fields["since_ns"]),
        text=str(fields["text"]),
        about=str(fields.get("about", "")),
        acknowledged_by=None if by is None else str(by),
        raised_ns=int(fields.get("raised_ns", 0)),
        escalated=bool(fields.get("escalated", False)),
    )


def dump(fields: dict[str, Any]) -> str:
    """JSON, compact, without numbers that JSON does not have."""
    return json.dumps(fields, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
