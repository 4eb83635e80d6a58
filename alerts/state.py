"""The state of one bed's alarms: immutable, and as JSON for a restart."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import Any, NamedTuple

from alerts.board import Suppressed
from alerts.device import Claim
from alerts.kinds import AlarmKind
from alerts.pulse import Pulses
from alerts.rules import Limits
from alerts.signal import Signal, signal_fields, signal_from_fields
from alerts.words import (
    Alarm,
    AudioPause,
    Off,
    Source,
    alarm_fields,
    alarm_from_fields,
)
from alerts.words import off_fields as _off_fields
from alerts.words import off_from_fields as _off_from_fields
from alerts.words import pause_fields as _pause_fields
from alerts.words import pause_from_fields as _pause_from_fields
from ecg.errors import BadInput, BadSetting

_VERSION = 1


@dataclass(frozen=True, slots=True)
class Place:
    """Which bed it is: the words of its documents (see `alerts.words.BedAlarms`)."""

    ward: str
    bed: str
    label: str = ""
    source: Source = "device"
    device: str = ""  # empty: no device belongs here (`SYSTEM_BED`), so none can fall silent
    patient: str = ""  # whose limits they are; never published


@dataclass(frozen=True, slots=True)
class Override:
    """A limit that somebody set for the patient, instead of that of the settings."""

    name: str
    value: float
    by: str
    t_ns: int


class State(NamedTuple):
    """All that the engine knows of one bed.

    Attributes
    ----------
    place
    limits : Limits
        In force: those of the settings with the overrides.
    leads : tuple of str
        As the last analysis named them.
    signal : Signal
    seen_ns : int or None
        Last frame, by the wall clock; None until the clock has ticked once.
    alarms : tuple of Alarm
        All that are shown, most urgent first.
    serial : int
        Alarms raised or suppressed so far.
    suppressed : tuple
        Conditions that hold and are not shown.
    pulses : Pulses
    audio_pause : AudioPause or None
    off : tuple of Off
        Kinds that are switched off.
    overrides : tuple of Override
    claims : tuple of Claim
        Alarms that the device raised itself.
    """

    place: Place
    limits: Limits = Limits()
    leads: tuple[str, ...] = ()
    signal: Signal = Signal()
    seen_ns: int | None = None
    alarms: tuple[Alarm, ...] = ()
    serial: int = 0
    suppressed: tuple[Suppressed, ...] = ()
    pulses: Pulses = Pulses()
    audio_pause: AudioPause | None = None
    off: tuple[Off, ...] = ()
    overrides: tuple[Override, ...] = ()
    claims: tuple[Claim, ...] = ()


def to_json(state: State) -> str:
    """What must survive a restart; the place and the limits come from the settings again."""
    return json.dumps(
        {
            "v": _VERSION,
            "ward": state.place.ward,
            "bed": state.place.bed,
            "patient": state.place.patient,
            "leads": state.leads,
            "signal": signal_fields(state.signal),
            "alarms": [alarm_fields(alarm) for alarm in state.alarms],
            "serial": state.serial,
            "suppressed": state.suppressed,
            "audio_pause": _pause_fields(state.audio_pause),
            "off": [_off_fields(off) for off in state.off],
            "overrides": [asdict(override) for override in state.overrides],
            "claims": [asdict(claim) for claim in state.claims],
        },
        separators=(",", ":"),
        allow_nan=False,
    )


def from_json(text: str, place: Place, limits: Limits | None = None) -> State:
    """The state that `to_json` wrote: its alarms are active again, and not raised again.

    The silence of the device counts from the restart: what it sent meanwhile is still at the
    broker. Limits that somebody set for the patient stay; when they contradict those of settings
    that were changed meanwhile, the settings win and `overrides` is empty.

    Raises
    ------
    BadInput
        If the text is damaged, of another version, of another bed or of another patient.
    """
    try:
        fields: dict[str, Any] = json.loads(text)
        if fields["v"] != _VERSION:
            raise ValueError(f"version {fields['v']!r}, not {_VERSION}")
        if (fields["ward"], fields["bed"]) != (place.ward, place.bed):
            raise ValueError(f"it is of {fields['ward']}/{fields['bed']}")
        if fields["patient"] != place.patient:
            raise ValueError("another patient was in the bed")
        limits, overrides = _in_force(fields["overrides"], limits or Limits())
        return State(
            place=place,
            limits=limits,
            leads=tuple(fields["leads"]),
            signal=signal_from_fields(fields["signal"]),
            alarms=tuple(alarm_from_fields(alarm) for alarm in fields["alarms"]),
            serial=int(fields["serial"]),
            suppressed=tuple(
                (AlarmKind(kind), str(about), str(i)) for kind, about, i in fields["suppressed"]
            ),
            audio_pause=_pause_from_fields(fields["audio_pause"]),
            off=tuple(_off_from_fields(off) for off in fields["off"]),
            overrides=overrides,
            claims=tuple(Claim.from_fields(claim) for claim in fields["claims"]),
        )
    except (KeyError, TypeError, ValueError, AttributeError, RecursionError) as error:
        raise BadInput(f"alarm state of {place.ward}/{place.bed}: {error}; not resumed") from error


def _in_force(fields: list[dict[str, Any]], limits: Limits) -> tuple[Limits, tuple[Override, ...]]:
    overrides = tuple(
        Override(str(o["name"]), o["value"], str(o["by"]), int(o["t_ns"])) for o in fields
    )
    try:
        return limits.changed(**{o.name: o.value for o in overrides}), overrides
    except BadSetting:
        return limits, ()
