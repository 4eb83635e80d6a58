"""Kinds of alarms, their priorities and phases; re-exported by `alerts.words`."""

from __future__ import annotations

from enum import IntEnum, StrEnum


class Priority(IntEnum):
    """How soon somebody must respond (IEC 60601-1-8, 6.1.2)."""

    INFO = 0  # nothing to respond to
    LOW = 1  # awareness
    MEDIUM = 2  # prompt response
    HIGH = 3  # immediate response

    @property
    def label(self) -> str:
        """As documents and people spell it: `high`."""
        return self.name.lower()


class AlarmKind(StrEnum):
    """What an alarm is about. Each has a rule (`alerts.rules`) or a source that reports it."""

    ASYSTOLE = "asystole"
    EXTREME_BRADYCARDIA = "extreme_bradycardia"
    EXTREME_TACHYCARDIA = "extreme_tachycardia"
    NO_DATA = "no_data"
    LEAD_OFF = "lead_off"
    CANNOT_ANALYSE = "cannot_analyse"
    BAD_DATA = "bad_data"  # frames that cannot be read, or whose numbers jump
    CLOCK_WRONG = "clock_wrong"
    BATTERY_LOW = "battery_low"
    UNKNOWN_DEVICE = "unknown_device"
    STORE_TROUBLE = "store_trouble"
    OVERLOAD = "overload"

    @property
    def is_technical(self) -> bool:
        """About the equipment, not the patient."""
        return self not in LETHAL

    @property
    def is_latching(self) -> bool:
        """Stays visible after the condition ended, until somebody saw it (6.10)."""
        return self in LETHAL

    @property
    def label(self) -> str:
        """As shown to people: `extreme bradycardia`."""
        return self.value.replace("_", " ")


LETHAL = frozenset(
    {AlarmKind.ASYSTOLE, AlarmKind.EXTREME_BRADYCARDIA, AlarmKind.EXTREME_TACHYCARDIA}
)
"""Kinds that no other alarm, no acknowledgement and no lost signal may hide."""


class Phase(StrEnum):
    """Where an alarm stands. One alarm passes each phase at most once, in this order."""

    RAISED = "raised"  # the condition holds, nobody has acknowledged
    ACKNOWLEDGED = "acknowledged"  # the condition holds, somebody knows
    LATCHED = "latched"  # the condition is over, nobody has seen it yet
    ENDED = "ended"  # over: no longer shown
    RESET = "reset"  # was latched, somebody has seen it: no longer shown
