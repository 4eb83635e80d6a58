"""Rules on the equipment."""

from __future__ import annotations

from alerts.kinds import PRIORITY, AlarmKind, Priority
from ecg.clock import NS


def no_data(now_ns: int, last_frame_ns: int, limit_s: float = 5.0) -> bool:
    """No frame for 5 s by the wall clock: nobody watches the patient any more."""
    return now_ns - last_frame_ns >= limit_s * NS


def lasts(now_ns: int, since_ns: int, limit_s: float = 10.0) -> bool:
    """A technical condition has lasted for 10 s: an electrode that is being changed is none."""
    return now_ns - since_ns >= limit_s * NS


def lead_off_priority(all_off: bool) -> Priority:
    """Medium when nobody watches the patient any more, else low."""
    return Priority.MEDIUM if all_off else PRIORITY[AlarmKind.LEAD_OFF]


def unanswered(now_ns: int, raised_ns: int, priority: Priority, escalate_s: float = 60.0) -> bool:
    """Nobody has acknowledged in time: a minute for high priority, 3 for medium, 10 for low.

    IEC 60601-1-8, 6.11 (distributed alarm systems): what nobody accepts is passed on.
    """
    times = {Priority.HIGH: 1, Priority.MEDIUM: 3, Priority.LOW: 10}.get(priority)
    return times is not None and now_ns - raised_ns >= times * escalate_s * NS
