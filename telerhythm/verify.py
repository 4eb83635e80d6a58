"""Alarms that others raised, on archives: read, look at, decide."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from alerts.verify import KINDS, Limits, Verdict, verify
from archive.alarms import ALARM_S, AlarmRecord, read_alarm
from archive.find import find_records
from detectors.lookback import look_back
from detectors.pulse import find_pulses
from ecg import BadRecord, TelerhythmError
from ecg.clock import NS
from ecg.evidence import LeadView, PulseView

LOOK_BACK_S = 20.0
LEAST_S = 16.0  # fewer seconds show no rate over 17 beats, nor what was usual before


@dataclass(frozen=True, slots=True)
class Row:
    """The verdict on one record; `error` says why there is none."""

    record: str
    alarm: str
    verdict: Verdict
    reason: str
    is_true: bool | None = None
    error: bool = False
    numbers: dict[str, float] = field(default_factory=dict)

    def as_json(self) -> dict[str, object]:
        """The row as the command prints it."""
        row: dict[str, object] = {
            "record": self.record,
            "alarm": self.alarm,
            "verdict": self.verdict.value,
            "reason": self.reason,
        }
        return row | {"error": True} if self.error else row


def verify_folder(folder: str | Path, with_pulse: bool = True) -> Iterator[Row]:
    """Rows of the records that a folder's `RECORDS` lists, or of all that lie in it.

    A record that cannot be verified has a row that says why; it stops nothing.

    Raises
    ------
    BadRecord
        If the folder holds no records.
    """
    for path in find_records([folder]):
        yield verify_path(path, with_pulse)


def verify_path(path: str | Path, with_pulse: bool = True) -> Row:
    """The row of one record."""
    kind = ""
    try:
        alarm = read_alarm(path, with_pulse)
        kind = alarm.kind
        if kind not in KINDS:
            raise BadRecord(f"alarm kind {kind!r} is not known; there are {', '.join(KINDS)}")
        return verify_alarm(alarm)
    except TelerhythmError as error:
        return Row(Path(path).name, kind, Verdict.UNDECIDED, str(error), error=True)


def verify_alarm(alarm: AlarmRecord, limits: Limits | None = None) -> Row:
    """The row of an alarm that has been read."""
    record = alarm.ecg or alarm.pulse
    assert record is not None  # read_alarm refuses records without a signal
    if record.duration_s < LEAST_S:
        return Row(
            alarm.name,
            alarm.kind,
            Verdict.UNDECIDED,
            f"only {record.duration_s:.0f} s of signal; a verdict needs {LEAST_S:.0f} s",
            alarm.is_true,
        )
    leads, pulses = views(alarm)
    # a record that is shorter than 5:00 ends with its alarm
    alarm_ns = record.start_ns + round(min(ALARM_S, record.duration_s) * NS)
    found = verify(alarm.kind, leads, pulses, alarm_ns, limits)
    return Row(
        alarm.name, alarm.kind, found.verdict, found.reason, alarm.is_true, numbers=found.numbers
    )


def views(alarm: AlarmRecord) -> tuple[list[LeadView], list[PulseView]]:
    """What each channel of an alarm shows."""
    leads: list[LeadView] = []
    if alarm.ecg is not None:
        ecg = alarm.ecg
        leads = look_back(ecg.x_mv, ecg.fs_hz, ecg.leads, LOOK_BACK_S, ecg.start_ns)
    if alarm.pulse is None:
        return leads, []
    pulse = alarm.pulse
    pulses, seconds = find_pulses(pulse.x_mv, pulse.fs_hz, pulse.start_ns)
    from_ns = pulse.start_ns + (pulse.duration_s - LOOK_BACK_S) * NS
    seconds = seconds[seconds["t_ns"] >= from_ns]
    channels = [
        PulseView(
            name,
            np.sort(pulses[pulses["channel"] == i], order="sample"),
            seconds[seconds["lead"] == i],
            is_pressure=unit.lower() == "mmhg",
        )
        for i, (name, unit) in enumerate(zip(pulse.leads, alarm.units, strict=True))
    ]
    return leads, channels
