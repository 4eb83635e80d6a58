"""What the dashboard knows of the beds: their alarms, numbers and latest signal."""

from __future__ import annotations

import re
import threading
import time
from collections import deque
from dataclasses import dataclass, field

from alerts.words import SYSTEM_BED, BedAlarms, Phase, Priority, is_audible
from ecg.codes import QualityCode
from ecg.live import LiveChunk

HISTORY_S = 12.0
"""Signal that is kept for a browser that joins late: more than a sweep of its trace."""

SILENT_S = 5.0  # as the alarm no_data: a number older than that is none
UNATTENDED_S = 10.0
UNATTENDED = "unattended"  # stands for an alarm id


@dataclass(slots=True)
class Bed:
    """One bed, as far as messages have told."""

    name: str
    alarms: BedAlarms | None = None
    latest: LiveChunk | None = None  # of its signal
    heard_s: float | None = None  # monotonic
    seen_ns: dict[str, int] = field(default_factory=dict)  # alarm id: when acknowledged
    history: deque[tuple[float, bytes]] = field(default_factory=deque)


@dataclass(frozen=True, slots=True)
class BedView:
    """A bed at one moment, for the page.

    Attributes
    ----------
    bed : str
    alarms : BedAlarms
    hr_bpm, pvc_per_min, rhythms
        As `ecg.LiveChunk` has them; None when older than `SILENT_S`.
    is_readable : bool
        Some lead is usable, as far as is known.
    acknowledged_ns : dict of alarm id to time
        Of acknowledgements that this process has seen happen.
    """

    bed: str
    alarms: BedAlarms
    hr_bpm: float | None
    acknowledged_ns: dict[str, int]
    pvc_per_min: float | None = None
    rhythms: tuple[str, ...] | None = None
    is_readable: bool = False


class WardState:
    """Beds by ward, safe to use from several threads. Times are `time.monotonic` seconds."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._wards: dict[str, dict[str, Bed]] = {}
        self._started_s = time.monotonic()

    def take_alarms(self, alarms: BedAlarms) -> None:
        """A bed's alarm document has come."""
        with self._lock:
            bed = self._bed(alarms.ward, alarms.bed)
            known = {a.id: a.phase for a in bed.alarms.alarms} if bed.alarms else {}
            bed.seen_ns = {a.id: bed.seen_ns[a.id] for a in alarms.alarms if a.id in bed.seen_ns}
            for alarm in alarms.alarms:
                if alarm.phase is Phase.ACKNOWLEDGED and known.get(alarm.id) is Phase.RAISED:
                    bed.seen_ns[alarm.id] = alarms.t_ns
            bed.alarms = alarms

    def forget(self, ward: str, bed: str) -> None:
        """The bed's retained document was taken away: there is no such bed any more."""
        with self._lock:
            self._wards.get(ward, {}).pop(bed, None)

    def take_chunk(self, chunk: LiveChunk, payload: bytes, now_s: float) -> None:
        """A piece of a bed's signal has come."""
        with self._lock:
            bed = self._bed(chunk.ward, chunk.bed)
            if bed.latest is None or chunk.epoch != bed.latest.epoch:
                bed.history.clear()
            bed.latest, bed.heard_s = chunk, now_s
            bed.history.append((now_s, payload))
            while bed.history[0][0] < now_s - HISTORY_S:
                bed.history.popleft()

    def history(self, ward: str, now_s: float) -> list[tuple[float, bytes]]:
        """(age in s, chunk) of the last seconds of all beds of a ward, in order for each bed."""
        with self._lock:
            beds = list(self._wards.get(ward, {}).values())
            return [
                (now_s - heard_s, payload)
                for bed in beds
                for heard_s, payload in bed.history
                if heard_s >= now_s - HISTORY_S
            ]

    def wards(self) -> list[str]:
        """Names of the wards that have beds."""
        with self._lock:
            return sorted(ward for ward, beds in self._wards.items() if beds)

    def beds(self, ward: str, now_s: float) -> list[BedView]:
        """The beds of a ward that have told who they are, in the order of their names.

        What concerns the ward as a whole comes as a last bed, `alerts.words.SYSTEM_BED`.
        """
        with self._lock:
            known = [b for b in self._wards.get(ward, {}).values() if b.alarms is not None]
            known.sort(key=lambda bed: (bed.name == SYSTEM_BED, natural(bed.name)))
            return [_view(bed, now_s) for bed in known]

    def is_unattended(self, ward: str, now_s: float) -> bool:
        """Whether beds should be sending but none is heard: whoever watches them has stopped.

        A device that falls silent is told by an alarm of its bed, and by `connected`; when that
        does not happen, it is the analysis that is away, and alarms with it.
        """
        with self._lock:
            beds = [b for b in self._wards.get(ward, {}).values() if b.alarms]
            connected = [b for b in beds if b.alarms and b.alarms.connected]
            last_s = max((b.heard_s or self._started_s for b in beds), default=now_s)
            return bool(connected) and now_s - last_s > UNATTENDED_S

    def audible(self, ward: str, now_s: float) -> list[tuple[str, str]]:
        """(priority, id) of what asks for a sound: as the engine has it, and when that is away."""
        with self._lock:
            docs = [b.alarms for b in self._wards.get(ward, {}).values() if b.alarms]
        found = [
            (alarm.priority.label, f"{doc.bed}/{alarm.id}")
            for doc in docs
            for alarm in doc.alarms
            if is_audible(alarm, doc.audio_pause)
        ]
        if self.is_unattended(ward, now_s):
            found.append((Priority.MEDIUM.label, UNATTENDED))
        return sorted(found)

    def _bed(self, ward: str, bed: str) -> Bed:
        return self._wards.setdefault(ward, {}).setdefault(bed, Bed(bed))


def natural(name: str) -> tuple[tuple[int, int, str], ...]:
    """A key that sorts bed 2 before bed 10."""
    parts = re.findall(r"\d+|\D+", name)
    return tuple((0, int(p), "") if p.isdecimal() else (1, 0, p) for p in parts)


def _view(bed: Bed, now_s: float) -> BedView:
    assert bed.alarms is not None
    is_fresh = bed.heard_s is not None and now_s - bed.heard_s <= SILENT_S
    chunk = bed.latest if is_fresh and bed.alarms.connected else None
    if chunk is None:
        return BedView(bed.name, bed.alarms, None, dict(bed.seen_ns))
    return BedView(
        bed.name,
        bed.alarms,
        chunk.hr_bpm,
        dict(bed.seen_ns),
        chunk.pvc_per_min,
        chunk.rhythms,
        QualityCode.USABLE in chunk.quality,
    )
