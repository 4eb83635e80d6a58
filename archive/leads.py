"""Which signals of a file are ECG, and what they are called."""

from __future__ import annotations

import re
from collections.abc import Sequence

from ecg import BadRecord
from ecg.codes import STANDARD_LEADS

_STANDARD = {name.lower(): name for name in STANDARD_LEADS}

# "ECG II", "EKG-V1", "Lead aVR", "ECG Lead II": a word before the lead's own name
_PREFIX = re.compile(r"^(?:(?:ecg|ekg|lead)[\s_:-]+)+", re.IGNORECASE)

# Signals of monitors and sleep studies that are measured in volts too, or have no unit.
_NOT_ECG = re.compile(
    r"^(eeg|emg|eog|resp|pleth|ppg|spo2|abp|art|bp|cvp|icp|pap|p[1-8]|co2|noise|acc|gyro|temp)",
    re.IGNORECASE,
)

_MILLIVOLTS = {"mv": 1.0, "uv": 1e-3, "µv": 1e-3, "μv": 1e-3, "nv": 1e-6, "v": 1e3}


_PRESSURE = re.compile(r"^(abp|art|bp|ao|fem|uap)", re.IGNORECASE)
_LIGHT = re.compile(r"^(pleth|ppg|spo2 ?wave)", re.IGNORECASE)


def is_pulse(name: str) -> bool:
    """Whether a signal of this name shows pulses: a plethysmogram or an arterial pressure."""
    return is_pressure(name) or bool(_LIGHT.match(name.strip()))


def is_pressure(name: str) -> bool:
    """Whether a signal of this name is an arterial pressure."""
    return bool(_PRESSURE.match(name.strip()))


def is_ecg(name: str, unit: str) -> bool:
    """Whether a signal of this name and unit is an ECG lead."""
    return _is_ecg(name, standard_name(name), unit)


def standard_name(name: str) -> str:
    """A lead's standard name where `name` is a variant of it, otherwise `name` without blanks.

    >>> [standard_name(name) for name in ("avf", "ECG II", "v1 ", "EKG", "ECG1")]
    ['aVF', 'II', 'V1', 'ECG', 'ECG1']
    """
    name = name.strip()
    core = _PREFIX.sub("", name)
    if core.lower() == "ekg":
        core = "ECG"
    return _STANDARD.get(core.lower(), name)


def to_millivolt(unit: str | None) -> float:
    """Factor from `unit` to mV; 1 for a unit that is no voltage (its values are left alone).

    An empty unit means mV, as WFDB has it.
    """
    return _MILLIVOLTS.get((unit or "mV").strip().lower(), 1.0)


def choose_leads(
    names: Sequence[str], units: Sequence[str], wanted: Sequence[str] | None, where: str
) -> list[tuple[int, str]]:
    """Position and name of each lead to read.

    Parameters
    ----------
    names, units : sequence of str, [n_signals]
        As the file has them.
    wanted : sequence of str, optional
        Names in the file, standard names or positions (`"1"` is the first signal), in the order
        in which they are to come; `["*"]` is every signal, ECG or not. Without it, all ECG leads.
    where : str
        The file, for messages.

    Raises
    ------
    BadRecord
        If there is no ECG lead, or none of a name that is wanted.
    """
    known = [standard_name(name) for name in names]
    if wanted is None:
        chosen = [
            (i, known[i]) for i, unit in enumerate(units) if _is_ecg(names[i], known[i], unit)
        ]
        if not chosen:
            raise BadRecord(f"{where}: no ECG lead among {', '.join(names)}; name one to read it")
        return chosen
    if list(wanted) == ["*"]:
        return list(enumerate(known))
    chosen = []
    for name in wanted:
        found = [
            i
            for i, raw in enumerate(names)
            if name in (raw, raw.strip()) or standard_name(name) == known[i]
        ]
        if not found and name.isdecimal() and 1 <= int(name) <= len(names):
            found = [int(name) - 1]
        if not found:
            raise BadRecord(f"{where}: no lead {name!r}; there are {', '.join(names)}")
        chosen.append((found[0], known[found[0]]))
    return chosen


def _is_ecg(raw: str, known: str, unit: str) -> bool:
    if known in STANDARD_LEADS:
        return True
    return (unit or "mV").strip().lower() in _MILLIVOLTS and not _NOT_ECG.match(raw.strip())
