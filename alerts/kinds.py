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
    """What an alarm is about. Each has a rule (`alerts.rules`) or a source that reports it.

    Within a priority they are shown in this order.
    """

    ASYSTOLE = "asystole"
    VENTRICULAR_FIBRILLATION = "ventricular_fibrillation"
    VENTRICULAR_TACHYCARDIA = "ventricular_tachycardia"
    EXTREME_BRADYCARDIA = "extreme_bradycardia"
    EXTREME_TACHYCARDIA = "extreme_tachycardia"
    PAUSE = "pause"
    VENTRICULAR_RUN = "ventricular_run"
    VENTRICULAR_RHYTHM = "ventricular_rhythm"
    R_ON_T = "r_on_t"
    SVT = "svt"
    HEART_RATE_HIGH = "heart_rate_high"
    HEART_RATE_LOW = "heart_rate_low"
    ATRIAL_FIBRILLATION = "atrial_fibrillation"
    DEVICE_ALARM = "device_alarm"  # of a device itself, of a kind that is none of these
    ATRIAL_FIBRILLATION_ENDED = "atrial_fibrillation_ended"
    COUPLET = "couplet"
    BIGEMINY = "bigeminy"
    TRIGEMINY = "trigeminy"
    PVC_RATE = "pvc_rate"
    MISSED_BEAT = "missed_beat"
    IRREGULAR = "irregular"
    NO_DATA = "no_data"
    LEAD_OFF = "lead_off"
    CANNOT_ANALYSE = "cannot_analyse"
    BAD_DATA = "bad_data"  # frames that cannot be read, or whose numbers jump
    CLOCK_WRONG = "clock_wrong"
    BATTERY_LOW = "battery_low"
    UNKNOWN_DEVICE = "unknown_device"
    STORE_TROUBLE = "store_trouble"
    DELIVERY_TROUBLE = "delivery_trouble"
    OVERLOAD = "overload"

    @property
    def is_technical(self) -> bool:
        """About the equipment, not the patient."""
        return self in TECHNICAL

    @property
    def is_latching(self) -> bool:
        """Stays visible after the condition ended, until somebody saw it (6.10)."""
        return self in LETHAL

    @property
    def label(self) -> str:
        """As shown to people: `extreme bradycardia`."""
        return _LABELS.get(self, self.value.replace("_", " "))


LETHAL = frozenset(
    {
        AlarmKind.ASYSTOLE,
        AlarmKind.VENTRICULAR_FIBRILLATION,
        AlarmKind.VENTRICULAR_TACHYCARDIA,
        AlarmKind.EXTREME_BRADYCARDIA,
        AlarmKind.EXTREME_TACHYCARDIA,
    }
)
"""Kinds that no other alarm, no acknowledgement and no lost signal may hide."""

TECHNICAL = frozenset(
    {
        AlarmKind.NO_DATA,
        AlarmKind.LEAD_OFF,
        AlarmKind.CANNOT_ANALYSE,
        AlarmKind.BAD_DATA,
        AlarmKind.CLOCK_WRONG,
        AlarmKind.BATTERY_LOW,
        AlarmKind.UNKNOWN_DEVICE,
        AlarmKind.STORE_TROUBLE,
        AlarmKind.DELIVERY_TROUBLE,
        AlarmKind.OVERLOAD,
    }
)
"""Kinds that are about the equipment: technical alarm conditions of IEC 60601-1-8."""

ALWAYS_ON = LETHAL | {AlarmKind.NO_DATA, AlarmKind.CANNOT_ANALYSE}
"""Kinds that nobody can switch off: without them a patient dies unseen."""

PRIORITY: dict[AlarmKind, Priority] = {
    **dict.fromkeys(LETHAL, Priority.HIGH),
    AlarmKind.PAUSE: Priority.MEDIUM,
    AlarmKind.VENTRICULAR_RUN: Priority.MEDIUM,
    AlarmKind.VENTRICULAR_RHYTHM: Priority.MEDIUM,
    AlarmKind.R_ON_T: Priority.MEDIUM,
    AlarmKind.SVT: Priority.MEDIUM,
    AlarmKind.HEART_RATE_HIGH: Priority.MEDIUM,
    AlarmKind.HEART_RATE_LOW: Priority.MEDIUM,
    AlarmKind.ATRIAL_FIBRILLATION: Priority.MEDIUM,
    AlarmKind.DEVICE_ALARM: Priority.MEDIUM,
    AlarmKind.ATRIAL_FIBRILLATION_ENDED: Priority.LOW,
    AlarmKind.COUPLET: Priority.LOW,
    AlarmKind.BIGEMINY: Priority.LOW,
    AlarmKind.TRIGEMINY: Priority.LOW,
    AlarmKind.PVC_RATE: Priority.LOW,
    AlarmKind.MISSED_BEAT: Priority.LOW,
    AlarmKind.IRREGULAR: Priority.LOW,
    # medium when nobody watches the patient any more, else low
    AlarmKind.NO_DATA: Priority.MEDIUM,
    AlarmKind.CANNOT_ANALYSE: Priority.MEDIUM,
    AlarmKind.LEAD_OFF: Priority.LOW,  # medium when all leads are off
    AlarmKind.UNKNOWN_DEVICE: Priority.MEDIUM,
    AlarmKind.OVERLOAD: Priority.MEDIUM,
    AlarmKind.DELIVERY_TROUBLE: Priority.MEDIUM,  # somebody is not told of alarms
    AlarmKind.BAD_DATA: Priority.LOW,
    AlarmKind.CLOCK_WRONG: Priority.LOW,
    AlarmKind.BATTERY_LOW: Priority.LOW,
    AlarmKind.STORE_TROUBLE: Priority.LOW,  # the patient is still watched
}
"""How urgent each kind is (IEC 60601-1-8, 6.1.2: by what happens if nobody responds)."""

_LABELS = {
    AlarmKind.R_ON_T: "R on T",
    AlarmKind.SVT: "supraventricular tachycardia",
    AlarmKind.VENTRICULAR_RUN: "run of ventricular beats",
    AlarmKind.PVC_RATE: "many ventricular beats",
    AlarmKind.ATRIAL_FIBRILLATION_ENDED: "atrial fibrillation ended",
}


class Phase(StrEnum):
    """What became of an alarm. One alarm passes each phase at most once."""

    RAISED = "raised"  # the condition holds, nobody has acknowledged
    ESCALATED = "escalated"  # nobody has acknowledged in time: others are told, too
    VERIFIED = "verified"  # alarm of a device: the signal was looked at, the text tells the verdict
    ACKNOWLEDGED = "acknowledged"  # the condition holds, somebody knows
    LATCHED = "latched"  # the condition is over, nobody has seen it yet
    ENDED = "ended"  # over: no longer shown
    RESET = "reset"  # was latched, somebody has seen it: no longer shown
    SUPPRESSED = "suppressed"  # not shown (any more): the text tells what speaks against it


SHOWN = frozenset({Phase.RAISED, Phase.ACKNOWLEDGED, Phase.LATCHED})
"""Phases in which an alarm stays; the others are passed through."""
