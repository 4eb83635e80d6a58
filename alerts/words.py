"""The words of alarms: kinds, priorities, phases, what is published and what people command.

Priorities, acknowledgement and latching are those of IEC 60601-1-8:2006+A1:2012; the clause stands
beside each rule in `alerts.board`. The JSON documents are described in docs/alarms.md.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from alerts.alarm import Alarm, Evidence, Transition, alarm_fields, alarm_from_fields, dump
from alerts.commands import (
    VERSION,
    Acknowledge,
    Command,
    PauseAudio,
    Reset,
    ResumeAudio,
    SetLimits,
    SwitchOff,
    SwitchOn,
    command_name,
    decode_command,
    encode_command,
    load,
    why,
)
from alerts.kinds import ALWAYS_ON, LETHAL, PRIORITY, AlarmKind, Phase, Priority
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
    "ALWAYS_ON",
    "LETHAL",
    "PRIORITY",
    "SYSTEM_BED",
    "Acknowledge",
    "Alarm",
    "AlarmKind",
    "AudioPause",
    "BedAlarms",
    "Command",
    "Evidence",
    "Off",
    "PauseAudio",
    "Phase",
    "Priority",
    "Reset",
    "ResumeAudio",
    "SetLimits",
    "Source",
    "SwitchOff",
    "SwitchOn",
    "Transition",
    "WardTopic",
    "alarm_fields",
    "alarm_from_fields",
    "alarm_topic",
    "check_word",
    "command_name",
    "command_topic",
    "decode_command",
    "decode_state",
    "encode_command",
    "encode_state",
    "is_audible",
    "live_topic",
    "parse_ward_topic",
]

SYSTEM_BED = "_system"
"""The "bed" of a ward that carries what concerns the whole ward: unknown device, store trouble."""

Source = Literal["real", "simulated", "device"]


@dataclass(frozen=True, slots=True)
class AudioPause:
    """The bed's alarms make no sound until then (6.8, audio paused); wall clock."""

    since_ns: int
    until_ns: int
    by: str


@dataclass(frozen=True, slots=True)
class Off:
    """A kind of alarm that is switched off (6.8, alarm off); must be visible at the bed."""

    kind: AlarmKind
    since_ns: int  # 0: by the settings
    by: str


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
    audio_pause : AudioPause or None
    off : tuple of Off
    limits : tuple of (name, value)
        In force for the patient; empty for `SYSTEM_BED`.
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
    audio_pause: AudioPause | None = None
    off: tuple[Off, ...] = ()
    limits: tuple[tuple[str, float], ...] = ()


def is_audible(alarm: Alarm, pause: AudioPause | None) -> bool:
    """Whether an alarm asks for a sound (6.3.3): not acknowledged, not paused, not information.

    A latched alarm sounds until somebody has seen it.
    """
    return (
        pause is None and alarm.phase is not Phase.ACKNOWLEDGED and alarm.priority > Priority.INFO
    )


def encode_state(state: BedAlarms) -> bytes:
    """The document as UTF-8 JSON."""
    pause = state.audio_pause
    return dump(
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
            "alarms": [
                {**alarm_fields(alarm), "audible": is_audible(alarm, pause)}
                for alarm in state.alarms
            ],
            "audio_pause": pause_fields(pause),
            "off": [off_fields(off) for off in state.off],
            "limits": dict(state.limits),
        }
    ).encode()


def decode_state(payload: bytes) -> BedAlarms:
    """The document in a message.

    Raises
    ------
    BadInput
        If it is not one of this version.
    """
    fields = load(payload, "alarm state")
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
            audio_pause=pause_from_fields(fields.get("audio_pause")),
            off=tuple(off_from_fields(off) for off in fields.get("off", ())),
            limits=tuple((str(k), float(v)) for k, v in fields.get("limits", {}).items()),
        )
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise BadInput(f"alarm state: {why(error)}; see docs/alarms.md") from error


def pause_fields(pause: AudioPause | None) -> dict[str, Any] | None:
    """The pause as JSON takes it."""
    if pause is None:
        return None
    times = {"since_ns": str(pause.since_ns), "until_ns": str(pause.until_ns)}
    return {**times, "by": pause.by}


def pause_from_fields(fields: dict[str, Any] | None) -> AudioPause | None:
    """The pause that `pause_fields` wrote."""
    if fields is None:
        return None
    return AudioPause(int(fields["since_ns"]), int(fields["until_ns"]), str(fields["by"]))


def off_fields(off: Off) -> dict[str, Any]:
    """What is switched off, as JSON takes it."""
    return {"kind": off.kind.value, "since_ns": str(off.since_ns), "by": off.by}


def off_from_fields(fields: dict[str, Any]) -> Off:
    """What `off_fields` wrote."""
    return Off(AlarmKind(fields["kind"]), int(fields["since_ns"]), str(fields["by"]))
