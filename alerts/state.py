"""The state of one bed's alarms: immutable, and as JSON for a restart."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from typing import Any

from alerts.rules import Limits
from alerts.words import Alarm, Source, alarm_fields, alarm_from_fields
from ecg.errors import BadInput

_VERSION = 1


@dataclass(frozen=True, slots=True)
class Place:
    """Which bed it is: the words of its documents (see `alerts.words.BedAlarms`)."""

    ward: str
    bed: str
    label: str = ""
    source: Source = "device"
    device: str = ""  # empty: no device belongs here (`SYSTEM_BED`), so none can fall silent


@dataclass(frozen=True, slots=True)
class Signal:
    """What the rules on the signal remember; times are the signal's own.

    Attributes
    ----------
    through_ns : int
        All beats before it are known.
    second_ns : int or None
        Start of the last second whose quality is known.
    quality : tuple of int, [n_leads]
        `ecg.codes.QualityCode` in that second.
    last_qrs_ns : int
        The last QRS, also one that was found where no lead would show it.
    quiet_since_ns : int or None
        Last QRS, or since when one would have been seen; None while no lead would show one.
    beats_ns : tuple of int
        The last beats without a gap in the signal between them, as many as a rule needs.
    off_since_ns : tuple of (int or None), [n_leads]
        Since when each lead is off.
    poor_since_ns : int or None
        Since when no lead can be analysed.
    hr_bpm : float or None
        Last heart rate known.
    """

    through_ns: int = 0
    second_ns: int | None = None
    quality: tuple[int, ...] = ()
    last_qrs_ns: int = 0
    quiet_since_ns: int | None = None
    beats_ns: tuple[int, ...] = ()
    off_since_ns: tuple[int | None, ...] = ()
    poor_since_ns: int | None = None
    hr_bpm: float | None = None


@dataclass(frozen=True, slots=True)
class State:
    """All that the engine knows of one bed.

    Attributes
    ----------
    place, limits
    leads : tuple of str
        As the last analysis named them.
    signal : Signal
    seen_ns : int or None
        Last frame, by the wall clock; None until the clock has ticked once.
    alarms : tuple of Alarm
        All that are shown, most urgent first.
    serial : int
        Alarms raised so far.
    """

    place: Place
    limits: Limits = field(default_factory=Limits)
    leads: tuple[str, ...] = ()
    signal: Signal = field(default_factory=Signal)
    seen_ns: int | None = None
    alarms: tuple[Alarm, ...] = ()
    serial: int = 0


def to_json(state: State) -> str:
    """What must survive a restart; the place and the limits come from the settings again."""
    return json.dumps(
        {
            "v": _VERSION,
            "ward": state.place.ward,
            "bed": state.place.bed,
            "leads": state.leads,
            "signal": asdict(state.signal),
            "alarms": [alarm_fields(alarm) for alarm in state.alarms],
            "serial": state.serial,
        },
        separators=(",", ":"),
        allow_nan=False,
    )


def from_json(text: str, place: Place, limits: Limits | None = None) -> State:
    """The state that `to_json` wrote: its alarms are active again, and not raised again.

    The silence of the device counts from the restart: what it sent meanwhile is still at the
    broker.

    Raises
    ------
    BadInput
        If the text is damaged, of another version or of another bed.
    """
    try:
        fields: dict[str, Any] = json.loads(text)
        if fields["v"] != _VERSION:
            raise ValueError(f"version {fields['v']!r}, not {_VERSION}")
        if (fields["ward"], fields["bed"]) != (place.ward, place.bed):
            raise ValueError(f"it is of {fields['ward']}/{fields['bed']}")
        signal: dict[str, Any] = {
            name: tuple(value) if isinstance(value, list) else value
            for name, value in fields["signal"].items()
        }
        return State(
            place=place,
            limits=limits or Limits(),
            leads=tuple(fields["leads"]),
            signal=Signal(**signal),
            alarms=tuple(alarm_from_fields(alarm) for alarm in fields["alarms"]),
            serial=int(fields["serial"]),
        )
    except (KeyError, TypeError, ValueError, AttributeError, RecursionError) as error:
        raise BadInput(f"alarm state of {place.ward}/{place.bed}: {error}; not resumed") from error
