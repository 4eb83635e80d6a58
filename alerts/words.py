"""The words of alarms: kinds, priorities, phases, what is published and what people command.

Priorities, acknowledgement and latching are those of IEC 60601-1-8:2006+A1:2012; the clause stands
beside each rule in `alerts.board`. The JSON documents are described in docs/alarms.md.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any, Literal

from alerts.kinds import LETHAL, AlarmKind, Phase, Priority
from alerts.topics import (
    WardTopic,
    alarm_topic,
    check_word,
    command_topic,
    live_topic,
    parse_ward_topic,
)
from ecg.errors import BadInput

__all__ = [
    "LETHAL",
    "SYSTEM_BED",
    "Acknowledge",
    "Alarm",
    "AlarmKind",
    "BedAlarms",
    "Command",
    "Evidence",
    "Phase",
    "Priority",
    "Reset",
    "Source",
    "Transition",
    "WardTopic",
    "alarm_topic",
    "check_word",
    "command_topic",
    "decode_command",
    "decode_state",
    "encode_command",
    "encode_state",
    "live_topic",
    "parse_ward_topic",
]

VERSION = 1
SYSTEM_BED = "_system"
"""The "bed" of a ward that carries what concerns the whole ward: unknown device, store trouble."""

Source = Literal["real", "simulated", "device"]


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
    """

    from_ns: int
    to_ns: int
    rule: str
    beats_ns: tuple[int, ...] = ()
    quality: tuple[int, ...] = ()
    hr_bpm: float | None = None

    def to_json(self) -> str:
        """As the store keeps it; times are text, since JSON numbers may not hold them."""
        return _dump(
            {
                "from_ns": str(self.from_ns),
                "to_ns": str(self.to_ns),
                "rule": self.rule,
                "beats_ns": [str(t) for t in self.beats_ns],
                "quality": list(self.quality),
                "hr_bpm": self.hr_bpm,
            }
        )

    @classmethod
    def from_json(cls, text: str) -> Evidence:
        """The evidence that `to_json` wrote."""
        fields = json.loads(text)
        return cls(
            from_ns=int(fields["from_ns"]),
            to_ns=int(fields["to_ns"]),
            rule=str(fields["rule"]),
            beats_ns=tuple(int(t) for t in fields["beats_ns"]),
            quality=tuple(int(q) for q in fields["quality"]),
            hr_bpm=fields["hr_bpm"],
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
    """

    id: str
    kind: AlarmKind
    priority: Priority
    phase: Phase
    since_ns: int
    text: str
    about: str = ""
    acknowledged_by: str | None = None


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
        Of physiological alarms when they are raised.
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


@dataclass(frozen=True, slots=True)
class BedAlarms:
    """What is published of a bed, retained, on `alarm_topic(ward, bed)`.

    Attributes
    ----------
    ward, bed : str
    t_ns : int
        When the document was made, wall clock.
    label : str
        What people call the bed or its signal.
    source : {"real", "simulated", "device"}
        Real record, simulated record, or a device at a patient.
    device : str
        `site/device`; empty for `SYSTEM_BED`.
    connected : bool
        Frames arrive.
    leads : tuple of str
    alarms : tuple of Alarm
        Most urgent first.
    """

    ward: str
    bed: str
    t_ns: int
    label: str
    source: Source
    device: str
    connected: bool
    leads: tuple[str, ...]
    alarms: tuple[Alarm, ...]


@dataclass(frozen=True, slots=True)
class Acknowledge:
    """Somebody has seen an alarm and takes care of it.

    A latched alarm, whose condition is over, is thereby reset.
    """

    alarm_id: str
    by: str
    t_ns: int = 0  # when it was pressed; 0 when not known


@dataclass(frozen=True, slots=True)
class Reset:
    """Take away a latched alarm; one whose condition still holds stays (IEC 60601-1-8, 6.9)."""

    alarm_id: str
    by: str
    t_ns: int = 0


Command = Acknowledge | Reset
_COMMANDS: dict[str, type[Acknowledge] | type[Reset]] = {
    "acknowledge": Acknowledge,
    "reset": Reset,
}
_SHOWN = frozenset({Phase.RAISED, Phase.ACKNOWLEDGED, Phase.LATCHED})


def encode_state(state: BedAlarms) -> bytes:
    """The document as UTF-8 JSON."""
    return _dump(
        {
            "v": VERSION,
            "ward": state.ward,
            "bed": state.bed,
            "t_ns": str(state.t_ns),
            "label": state.label,
            "source": state.source,
            "device": state.device,
            "connected": state.connected,
            "leads": list(state.leads),
            "alarms": [alarm_fields(alarm) for alarm in state.alarms],
        }
    ).encode()


def decode_state(payload: bytes) -> BedAlarms:
    """The document in a message.

    Raises
    ------
    BadInput
        If it is not one of this version.
    """
    fields = _load(payload, "alarm state")
    try:
        if fields["source"] not in ("real", "simulated", "device"):
            raise ValueError(f"source {fields['source']!r} is not real, simulated or device")
        return BedAlarms(
            ward=check_word(fields["ward"], "ward"),
            bed=check_word(fields["bed"], "bed"),
            t_ns=int(fields["t_ns"]),
            label=str(fields["label"]),
            source=fields["source"],
            device=str(fields["device"]),
            connected=bool(fields["connected"]),
            leads=tuple(str(lead) for lead in fields["leads"]),
            alarms=tuple(alarm_from_fields(alarm) for alarm in fields["alarms"]),
        )
    except (KeyError, TypeError, ValueError) as error:
        raise BadInput(f"alarm state: {_why(error)}; see docs/alarms.md") from error


def encode_command(command: Command) -> bytes:
    """The command as UTF-8 JSON."""
    return _dump(
        {
            "v": VERSION,
            "command": type(command).__name__.lower(),
            "alarm_id": command.alarm_id,
            "by": command.by,
            "t_ns": str(command.t_ns),
        }
    ).encode()


def decode_command(payload: bytes) -> Command:
    """The command in a message.

    Raises
    ------
    BadInput
        If it is not one of this version, or does not say who commands.
    """
    fields = _load(payload, "command")
    try:
        make = _COMMANDS[fields["command"]]
        alarm_id, by = fields["alarm_id"], fields["by"]
        if not isinstance(alarm_id, str) or not 0 < len(alarm_id) <= 200:
            raise ValueError("alarm_id is not a text of 1 to 200 characters")
        if not isinstance(by, str) or not 0 < len(by.strip()) <= 64:
            raise ValueError("by is not a name of 1 to 64 characters")
        return make(alarm_id=alarm_id, by=by.strip(), t_ns=int(fields["t_ns"]))
    except (KeyError, TypeError, ValueError) as error:
        raise BadInput(f"command: {_why(error)}; see docs/alarms.md") from error


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
    }


def alarm_from_fields(fields: dict[str, Any]) -> Alarm:
    """The alarm that `alarm_fields` wrote; ValueError, KeyError or TypeError if it is none."""
    phase = Phase(fields["phase"])
    if phase not in _SHOWN:
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
    )


def _dump(fields: dict[str, Any]) -> str:
    return json.dumps(fields, separators=(",", ":"), ensure_ascii=False, allow_nan=False)


def _load(payload: bytes, what: str) -> dict[str, Any]:
    try:
        fields = json.loads(payload)
    except (UnicodeDecodeError, ValueError, RecursionError) as error:
        raise BadInput(f"{what}: not JSON ({error})") from error
    if not isinstance(fields, dict) or fields.get("v") != VERSION:
        raise BadInput(f"{what}: not an object of version {VERSION}")
    return fields


def _why(error: Exception) -> str:
    return f"{error} is missing or unknown" if isinstance(error, KeyError) else str(error)
