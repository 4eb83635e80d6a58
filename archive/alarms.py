"""Records of alarms, laid out as those of the PhysioNet/CinC Challenge 2015.

A WFDB record of some minutes of ECG leads and pulse signals; the header's first comment names the
kind of alarm that a monitor raised at 5:00, the second, if there is one, whether it was true.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from archive.leads import is_ecg, is_pulse
from archive.read import read_record, read_signals
from ecg import BadRecord, Record

WFDB_GAIN = 200.0  # ADC units a millivolt, where a header says 0 or nothing (WFDB, "header(5)")
ALARM_S = 300.0  # the Challenge raises every alarm at 5:00


@dataclass(frozen=True, slots=True, eq=False)
class AlarmRecord:
    """What was known when an alarm was raised, and nothing later.

    Attributes
    ----------
    kind : str
        As the header spells it.
    is_true : bool or None
        What the header says; None when it says nothing.
    ecg, pulse : Record or None
        None when there is no signal of that sort; `pulse` is in the units of the file.
    units : tuple of str
        Of the pulse signals.
    """

    name: str
    kind: str
    is_true: bool | None
    ecg: Record | None
    pulse: Record | None
    units: tuple[str, ...] = ()


def read_alarm(path: str | Path, with_pulse: bool = True) -> AlarmRecord:
    """The record of an alarm, up to the alarm.

    Raises
    ------
    BadRecord
        If the record is missing or damaged, its header names no alarm, or it has neither an ECG
        lead nor a pulse signal.
    """
    signals, comments = read_signals(path)
    kind, is_true = _told(comments)
    if not kind:
        raise BadRecord(f"{path}: the header names no alarm; write its kind as a comment, '#VT'")
    ecg = [str(i + 1) for i, (name, unit) in enumerate(signals) if is_ecg(name, unit)]
    found = [(str(i + 1), unit) for i, (name, unit) in enumerate(signals) if is_pulse(name)]
    if not ecg and not found:
        raise BadRecord(f"{path}: neither an ECG lead nor a pulse signal")
    pulse = found if with_pulse else []
    return AlarmRecord(
        name=Path(path).name,
        kind=kind,
        is_true=is_true,
        ecg=_read(path, ecg),
        pulse=_read(path, [i for i, _ in pulse]),
        units=tuple(unit for _, unit in pulse),
    )


def _read(path: str | Path, signals: list[str]) -> Record | None:
    if not signals:
        return None
    # a gain that is not known does no harm: heights are compared with the patient's own
    return read_record(path, signals, uncalibrated_gain=WFDB_GAIN, until_s=ALARM_S)


def _told(comments: tuple[str, ...]) -> tuple[str, bool | None]:
    """Kind of alarm and whether it is true, from the header's comments."""
    kind, is_true = "", None
    for comment in comments:
        text = comment.strip()
        if text.lower() in ("true alarm", "false alarm"):
            is_true = text.lower() == "true alarm"
        elif text and not kind:
            kind = text
    return kind, is_true
