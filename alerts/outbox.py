"""Who is told of what, and what is outstanding: pure; the threads that send are elsewhere.

IEC 60601-1-8, 6.11 (distributed alarm systems): whoever sends alarms on must know whether they
have arrived. So a message is kept until its receiver has confirmed it, is sent in the order in
which things happened, and says that it is late when it is.
"""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime

from alerts.kinds import Phase, Priority
from alerts.words import Alarm, Evidence, Transition
from ecg.clock import NS, text

LATE_NS = 30 * NS
"""A message that leaves later than that after the fact is marked as late."""
TROUBLE_NS = 60 * NS
"""When the first in line waits for so long, the ward is told that somebody is not told."""
MOST = 20_000
"""Messages that may wait for one receiver; then the oldest give way, and that is logged."""
FIRST_RETRY_NS, LAST_RETRY_NS = NS, 60 * NS

_BEGINS = frozenset({Phase.RAISED, Phase.ESCALATED})


@dataclass(frozen=True, slots=True)
class Receiver:
    """Somebody who is told of alarms.

    Attributes
    ----------
    name : str
    wards : tuple of str
        Empty: all.
    least : Priority
        Lower ones are not told.
    hours : (int, int) or None
        From, to, in minutes of the day, local time; may span midnight. None: always.
    escalated_only : bool
        Only what nobody acknowledged in time, and what becomes of it.
    """

    name: str
    wards: tuple[str, ...] = ()
    least: Priority = Priority.MEDIUM
    hours: tuple[int, int] | None = None
    escalated_only: bool = False

    def wants(self, ward: str, priority: Priority, escalated: bool, minute: int) -> bool:
        """Whether an alarm is one for this receiver at this minute of the day."""
        return (
            (not self.wards or ward in self.wards)
            and priority >= self.least
            and (escalated or not self.escalated_only)
            and (self.hours is None or _within(minute, *self.hours))
        )


@dataclass(frozen=True, slots=True)
class Message:
    """One thing to tell one receiver.

    Attributes
    ----------
    id : str
        Unique for the receiver, in the order of the facts; the same when it is sent again.
    created_ns : int
    body : str
        JSON, as docs/alarms.md has it.
    """

    id: str
    created_ns: int
    body: str

    def is_late(self, now_ns: int) -> bool:
        """It leaves long after the fact."""
        return now_ns - self.created_ns > LATE_NS

    def to_json(self) -> str:
        """As the store keeps it."""
        return json.dumps({"id": self.id, "created_ns": self.created_ns, "body": self.body})

    @classmethod
    def from_json(cls, value: str) -> Message:
        """What `to_json` wrote; ValueError, KeyError or TypeError if it is none."""
        fields = json.loads(value)
        return cls(str(fields["id"]), int(fields["created_ns"]), str(fields["body"]))


@dataclass(slots=True)
class Outbox:
    """What one receiver has yet to confirm, the oldest first."""

    receiver: Receiver
    waiting: deque[Message] = field(default_factory=deque)
    told: set[str] = field(default_factory=set)  # ids of active alarms that it knows of
    failures: int = 0
    next_try_ns: int = 0
    _serial: int = 0

    def note(self, ward: str, bed: str, transition: Transition, label: str = "") -> Message | None:
        """The message of a transition, if it is for this receiver; it waits from now on."""
        if not self._concerns(ward, transition):
            return None
        self._serial += 1
        identity = f"{transition.noted_ns:020d}-{self._serial:06d}"
        body = body_of(ward, bed, label, transition)
        message = Message(identity, transition.noted_ns, json.dumps(body, ensure_ascii=False))
        self.waiting.append(message)
        return message

    def knows(self, ward: str, alarms: Iterable[Alarm], now_ns: int) -> None:
        """After a restart: of which active alarms it was told before."""
        for alarm in alarms:
            if self.receiver.wants(ward, alarm.priority, alarm.escalated, _minute(now_ns)):
                self.told.add(alarm.id)

    def resume(self, messages: Iterable[Message]) -> None:
        """After a restart: what had not been confirmed comes first, in order."""
        self.waiting.extendleft(sorted(messages, key=lambda m: m.id, reverse=True))

    def overflow(self) -> list[Message]:
        """The oldest messages that are too many; they are given up."""
        return [self.waiting.popleft() for _ in range(max(0, len(self.waiting) - MOST))]

    def due(self, now_ns: int) -> Message | None:
        """What is to be sent now: the first in line, unless it failed a moment ago."""
        if not self.waiting:
            return None
        # a wall clock that was set back makes no wait longer than the longest
        wait_ns = self.next_try_ns - now_ns
        return self.waiting[0] if wait_ns <= 0 or wait_ns > LAST_RETRY_NS else None

    def confirmed(self, message: Message) -> None:
        """The receiver has it."""
        if self.waiting and self.waiting[0].id == message.id:
            self.waiting.popleft()
        self.failures, self.next_try_ns = 0, 0

    def failed(self, now_ns: int) -> None:
        """It did not arrive: again in a while, twice as long each time, a minute at most."""
        wait_ns = min(FIRST_RETRY_NS << min(self.failures, 10), LAST_RETRY_NS)
        self.failures += 1
        self.next_try_ns = now_ns + wait_ns

    def is_stuck(self, now_ns: int) -> bool:
        """Nothing has arrived for a minute."""
        return bool(self.failures and self.waiting) and (
            now_ns - self.waiting[0].created_ns > TROUBLE_NS
        )

    def _concerns(self, ward: str, transition: Transition) -> bool:
        alarm_id, phase = transition.alarm_id, transition.phase
        if phase in _BEGINS:
            escalated = phase is Phase.ESCALATED
            minute = _minute(transition.noted_ns)
            if not self.receiver.wants(ward, transition.priority, escalated, minute):
                return False
            self.told.add(alarm_id)
            return True
        if alarm_id not in self.told:
            return False  # it was not told that it began
        if phase in (Phase.ENDED, Phase.RESET, Phase.SUPPRESSED):
            self.told.discard(alarm_id)
        return True


def body_of(ward: str, bed: str, label: str, transition: Transition) -> dict[str, object]:
    """What a receiver reads; no patient in it, as on all topics."""
    return {
        "v": 1,
        "ward": ward,
        "bed": bed,
        "label": label,
        "alarm_id": transition.alarm_id,
        "kind": transition.kind.value,
        "priority": transition.priority.label,
        "technical": transition.kind.is_technical,
        "phase": transition.phase.value,
        "t_ns": str(transition.t_ns),
        "noted_ns": str(transition.noted_ns),
        "time": text(transition.noted_ns),
        "text": transition.text,
        "by": transition.by,
        "rule": _rule(transition.evidence),
    }


def _rule(evidence: Evidence | None) -> str | None:
    return None if evidence is None else evidence.rule


def _minute(t_ns: int) -> int:
    local = datetime.fromtimestamp(t_ns / NS)
    return local.hour * 60 + local.minute


def _within(minute: int, start: int, end: int) -> bool:
    if start <= end:
        return start <= minute < end
    return minute >= start or minute < end
