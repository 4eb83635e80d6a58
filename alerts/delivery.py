"""From the state of a bed to the document that is published."""

from __future__ import annotations

from alerts.state import State
from alerts.words import AlarmKind, BedAlarms, alarm_topic, encode_state


def document(state: State, now_ns: int) -> BedAlarms:
    """What people are told of the bed; to be published at every change and at the start."""
    place = state.place
    silent = any(alarm.kind is AlarmKind.NO_DATA for alarm in state.alarms)
    return BedAlarms(
        ward=place.ward,
        bed=place.bed,
        t_ns=now_ns,
        label=place.label,
        source=place.source,
        device=place.device,
        connected=state.seen_ns is not None and not silent,
        leads=state.leads,
        alarms=state.alarms,
        audio_pause=state.audio_pause,
        off=state.off,
        limits=tuple(state.limits.values().items()) if place.device else (),
    )


def message(bed: BedAlarms) -> tuple[str, bytes]:
    """Topic and payload of the document: to be published retained, QoS 1."""
    return alarm_topic(bed.ward, bed.bed), encode_state(bed)
