"""What people command, on the topic `…/command`; re-exported by `alerts.words`."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from dataclasses import asdict, dataclass, fields
from typing import Any

from alerts.alarm import dump
from alerts.kinds import ALWAYS_ON, AlarmKind
from ecg.errors import BadInput

VERSION = 1
MAX_ID, MAX_BY, MAX_LIMITS = 200, 64, 40


@dataclass(frozen=True, slots=True)
class Acknowledge:
    """Somebody has seen an alarm and takes care of it (IEC 60601-1-8, 6.8).

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


@dataclass(frozen=True, slots=True)
class PauseAudio:
    """No sound of the bed's alarms for some time (6.8, audio paused); they are still shown."""

    by: str
    t_ns: int = 0
    for_s: float = 0.0  # 0: as the limits say


@dataclass(frozen=True, slots=True)
class ResumeAudio:
    """The pause ends now."""

    by: str
    t_ns: int = 0


@dataclass(frozen=True, slots=True)
class SwitchOff:
    """No alarms of a kind at this bed until they are switched on (6.8, alarm off).

    The bed shows a mark as long as it is so. Kinds of `alerts.kinds.ALWAYS_ON` are refused.
    """

    kind: AlarmKind
    by: str
    t_ns: int = 0


@dataclass(frozen=True, slots=True)
class SwitchOn:
    """Alarms of the kind again."""

    kind: AlarmKind
    by: str
    t_ns: int = 0


@dataclass(frozen=True, slots=True)
class SetLimits:
    """Other limits for the patient in this bed; those that are not named stay (6.6).

    Attributes
    ----------
    limits : tuple of (name, value)
        Names of `alerts.rules.Limits`.
    """

    limits: tuple[tuple[str, float], ...]
    by: str
    t_ns: int = 0


Command = Acknowledge | Reset | PauseAudio | ResumeAudio | SwitchOff | SwitchOn | SetLimits
_NAMES: dict[str, type[Command]] = {
    "acknowledge": Acknowledge,
    "reset": Reset,
    "pause_audio": PauseAudio,
    "resume_audio": ResumeAudio,
    "switch_off": SwitchOff,
    "switch_on": SwitchOn,
    "limits": SetLimits,
}
_NAME_OF = {kind: name for name, kind in _NAMES.items()}


def command_name(command: Command) -> str:
    """As documents spell it: `pause_audio`."""
    return _NAME_OF[type(command)]


def encode_command(command: Command) -> bytes:
    """The command as UTF-8 JSON."""
    values: dict[str, Any] = asdict(command)
    values["t_ns"] = str(command.t_ns)
    if isinstance(command, SetLimits):
        values["limits"] = dict(command.limits)
    return dump({"v": VERSION, "command": command_name(command), **values}).encode()


def decode_command(payload: bytes) -> Command:
    """The command in a message.

    Raises
    ------
    BadInput
        If it is not one of this version, or does not say who commands.
    """
    values = load(payload, "command")
    try:
        make = _NAMES[values["command"]]
        words = {f.name: _FIELDS[f.name](values) for f in fields(make)}
        return make(**words)
    except (KeyError, TypeError, ValueError, OverflowError) as error:
        raise BadInput(f"command: {why(error)}; see docs/alarms.md") from error


def load(payload: bytes, what: str) -> dict[str, Any]:
    """The JSON object in a message; BadInput if it is none of this version."""
    try:
        values = json.loads(payload)
    except (UnicodeDecodeError, ValueError, RecursionError) as error:
        raise BadInput(f"{what}: not JSON ({error})") from error
    if not isinstance(values, dict) or values.get("v") != VERSION:
        raise BadInput(f"{what}: not an object of version {VERSION}")
    return values


def why(error: Exception) -> str:
    """What is wrong with a document, for people."""
    return f"{error} is missing or unknown" if isinstance(error, KeyError) else str(error)


def _alarm_id(values: dict[str, Any]) -> str:
    alarm_id = values["alarm_id"]
    if not isinstance(alarm_id, str) or not 0 < len(alarm_id) <= MAX_ID:
        raise ValueError(f"alarm_id is not a text of 1 to {MAX_ID} characters")
    return alarm_id


def _by(values: dict[str, Any]) -> str:
    by = values["by"]
    if not isinstance(by, str) or not 0 < len(by.strip()) <= MAX_BY:
        raise ValueError(f"by is not a name of 1 to {MAX_BY} characters")
    return by.strip()


def _for_s(values: dict[str, Any]) -> float:
    for_s = values.get("for_s", 0.0)
    if not _is_number(for_s) or not 0 <= for_s <= 300:
        raise ValueError("for_s is not a number from 0 to 300")
    return float(for_s)


def _kind(values: dict[str, Any]) -> AlarmKind:
    kind = AlarmKind(values["kind"])
    if values["command"] == "switch_off" and kind in ALWAYS_ON:
        raise ValueError(f"{kind.value} cannot be switched off")
    return kind


def _limits(values: dict[str, Any]) -> tuple[tuple[str, float], ...]:
    limits = values["limits"]
    if not isinstance(limits, dict) or not 0 < len(limits) <= MAX_LIMITS:
        raise ValueError(f"limits is not an object of 1 to {MAX_LIMITS} numbers")
    for name, value in limits.items():
        if not _is_number(value):
            raise ValueError(f"limit {name} is not a number")
    return tuple(limits.items())


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


_FIELDS: dict[str, Callable[[dict[str, Any]], Any]] = {
    "alarm_id": _alarm_id,
    "by": _by,
    "t_ns": lambda values: int(values["t_ns"]),
    "for_s": _for_s,
    "kind": _kind,
    "limits": _limits,
}
